#pragma once
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace retort {

/// The one thread that touches models.
///
/// A task is short: load a file, answer a prompt. A run is a long task, a distillation, that calls yield() between its steps; waiting tasks
/// slip in there. So a person can talk to the half-trained student, no model is read while an optimiser writes it, and no weight has a lock.
///
/// post() may be called from any thread. Tasks run in the order posted and must not throw; they report failure in the Result they deliver.
class Worker {
public:
    using Task = std::function<void(std::stop_token)>;

    Worker();

    /// Asks the current task to stop, waits for its step to end, and drops what has not begun. The thread is never killed.
    ~Worker();

    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    void post(Task task);

    /// Posts a run. It starts when no other run is under way: a run met inside yield() stays waiting, so a run never nests in a run.
    void post_run(Task run);

    /// Runs every waiting task, then returns. Only a run may call it, on the worker's own thread, where no model is half-written.
    void yield();

    /// Like yield(), but waits up to `limit` for a task to arrive when there is none: how a paused run sleeps without burning a core.
    void yield_for(std::chrono::milliseconds limit);

private:
    struct Job {
        Task task;
        bool is_run = false;
    };

    void work(std::stop_token stop);
    bool run_next(std::stop_token stop, bool inside_run);

    std::mutex m_mutex;
    std::condition_variable_any m_posted;
    std::deque<Job> m_waiting;
    std::jthread m_thread; // last, so that it starts with everything above in place
};

} // namespace retort
