#pragma once
#include "core/data/batch.h"
#include "core/distil/objective.h"
#include "core/distil/participants.h"

#include <cstdint>
#include <span>

namespace retort {

struct StepSettings {
    double temperature = 2;
    double alpha_cross_entropy = 0.3; ///< loss = alpha CE + (1 - alpha) divergence, the objective's factor in it
    double clip_norm = 1;
    double learning_rate = 0;
    std::int64_t vocabulary = 0; ///< pieces that both know; padding beyond it takes no part
};

/// Means over the targets of the whole accumulated batch, nats.
struct StepReport {
    std::int64_t targets = 0;
    double loss = 0;
    double divergence = 0; ///< times the objective's factor (T^2)
    double cross_entropy = 0;
    double teacher_entropy = 0;
    double gradient_norm = 0; ///< before clipping
    bool finite = true;       ///< false: nothing was changed; nor is anything where there are no targets
};

/// One step of distillation: ask the teacher, run the student, compare, go back, step. With `teacher` null the student learns from the text alone.
[[nodiscard]] StepReport distil_step(Teacher* teacher, Student& student, std::span<const Batch> micro_batches, const Objective& objective,
                                     const StepSettings& settings);

} // namespace retort
