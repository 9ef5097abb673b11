#pragma once
#include "core/distil/run.h"

#include <QString>
#include <vector>

namespace retort {

/// How long a run still takes, as a range from its last 30 seconds: "1 min 50 s - 2 min 20 s". Empty before there are 3 seconds to judge by.
[[nodiscard]] QString time_left(const std::vector<MetricPoint>& metrics, std::int64_t total_steps);

} // namespace retort
