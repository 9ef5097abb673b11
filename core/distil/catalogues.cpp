#include "core/distil/catalogues.h"

#include <cmath>
#include <numbers>

namespace retort {
namespace {

double cosine(const DistilPlan::Schedule& schedule, double done)
{
    const double f = schedule.final_fraction;
    return f + (1 - f) * (1 + std::cos(std::numbers::pi * done)) / 2;
}

double linear(const DistilPlan::Schedule& schedule, double done)
{
    return 1 - (1 - schedule.final_fraction) * done;
}

double constant(const DistilPlan::Schedule& /*schedule*/, double /*done*/)
{
    return 1;
}

} // namespace

Catalogues Catalogues::with_built_ins()
{
    return {.objectives = built_in_objectives(),
            .data_kinds = built_in_data_kinds(),
            .schedules = {{"cosine", "falls along half a cosine to final_fraction", cosine},
                          {"linear", "falls along a straight line to final_fraction", linear},
                          {"constant", "stays as it is", constant}},
            .optimisers = {{"adamw", "Adam with weight decay apart from the gradient (Loshchilov, Hutter 2019)", adamw_update}}};
}

Result<std::shared_ptr<const Objective>> Catalogues::objective(const DistilPlan::Objective& wanted) const
{
    if (wanted.name == DistilPlan::kNoObjective) {
        return nullptr;
    }
    return objectives.choose(wanted.name, "objective.name").map([&wanted](const ObjectiveKind* kind) { return kind->make(wanted); });
}

const Catalogues& built_in_catalogues()
{
    static const Catalogues built_ins = Catalogues::with_built_ins();
    return built_ins;
}

} // namespace retort
