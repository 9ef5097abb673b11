#include "core/kernels/row_ops.h"

#include <cmath>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/row_ops.cpp"
#include "core/kernels/simd_targets.h"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include "core/kernels/exponential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace retort {
namespace HWY_NAMESPACE {
namespace {

/// Calls body(place, count) for whole vectors, then once for what is left.
template <class Whole, class Rest>
HWY_INLINE void for_vectors(std::int64_t count, Whole&& whole, Rest&& rest)
{
    std::int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
        whole(i);
    }
    if (i < count) {
        rest(i, static_cast<std::size_t>(count - i));
    }
}

// Fewer values than a vector has. Only x86 from AVX2 on has loads and stores that leave what is masked out alone: elsewhere Highway's would touch,
// and on SSE4 want aligned, what lies beyond the row.
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2

HWY_INLINE FloatVec load_some(const float* values, std::size_t count)
{
    return hn::MaskedLoad(hn::FirstN(Floats(), count), Floats(), values);
}

HWY_INLINE void store_some(FloatVec vector, float* values, std::size_t count)
{
    hn::BlendedStore(vector, hn::FirstN(Floats(), count), Floats(), values);
}

#else

HWY_INLINE FloatVec load_some(const float* values, std::size_t count)
{
    alignas(64) float some[kLanes] = {};
    std::memcpy(some, values, count * sizeof(float));
    return hn::Load(Floats(), some);
}

HWY_INLINE void store_some(FloatVec vector, float* values, std::size_t count)
{
    alignas(64) float some[kLanes];
    hn::Store(vector, Floats(), some);
    std::memcpy(values, some, count * sizeof(float));
}

#endif

float dot_of(const float* x, const float* y, std::int64_t count)
{
    FloatVec sums[2] = {hn::Zero(Floats()), hn::Zero(Floats())};
    std::int64_t i = 0;
    for (; i + 2 * kLanes <= count; i += 2 * kLanes) {
        sums[0] = hn::MulAdd(hn::LoadU(Floats(), x + i), hn::LoadU(Floats(), y + i), sums[0]);
        sums[1] = hn::MulAdd(hn::LoadU(Floats(), x + i + kLanes), hn::LoadU(Floats(), y + i + kLanes), sums[1]);
    }
    for_vectors(
        count - i, [&](std::int64_t k) { sums[0] = hn::MulAdd(hn::LoadU(Floats(), x + i + k), hn::LoadU(Floats(), y + i + k), sums[0]); },
        [&](std::int64_t k, std::size_t left) { sums[1] = hn::MulAdd(load_some(x + i + k, left), load_some(y + i + k, left), sums[1]); });
    return hn::GetLane(hn::SumOfLanes(Floats(), hn::Add(sums[0], sums[1])));
}

void normalise(const float* x, const float* gain, std::int64_t width, double eps, float* out)
{
    const float mean = dot_of(x, x, width) / static_cast<float>(width);
    const FloatVec factor = hn::Set(Floats(), 1.0f / std::sqrt(mean + static_cast<float>(eps)));
    for_vectors(
        width,
        [&](std::int64_t i) { hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(Floats(), x + i), factor), hn::LoadU(Floats(), gain + i)), Floats(), out + i); },
        [&](std::int64_t i, std::size_t left) {
            store_some(hn::Mul(hn::Mul(load_some(x + i, left), factor), load_some(gain + i, left)), out + i, left);
        });
}

