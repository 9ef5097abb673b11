#include "core/kernels/train_divergence.h"

#include "core/kernels/team.h"

#include <cmath>
#include <limits>

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/train_divergence.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include "core/kernels/train_simd-inl.h"

#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace retort {
namespace HWY_NAMESPACE {

/// One vector of pieces: log-probabilities and probabilities of teacher (a, p) and student (b, q).
struct Pieces {
    FloatVec a, b, p, q;
};

/// What they add to the divergence, and its derivative d/db up to a multiple of q.
struct OfPieces {
    FloatVec value, slope;
};

HWY_INLINE FloatVec natural_exponential(FloatVec x)
{
    return exp2(hn::Mul(x, hn::Set(FloatTag(), kLog2E)));
}

/// log(share p + (1 - share) q) from the larger of the two.
HWY_INLINE FloatVec log_mixture(const Pieces& pieces, float share)
{
    const FloatTag d;
    const auto student_is_larger = hn::Gt(pieces.b, pieces.a);
    const FloatVec of_larger = hn::IfThenElse(student_is_larger, hn::Set(d, 1.0f - share), hn::Set(d, share));
    const FloatVec of_smaller = hn::Sub(hn::Set(d, 1.0f), of_larger);
    const FloatVec ratio = natural_exponential(hn::Neg(hn::Abs(hn::Sub(pieces.a, pieces.b))));
    return hn::Add(hn::Max(pieces.a, pieces.b), hn::Log(d, hn::MulAdd(of_smaller, ratio, of_larger)));
}

template <DivergenceForm::Kind kKind>
HWY_INLINE OfPieces divergence_of(const Pieces& x, float share)
{
    using Kind = DivergenceForm::Kind;
    const FloatTag d;
    if constexpr (kKind == Kind::ForwardKl) {
        return {hn::Mul(x.p, hn::Sub(x.a, x.b)), hn::Neg(x.p)};
    } else if constexpr (kKind == Kind::SoftCrossEntropy) {
        return {hn::Neg(hn::Mul(x.p, x.b)), hn::Neg(x.p)};
    } else if constexpr (kKind == Kind::ReverseKl) {
        const FloatVec value = hn::Mul(x.q, hn::Sub(x.b, x.a));
        return {value, value};
    } else if constexpr (kKind == Kind::GeneralisedJsd) {
        const FloatVec m = log_mixture(x, share);
        const FloatVec slope = hn::Mul(hn::Set(d, 1.0f - share), hn::Mul(x.q, hn::Sub(x.b, m)));
        return {hn::MulAdd(hn::Set(d, share), hn::Mul(x.p, hn::Sub(x.a, m)), slope), slope};
    } else if constexpr (kKind == Kind::SkewedKl) {
        const FloatVec m = log_mixture(x, share);
        const FloatVec gap = hn::Sub(x.a, m);
        return {hn::Mul(x.p, gap), hn::Mul(hn::Set(d, share - 1.0f), hn::Mul(x.q, natural_exponential(gap)))};
    } else if constexpr (kKind == Kind::SkewedReverseKl) {
        const FloatVec gap = hn::Sub(x.b, log_mixture(x, 1.0f - share));
        return {hn::Mul(x.q, gap), hn::Mul(x.q, hn::NegMulAdd(hn::Set(d, share), natural_exponential(gap), gap))};
    } else {
        const FloatVec half = hn::Set(d, 0.5f);
        const FloatVec difference = hn::Sub(x.q, x.p);
        const FloatVec sign = hn::IfThenElseZero(hn::Ne(difference, hn::Zero(d)), hn::CopySign(half, difference));
        return {hn::Mul(half, hn::Abs(difference)), hn::Mul(sign, x.q)};
    }
}

template <class Act>
HWY_INLINE float most_of(const Act* row, std::int64_t count)
{
    const FloatTag d;
    FloatVec most = hn::Set(d, -std::numeric_limits<float>::max());
    std::int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
        most = hn::Max(most, load_whole(row + i));
    }
    float result = hn::GetLane(hn::MaxOfLanes(d, most));
    for (; i < count; ++i) {
        result = std::fmax(result, to_float(row[i]));
    }
    return result;
}

/// Zero in the lanes beyond the row's end.
HWY_INLINE FloatVec within(FloatVec values, std::int64_t left)
{
    const FloatTag d;
    return HWY_LIKELY(left >= kLanes) ? values : hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(left)), values);
}

/// A row's logits as log-probabilities: (logit - most) / T - log_sum.
struct Scale {
    float most = 0, log_sum = 0, inverse_temperature = 1;

    [[nodiscard]] HWY_INLINE FloatVec apply(FloatVec logits) const
    {
        const FloatTag d;
        return hn::MulSub(hn::Sub(logits, hn::Set(d, most)), hn::Set(d, inverse_temperature), hn::Set(d, log_sum));
    }
};

template <class Act>
Scale scale_of(const Act* row, std::int64_t count, float temperature)
{
    Scale scale{.most = most_of(row, count), .log_sum = 0, .inverse_temperature = 1.0f / temperature};
    FloatVec sum = hn::Zero(FloatTag());
    for (std::int64_t i = 0; i < count; i += kLanes) {
        sum = hn::Add(sum, within(natural_exponential(scale.apply(load(row + i, count - i))), count - i));
    }
    scale.log_sum = std::log(sum_of_lanes(sum));
    return scale;
}

template <class Act>
HWY_INLINE Pieces pieces_at(const Act* teacher, const Act* student, std::int64_t left, const Scale& of_teacher, const Scale& of_student)
{
    Pieces pieces;
    pieces.a = of_teacher.apply(load(teacher, left));
    pieces.b = of_student.apply(load(student, left));
    pieces.p = within(natural_exponential(pieces.a), left);
    pieces.q = within(natural_exponential(pieces.b), left);
    return pieces;
}

