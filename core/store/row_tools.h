#pragma once
#include "core/store/database.h"
#include "core/store/session.h"

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

namespace retort {

// What the tables share; on the store's thread, inside a transaction that the caller holds.

[[nodiscard]] std::int64_t now_ms(); ///< since 1970

[[nodiscard]] std::string sha256_of(std::span<const std::byte> bytes);

/// JSON of hostile or broken text: invalid UTF-8 becomes U+FFFD instead of an exception.
[[nodiscard]] std::string dump(const nlohmann::json& json);

[[nodiscard]] std::vector<ChatMessage> messages_from(const std::string& json);

void touch_session(Database& database, RowId session);

/// NULL for 0.
[[nodiscard]] inline std::optional<RowId> known(RowId row)
{
    return row == 0 ? std::nullopt : std::optional(row);
}

/// The row of a vocabulary; NULL when it is not known here.
[[nodiscard]] std::optional<RowId> tokenizer_row(Database& database, const std::string& fingerprint);

} // namespace retort