void centre_and_normalise(const float* x, const float* gain, const float* bias, std::int64_t width, double eps, float* out)
{
    FloatVec total = hn::Zero(Floats());
    for_vectors(
        width, [&](std::int64_t i) { total = hn::Add(total, hn::LoadU(Floats(), x + i)); },
        [&](std::int64_t i, std::size_t left) { total = hn::Add(total, load_some(x + i, left)); });
    const FloatVec mean = hn::Set(Floats(), hn::GetLane(hn::SumOfLanes(Floats(), total)) / static_cast<float>(width));
    FloatVec squares = hn::Zero(Floats());
    const auto add_square = [&](FloatVec values) {
        const FloatVec centred = hn::Sub(values, mean);
        squares = hn::MulAdd(centred, centred, squares);
    };
    for_vectors(
        width, [&](std::int64_t i) { add_square(hn::LoadU(Floats(), x + i)); },
        [&](std::int64_t i, std::size_t left) { add_square(hn::IfThenElse(hn::FirstN(Floats(), left), load_some(x + i, left), mean)); });
    const float variance = hn::GetLane(hn::SumOfLanes(Floats(), squares)) / static_cast<float>(width);
    const FloatVec factor = hn::Set(Floats(), 1.0f / std::sqrt(variance + static_cast<float>(eps)));
    const auto result = [&](FloatVec values, FloatVec gains, FloatVec shifts) {
        return hn::MulAdd(hn::Mul(hn::Sub(values, mean), factor), gains, shifts);
    };
    const FloatVec zero = hn::Zero(Floats());
    for_vectors(
        width,
        [&](std::int64_t i) {
            const FloatVec shift = bias != nullptr ? hn::LoadU(Floats(), bias + i) : zero;
            hn::StoreU(result(hn::LoadU(Floats(), x + i), hn::LoadU(Floats(), gain + i), shift), Floats(), out + i);
        },
        [&](std::int64_t i, std::size_t left) {
            const FloatVec shift = bias != nullptr ? load_some(bias + i, left) : zero;
            store_some(result(load_some(x + i, left), load_some(gain + i, left), shift), out + i, left);
        });
}

void add_scaled_of(const float* x, float factor, std::int64_t count, float* sum)
{
    const FloatVec by = hn::Set(Floats(), factor);
    for_vectors(
        count, [&](std::int64_t i) { hn::StoreU(hn::MulAdd(hn::LoadU(Floats(), x + i), by, hn::LoadU(Floats(), sum + i)), Floats(), sum + i); },
        [&](std::int64_t i, std::size_t left) { store_some(hn::MulAdd(load_some(x + i, left), by, load_some(sum + i, left)), sum + i, left); });
}

void scale_of(float factor, std::int64_t count, float* values)
{
    const FloatVec by = hn::Set(Floats(), factor);
    for_vectors(
        count, [&](std::int64_t i) { hn::StoreU(hn::Mul(hn::LoadU(Floats(), values + i), by), Floats(), values + i); },
        [&](std::int64_t i, std::size_t left) { store_some(hn::Mul(load_some(values + i, left), by), values + i, left); });
}

HWY_INLINE FloatVec gated(FloatVec gate, FloatVec up)
{
    const FloatVec one = hn::Set(Floats(), 1.0f);
    return hn::Mul(hn::Div(gate, hn::Add(one, exponential(hn::Neg(gate)))), up);
}

void swiglu_of(const float* gate, const float* up, std::int64_t count, float* out)
{
    for_vectors(
        count, [&](std::int64_t i) { hn::StoreU(gated(hn::LoadU(Floats(), gate + i), hn::LoadU(Floats(), up + i)), Floats(), out + i); },
        [&](std::int64_t i, std::size_t left) { store_some(gated(load_some(gate + i, left), load_some(up + i, left)), out + i, left); });
}

HWY_INLINE FloatVec tanh_of(FloatVec z)
{
    const FloatVec one = hn::Set(Floats(), 1.0f);
    const FloatVec twice = exponential(hn::Add(z, z));
    return hn::Sub(one, hn::Div(hn::Set(Floats(), 2.0f), hn::Add(twice, one)));
}

/// Abramowitz and Stegun 7.1.26: off by at most 1.5e-7.
HWY_INLINE FloatVec erf_of(FloatVec z)
{
    const auto set = [](float value) HWY_ATTR { return hn::Set(Floats(), value); };
    const FloatVec size = hn::Abs(z);
    const FloatVec t = hn::Div(set(1.0f), hn::MulAdd(set(0.3275911f), size, set(1.0f)));
    FloatVec series = set(1.061405429f);
    series = hn::MulAdd(series, t, set(-1.453152027f));
    series = hn::MulAdd(series, t, set(1.421413741f));
    series = hn::MulAdd(series, t, set(-0.284496736f));
    series = hn::MulAdd(series, t, set(0.254829592f));
    const FloatVec tail = hn::Mul(hn::Mul(series, t), exponential(hn::Neg(hn::Mul(size, size))));
    return hn::CopySign(hn::Sub(set(1.0f), tail), z);
}

