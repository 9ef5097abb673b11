#pragma once
#include "core/kernels/train_loss.h"

#include <cstdint>

namespace retort {

/// Divergences with a kernel of their own; the formulas are in core/distil/formulas.h.
struct DivergenceForm {
    enum class Kind { ForwardKl, ReverseKl, GeneralisedJsd, SkewedKl, SkewedReverseKl, TotalVariation, SoftCrossEntropy };
    Kind kind = Kind::ForwardKl;
    float share = 0; ///< beta of the generalised JSD, alpha of the skewed ones
};

/// As forward_kl_rows() for any of them: terms and the gradient of cross_entropy_weight CE + divergence_weight D(teacher, student at T), written over
/// the student's logits. The teacher's logits are not null.
void divergence_rows(const ForwardKlRows<float>& call, DivergenceForm form);
void divergence_rows(const ForwardKlRows<BFloat16>& call, DivergenceForm form);

} // namespace retort
