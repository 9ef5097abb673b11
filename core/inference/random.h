#pragma once
#include <cstdint>

namespace retort {

/// Number `index` (from 0) of the SplitMix64 sequence of `seed` (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). The
/// sequence is a counter through a mixing function, so any number of it can be had without those before; integers only, so it is the same on every
/// machine.
[[nodiscard]] constexpr std::uint64_t split_mix_64(std::uint64_t seed, std::uint64_t index)
{
    std::uint64_t z = seed + (index + 1) * 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

/// The upper 53 bits as a number in [0, 1), exact in double.
[[nodiscard]] constexpr double unit_interval(std::uint64_t bits)
{
    return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

} // namespace retort
