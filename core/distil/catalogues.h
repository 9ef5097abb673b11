#pragma once
#include "core/data/data_source.h"
#include "core/distil/objective.h"
#include "core/distil/plan.h"
#include "core/kernels/train_optimiser.h"
#include "core/plugin/catalogue.h"

#include <cstdint>
#include <string>

namespace retort {

/// How the learning rate goes on after warm-up.
struct ScheduleKind {
    std::string name;
    std::string summary;
    /// What the plan's learning rate is multiplied by when `done` of the steps after warm-up, 0 to 1, are over.
    double (*factor)(const DistilPlan::Schedule& schedule, double done) = nullptr;
};

/// What turns gradients into weights.
struct OptimiserKind {
    std::string name;
    std::string summary;
    void (*update)(const AdamWUpdate& update) = nullptr;
};

/// Everything that a plan chooses by name. The program makes one with the built-ins, lets plugins add theirs, and hands it down; then it is
/// read-only.
struct Catalogues {
    Catalogue<ObjectiveKind> objectives;
    Catalogue<DataKind> data_kinds;
    Catalogue<ScheduleKind> schedules;
    Catalogue<OptimiserKind> optimisers;

    [[nodiscard]] static Catalogues with_built_ins();
    /// The objective that a plan names, with its options; null for "none", cross-entropy alone.
    [[nodiscard]] Result<std::shared_ptr<const Objective>> objective(const DistilPlan::Objective& wanted) const;
};

[[nodiscard]] Catalogue<ObjectiveKind> built_in_objectives();

/// The built-ins and nothing else, for who was handed no others.
[[nodiscard]] const Catalogues& built_in_catalogues();

} // namespace retort
