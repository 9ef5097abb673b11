#pragma once
#include "core/data/random.h"

#include <cstdint>
#include <numeric>

namespace retort {

/// Item number `place` (from 0, without end) of `count` items in a random order that is new in every round of `count`: within a round each comes
/// once. Needs no list, so any place can be asked for. The order is an affine map, whose step and start are drawn for the round.
[[nodiscard]] inline std::uint64_t shuffled(std::uint64_t seed, std::uint64_t place, std::uint64_t count)
{
    Random random(seed, count, place / count);
    std::uint64_t step = 1 + random.below(count);
    while (std::gcd(step, count) != 1) {
        ++step;
    }
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(place % count) * step + random.below(count)) % count);
}

} // namespace retort
