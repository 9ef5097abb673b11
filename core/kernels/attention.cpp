#include "core/kernels/attention.h"

#include "core/kernels/row_ops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/attention.cpp"
#include "core/kernels/simd_targets.h"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include "core/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace retort {
namespace HWY_NAMESPACE {
namespace {

/// scores[p] = query . key_p: four positions at a time, for four independent sums.
void score(const float* query, const float* keys, std::int64_t length, std::int64_t head_dim, float* scores)
{
    const std::int64_t whole = head_dim / kLanes * kLanes;
    const auto tail = [&](const float* key) {
        float sum = 0.0f;
        for (std::int64_t i = whole; i < head_dim; ++i) {
            sum += query[i] * key[i];
        }
        return sum;
    };
    std::int64_t p = 0;
    for (; p + 4 <= length; p += 4) {
        const float* key = keys + p * head_dim;
        FloatVec sums[4] = {hn::Zero(Floats()), hn::Zero(Floats()), hn::Zero(Floats()), hn::Zero(Floats())};
        for (std::int64_t i = 0; i < whole; i += kLanes) {
            const FloatVec q = hn::LoadU(Floats(), query + i);
            for (int j = 0; j < 4; ++j) {
                sums[j] = hn::MulAdd(q, hn::LoadU(Floats(), key + j * head_dim + i), sums[j]);
            }
        }
        for (int j = 0; j < 4; ++j) {
            scores[p + j] = hn::GetLane(hn::SumOfLanes(Floats(), sums[j])) + tail(key + j * head_dim);
        }
    }
    for (; p < length; ++p) {
        const float* key = keys + p * head_dim;
        FloatVec sum = hn::Zero(Floats());
        for (std::int64_t i = 0; i < whole; i += kLanes) {
            sum = hn::MulAdd(hn::LoadU(Floats(), query + i), hn::LoadU(Floats(), key + i), sum);
        }
        scores[p] = hn::GetLane(hn::SumOfLanes(Floats(), sum)) + tail(key);
    }
}

/// out = factor sum_p weights[p] value_p, up to four vectors of a value at a time.
void gather(const float* weights, float factor, const float* values, std::int64_t length, std::int64_t head_dim, float* out)
{
    std::int64_t i = 0;
    for (; i + 4 * kLanes <= head_dim; i += 4 * kLanes) {
        FloatVec sums[4] = {hn::Zero(Floats()), hn::Zero(Floats()), hn::Zero(Floats()), hn::Zero(Floats())};
        for (std::int64_t p = 0; p < length; ++p) {
            const FloatVec weight = hn::Set(Floats(), weights[p]);
            for (int j = 0; j < 4; ++j) {
                sums[j] = hn::MulAdd(weight, hn::LoadU(Floats(), values + p * head_dim + i + j * kLanes), sums[j]);
            }
        }
        for (int j = 0; j < 4; ++j) {
            hn::StoreU(hn::Mul(sums[j], hn::Set(Floats(), factor)), Floats(), out + i + j * kLanes);
        }
    }
    for (; i + kLanes <= head_dim; i += kLanes) {
        FloatVec sum = hn::Zero(Floats());
        for (std::int64_t p = 0; p < length; ++p) {
            sum = hn::MulAdd(hn::Set(Floats(), weights[p]), hn::LoadU(Floats(), values + p * head_dim + i), sum);
        }
        hn::StoreU(hn::Mul(sum, hn::Set(Floats(), factor)), Floats(), out + i);
    }
    for (; i < head_dim; ++i) {
        float sum = 0.0f;
        for (std::int64_t p = 0; p < length; ++p) {
            sum += weights[p] * values[p * head_dim + i];
        }
        out[i] = sum * factor;
    }
}

} // namespace
} // namespace HWY_NAMESPACE
} // namespace retort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace retort {

HWY_EXPORT(score);
HWY_EXPORT(gather);

void attend(const float* query, const float* keys, const float* values, std::int64_t length, std::int64_t head_dim, float cap, float* scores,
            float* out)
{
    HWY_DYNAMIC_DISPATCH(score)(query, keys, length, head_dim, scores);
    if (cap > 0.0f) {
        soft_cap(cap, length, scores);
    }
    const float sum = exponentials(scores, length);
    HWY_DYNAMIC_DISPATCH(gather)(scores, 1.0f / sum, values, length, head_dim, out);
}

} // namespace retort
#endif
