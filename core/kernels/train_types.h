#pragma once
#include <bit>
#include <cstdint>

namespace retort {

/// The upper half of a float: eight bits of exponent, seven of mantissa. Arithmetic is done in float; this is only how activations are kept.
struct BFloat16 {
    std::uint16_t bits = 0;
};

[[nodiscard]] inline float to_float(BFloat16 value)
{
    return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}

[[nodiscard]] inline float to_float(float value)
{
    return value;
}

/// Rounds to nearest, ties to even. A NaN stays a NaN.
[[nodiscard]] inline BFloat16 to_bfloat16(float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return {static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
}

} // namespace retort
