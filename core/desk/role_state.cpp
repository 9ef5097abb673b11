#include "core/desk/role_state.h"

namespace retort {

std::string RoleState::name() const
{
    return info ? info->name : remembered ? remembered->name : spec;
}

std::uint64_t RoleState::parameters() const
{
    return info ? info->parameters : remembered ? remembered->parameters : 0;
}

std::uint64_t RoleState::bytes() const
{
    return info ? info->file_bytes : remembered ? remembered->file_bytes : 0;
}

} // namespace retort
