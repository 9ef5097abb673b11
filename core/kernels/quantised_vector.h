#pragma once
#include "core/kernels/aligned_buffer.h"

#include <cstdint>

namespace retort {

/// One activation vector as the decode kernels want it: its floats and, for quantised weights, 16-bit integers with one scale for each block of 32.
/// Sixteen bits instead of eight make the rounding a hundred times smaller and cost nothing, because reading the weights is what takes the time.
/// The integers come in two spellings, for the two instruction families. Plain scratch: one thread at a time.
struct QuantisedVector {
    QuantisedVector() = default;
    explicit QuantisedVector(std::int64_t max_columns);

    AlignedBuffer<float> values;
    AlignedBuffer<std::int8_t> high; ///< i = 256 high + low, for vpdpbusd
    AlignedBuffer<std::int8_t> low;
    AlignedBuffer<std::int16_t> paired;    ///< i in the order 0 2 1 3, for pmaddwd
    AlignedBuffer<float> scale;            ///< one for each block
    AlignedBuffer<std::int32_t> sum;       ///< of the block's integers
    AlignedBuffer<std::int32_t> half_sums; ///< of the first and of the last 16 of each block
};

/// Fills everything of `out` from `x` (columns values, padded).
void quantise(const float* x, std::int64_t columns, QuantisedVector& out);

/// Fills out.values alone, which is all that unquantised weights need.
void take_values(const float* x, std::int64_t columns, QuantisedVector& out);

} // namespace retort
