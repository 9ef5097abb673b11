#pragma once
#include "core/store/database.h"
#include "core/store/session.h"

#include <filesystem>
#include <memory>

namespace retort {

/// Copies a session with everything that belongs to it into another library, where its rows get numbers of their own. Models, vocabularies and names
/// of metrics that are there already are not copied again. Weights stay where they are: the copy names no checkpoints, and a run that could be
/// resumed is a stopped one. The session's number in `to`; throws SqlFailure. Within the caller's transaction on `to`.
[[nodiscard]] RowId copy_session(Database& from, RowId session, Database& to);

/// A file of one session (.retort): a library of its own, whole or not at all.
[[nodiscard]] Result<void> write_session_file(Database& from, RowId session, const std::filesystem::path& file);

/// Such a file of whomever, as a private copy that was checked like any hostile file: its head, its tables, its pages, its references.
[[nodiscard]] Result<std::unique_ptr<Database>> read_session_file(const std::filesystem::path& file);

} // namespace retort
