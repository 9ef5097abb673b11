#include "core/distil/evaluation.h"

#include "core/distil/head_loss.h"
#include "core/kernels/team.h"
#include "core/kernels/train_loss.h"

#include <algorithm>
#include <atomic>
#include <vector>

namespace retort {
namespace {

template <class Act>
std::int64_t top_of(const Act* row, std::int64_t count)
{
    return std::max_element(row, row + count, [](Act a, Act b) { return to_float(a) < to_float(b); }) - row;
}

template <class Act>
void add_rows(const Act* teacher, Act* student, std::span<const std::int32_t> labels, std::int64_t vocabulary, EvaluationPoint& sums)
{
    std::vector<LossTerms> terms(labels.size());
    forward_kl_rows(ForwardKlRows<Act>{.student = student,
                                       .teacher = teacher,
                                       .labels = labels.data(),
                                       .terms = terms.data(),
                                       .rows = static_cast<std::int64_t>(labels.size()),
                                       .vocabulary = vocabulary,
                                       .temperature = 1.0f,
                                       .write_gradient = false});
    std::atomic<std::int64_t> same = 0;
    if (teacher != nullptr) {
        for_ranges(static_cast<std::int64_t>(labels.size()), 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                same += top_of(teacher + row * vocabulary, vocabulary) == top_of(student + row * vocabulary, vocabulary) ? 1 : 0;
            }
        });
    }
    for (const LossTerms& term : terms) {
        sums.cross_entropy += term.cross_entropy;
        sums.kl += term.divergence;
    }
    sums.same_top += static_cast<double>(same.load());
    sums.targets += static_cast<std::int64_t>(labels.size());
}

void add_batch(Teacher* teacher, Student& student, const Targets& targets, std::int64_t vocabulary, EvaluationPoint& sums)
{
    const auto rows = static_cast<std::int64_t>(targets.rows.size());
    const std::int64_t step = head_rows(vocabulary);
    for (std::int64_t first = 0; first < rows; first += step) {
        const std::int64_t count = std::min(step, rows - first);
        const std::span<const std::int32_t> labels(targets.labels.data() + first, static_cast<std::size_t>(count));
        const TrainableNet::Logits ours = student.logits(first, count, vocabulary);
        const TrainableNet::Logits theirs = teacher != nullptr ? teacher->logits(first, count, vocabulary) : TrainableNet::Logits{};
        if (ours.bf16 != nullptr) {
            add_rows(theirs.bf16, ours.bf16, labels, vocabulary, sums);
        } else {
            add_rows(theirs.fp32, ours.fp32, labels, vocabulary, sums);
        }
    }
}

} // namespace

Result<EvaluationPoint> evaluate_student(Teacher* teacher, Student& student, std::span<const Batch> batches, std::int64_t vocabulary,
                                         const std::function<bool(double)>& watch)
{
    EvaluationPoint point;
    std::size_t read = 0;
    for (const Batch& batch : batches) {
        if (watch && !watch(static_cast<double>(read++) / static_cast<double>(batches.size()))) {
            return cancelled();
        }
        const Targets targets = targets_of(batch);
        if (targets.rows.empty()) {
            continue;
        }
        if (teacher != nullptr) {
            teacher->forward(batch, targets);
        }
        student.forward(batch, targets);
        add_batch(teacher, student, targets, vocabulary, point);
    }
    const double targets = static_cast<double>(std::max<std::int64_t>(1, point.targets));
    point.cross_entropy /= targets;
    point.kl /= targets;
    point.same_top /= targets;
    return point;
}

} // namespace retort
