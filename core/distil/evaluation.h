#pragma once
#include "core/data/batch.h"
#include "core/distil/participants.h"
#include "core/distil/run.h"

#include <cstdint>
#include <functional>
#include <span>

namespace retort {

/// The student on batches it does not train on: cross-entropy, KL(teacher || student) at temperature 1 and how often both prefer the same piece.
/// `teacher` null: cross-entropy alone. Changes no weight. `watch` hears after each batch which share is done, and says whether to go on; when not,
/// the error is Cancelled. The engine thread.
[[nodiscard]] Result<EvaluationPoint> evaluate_student(Teacher* teacher, Student& student, std::span<const Batch> batches, std::int64_t vocabulary,
                                                       const std::function<bool(double)>& watch = {});

} // namespace retort
