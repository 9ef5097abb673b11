#include "core/distil/targets.h"

namespace retort {

Targets targets_of(const Batch& batch)
{
    Targets targets;
    for (std::int64_t sequence = 0; sequence < batch.sequences; ++sequence) {
        for (std::int64_t j = 0; j + 1 < batch.length; ++j) {
            const std::int64_t row = sequence * batch.length + j;
            if (batch.mask[static_cast<std::size_t>(row + 1)] != 0) {
                targets.rows.push_back(row);
                targets.labels.push_back(batch.ids[static_cast<std::size_t>(row + 1)]);
            }
        }
    }
    return targets;
}

std::int64_t count_targets(std::span<const Batch> batches)
{
    std::int64_t count = 0;
    for (const Batch& batch : batches) {
        count += static_cast<std::int64_t>(targets_of(batch).rows.size());
    }
    return count;
}

} // namespace retort
