#pragma once
#include <cstdint>

namespace retort {

inline constexpr std::int64_t kSchemaVersion = 2;

/// The script that makes a library of `version` (0: an empty one) one of `version` + 1. A script that was in a release never changes: a new library
/// runs all of them in order, so that it has the tables of one that grew. Run with foreign keys off, within one transaction.
[[nodiscard]] const char* migration_from(std::int64_t version);

} // namespace retort
