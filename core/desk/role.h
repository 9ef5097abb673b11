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

} // namespace retort
