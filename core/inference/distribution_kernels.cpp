#include "core/inference/distribution_kernels.h"

#include <array>
#include <cstddef>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/inference/distribution_kernels.cpp"
#include "core/kernels/simd_targets.h"

#include <hwy/foreach_target.h> // compiles what follows once for each instruction set; the headers after it need that order

#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace retort::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;
using Wide = hn::Vec<Doubles>;
constexpr std::size_t kMostLanes = HWY_MAX_BYTES / sizeof(double);

/// Calls `block` with pointers to whole vectors of the spans; the last, partial one comes from copies filled up with -inf, which add nothing.
template <class Block>
void for_each_vector(std::span<const float> a, std::span<const float> b, Block&& block)
{
    const std::size_t lanes = hn::Lanes(Doubles());
    std::size_t i = 0;
    for (; i + lanes <= a.size(); i += lanes) {
        block(i, lanes, a.data() + i, b.data() + i);
    }
    if (i < a.size()) {
        std::array<float, kMostLanes> rest_a;
        std::array<float, kMostLanes> rest_b;
        rest_a.fill(-std::numeric_limits<float>::infinity());
        rest_b.fill(-std::numeric_limits<float>::infinity());
        for (std::size_t j = i; j < a.size(); ++j) {
            rest_a[j - i] = a[j];
            rest_b[j - i] = b[j];
        }
        block(i, a.size() - i, rest_a.data(), rest_b.data());
    }
}

Wide load(const float* from)
{
    return hn::PromoteTo(Doubles(), hn::LoadU(hn::Rebind<float, Doubles>(), from));
}

/// p * x where p is above 0, else 0: what a piece that cannot come adds, whatever x is there.
Wide weighted(Wide p, Wide x)
{
    return hn::IfThenElseZero(hn::Gt(p, hn::Zero(Doubles())), hn::Mul(p, x));
}

double SumOfExponentials(std::span<const float> values, double shift, double scale)
{
    const Doubles d;
    Wide sum = hn::Zero(d);
    for_each_vector(values, values, [&](std::size_t, std::size_t, const float* x, const float*) {
        sum = hn::Add(sum, hn::Exp(d, hn::Mul(hn::Sub(load(x), hn::Set(d, shift)), hn::Set(d, scale))));
    });
    return hn::GetLane(hn::SumOfLanes(d, sum));
}

void Exponentials(std::span<double> values, double shift, double scale)
{
    const Doubles d;
    const std::size_t lanes = hn::Lanes(d);
    const auto at = [&](double* place) {
        hn::StoreU(hn::Exp(d, hn::Mul(hn::Sub(hn::LoadU(d, place), hn::Set(d, shift)), hn::Set(d, scale))), d, place);
    };
    std::size_t i = 0;
    for (; i + lanes <= values.size(); i += lanes) {
        at(values.data() + i);
    }
    std::array<double, kMostLanes> rest{};
    for (std::size_t j = i; j < values.size(); ++j) {
        rest[j - i] = values[j];
    }
    at(rest.data());
    for (std::size_t j = i; j < values.size(); ++j) {
        values[j] = rest[j - i];
    }
}

double EntropySum(std::span<const float> log_probs)
{
    const Doubles d;
    Wide sum = hn::Zero(d);
    for_each_vector(log_probs, log_probs, [&](std::size_t, std::size_t, const float* x, const float*) {
        const Wide a = load(x);
        sum = hn::Sub(sum, weighted(hn::Exp(d, a), a));
    });
    return hn::GetLane(hn::SumOfLanes(d, sum));
}