template <DivergenceForm::Kind kKind, class Act>
void compare_row(const ForwardKlRows<Act>& call, float share, std::int64_t row)
{
    const FloatTag d;
    Act* student = call.student + row * call.vocabulary;
    const Act* teacher = call.teacher + row * call.vocabulary;
    const std::int32_t label = call.labels[row];
    const Scale of_teacher = scale_of(teacher, call.vocabulary, call.temperature);
    const Scale of_student = scale_of(student, call.vocabulary, call.temperature);
    const Scale at_one = call.temperature == 1.0f ? of_student : scale_of(student, call.vocabulary, 1.0f);

    FloatVec value = hn::Zero(d);
    FloatVec slope = hn::Zero(d);
    FloatVec entropy = hn::Zero(d);
    for (std::int64_t i = 0; i < call.vocabulary; i += kLanes) {
        const Pieces pieces = pieces_at(teacher + i, student + i, call.vocabulary - i, of_teacher, of_student);
        const OfPieces sums = divergence_of<kKind>(pieces, share);
        value = hn::Add(value, sums.value);
        slope = hn::Add(slope, sums.slope);
        entropy = hn::NegMulAdd(pieces.p, pieces.a, entropy);
    }
    const float label_logit = to_float(student[label]);
    call.terms[row] = {.cross_entropy = static_cast<double>(at_one.log_sum) + static_cast<double>(at_one.most - label_logit),
                       .divergence = static_cast<double>(sum_of_lanes(value)),
                       .teacher_entropy = static_cast<double>(sum_of_lanes(entropy))};
    if (!call.write_gradient) {
        return;
    }
    const FloatVec slope_sum = hn::Set(d, sum_of_lanes(slope));
    const FloatVec weight = hn::Set(d, call.divergence_weight / call.temperature);
    const FloatVec cross_entropy_weight = hn::Set(d, call.cross_entropy_weight);
    const std::int64_t label_block = label / kLanes * kLanes;
    for (std::int64_t i = 0; i < call.vocabulary; i += kLanes) {
        const std::int64_t left = call.vocabulary - i;
        const Pieces pieces = pieces_at(teacher + i, student + i, left, of_teacher, of_student);
        const FloatVec of_divergence = hn::NegMulAdd(pieces.q, slope_sum, divergence_of<kKind>(pieces, share).slope);
        const FloatVec likely = natural_exponential(at_one.apply(load(student + i, left)));
        FloatVec gradient = hn::MulAdd(weight, of_divergence, hn::Mul(cross_entropy_weight, likely));
        if (HWY_UNLIKELY(i == label_block)) { // the label's share is taken off before rounding
            HWY_ALIGN float lanes[kLanes];
            hn::Store(gradient, d, lanes);
            lanes[label - label_block] -= call.cross_entropy_weight;
            gradient = hn::Load(d, lanes);
        }
        store(gradient, student + i, left);
    }
}

template <DivergenceForm::Kind kKind, class Act>
void compare_rows(const ForwardKlRows<Act>& call, float share)
{
    for_ranges(call.rows, 1, [&](std::int64_t begin, std::int64_t end) HWY_ATTR {
        for (std::int64_t row = begin; row < end; ++row) {
            compare_row<kKind>(call, share, row);
        }
    });
}

template <class Act>
void divergence_rows_of(const ForwardKlRows<Act>& call, DivergenceForm form)
{
    using Kind = DivergenceForm::Kind;
    switch (form.kind) {
    case Kind::ForwardKl:
        return compare_rows<Kind::ForwardKl>(call, form.share);
    case Kind::ReverseKl:
        return compare_rows<Kind::ReverseKl>(call, form.share);
    case Kind::GeneralisedJsd:
        return compare_rows<Kind::GeneralisedJsd>(call, form.share);
    case Kind::SkewedKl:
        return compare_rows<Kind::SkewedKl>(call, form.share);
    case Kind::SkewedReverseKl:
        return compare_rows<Kind::SkewedReverseKl>(call, form.share);
    case Kind::TotalVariation:
        return compare_rows<Kind::TotalVariation>(call, form.share);
    case Kind::SoftCrossEntropy:
        return compare_rows<Kind::SoftCrossEntropy>(call, form.share);
    }
}

// Highway's tables hold plain functions.
void DivergenceRowsFloat(const ForwardKlRows<float>& call, DivergenceForm form)
{
    divergence_rows_of(call, form);
}
void DivergenceRowsBFloat16(const ForwardKlRows<BFloat16>& call, DivergenceForm form)
{
    divergence_rows_of(call, form);
}

} // namespace HWY_NAMESPACE
} // namespace retort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace retort {

HWY_EXPORT(DivergenceRowsFloat);
HWY_EXPORT(DivergenceRowsBFloat16);

void divergence_rows(const ForwardKlRows<float>& call, DivergenceForm form)
{
    if (form.kind == DivergenceForm::Kind::ForwardKl) {
        forward_kl_rows(call); // one exponential less
    } else {
        HWY_DYNAMIC_DISPATCH(DivergenceRowsFloat)(call, form);
    }
}

void divergence_rows(const ForwardKlRows<BFloat16>& call, DivergenceForm form)
{
    if (form.kind == DivergenceForm::Kind::ForwardKl) {
        forward_kl_rows(call);
    } else {
        HWY_DYNAMIC_DISPATCH(DivergenceRowsBFloat16)(call, form);
    }
}

} // namespace retort
#endif
