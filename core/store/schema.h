#pragma once
#include "core/store/database.h"

#include <cstdint>
#include <filesystem>

namespace retort {

inline constexpr std::int32_t kApplicationId = 0x52545254; ///< "RTRT", in the header of every library
inline constexpr std::int64_t kSchemaVersion = 1;

/// Reads the 100-byte header alone, so that a foreign file is refused before a byte of it changes. Throws SqlFailure or gives an Error.
[[nodiscard]] Result<void> check_is_library(const std::filesystem::path& file);

/// A new library at `file`, made under another name and renamed, so that it is there whole or not at all.
void create_library(const std::filesystem::path& file);

/// Brings an older library to kSchemaVersion in one transaction, after a checked copy "FILE.vN-TIME.bak"; refuses a newer one and one whose tables
/// are not exactly those that Retort makes (a trigger or view in a stranger's file would run in our name).
[[nodiscard]] Result<void> bring_up_to_date(Database& database, const std::filesystem::path& file, bool may_write);

} // namespace retort