/// Jensen-Shannon without the logarithm of m itself: log m = max(a, b) + log((1 + r) / 2), r the smaller probability over the larger. Equal rows give
/// r = 1 and exactly 0, and nearly equal ones keep their digits.
PairSums SumsOfPair(std::span<const float> teacher, std::span<const float> student, float floor)
{
    const Doubles d;
    const Wide zero = hn::Zero(d);
    const Wide one = hn::Set(d, 1.0);
    const Wide half = hn::Set(d, 0.5);
    const Wide lowest = hn::Set(d, static_cast<double>(floor));
    Wide kl = zero, kl_above = zero, reverse = zero, js = zero, tv = zero, entropy_a = zero, entropy_b = zero;
    for_each_vector(teacher, student, [&](std::size_t, std::size_t, const float* x, const float* y) {
        const Wide a = load(x);
        const Wide b = load(y);
        const Wide p = hn::Exp(d, a);
        const Wide q = hn::Exp(d, b);
        const Wide difference = hn::Sub(a, b);
        const Wide share = weighted(p, difference);
        kl = hn::Add(kl, share);
        kl_above = hn::Add(kl_above, hn::IfThenElseZero(hn::Gt(a, lowest), share));
        reverse = hn::Add(reverse, weighted(q, hn::Neg(difference)));
        tv = hn::Add(tv, hn::Abs(hn::Sub(p, q)));
        entropy_a = hn::Sub(entropy_a, weighted(p, a));
        entropy_b = hn::Sub(entropy_b, weighted(q, b));

        const Wide larger = hn::Max(p, q);
        const Wide ratio = hn::IfThenElse(hn::Gt(larger, zero), hn::Div(hn::Min(p, q), larger), one);
        const Wide mean = hn::Log1p(d, hn::Mul(half, hn::Sub(ratio, one)));
        const Wide of_p = hn::Sub(hn::IfThenElse(hn::Ge(p, q), zero, difference), mean);
        const Wide of_q = hn::Sub(hn::IfThenElse(hn::Ge(q, p), zero, hn::Neg(difference)), mean);
        js = hn::Add(js, hn::Add(weighted(p, of_p), weighted(q, of_q)));
    });
    const auto total = [&](Wide lanes) { return hn::GetLane(hn::SumOfLanes(d, lanes)); };
    return {total(kl), total(kl_above), total(reverse), total(js) / 2, total(tv) / 2, total(entropy_a), total(entropy_b)};
}

void KlTerms(std::span<const float> teacher, std::span<const float> student, std::span<double> out)
{
    const Doubles d;
    for_each_vector(teacher, student, [&](std::size_t first, std::size_t count, const float* x, const float* y) {
        std::array<double, kMostLanes> terms;
        const Wide a = load(x);
        hn::StoreU(weighted(hn::Exp(d, a), hn::Sub(a, load(y))), d, terms.data());
        for (std::size_t i = 0; i < count; ++i) {
            out[first + i] = terms[i];
        }
    });
}

} // namespace
} // namespace retort::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace retort {

HWY_EXPORT(SumOfExponentials);
HWY_EXPORT(Exponentials);
HWY_EXPORT(EntropySum);
HWY_EXPORT(SumsOfPair);
HWY_EXPORT(KlTerms);

float largest(std::span<const float> values)
{
    std::array<float, 16> best;
    best.fill(-std::numeric_limits<float>::infinity());
    std::size_t i = 0;
    for (; i + best.size() <= values.size(); i += best.size()) {
        for (std::size_t j = 0; j < best.size(); ++j) {
            best[j] = values[i + j] > best[j] ? values[i + j] : best[j];
        }
    }
    for (; i < values.size(); ++i) {
        best[0] = values[i] > best[0] ? values[i] : best[0];
    }
    float most = best[0];
    for (const float value : best) {
        most = value > most ? value : most;
    }
    return most;
}

double sum_of_exponentials(std::span<const float> values, double shift, double scale)
{
    return HWY_DYNAMIC_DISPATCH(SumOfExponentials)(values, shift, scale);
}

void exponentials(std::span<double> values, double shift, double scale)
{
    HWY_DYNAMIC_DISPATCH(Exponentials)(values, shift, scale);
}

void shift_and_scale(std::span<const float> values, double shift, double scale, double offset, std::span<float> out)
{
    for (std::size_t i = 0; i < values.size(); ++i) {
        out[i] = static_cast<float>((static_cast<double>(values[i]) - shift) * scale - offset);
    }
}

double entropy_sum(std::span<const float> log_probs)
{
    return HWY_DYNAMIC_DISPATCH(EntropySum)(log_probs);
}

PairSums pair_sums(std::span<const float> a, std::span<const float> b, float floor)
{
    return HWY_DYNAMIC_DISPATCH(SumsOfPair)(a, b, floor);
}

void kl_terms(std::span<const float> a, std::span<const float> b, std::span<double> out)
{
    HWY_DYNAMIC_DISPATCH(KlTerms)(a, b, out);
}

} // namespace retort
#endif
