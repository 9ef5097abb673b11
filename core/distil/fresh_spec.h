#pragma once
#include "core/distil/plan.h"
#include "core/model/decoder_shape.h"

namespace retort {

/// The shape of a fresh student of these sizes: vocabulary, context and norms are its teacher's, and the head is the embedding, of which a small
/// student would be most. Sizes that do not fit together are left to check().
[[nodiscard]] DecoderShape fresh_spec(const DistilPlan::Student::Fresh& fresh, const DecoderShape& teacher);

} // namespace retort
