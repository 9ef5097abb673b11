#pragma once
#include <cstdint>

namespace retort {

/// A share with its interval of 95 % by Wilson's score (Wilson 1927): unlike the usual one it stays between 0 and 1 and is right near both.
struct Share {
    std::int64_t right = 0;
    std::int64_t of = 0;
    [[nodiscard]] double value() const { return of == 0 ? 0.0 : static_cast<double>(right) / static_cast<double>(of); }
    [[nodiscard]] double low() const;
    [[nodiscard]] double high() const;
};

} // namespace retort
