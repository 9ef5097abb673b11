#pragma once
#include "core/distil/plan.h"
#include "core/model/arch_spec.h"

namespace retort {

/// The shape of a fresh student of these sizes: vocabulary, context and norms are its teacher's, and the head is the embedding, of which a small
/// student would be most. Sizes that do not fit together are left to check().
[[nodiscard]] ArchSpec fresh_spec(const DistilPlan::Student::Fresh& fresh, const ArchSpec& teacher);

} // namespace retort
