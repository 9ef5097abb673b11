#pragma once
#include "core/base/error.h"
#include "core/distil/run.h"
#include "core/store/session.h"

namespace retort {

/// A distillation as the window shows it, live or from the session.
struct RunView {
    bool exists = false;
    bool live = false; ///< the engine has it: it can be paused, stepped, stopped
    RunState state = RunState::Waiting;
    bool interrupted = false; ///< ended without an ending, by a crash or a kill; can be resumed
    Error error{};            ///< when Failed
    DistilPlan plan{};
    StoredRun record{}; ///< the points so far
};

/// Leaves out what a run did beyond the checkpoint after `step` steps, from which it is to go on.
void give_up_beyond(StoredRun& run, std::int64_t step);

/// A run as the session kept it.
[[nodiscard]] RunView view_of(const StoredRun& stored);

} // namespace retort
