#pragma once
#include <cstdint>

namespace retort {

/// SplitMix64 (Steele, Lea, Flood 2014): any three numbers name a sequence of its own, so that document 7 of stream 1 needs no document before it,
/// and the same numbers give the same sequence on every machine. One thread at a time.
class Random {
public:
    Random(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) : m_state(mix(mix(mix(seed) ^ stream) ^ index)) {}

    [[nodiscard]] std::uint64_t bits()
    {
        m_state += kGolden;
        return scramble(m_state);
    }

    /// Uniform in [0, 1), 53 bits.
    [[nodiscard]] double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

    /// Uniform in 0 ... count - 1; the bias is below count / 2^64.
    [[nodiscard]] std::uint64_t below(std::uint64_t count) { return static_cast<std::uint64_t>((static_cast<Wide>(bits()) * count) >> 64); }

private:
    __extension__ using Wide = unsigned __int128;

    static constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;

    [[nodiscard]] static constexpr std::uint64_t scramble(std::uint64_t x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
    [[nodiscard]] static constexpr std::uint64_t mix(std::uint64_t x) { return scramble(x + kGolden); }

    std::uint64_t m_state;
};

} // namespace retort
