#include "core/distil/head_loss.h"

#include "core/distil/formulas.h"
#include "core/kernels/team.h"
#include "core/kernels/train_divergence.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

namespace retort {
namespace {

LossSums sum_of(const std::vector<LossTerms>& terms)
{
    LossSums sums;
    for (const LossTerms& term : terms) {
        sums += {term.cross_entropy, term.divergence, term.teacher_entropy};
    }
    return sums;
}

template <class Act>
LossSums compare_fused(Act* student, const Act* teacher, std::int64_t vocabulary, std::span<const std::int32_t> labels, DivergenceForm form,
                       const LossWeights& weights)
{
    std::vector<LossTerms> terms(labels.size());
    const ForwardKlRows<Act> call{.student = student,
                                  .teacher = teacher,
                                  .labels = labels.data(),
                                  .terms = terms.data(),
                                  .rows = static_cast<std::int64_t>(labels.size()),
                                  .vocabulary = vocabulary,
                                  .temperature = static_cast<float>(weights.temperature),
                                  .cross_entropy_weight = static_cast<float>(weights.cross_entropy),
                                  .divergence_weight = static_cast<float>(weights.divergence)};
    if (teacher == nullptr) {
        forward_kl_rows(call);
    } else {
        divergence_rows(call, form);
    }
    return sum_of(terms);
}

void put(float value, float& to)
{
    to = value;
}

void put(float value, BFloat16& to)
{
    to = to_bfloat16(value);
}

/// A member's row of each kind, in float.
struct PlainRow {
    explicit PlainRow(std::size_t size) : logits(size), student(size), student_at_one(size), teacher(size), gradient(size) {}

    template <class Act>
    LossTerms compare(Act* student_row, const Act* teacher_row, std::int32_t label, const Objective& objective, const LossWeights& weights)
    {
        const auto temperature = static_cast<float>(weights.temperature);
        std::transform(teacher_row, teacher_row + logits.size(), logits.begin(), [](Act x) { return to_float(x); });
        tempered_log_softmax<float>(logits, temperature, teacher);
        std::transform(student_row, student_row + logits.size(), logits.begin(), [](Act x) { return to_float(x); });
        tempered_log_softmax<float>(logits, temperature, student);
        tempered_log_softmax<float>(logits, 1.0f, student_at_one);

        LossTerms terms;
        terms.divergence = objective.evaluate({teacher, student}, gradient);
        through_log_softmax<float>(student, temperature, static_cast<float>(weights.divergence), gradient);
        terms.cross_entropy =
            cross_entropy<float>(student_at_one, static_cast<std::size_t>(label), static_cast<float>(weights.cross_entropy), gradient);
        for (std::size_t i = 0; i < gradient.size(); ++i) {
            put(gradient[i], student_row[i]);
            terms.teacher_entropy -= static_cast<double>(std::exp(teacher[i])) * static_cast<double>(teacher[i]);
        }
        return terms;
    }

    std::vector<float> logits, student, student_at_one, teacher, gradient;
};

template <class Act>
LossSums compare_plainly(Act* student, const Act* teacher, std::int64_t vocabulary, std::span<const std::int32_t> labels, const Objective& objective,
                         const LossWeights& weights)
{
    std::vector<LossTerms> terms(labels.size());
    std::vector<std::optional<PlainRow>> memory(static_cast<std::size_t>(team_size()));
    for_chunks(static_cast<std::int64_t>(labels.size()), [&](std::int64_t chunk, int member) {
        std::optional<PlainRow>& row = memory[static_cast<std::size_t>(member)];
        if (!row) {
            row.emplace(static_cast<std::size_t>(vocabulary));
        }
        const auto i = static_cast<std::size_t>(chunk);
        terms[i] = row->compare(student + chunk * vocabulary, teacher + chunk * vocabulary, labels[i], objective, weights);
    });
    return sum_of(terms);
}

} // namespace

LossSums& LossSums::operator+=(const LossSums& other)
{
    cross_entropy += other.cross_entropy;
    divergence += other.divergence;
    teacher_entropy += other.teacher_entropy;
    return *this;
}

std::int64_t head_rows(std::int64_t vocabulary)
{
    return std::clamp<std::int64_t>((std::int64_t{1} << 22) / vocabulary, 256, 2048);
}

LossSums compare_rows(const TrainableNet::Logits& student, const TrainableNet::Logits* teacher, std::span<const std::int32_t> labels,
                      const Objective& objective, const LossWeights& weights)
{
    const std::optional<DivergenceForm> form = objective.fused();
    if (teacher != nullptr && !form) {
        return compare_rows_plainly(student, *teacher, labels, objective, weights);
    }
    const DivergenceForm used = form.value_or(DivergenceForm{});
    if (student.bf16 != nullptr) {
        return compare_fused<BFloat16>(student.bf16, teacher != nullptr ? teacher->bf16 : nullptr, student.vocabulary, labels, used, weights);
    }
    return compare_fused<float>(student.fp32, teacher != nullptr ? teacher->fp32 : nullptr, student.vocabulary, labels, used, weights);
}

LossSums compare_rows_plainly(const TrainableNet::Logits& student, const TrainableNet::Logits& teacher, std::span<const std::int32_t> labels,
                              const Objective& objective, const LossWeights& weights)
{
    if (student.bf16 != nullptr) {
        return compare_plainly<BFloat16>(student.bf16, teacher.bf16, student.vocabulary, labels, objective, weights);
    }
    return compare_plainly<float>(student.fp32, teacher.fp32, student.vocabulary, labels, objective, weights);
}

LossSums backward_through_head(Teacher* teacher, Student& student, const Targets& targets, const Objective& objective, const LossWeights& weights,
                               std::int64_t vocabulary)
{
    LossSums sums;
    const auto rows = static_cast<std::int64_t>(targets.rows.size());
    const std::int64_t step = head_rows(vocabulary);
    for (std::int64_t first = 0; first < rows; first += step) {
        const std::int64_t count = std::min(step, rows - first);
        const std::span<const std::int32_t> labels(targets.labels.data() + first, static_cast<std::size_t>(count));
        const TrainableNet::Logits student_logits = student.logits(first, count, vocabulary);
        if (teacher != nullptr) {
            const TrainableNet::Logits teacher_logits = teacher->logits(first, count, vocabulary);
            sums += compare_rows(student_logits, &teacher_logits, labels, objective, weights);
        } else {
            sums += compare_rows(student_logits, nullptr, labels, objective, weights);
        }
        student.head_backward(first, student_logits);
    }
    return sums;
}

} // namespace retort
