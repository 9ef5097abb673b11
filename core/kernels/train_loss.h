#pragma once
#include "core/kernels/train_types.h"

#include <cstdint>

namespace retort {

/// What one predicted position contributes, nats. Divergence and entropy at the temperature asked for, without T-squared; cross-entropy at 1.
struct LossTerms {
    double cross_entropy = 0;
    double divergence = 0;
    double teacher_entropy = 0;
};

/// Cross-entropy and forward KL of rows of logits, and the gradient of
///     cross_entropy_weight CE + divergence_weight KL(teacher || student at T)
/// with respect to the student's logits, written over them: w_ce (softmax(z) - onehot) + w_kl (q - p) / T. No (rows, vocabulary) array but the two
/// given.
template <class Act>
struct ForwardKlRows {
    Act* student = nullptr;               ///< (rows, vocabulary): logits, then their gradient
    const Act* teacher = nullptr;         ///< (rows, vocabulary): logits; null: cross-entropy alone
    const std::int32_t* labels = nullptr; ///< (rows), each within the vocabulary
    LossTerms* terms = nullptr;           ///< (rows)
    std::int64_t rows = 0, vocabulary = 0;
    float temperature = 1;
    float cross_entropy_weight = 0, divergence_weight = 0;
    bool write_gradient = true;
};
void forward_kl_rows(const ForwardKlRows<float>& call);
void forward_kl_rows(const ForwardKlRows<BFloat16>& call);

} // namespace retort
