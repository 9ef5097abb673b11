#pragma once
#include "core/distil/run.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <stop_token>

namespace retort {

/// What other threads ask of a run, and how it stands.
class RunControls {
public:
    // Any thread.
    void request_pause(bool paused) { m_pause = paused; }
    void request_step() { ++m_steps_asked; }
    void request_stop() { m_stop = true; }
    [[nodiscard]] RunState state() const { return m_state; }
    [[nodiscard]] Error error() const;
    [[nodiscard]] RunStage stage() const;

    // The run's own.
    void set_state(RunState state) { m_state = state; }
    void note_error(Error error);
    void enter(RunStage stage); ///< {} when it is over
    /// Pauses with the sentence in error(), so that whoever lets the run go on has it try again.
    void hold(Error error);
    [[nodiscard]] bool ends(const std::stop_token& stop) const { return m_stop || stop.stop_requested(); }
    /// Until the run may take a step: it is not paused, is asked for a single one, or ends.
    void wait_while_paused(const std::function<void(std::chrono::milliseconds)>& yield, const std::stop_token& stop);

private:
    std::atomic<bool> m_pause = false;
    std::atomic<bool> m_stop = false;
    std::atomic<int> m_steps_asked = 0;
    std::atomic<RunState> m_state = RunState::Waiting;
    mutable std::mutex m_told_mutex;
    Error m_error;
    RunStage m_stage;
};

} // namespace retort
