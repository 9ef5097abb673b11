#pragma once
#include <cstdint>
#include <functional>
#include <stop_token>

namespace retort {

/// Holds the latest job of one kind: beginning another asks the one before it to stop and makes its results obsolete.
/// One thread. The token travels with the work; the number comes back with the result, which counts only while is_current() says so.
class JobSlot {
public:
    struct Job {
        std::uint64_t number = 0;
        std::stop_source stop;
    };

    [[nodiscard]] Job begin()
    {
        cancel();
        m_stop = std::stop_source();
        return {m_number, m_stop};
    }

    /// Whatever is under way is no longer wanted.
    void cancel()
    {
        m_stop.request_stop();
        ++m_number;
    }

    /// As cancel(), but what the job has to say by then is still heard.
    void ask_to_stop() { m_stop.request_stop(); }

    [[nodiscard]] bool is_current(std::uint64_t number) const { return number == m_number; }

private:
    std::uint64_t m_number = 0;
    std::stop_source m_stop{std::nostopstate};
};

/// Ends `job` as well when the worker that runs it is asked to stop. Lives as long as the task.
using StopWithWorker = std::stop_callback<std::function<void()>>;

} // namespace retort
