#pragma once
#include "core/data/batch.h"
#include "core/distil/plan.h"

#include <cstdint>
#include <vector>

namespace retort {

// The batches that a plan takes from its data, each checked to hold the tokens that its shape says, all below `vocabulary`.

/// Those of one step, `step` from 0; one for each part that is accumulated.
[[nodiscard]] Result<std::vector<Batch>> training_batches(const DistilPlan& plan, const DataSource& data, std::int64_t step, std::int64_t vocabulary);

/// Those of an evaluation: plan.evaluate.sequences in all.
[[nodiscard]] Result<std::vector<Batch>> held_out_batches(const DistilPlan& plan, const DataSource& data, std::int64_t vocabulary);

} // namespace retort
