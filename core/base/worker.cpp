#include "core/base/worker.h"

#include <algorithm>

namespace retort {

Worker::Worker() : m_thread([this](std::stop_token stop) { work(std::move(stop)); }) {}

Worker::~Worker()
{
    m_thread.request_stop();
}

void Worker::post(Task task)
{
    {
        const std::lock_guard lock(m_mutex);
        m_waiting.push_back({std::move(task), false});
    }
    m_posted.notify_one();
}

void Worker::post_run(Task run)
{
    {
        const std::lock_guard lock(m_mutex);
        m_waiting.push_back({std::move(run), true});
    }
    m_posted.notify_one();
}

void Worker::yield()
{
    while (run_next(m_thread.get_stop_token(), true)) {
    }
}

void Worker::yield_for(std::chrono::milliseconds limit)
{
    {
        std::unique_lock lock(m_mutex);
        m_posted.wait_for(lock, m_thread.get_stop_token(), limit,
                          [this] { return std::ranges::any_of(m_waiting, [](const Job& job) { return !job.is_run; }); });
    }
    yield();
}

void Worker::work(std::stop_token stop)
{
    while (!stop.stop_requested()) {
        {
            std::unique_lock lock(m_mutex);
            m_posted.wait(lock, stop, [this] { return !m_waiting.empty(); });
        }
        run_next(stop, false);
    }
}

bool Worker::run_next(std::stop_token stop, bool inside_run)
{
    Task task;
    {
        const std::lock_guard lock(m_mutex);
        const auto next = std::ranges::find_if(m_waiting, [inside_run](const Job& job) { return !(inside_run && job.is_run); });
        if (next == m_waiting.end() || stop.stop_requested()) {
            return false;
        }
        task = std::move(next->task);
        m_waiting.erase(next);
    }
    task(std::move(stop));
    return true;
}

} // namespace retort
