#pragma once
#include "core/desk/run_reader.h"

#include <QObject>
#include <QTimer>
#include <memory>
#include <optional>

namespace retort {

/// Asks a run 30 times a second what is new. GUI thread.
class RunWatcher : public QObject {
    Q_OBJECT

public:
    explicit RunWatcher(QObject* parent = nullptr);

    void watch(std::shared_ptr<DistillationRun> run);
    void stop(); ///< hears what is there and watches no more
    [[nodiscard]] const std::shared_ptr<DistillationRun>& run() const { return m_run; }

Q_SIGNALS:
    void heard(const retort::RunNews& news);
    void stateChanged(retort::RunState state);
    void ended(); ///< after the last heard()

private:
    void look();
    void hear();

    QTimer m_timer;
    std::shared_ptr<DistillationRun> m_run;
    std::optional<RunReader> m_reader;
    RunState m_state = RunState::Waiting;
};

} // namespace retort
