#pragma once
#include <array>
#include <cstddef>

namespace retort {

/// The two places a model can stand in. Teacher: circle, solid, left. Student: square, right.
enum class Role { Teacher, Student };

inline constexpr std::array kRoles = {Role::Teacher, Role::Student};

[[nodiscard]] constexpr std::size_t index_of(Role role)
{
    return role == Role::Teacher ? 0 : 1;
}

[[nodiscard]] constexpr Role other(Role role)
{
    return role == Role::Teacher ? Role::Student : Role::Teacher;
}

/// As the database spells it.
[[nodiscard]] constexpr const char* name_of(Role role)
{
    return role == Role::Teacher ? "teacher" : "student";
}

/// The pages of the window, in the rail's order.
enum class PageId { Models, Compare, Distributions, Distil, Sessions };

/// As a session's view state spells it.
[[nodiscard]] constexpr const char* name_of(PageId page)
{
    constexpr std::array kNames = {"models", "compare", "distributions", "distil", "sessions"};
    return kNames[static_cast<std::size_t>(page)];
}

} // namespace retort