HWY_INLINE FloatVec activated(Activation activation, FloatVec x)
{
    const auto set = [](float value) HWY_ATTR { return hn::Set(Floats(), value); };
    switch (activation) {
    case Activation::Silu:
        return gated(x, set(1.0f));
    case Activation::Gelu:
        return hn::Mul(hn::Mul(set(0.5f), x), hn::Add(set(1.0f), erf_of(hn::Mul(x, set(0.70710678f)))));
    case Activation::GeluTanh: {
        const FloatVec inner = hn::Mul(set(0.79788456f), hn::MulAdd(hn::Mul(set(0.044715f), hn::Mul(x, x)), x, x));
        return hn::Mul(hn::Mul(set(0.5f), x), hn::Add(set(1.0f), tanh_of(inner)));
    }
    case Activation::Relu:
        return hn::IfThenElse(hn::IsNaN(x), x, hn::Max(x, hn::Zero(Floats())));
    }
    return x;
}

void activate_of(Activation activation, const float* x, const float* up, std::int64_t count, float* out)
{
    for_vectors(
        count,
        [&](std::int64_t i) {
            const FloatVec bent = activated(activation, hn::LoadU(Floats(), x + i));
            hn::StoreU(up != nullptr ? hn::Mul(bent, hn::LoadU(Floats(), up + i)) : bent, Floats(), out + i);
        },
        [&](std::int64_t i, std::size_t left) {
            const FloatVec bent = activated(activation, load_some(x + i, left));
            store_some(up != nullptr ? hn::Mul(bent, load_some(up + i, left)) : bent, out + i, left);
        });
}

void soft_cap_of(float cap, std::int64_t count, float* values)
{
    const FloatVec by = hn::Set(Floats(), cap);
    for_vectors(
        count, [&](std::int64_t i) { hn::StoreU(hn::Mul(tanh_of(hn::Div(hn::LoadU(Floats(), values + i), by)), by), Floats(), values + i); },
        [&](std::int64_t i, std::size_t left) { store_some(hn::Mul(tanh_of(hn::Div(load_some(values + i, left), by)), by), values + i, left); });
}

void rotate(float* head, std::int64_t head_dim, const float* cosines, const float* sines)
{
    const std::int64_t half = head_dim / 2;
    float* upper = head + half;
    std::int64_t i = 0;
    for (; i + kLanes <= half; i += kLanes) {
        const FloatVec a = hn::LoadU(Floats(), head + i);
        const FloatVec b = hn::LoadU(Floats(), upper + i);
        const FloatVec c = hn::LoadU(Floats(), cosines + i);
        const FloatVec s = hn::LoadU(Floats(), sines + i);
        hn::StoreU(hn::NegMulAdd(b, s, hn::Mul(a, c)), Floats(), head + i);
        hn::StoreU(hn::MulAdd(a, s, hn::Mul(b, c)), Floats(), upper + i);
    }
    for (; i < half; ++i) {
        const float a = head[i];
        const float b = upper[i];
        head[i] = a * cosines[i] - b * sines[i];
        upper[i] = b * cosines[i] + a * sines[i];
    }
}

