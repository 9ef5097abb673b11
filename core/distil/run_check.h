#pragma once
#include "core/base/error.h"
#include "core/distil/run.h"
#include "core/model/model.h"

#include <cstdint>

namespace retort {

/// Whether plan, teacher, student and data fit together: tokenizers, context, objective, memory. Gives the number of pieces that all of them know;
/// what a model has beyond is padding and takes no part.
[[nodiscard]] Result<std::int64_t> check_request(const RunRequest& request, const Model& student);

/// Fills in the tokenizer's files of the teacher's folder where the request brings none.
void complete_files(RunRequest& request);

} // namespace retort
