#pragma once
#include "core/store/database.h"
#include "core/store/session.h"

#include <string>
#include <string_view>
#include <vector>

namespace retort {

// Titles, prompts and answers by their words (SQLite's FTS5). A row of the index is known by what it is of: -id of a session's title, 2 id of a
// prompt, 2 id + 1 of a response. Rows are written with what they are of and go with their session. On the store's thread, in the caller's
// transaction.

[[nodiscard]] std::string text_of(const std::vector<ChatMessage>& messages);

void index_title(Database& database, RowId session, std::string_view title); ///< in the place of an earlier one
void index_prompt(Database& database, RowId prompt, std::string_view text);
void index_response(Database& database, RowId response, std::string_view text);

/// Everything of a session that was copied here.
void index_session(Database& database, RowId session);
/// Before the session's rows go.
void unindex_session(Database& database, RowId session);

/// Where all of `words` stand, each as the beginning of a word, without regard to case or accents; the best first, `most` at the most. Sessions in
/// the bin are left out. Words of a script that does not separate them are found wherever they stand.
[[nodiscard]] std::vector<SearchHit> find_text(Database& database, std::string_view words, std::int64_t most);

} // namespace retort
