#pragma once
#include "core/distil/objective.h"
#include "core/distil/participants.h"
#include "core/distil/targets.h"

#include <cstdint>

namespace retort {

/// What the loss of one position is multiplied by.
struct LossWeights {
    double temperature = 1;
    double cross_entropy = 0; ///< alpha / targets
    double divergence = 0;    ///< (1 - alpha) times the objective's factor (T^2) / targets
};

/// Sums over positions, nats; divergence and entropy at the temperature, without T-squared.
struct LossSums {
    double cross_entropy = 0;
    double divergence = 0;
    double teacher_entropy = 0;

    LossSums& operator+=(const LossSums& other);
};

/// Runs the heads of both over the targets, some hundred rows at a time, compares them, and sends the gradient back into the student's hidden states
/// and head. Both have read the batch; `teacher` null: cross-entropy alone. Pieces from `vocabulary` on are left out of every softmax. A (batch,
/// time, vocabulary) array never exists.
[[nodiscard]] LossSums backward_through_head(Teacher* teacher, Student& student, const Targets& targets, const Objective& objective,
                                             const LossWeights& weights, std::int64_t vocabulary);

/// Rows of logits that are compared at a time: large enough for the products, small enough to stay near the cache.
[[nodiscard]] std::int64_t head_rows(std::int64_t vocabulary);

/// The loss of rows of logits, their gradient written over the student's: by the kernel that the objective names, or by its evaluate() row by row.
[[nodiscard]] LossSums compare_rows(const TrainableNet::Logits& student, const TrainableNet::Logits* teacher, std::span<const std::int32_t> labels,
                                    const Objective& objective, const LossWeights& weights);
/// The same without the fused kernel, whatever the objective.
[[nodiscard]] LossSums compare_rows_plainly(const TrainableNet::Logits& student, const TrainableNet::Logits& teacher,
                                            std::span<const std::int32_t> labels, const Objective& objective, const LossWeights& weights);

} // namespace retort
