#include "core/distil/step.h"

#include "core/distil/head_loss.h"

#include <algorithm>
#include <cmath>

namespace retort {
namespace {

LossWeights weights_for(double temperature, double factor, double alpha, double targets)
{
    return {.temperature = temperature, .cross_entropy = alpha / targets, .divergence = (1 - alpha) * factor / targets};
}

void take_means(StepReport& report, const LossSums& sums, double factor, double alpha, double targets)
{
    report.cross_entropy = sums.cross_entropy / targets;
    report.divergence = factor * sums.divergence / targets;
    report.teacher_entropy = sums.teacher_entropy / targets;
    report.loss = alpha * report.cross_entropy + (1 - alpha) * report.divergence;
}

} // namespace

StepReport distil_step(Teacher* teacher, Student& student, std::span<const Batch> micro_batches, const Objective& objective,
                       const StepSettings& settings)
{
    StepReport report{.targets = count_targets(micro_batches)}; // one normaliser for the whole accumulated batch
    const double normaliser = static_cast<double>(std::max<std::int64_t>(1, report.targets));
    const double alpha = teacher != nullptr ? settings.alpha_cross_entropy : 1.0;
    const double factor = objective.factor(settings.temperature);
    const LossWeights weights = weights_for(settings.temperature, factor, alpha, normaliser);

    LossSums sums;
    student.zero_gradients();
    for (const Batch& batch : micro_batches) {
        const Targets targets = targets_of(batch);
        if (targets.rows.empty()) {
            continue;
        }
        if (teacher != nullptr) {
            teacher->forward(batch, targets);
        }
        student.forward(batch, targets);
        sums += backward_through_head(teacher, student, targets, objective, weights, settings.vocabulary); // never holds (B, T, V)
        student.backward();
    }
    take_means(report, sums, factor, alpha, normaliser);
    report.gradient_norm = student.clip_gradients(settings.clip_norm);
    report.finite = std::isfinite(report.gradient_norm) && std::isfinite(report.loss);
    if (report.finite && report.targets > 0) {
        student.optimiser_step(settings.learning_rate);
    }
    return report;
}

} // namespace retort
