#include "core/kernels/train_loss.h"

#include "core/kernels/team.h"

#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/train_loss.cpp"
#include "core/kernels/simd_targets.h"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include "core/kernels/train_simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace retort {
namespace HWY_NAMESPACE {

/// How exp(z) follows from exp(z / T), which the divergence needs anyway: one exponential serves both at the usual temperatures.
enum class Temperature { One, Two, Other };

template <Temperature kTemperature>
HWY_INLINE FloatVec at_one(FloatVec tempered, FloatVec logits, float most)
{
    const FloatTag d;
    if constexpr (kTemperature == Temperature::One) {
        return tempered;
    } else if constexpr (kTemperature == Temperature::Two) {
        return hn::Mul(tempered, tempered);
    } else {
        return exp2(hn::Mul(hn::Sub(logits, hn::Set(d, most)), hn::Set(d, kLog2E)));
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

/// Sums over a row, of exponentials relative to the row's largest logit.
struct RowSums {
    float student_most = 0, teacher_most = 0;
    double student = 0;     ///< sum exp((z - max) / T)
    double student_one = 0; ///< sum exp(z - max)
    double teacher = 0;     ///< sum exp((v - max) / T)
    double gap = 0;         ///< sum exp((v - max) / T) (v - z)
    double level = 0;       ///< sum exp((v - max) / T) (v - max)
};

template <Temperature kTemperature, bool kTeacher, class Act>
HWY_INLINE RowSums sum_row(const Act* student, const Act* teacher, std::int64_t count, float temperature)
{
    const FloatTag d;
    RowSums sums;
    sums.student_most = most_of(student, count);
    sums.teacher_most = kTeacher ? most_of(teacher, count) : 0.0f;
    const FloatVec student_most = hn::Set(d, sums.student_most);
    const FloatVec teacher_most = hn::Set(d, sums.teacher_most);
    const FloatVec per_nat = hn::Set(d, kLog2E / temperature);
    const FloatVec zero = hn::Zero(d);
    FloatVec total = zero;
    FloatVec one = zero;
    FloatVec teacher_total = zero;
    FloatVec gap = zero;
    FloatVec level = zero;
    for (std::int64_t i = 0; i < count; i += kLanes) {
        const std::int64_t left = count - i;
        const FloatVec z = load(student + i, left);
        FloatVec e = exp2(hn::Mul(hn::Sub(z, student_most), per_nat));
        FloatVec e_one = at_one<kTemperature>(e, z, sums.student_most);
        if (HWY_UNLIKELY(left < kLanes)) {
            e = hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(left)), e);
            e_one = hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(left)), e_one);
        }
        total = hn::Add(total, e);
        one = hn::Add(one, e_one);
        if constexpr (kTeacher) {
            const FloatVec v = load(teacher + i, left);
            const FloatVec below = hn::Sub(v, teacher_most);
            FloatVec t = exp2(hn::Mul(below, per_nat));
            if (HWY_UNLIKELY(left < kLanes)) {
                t = hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(left)), t);
            }
            teacher_total = hn::Add(teacher_total, t);
            gap = hn::MulAdd(t, hn::Sub(v, z), gap);
            level = hn::MulAdd(t, below, level);
        }
    }
    sums.student = static_cast<double>(sum_of_lanes(total));
    sums.student_one = static_cast<double>(sum_of_lanes(one));
    sums.teacher = static_cast<double>(sum_of_lanes(teacher_total));
    sums.gap = static_cast<double>(sum_of_lanes(gap));
    sums.level = static_cast<double>(sum_of_lanes(level));
    return sums;
}

