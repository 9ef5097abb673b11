#include "core/distil/run_controls.h"

#include <thread>
#include <utility>

namespace retort {

Error RunControls::error() const
{
    const std::lock_guard lock(m_told_mutex);
    return m_error;
}

void RunControls::note_error(Error error)
{
    const std::lock_guard lock(m_told_mutex);
    m_error = std::move(error);
}

RunStage RunControls::stage() const
{
    const std::lock_guard lock(m_told_mutex);
    return m_stage;
}

void RunControls::enter(RunStage stage)
{
    const std::lock_guard lock(m_told_mutex);
    m_stage = std::move(stage);
}

void RunControls::hold(Error error)
{
    note_error(std::move(error));
    m_pause = true;
}

void RunControls::wait_while_paused(const std::function<void(std::chrono::milliseconds)>& yield, const std::stop_token& stop)
{
    constexpr std::chrono::milliseconds kPatience(50);
    while (m_pause && !ends(stop)) {
        int asked = m_steps_asked;
        if (asked > 0) {
            m_steps_asked.compare_exchange_strong(asked, asked - 1);
            break;
        }
        m_state = RunState::Paused;
        if (yield) {
            yield(kPatience);
        } else {
            std::this_thread::sleep_for(kPatience);
        }
    }
    m_state = RunState::Running;
}

} // namespace retort
