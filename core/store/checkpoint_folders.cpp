#include "core/store/checkpoint_folders.h"

#include <algorithm>

namespace retort {

namespace {

namespace fs = std::filesystem;

bool is_within(const fs::path& home, const fs::path& folder)
{
    const fs::path relative = folder.lexically_relative(home);
    return !relative.empty() && *relative.begin() != ".." && relative != ".";
}

std::uint64_t bytes_in(const fs::path& folder)
{
    std::uint64_t bytes = 0;
    std::error_code error;
    for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        std::error_code unknown;
        if (it->is_regular_file(unknown) && !it->is_symlink(unknown)) {
            const auto size = it->file_size(unknown);
            bytes += unknown ? 0 : size;
        }
    }
    return bytes;
}

} // namespace

fs::path checkpoint_home(const fs::path& library)
{
    std::error_code ignored;
    return fs::weakly_canonical(fs::absolute(library).parent_path() / "checkpoints", ignored);
}

std::set<std::string> checkpoint_folders_of(Database& database, RowId session)
{
    std::set<std::string> folders;
    Statement row = database.prepare("WITH named(session_id, path) AS (SELECT r.session_id, c.path FROM checkpoint c JOIN run r ON r.id = c.run_id"
                                     " UNION SELECT session_id, checkpoints FROM run WHERE checkpoints <> '')"
                                     " SELECT path FROM named WHERE session_id = ?1"
                                     " EXCEPT SELECT path FROM named WHERE session_id <> ?1");
    row.with(session);
    while (row.step()) {
        folders.insert(row.text(0));
    }
    return folders;
}

std::vector<CheckpointFolder> named_checkpoint_folders(Database& database)
{
    std::vector<CheckpointFolder> named;
    Statement row = database.prepare("SELECT checkpoints, id, session_id, name, discarded_at IS NULL FROM run WHERE checkpoints <> '' ORDER BY id");
    while (row.step()) {
        named.push_back({row.text(0), 0, row.integer(1), row.integer(2), row.text(3), row.integer(4) != 0, false});
    }
    return named;
}

std::vector<CheckpointFolder> present_checkpoint_folders(const fs::path& library, std::vector<CheckpointFolder> named)
{
    std::error_code error;
    const fs::path home = checkpoint_home(library);
    std::set<fs::path> known;
    std::vector<CheckpointFolder> present;
    for (CheckpointFolder& folder : named) {
        const fs::path real = fs::weakly_canonical(folder.folder, error);
        if (!fs::is_directory(real, error)) {
            continue;
        }
        if (!known.insert(real).second) { // several runs have it: it is wanted when one of them is
            const auto first = std::ranges::find(present, real.string(), &CheckpointFolder::folder);
            first->wanted = first->wanted || folder.wanted;
            continue;
        }
        folder.folder = real.string();
        present.push_back(std::move(folder));
    }
    for (fs::directory_iterator it(home, error), end; !error && it != end; it.increment(error)) {
        std::error_code unknown;
        if (it->is_directory(unknown) && !it->is_symlink(unknown) && known.insert(it->path()).second) {
            present.push_back({.folder = it->path().string()});
        }
    }
    for (CheckpointFolder& folder : present) {
        folder.bytes = bytes_in(folder.folder);
        folder.removable = !folder.wanted && is_within(home, folder.folder);
    }
    return present;
}

bool remove_checkpoint_folder(const fs::path& library, const fs::path& folder)
{
    std::error_code error;
    const fs::path real = fs::weakly_canonical(folder, error);
    if (folder.empty() || !is_within(checkpoint_home(library), real)) {
        return false;
    }
    fs::remove_all(real, error);
    return !error;
}

} // namespace retort