template <Temperature kTemperature, bool kTeacher, class Act>
HWY_INLINE void write_gradient(const ForwardKlRows<Act>& call, Act* student, const Act* teacher, std::int32_t label, const RowSums& sums)
{
    const FloatTag d;
    const FloatVec student_most = hn::Set(d, sums.student_most);
    const FloatVec teacher_most = hn::Set(d, sums.teacher_most);
    const FloatVec per_nat = hn::Set(d, kLog2E / call.temperature);
    const double divergence_weight = static_cast<double>(call.divergence_weight) / static_cast<double>(call.temperature);
    const FloatVec one_factor = hn::Set(d, static_cast<float>(static_cast<double>(call.cross_entropy_weight) / sums.student_one));
    const FloatVec student_factor = hn::Set(d, kTeacher ? static_cast<float>(divergence_weight / sums.student) : 0.0f);
    const FloatVec teacher_factor = hn::Set(d, kTeacher ? static_cast<float>(divergence_weight / sums.teacher) : 0.0f);
    const auto gradient_at = [&](std::int64_t i, std::int64_t left) {
        const FloatVec z = load(student + i, left);
        const FloatVec e = exp2(hn::Mul(hn::Sub(z, student_most), per_nat));
        FloatVec gradient = hn::Mul(at_one<kTemperature>(e, z, sums.student_most), one_factor);
        if constexpr (kTeacher) {
            const FloatVec t = exp2(hn::Mul(hn::Sub(load(teacher + i, left), teacher_most), per_nat));
            gradient = hn::NegMulAdd(t, teacher_factor, hn::MulAdd(e, student_factor, gradient));
        }
        return gradient;
    };
    // The label's share is taken off before rounding, so its vector is computed apart.
    const std::int64_t label_block = label / kLanes * kLanes;
    HWY_ALIGN float labelled[kLanes];
    hn::Store(gradient_at(label_block, call.vocabulary - label_block), d, labelled);
    labelled[label - label_block] -= call.cross_entropy_weight;
    for (std::int64_t i = 0; i < call.vocabulary; i += kLanes) {
        const std::int64_t left = call.vocabulary - i;
        store(gradient_at(i, left), student + i, left);
    }
    store(hn::Load(d, labelled), student + label_block, call.vocabulary - label_block);
}

template <Temperature kTemperature, bool kTeacher, class Act>
void compare_row(const ForwardKlRows<Act>& call, std::int64_t row)
{
    Act* student = call.student + row * call.vocabulary;
    const Act* teacher = kTeacher ? call.teacher + row * call.vocabulary : nullptr;
    const std::int32_t label = call.labels[row];
    const RowSums sums = sum_row<kTemperature, kTeacher>(student, teacher, call.vocabulary, call.temperature);
    const double temperature = call.temperature;
    LossTerms terms;
    terms.cross_entropy = std::log(sums.student_one) + static_cast<double>(sums.student_most) - static_cast<double>(to_float(student[label]));
    if constexpr (kTeacher) {
        const double log_student = std::log(sums.student) + static_cast<double>(sums.student_most) / temperature;
        const double log_teacher = std::log(sums.teacher) + static_cast<double>(sums.teacher_most) / temperature;
        terms.divergence = sums.gap / sums.teacher / temperature + (log_student - log_teacher);
        terms.teacher_entropy = std::log(sums.teacher) - sums.level / sums.teacher / temperature;
    }
    call.terms[row] = terms;
    if (call.write_gradient) {
        write_gradient<kTemperature, kTeacher>(call, student, teacher, label, sums);
    }
}

template <Temperature kTemperature, class Act>
void compare_rows(const ForwardKlRows<Act>& call)
{
    for_ranges(call.rows, 1, [&](std::int64_t begin, std::int64_t end) HWY_ATTR {
        for (std::int64_t row = begin; row < end; ++row) {
            if (call.teacher != nullptr) {
                compare_row<kTemperature, true>(call, row);
            } else {
                compare_row<kTemperature, false>(call, row);
            }
        }
    });
}

template <class Act>
void forward_kl_rows_of(const ForwardKlRows<Act>& call)
{
    if (call.temperature == 1.0f) {
        compare_rows<Temperature::One>(call);
    } else if (call.temperature == 2.0f) {
        compare_rows<Temperature::Two>(call);
    } else {
        compare_rows<Temperature::Other>(call);
    }
}

// Highway's tables hold plain functions.
void ForwardKlRowsFloat(const ForwardKlRows<float>& call)
{
    forward_kl_rows_of(call);
}
void ForwardKlRowsBFloat16(const ForwardKlRows<BFloat16>& call)
{
    forward_kl_rows_of(call);
}

} // namespace HWY_NAMESPACE
} // namespace retort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace retort {

HWY_EXPORT(ForwardKlRowsFloat);
HWY_EXPORT(ForwardKlRowsBFloat16);

void forward_kl_rows(const ForwardKlRows<float>& call)
{
    HWY_DYNAMIC_DISPATCH(ForwardKlRowsFloat)(call);
}

void forward_kl_rows(const ForwardKlRows<BFloat16>& call)
{
    HWY_DYNAMIC_DISPATCH(ForwardKlRowsBFloat16)(call);
}

} // namespace retort
#endif
