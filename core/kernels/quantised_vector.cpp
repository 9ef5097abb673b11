#include "core/kernels/quantised_vector.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/quantised_vector.cpp"
#include "core/kernels/simd_targets.h"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include "core/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace retort {
namespace HWY_NAMESPACE {
namespace {

constexpr float kLargest = 32000.0f;

void quantise_block(const float* x, std::int64_t block, QuantisedVector& out)
{
    FloatVec largest = hn::Zero(Floats());
    for (std::int64_t i = 0; i < kBlock; i += kLanes) {
        largest = hn::Max(largest, hn::Abs(hn::LoadU(Floats(), x + i)));
    }
    const float most = hn::GetLane(hn::MaxOfLanes(Floats(), largest));
    const FloatVec inverse = hn::Set(Floats(), most > 0.0f ? kLargest / most : 0.0f);
    alignas(64) std::int32_t integers[kBlock];
    IntVec sum = hn::Zero(Ints());
    for (std::int64_t i = 0; i < kBlock; i += kLanes) {
        const IntVec rounded = hn::NearestInt(hn::Mul(hn::LoadU(Floats(), x + i), inverse));
        hn::StoreU(rounded, Ints(), integers + i);
        sum = hn::Add(sum, rounded);
    }
    const auto place = static_cast<std::size_t>(block);
    out.scale[place] = most / kLargest;
    out.sum[place] = hn::GetLane(hn::SumOfLanes(Ints(), sum));
    std::int32_t first_half = 0;
    for (std::int64_t i = 0; i < kBlock / 2; ++i) {
        first_half += integers[i];
    }
    out.half_sums[2 * place] = first_half;
    out.half_sums[2 * place + 1] = out.sum[place] - first_half;
    std::int8_t* high = out.high.data() + block * kBlock;
    std::int8_t* low = out.low.data() + block * kBlock;
    std::int16_t* paired = out.paired.data() + block * kBlock;
    for (std::int64_t i = 0; i < kBlock; ++i) {
        const std::int32_t upper = (integers[i] + 128) >> 8;
        high[i] = static_cast<std::int8_t>(upper);
        low[i] = static_cast<std::int8_t>(integers[i] - (upper << 8));
    }
    for (std::int64_t i = 0; i < kBlock; i += 4) {
        paired[i] = static_cast<std::int16_t>(integers[i]);
        paired[i + 1] = static_cast<std::int16_t>(integers[i + 2]);
        paired[i + 2] = static_cast<std::int16_t>(integers[i + 1]);
        paired[i + 3] = static_cast<std::int16_t>(integers[i + 3]);
    }
}

void quantise_vector(const float* x, std::int64_t columns, QuantisedVector& out)
{
    for (std::int64_t block = 0; block < columns / kBlock; ++block) {
        quantise_block(x + block * kBlock, block, out);
    }
}

} // namespace
} // namespace HWY_NAMESPACE
} // namespace retort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace retort {

HWY_EXPORT(quantise_vector);

QuantisedVector::QuantisedVector(std::int64_t max_columns)
    : values(static_cast<std::size_t>(max_columns)), high(static_cast<std::size_t>(max_columns)), low(static_cast<std::size_t>(max_columns)),
      paired(static_cast<std::size_t>(max_columns)), scale(static_cast<std::size_t>(max_columns / kBlock)),
      sum(static_cast<std::size_t>(max_columns / kBlock)), half_sums(static_cast<std::size_t>(max_columns / kBlock * 2))
{
}

void take_values(const float* x, std::int64_t columns, QuantisedVector& out)
{
    std::memcpy(out.values.data(), x, static_cast<std::size_t>(columns) * sizeof(float));
}

void quantise(const float* x, std::int64_t columns, QuantisedVector& out)
{
    take_values(x, columns, out);
    HWY_DYNAMIC_DISPATCH(quantise_vector)(x, columns, out);
}

} // namespace retort
#endif
