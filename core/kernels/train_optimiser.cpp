#include "core/kernels/train_optimiser.h"

#include "core/kernels/team.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/train_optimiser.cpp"
#include "core/kernels/simd_targets.h"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include "core/kernels/train_simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace retort {
namespace HWY_NAMESPACE {

void adamw_update_of(const AdamWUpdate& call)
{
    const FloatTag d;
    const auto set = [d](double value) { return hn::Set(d, static_cast<float>(value)); };
    const auto t = static_cast<double>(call.step);
    const FloatVec keep = set(1.0 - call.lr * call.weight_decay);
    const FloatVec beta1 = set(call.beta1);
    const FloatVec beta2 = set(call.beta2);
    const FloatVec rest1 = set(1.0 - call.beta1);
    const FloatVec rest2 = set(1.0 - call.beta2);
    const FloatVec rate = set(call.lr / (1.0 - std::pow(call.beta1, t)));
    const FloatVec correction = set(1.0 / std::sqrt(1.0 - std::pow(call.beta2, t)));
    const FloatVec eps = set(call.eps);
    const FloatVec scale = set(call.gradient_scale);
    const auto count = static_cast<std::int64_t>(call.parameters.size());
    float* const parameters = call.parameters.data();
    for_ranges(count, kElementsAtATime, [&](std::int64_t begin, std::int64_t end) HWY_ATTR {
        for (std::int64_t i = begin; i < end; i += kLanes) {
            const std::int64_t left = count - i;
            const FloatVec g = hn::Mul(load(call.gradients + i, left), scale);
            const FloatVec m = hn::MulAdd(beta1, load(call.exp_avg + i, left), hn::Mul(rest1, g));
            const FloatVec v = hn::MulAdd(beta2, load(call.exp_avg_sq + i, left), hn::Mul(rest2, hn::Mul(g, g)));
            store(m, call.exp_avg + i, left);
            store(v, call.exp_avg_sq + i, left);
            const FloatVec decayed = hn::Mul(load(parameters + i, left), keep);
            const FloatVec updated = hn::NegMulAdd(rate, hn::Div(m, hn::MulAdd(hn::Sqrt(v), correction, eps)), decayed);
            store(updated, parameters + i, left);
            if (call.rounded != nullptr) {
                store(updated, call.rounded + i, left);
            }
        }
    });
}

float block_sum_of_squares(const float* values, std::int64_t count)
{
    FloatVec sum = hn::Zero(FloatTag());
    for (std::int64_t i = 0; i < count; i += kLanes) {
        const FloatVec x = load(values + i, count - i);
        sum = hn::MulAdd(x, x, sum);
    }
    return sum_of_lanes(sum);
}

double sum_of_squares_of(std::span<const float> values)
{
    constexpr std::int64_t kBlock = 4096;
    const auto count = static_cast<std::int64_t>(values.size());
    std::vector<double> sums(static_cast<std::size_t>((count + kBlock - 1) / kBlock));
    for_ranges(static_cast<std::int64_t>(sums.size()), 1, [&](std::int64_t begin, std::int64_t end) HWY_ATTR {
        for (std::int64_t block = begin; block < end; ++block) {
            const std::int64_t first = block * kBlock;
            sums[static_cast<std::size_t>(block)] = static_cast<double>(block_sum_of_squares(values.data() + first, std::min(kBlock, count - first)));
        }
    });
    return std::accumulate(sums.begin(), sums.end(), 0.0);
}

} // namespace HWY_NAMESPACE
} // namespace retort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace retort {

HWY_EXPORT(adamw_update_of);
HWY_EXPORT(sum_of_squares_of);

void adamw_update(const AdamWUpdate& call)
{
    HWY_DYNAMIC_DISPATCH(adamw_update_of)(call);
}

double sum_of_squares(std::span<const float> values)
{
    return HWY_DYNAMIC_DISPATCH(sum_of_squares_of)(values);
}

} // namespace retort
#endif
