#pragma once
#include "core/model/model.h"

#include <cstdint>

namespace retort {

/// What loading would take, told before a byte of the weights is read.
struct MemoryEstimate {
    std::uint64_t weights = 0;   ///< as kept for answering
    std::uint64_t kv_cache = 0;  ///< for `positions` positions
    std::uint64_t training = 0;  ///< were this the student: training_memory() of it alone, in float32
    std::uint64_t available = 0; ///< free now
    [[nodiscard]] bool fits() const { return weights + kv_cache <= available; }
};

/// An estimate from the sizes alone: weights as the kernels hold them, a float32 cache, training over `positions` positions at once.
[[nodiscard]] MemoryEstimate estimate_memory(const ModelInfo& info, std::int64_t positions);

/// What is trained, and on how much at a time.
struct TrainingSizes {
    std::int64_t sequences = 1;
    std::int64_t length = 256;
    std::int64_t head_rows = 256; ///< rows of logits that exist at a time
    bool rounds = false;          ///< to bfloat16
    int copies = 0;               ///< of the student in float32 beside it: one that is saved, one more that answers
};

/// The most memory that a program which trains `student`, beside `teacher` unless it is null, holds at a time: the one formula of all programs.
/// Counts what TrainableNet and the optimiser allocate, and what the libraries take.
[[nodiscard]] std::uint64_t training_memory(const DecoderShape& student, const DecoderShape* teacher, const TrainingSizes& sizes);

} // namespace retort
