#pragma once
#include "core/distil/run.h"

#include <QObject>
#include <QTimer>
#include <memory>
#include <vector>

namespace retort {

/// Asks a run 30 times a second what is new. GUI thread.
///
/// The engine pushes nothing: however fast it trains, the window hears of it at its own pace, and nothing is dropped, because each stream keeps
/// what was not yet asked for. The state is read before the streams, so when it says "ended" the last points have been heard too.
class RunWatcher : public QObject {
    Q_OBJECT

public:
    struct News {
        std::vector<MetricPoint> metrics;
        std::vector<EvaluationPoint> evaluations;
        std::vector<ProbeSample> probes;
        std::vector<CheckpointNote> checkpoints;
        [[nodiscard]] bool empty() const { return metrics.empty() && evaluations.empty() && probes.empty() && checkpoints.empty(); }
    };

    explicit RunWatcher(QObject* parent = nullptr);

    void watch(std::shared_ptr<DistillationRun> run);
    void stop(); ///< hears what is there and watches no more
    [[nodiscard]] const std::shared_ptr<DistillationRun>& run() const { return m_run; }

Q_SIGNALS:
    void heard(const retort::RunWatcher::News& news);
    void stateChanged(retort::RunState state);
    void ended(); ///< after the last heard()

private:
    void look();
    void hear();

    QTimer m_timer;
    std::shared_ptr<DistillationRun> m_run;
    RunState m_state = RunState::Waiting;
    std::size_t m_metrics = 0, m_evaluations = 0, m_probes = 0, m_checkpoints = 0;
};

[[nodiscard]] constexpr bool is_over(RunState state)
{
    return state == RunState::Finished || state == RunState::Stopped || state == RunState::Failed;
}

} // namespace retort
