#pragma once
#include "core/base/error.h"

#include <filesystem>

namespace retort {

/// Gives somebody who has no library yet a copy of `recorded`, the library that comes with Retort and holds a session to look at. True when it was
/// made; false when anything stands at `file` already, which is never touched, not even when it appears meanwhile. The copy is read and checked
/// before it takes its place; fails, and leaves nothing behind, when `recorded` is missing or not sound. Any thread.
[[nodiscard]] Result<bool> begin_library_with(const std::filesystem::path& recorded, const std::filesystem::path& file);

} // namespace retort
