// exp of a vector of floats, for the files that Highway compiles once for each instruction set. Included after foreach_target.h.
#if defined(RETORT_EXPONENTIAL_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef RETORT_EXPONENTIAL_INL_H
#undef RETORT_EXPONENTIAL_INL_H
#else
#define RETORT_EXPONENTIAL_INL_H
#endif

#include "core/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace retort {
namespace HWY_NAMESPACE {

/// exp(x) to 2 ulp for x in [-87, 88]; below that exp(-87), above it exp(88). A NaN stays one.
/// x = n ln 2 + r with |r| <= ln 2 / 2: 2^n is put together from its bits, exp(r) is Taylor's polynomial of degree 7, off by less than 6e-9.
HWY_INLINE FloatVec exponential(FloatVec x)
{
    const FloatVec clamped = hn::IfThenElse(hn::IsNaN(x), x, hn::Min(hn::Max(x, hn::Set(Floats(), -87.0f)), hn::Set(Floats(), 88.0f)));
    const FloatVec n = hn::Round(hn::Mul(clamped, hn::Set(Floats(), 1.44269504f)));
    // ln 2 in two parts, so that n ln 2 is taken off without rounding.
    FloatVec r = hn::NegMulAdd(n, hn::Set(Floats(), 0.693359375f), clamped);
    r = hn::NegMulAdd(n, hn::Set(Floats(), -2.12194440e-4f), r);
    FloatVec p = hn::Set(Floats(), 1.0f / 5040.0f);
    p = hn::MulAdd(p, r, hn::Set(Floats(), 1.0f / 720.0f));
    p = hn::MulAdd(p, r, hn::Set(Floats(), 1.0f / 120.0f));
    p = hn::MulAdd(p, r, hn::Set(Floats(), 1.0f / 24.0f));
    p = hn::MulAdd(p, r, hn::Set(Floats(), 1.0f / 6.0f));
    p = hn::MulAdd(p, r, hn::Set(Floats(), 0.5f));
    p = hn::MulAdd(p, r, hn::Set(Floats(), 1.0f));
    p = hn::MulAdd(p, r, hn::Set(Floats(), 1.0f));
    const auto exponent = hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(Ints(), n), hn::Set(Ints(), 127)));
    return hn::Mul(p, hn::BitCast(Floats(), exponent));
}

} // namespace HWY_NAMESPACE
} // namespace retort
HWY_AFTER_NAMESPACE();

#endif
