#pragma once
#include "core/model/trainable_net.h"

#include <string>

namespace retort {

/// What a plan's `precision` comes to on this machine: "fp32" and "bf16" as they say; "auto" measures the products of either kind once (some 50 ms)
/// and takes bfloat16 where it is at least 1.3 times as fast. Holds for the process's machine, so a run notes the answer and a resumed run keeps it.
[[nodiscard]] TrainableNet::Precision decide_precision(const std::string& wanted);
[[nodiscard]] std::string name_of(TrainableNet::Precision precision); ///< "fp32", "bf16"

} // namespace retort
