#pragma once
#include <array>
#include <cstddef>

namespace retort {

/// The pages of the window, in the rail's order.
enum class PageId { Models, Compare, Distributions, Distil, Sessions };

/// As a session's view state spells it.
[[nodiscard]] constexpr const char* name_of(PageId page)
{
    constexpr std::array kNames = {"models", "compare", "distributions", "distil", "sessions"};
    return kNames[static_cast<std::size_t>(page)];
}

} // namespace retort
