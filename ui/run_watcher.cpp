#include "ui/run_watcher.h"

#include <chrono>

namespace retort {

using namespace std::chrono_literals;

namespace {

template <class Item>
void take_new(const Stream<Item>& stream, std::size_t& place, std::vector<Item>& out)
{
    std::tie(out, place) = stream.since(place);
}

} // namespace

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
    m_metrics = m_evaluations = m_probes = m_checkpoints = 0;
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
    News news;
    take_new(m_run->metrics(), m_metrics, news.metrics);
    take_new(m_run->evaluations(), m_evaluations, news.evaluations);
    take_new(m_run->probes(), m_probes, news.probes);
    take_new(m_run->checkpoints(), m_checkpoints, news.checkpoints);
    if (!news.empty()) {
        Q_EMIT heard(news);
    }
}

void RunWatcher::look()
{
    const RunState state = m_run->state(); // before the streams, see above
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
