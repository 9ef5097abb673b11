// Loads, stores and the exponential that the training kernels share, compiled once for each instruction set (Highway's foreach_target).
#if defined(RETORT_TRAIN_SIMD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef RETORT_TRAIN_SIMD_INL_H
#undef RETORT_TRAIN_SIMD_INL_H
#else
#define RETORT_TRAIN_SIMD_INL_H
#endif

#include "core/kernels/train_types.h"

#include <cstdint>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace retort {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using FloatVec = hn::Vec<FloatTag>;

/// Lanes of a float vector. Constant for the fixed-width instruction sets this is built for.
inline constexpr std::int64_t kLanes = HWY_LANES(float);
/// Elements of a plain array that are worth a chunk of a team's work; whole vectors.
inline constexpr std::int64_t kElementsAtATime = 4096;

HWY_INLINE FloatVec load_whole(const float* from)
{
    return hn::LoadU(FloatTag(), from);
}

HWY_INLINE FloatVec load_whole(const BFloat16* from)
{
    const hn::Rebind<std::uint16_t, FloatTag> d16;
    const hn::RebindToUnsigned<FloatTag> d32;
    const auto wide = hn::PromoteTo(d32, hn::LoadU(d16, reinterpret_cast<const std::uint16_t*>(from)));
    return hn::BitCast(FloatTag(), hn::ShiftLeft<16>(wide));
}

HWY_INLINE void store_whole(FloatVec values, float* to)
{
    hn::StoreU(values, FloatTag(), to);
}

/// As to_bfloat16: ties to even, and a NaN stays one.
HWY_INLINE hn::Vec<hn::RebindToUnsigned<FloatTag>> bfloat16_bits(FloatVec values)
{
    const hn::RebindToUnsigned<FloatTag> d32;
    const auto bits = hn::BitCast(d32, values);
    const auto upper = hn::ShiftRight<16>(bits);
    const auto odd = hn::And(upper, hn::Set(d32, 1u));
    const auto rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(odd, hn::Set(d32, 0x7fffu))));
    const auto is_nan = hn::RebindMask(d32, hn::IsNaN(values));
    return hn::IfThenElse(is_nan, hn::Or(upper, hn::Set(d32, 0x40u)), rounded);
}

HWY_INLINE void store_whole(FloatVec values, BFloat16* to)
{
    const hn::Rebind<std::uint16_t, FloatTag> d16;
    hn::StoreU(hn::TruncateTo(d16, bfloat16_bits(values)), d16, reinterpret_cast<std::uint16_t*>(to));
}

template <class Number>
HWY_NOINLINE FloatVec load_part(const Number* from, std::int64_t count)
{
    HWY_ALIGN float lanes[kLanes] = {};
    for (std::int64_t i = 0; i < count; ++i) {
        lanes[i] = to_float(from[i]);
    }
    return hn::Load(FloatTag(), lanes);
}

HWY_INLINE void assign(float& to, float value)
{
    to = value;
}

HWY_INLINE void assign(BFloat16& to, float value)
{
    to = to_bfloat16(value);
}

template <class Number>
HWY_NOINLINE void store_part(FloatVec values, Number* to, std::int64_t count)
{
    HWY_ALIGN float lanes[kLanes];
    hn::Store(values, FloatTag(), lanes);
    for (std::int64_t i = 0; i < count; ++i) {
        assign(to[i], lanes[i]);
    }
}

/// Up to kLanes numbers from `from`, of which `left` exist; the rest are zero.
template <class Number>
HWY_INLINE FloatVec load(const Number* from, std::int64_t left)
{
    return HWY_LIKELY(left >= kLanes) ? load_whole(from) : load_part(from, left);
}

template <class Number>
HWY_INLINE void store(FloatVec values, Number* to, std::int64_t left)
{
    if (HWY_LIKELY(left >= kLanes)) {
        store_whole(values, to);
    } else {
        store_part(values, to, left);
    }
}

HWY_INLINE float sum_of_lanes(FloatVec values)
{
    return hn::GetLane(hn::SumOfLanes(FloatTag(), values));
}

inline constexpr float kLog2E = 1.44269504088896340736f;

/// 2^x, 0 below -126, relative error under 2e-7: Taylor's series of 2^f on [-1/2, 1/2], so that 2^0 is exactly 1. `x` at most 127; a NaN stays a NaN.
HWY_INLINE FloatVec exp2(FloatVec x)
{
    const FloatTag d;
    const hn::RebindToSigned<FloatTag> d32;
    const FloatVec whole = hn::Round(x);
    const FloatVec f = hn::Sub(x, whole);
    FloatVec series = hn::Set(d, 1.5252734e-5f);
    series = hn::MulAdd(series, f, hn::Set(d, 1.5403530e-4f));
    series = hn::MulAdd(series, f, hn::Set(d, 1.3333558e-3f));
    series = hn::MulAdd(series, f, hn::Set(d, 9.6181291e-3f));
    series = hn::MulAdd(series, f, hn::Set(d, 5.5504109e-2f));
    series = hn::MulAdd(series, f, hn::Set(d, 2.4022651e-1f));
    series = hn::MulAdd(series, f, hn::Set(d, 6.9314718e-1f));
    series = hn::MulAdd(series, f, hn::Set(d, 1.0f));
    const auto exponent = hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(d32, whole), hn::Set(d32, 127)));
    return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -126.0f)), hn::Mul(series, hn::BitCast(d, exponent)));
}

/// 1 / (1 + e^-x)
HWY_INLINE FloatVec sigmoid(FloatVec x)
{
    const FloatTag d;
    const FloatVec one = hn::Set(d, 1.0f);
    return hn::Div(one, hn::Add(one, exp2(hn::Min(hn::Mul(x, hn::Set(d, -kLog2E)), hn::Set(d, 120.0f)))));
}

} // namespace HWY_NAMESPACE
} // namespace retort
HWY_AFTER_NAMESPACE();

#endif
