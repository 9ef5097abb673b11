#pragma once
#include "core/data/batch.h"

#include <cstdint>
#include <span>
#include <vector>

namespace retort {

/// The positions of a batch whose prediction counts. The step works on these rows alone, so padding costs nothing and cannot leak into a mean.
struct Targets {
    std::vector<std::int64_t> rows;   ///< sequence x length + position j
    std::vector<std::int32_t> labels; ///< the token at j + 1
};

/// Position j counts when mask[j + 1] is 1; the last of a sequence predicts nothing.
[[nodiscard]] Targets targets_of(const Batch& batch);
[[nodiscard]] std::int64_t count_targets(std::span<const Batch> batches);

} // namespace retort
