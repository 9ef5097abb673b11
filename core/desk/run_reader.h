#pragma once
#include "core/distil/run.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace retort {

/// What happened in a run since it was last asked.
struct RunNews {
    std::vector<MetricPoint> metrics{};
    std::vector<EvaluationPoint> evaluations{};
    std::vector<ProbeSample> probes{};
    std::vector<CheckpointNote> checkpoints{};
    [[nodiscard]] bool empty() const { return metrics.empty() && evaluations.empty() && probes.empty() && checkpoints.empty(); }
};

/// Reads a run's streams from where it left off. One thread.
///
/// The engine pushes nothing: however fast it trains, who watches hears of it at its own pace, and nothing is dropped, because each stream keeps what
/// was not yet asked for. Whoever reads DistillationRun::state() before news() has the last points when it says that the run is over.
class RunReader {
public:
    explicit RunReader(std::shared_ptr<const DistillationRun> run) : m_run(std::move(run)) {}
    [[nodiscard]] RunNews news();

private:
    std::shared_ptr<const DistillationRun> m_run;
    std::size_t m_metrics = 0, m_evaluations = 0, m_probes = 0, m_checkpoints = 0;
};

} // namespace retort
