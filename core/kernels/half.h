#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

namespace retort {

// The 16-bit numbers of model files as float32, and back. The one place that knows their bits.

/// IEEE half; exact.
[[nodiscard]] inline float float_from_half(std::uint16_t bits)
{
    const std::uint32_t sign = (bits & 0x8000u) << 16;
    const std::uint32_t exponent = (bits >> 10) & 31u;
    const std::uint32_t fraction = bits & 0x3FFu;
    if (exponent == 31) {
        return std::bit_cast<float>(sign | 0x7F800000u | (fraction << 13));
    }
    if (exponent == 0) { // zero and subnormal: fraction * 2^-24, exact in float32
        const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
        return sign != 0 ? -magnitude : magnitude;
    }
    return std::bit_cast<float>(sign | ((exponent + 112u) << 23) | (fraction << 13));
}

/// bfloat16 is the upper half of a float32; exact.
[[nodiscard]] inline float float_from_bfloat16(std::uint16_t bits)
{
    return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

/// Rounds to nearest, ties to even. A NaN stays a NaN.
[[nodiscard]] inline std::uint16_t bfloat16_from_float(float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if (std::isnan(value)) {
        return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
    }
    return static_cast<std::uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

} // namespace retort
