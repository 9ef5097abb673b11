#pragma once
#include "core/base/error.h"
#include "core/distil/run.h"
#include "core/distil/training_checkpoint.h"
#include "core/model/model.h"

#include <cstdint>
#include <string>
#include <vector>

namespace retort {

/// Whether plan, teacher, student and data fit together: tokenizers, context, objective, memory. Gives the number of pieces that all of them know;
/// what a model has beyond is padding and takes no part.
[[nodiscard]] Result<std::int64_t> check_request(const RunRequest& request, const Model& student);

/// What a person should know of such a run before its first step; see DistillationRun::remarks().
[[nodiscard]] std::vector<std::string> remarks_on(const RunRequest& request, const Model& student);

/// The state in the checkpoint that `request` resumes from; refused where it is of another plan or teacher, with what differs.
[[nodiscard]] Result<TrainingState> state_to_resume(const RunRequest& request);

/// Fills in the tokenizer's files of the teacher's folder where the request brings none.
void complete_files(RunRequest& request);

} // namespace retort
