#pragma once
#include "core/kernels/train_types.h"

#include <cstdint>
#include <span>

namespace retort {

/// One step of AdamW (Loshchilov and Hutter 2019, as torch.optim.AdamW computes it) over a flat range: p -= lr wd p, then
/// m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, p -= lr / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + eps), with g = gradient_scale gradient.
struct AdamWUpdate {
    std::span<float> parameters;
    float* exp_avg = nullptr;
    float* exp_avg_sq = nullptr;
    const float* gradients = nullptr;
    BFloat16* rounded = nullptr; ///< the parameters again, rounded; null when not wanted
    double gradient_scale = 1;   ///< of clipping
    double lr = 0, beta1 = 0, beta2 = 0, eps = 0, weight_decay = 0;
    std::int64_t step = 1; ///< t, from 1
};
void adamw_update(const AdamWUpdate& call);

/// Sum of squares in blocks of a fixed size: the same bits for any number of threads.
[[nodiscard]] double sum_of_squares(std::span<const float> values);

} // namespace retort
