#pragma once
#include "core/kernels/half.h"

#include <cstdint>

namespace retort {

/// The upper half of a float: eight bits of exponent, seven of mantissa. Arithmetic is done in float; this is only how activations are kept.
struct BFloat16 {
    std::uint16_t bits = 0;
};

[[nodiscard]] inline float to_float(BFloat16 value)
{
    return float_from_bfloat16(value.bits);
}

[[nodiscard]] inline float to_float(float value)
{
    return value;
}

/// Rounds to nearest, ties to even. A NaN stays a NaN.
[[nodiscard]] inline BFloat16 to_bfloat16(float value)
{
    return {bfloat16_from_float(value)};
}

} // namespace retort
