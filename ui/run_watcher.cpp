#include "ui/run_watcher.h"

#include <chrono>

namespace retort {

using namespace std::chrono_literals;

RunWatcher::RunWatcher(QObject* parent) : QObject(parent)
{
    m_timer.setInterval(33ms);
    m_timer.setTimerType(Qt::PreciseTimer);
    connect(&m_timer, &QTimer::timeout, this, &RunWatcher::look);
}

void RunWatcher::watch(std::shared_ptr<DistillationRun> run)
{
    m_run = std::move(run);
    m_state = RunState::Waiting;
    m_reader.emplace(m_run);
    m_timer.start();
}

void RunWatcher::stop()
{
    m_timer.stop();
    if (m_run) {
        hear();
    }
    m_run.reset();
}

void RunWatcher::hear()
{
    if (const RunNews news = m_reader->news(); !news.empty()) {
        Q_EMIT heard(news);
    }
}

void RunWatcher::look()
{
    const RunState state = m_run->state(); // before the streams, so that no last point is lost
    hear();
    const bool changed = state != m_state;
    m_state = state;
    if (changed) {
        Q_EMIT stateChanged(state);
    }
    if (is_over(state)) {
        m_timer.stop();
        Q_EMIT ended();
    }
}

} // namespace retort
