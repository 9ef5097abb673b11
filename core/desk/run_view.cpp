#include "core/desk/run_view.h"

#include <vector>

namespace retort {

namespace {

RunState run_state_from(const std::string& name)
{
    for (const RunState state : {RunState::Waiting, RunState::Running, RunState::Paused, RunState::Finished, RunState::Stopped, RunState::Failed}) {
        if (name_of(state) == name) {
            return state;
        }
    }
    return RunState::Stopped;
}

} // namespace

void give_up_beyond(StoredRun& run, std::int64_t step)
{
    std::erase_if(run.metrics, [step](const MetricPoint& point) { return point.step >= step; });
    std::erase_if(run.evaluations, [step](const EvaluationPoint& point) { return point.step > step; });
    std::erase_if(run.probes, [step](const ProbeSample& sample) { return sample.step > step; });
    run.last_step = step;
}

RunView view_of(const StoredRun& stored)
{
    RunView view{.exists = true, .live = false};
    view.state = run_state_from(stored.state);
    view.interrupted = stored.state == "interrupted";
    view.error = {Error::Kind::Bug, stored.error_text, {}};
    if (auto plan = parse_plan(stored.plan_json, stored.name)) {
        view.plan = std::move(*plan);
    }
    view.record = stored;
    return view;
}

} // namespace retort