float exponentials_of(float* scores, std::int64_t count)
{
    const FloatVec lowest = hn::Set(Floats(), -INFINITY);
    FloatVec largest = lowest;
    for_vectors(
        count, [&](std::int64_t i) { largest = hn::Max(largest, hn::LoadU(Floats(), scores + i)); },
        [&](std::int64_t i, std::size_t left) {
            largest = hn::Max(largest, hn::IfThenElse(hn::FirstN(Floats(), left), load_some(scores + i, left), lowest));
        });
    largest = hn::MaxOfLanes(Floats(), largest);
    FloatVec sum = hn::Zero(Floats());
    for_vectors(
        count,
        [&](std::int64_t i) {
            const FloatVec e = exponential(hn::Sub(hn::LoadU(Floats(), scores + i), largest));
            hn::StoreU(e, Floats(), scores + i);
            sum = hn::Add(sum, e);
        },
        [&](std::int64_t i, std::size_t left) {
            const FloatVec e = hn::IfThenElseZero(hn::FirstN(Floats(), left), exponential(hn::Sub(load_some(scores + i, left), largest)));
            store_some(e, scores + i, left);
            sum = hn::Add(sum, e);
        });
    return hn::GetLane(hn::SumOfLanes(Floats(), sum));
}

bool all_finite_of(const float* values, std::int64_t count)
{
    // 0 x is 0 for a finite x and NaN otherwise, and a NaN stays in the sum.
    FloatVec sum = hn::Zero(Floats());
    const FloatVec zero = hn::Zero(Floats());
    for_vectors(
        count, [&](std::int64_t i) { sum = hn::MulAdd(hn::LoadU(Floats(), values + i), zero, sum); },
        [&](std::int64_t i, std::size_t left) { sum = hn::MulAdd(load_some(values + i, left), zero, sum); });
    return hn::GetLane(hn::SumOfLanes(Floats(), sum)) == 0.0f;
}

} // namespace
} // namespace HWY_NAMESPACE
} // namespace retort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace retort {

HWY_EXPORT(normalise);
HWY_EXPORT(add_scaled_of);
HWY_EXPORT(scale_of);
HWY_EXPORT(swiglu_of);
HWY_EXPORT(rotate);
HWY_EXPORT(centre_and_normalise);
HWY_EXPORT(activate_of);
HWY_EXPORT(soft_cap_of);
HWY_EXPORT(dot_of);
HWY_EXPORT(exponentials_of);
HWY_EXPORT(all_finite_of);

void rms_norm(const float* x, const float* gain, std::int64_t width, double eps, float* out)
{
    HWY_DYNAMIC_DISPATCH(normalise)(x, gain, width, eps, out);
}

void layer_norm(const float* x, const float* gain, const float* bias, std::int64_t width, double eps, float* out)
{
    HWY_DYNAMIC_DISPATCH(centre_and_normalise)(x, gain, bias, width, eps, out);
}

void activate(Activation activation, const float* x, const float* up, std::int64_t count, float* out)
{
    HWY_DYNAMIC_DISPATCH(activate_of)(activation, x, up, count, out);
}

void soft_cap(float cap, std::int64_t count, float* values)
{
    HWY_DYNAMIC_DISPATCH(soft_cap_of)(cap, count, values);
}

void add(const float* x, std::int64_t count, float* sum)
{
    HWY_DYNAMIC_DISPATCH(add_scaled_of)(x, 1.0f, count, sum);
}

void scale(float factor, std::int64_t count, float* values)
{
    HWY_DYNAMIC_DISPATCH(scale_of)(factor, count, values);
}

void swiglu(const float* gate, const float* up, std::int64_t count, float* out)
{
    HWY_DYNAMIC_DISPATCH(swiglu_of)(gate, up, count, out);
}

void rotate_head(float* head, std::int64_t head_dim, const float* cosines, const float* sines)
{
    HWY_DYNAMIC_DISPATCH(rotate)(head, head_dim, cosines, sines);
}

float dot(const float* x, const float* y, std::int64_t count)
{
    return HWY_DYNAMIC_DISPATCH(dot_of)(x, y, count);
}

void add_scaled(const float* x, float factor, std::int64_t count, float* sum)
{
    HWY_DYNAMIC_DISPATCH(add_scaled_of)(x, factor, count, sum);
}

float exponentials(float* scores, std::int64_t count)
{
    return HWY_DYNAMIC_DISPATCH(exponentials_of)(scores, count);
}

bool all_finite(const float* values, std::int64_t count)
{
    return HWY_DYNAMIC_DISPATCH(all_finite_of)(values, count);
}

} // namespace retort
#endif
