#pragma once
#include "core/store/database.h"
#include "core/store/migrations.h"

#include <cstdint>
#include <filesystem>
#include <memory>

namespace retort {

inline constexpr std::int32_t kApplicationId = 0x52545254; ///< "RTRT", in the header of every library

/// Looks at the head of the file alone, so that a foreign file is refused before a byte of it changes. Throws SqlFailure or gives an Error.
[[nodiscard]] Result<void> check_is_library(const std::filesystem::path& file);

/// A new library at `file`, made under another name and renamed, so that it is there whole or not at all.
void create_library(const std::filesystem::path& file);

/// The tables of a new library, in a database that has none.
void create_tables(Database& database);

/// Brings an older library to kSchemaVersion in one transaction, after a checked copy "FILE.vN-TIME.bak"; refuses a newer one and one whose tables
/// are not exactly those that Retort makes (a trigger or view in a stranger's file would run in our name).
[[nodiscard]] Result<void> bring_up_to_date(Database& database, const std::filesystem::path& file);

/// A connection that reads `file` with the present tables: the file's own, or for an older one, and for one taken as it lies, a private copy that was
/// brought up to date. The same refusals.
[[nodiscard]] Result<std::unique_ptr<Database>> open_for_reading(const std::filesystem::path& file, Database::Mode mode);

} // namespace retort
