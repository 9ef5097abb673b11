#pragma once
#include "core/store/database.h"
#include "core/store/session.h"

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace retort {

// The weights of runs are files: a folder for each run, by default in "checkpoints" beside the library, with a folder for each checkpoint in it.

/// Where this library's own checkpoints lie; only in there is anything ever removed, because paths come from a file that a stranger may have written.
[[nodiscard]] std::filesystem::path checkpoint_home(const std::filesystem::path& library);

/// Folders of `session`'s runs and of their checkpoints that no other session's run names. On the store's thread.
[[nodiscard]] std::set<std::string> checkpoint_folders_of(Database& database, RowId session);

/// The folders that runs name. On the store's thread.
[[nodiscard]] std::vector<CheckpointFolder> named_checkpoint_folders(Database& database);

/// Of those the ones that are on the disk, with their sizes, and what else lies in the library's own. Looks at the disk; any thread.
[[nodiscard]] std::vector<CheckpointFolder> present_checkpoint_folders(const std::filesystem::path& library, std::vector<CheckpointFolder> named);

/// False, and nothing is done, for a folder outside checkpoint_home() or for that itself.
bool remove_checkpoint_folder(const std::filesystem::path& library, const std::filesystem::path& folder);

} // namespace retort
