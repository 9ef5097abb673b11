#include "core/store/first_library.h"

#include "core/base/files.h"
#include "core/store/session_store.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace retort {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;

/// The copy until it has its place, removed with what SQLite may have left beside it.
class FirstCopy {
public:
    explicit FirstCopy(fs::path file) : m_file(std::move(file)) {}
    ~FirstCopy()
    {
        std::error_code ignored;
        for (const char* ending : {"", "-wal", "-shm"}) {
            fs::path part = m_file;
            fs::remove(part += ending, ignored);
        }
    }
    FirstCopy(const FirstCopy&) = delete;
    FirstCopy& operator=(const FirstCopy&) = delete;

    [[nodiscard]] const fs::path& file() const { return m_file; }

private:
    fs::path m_file;
};

Result<void> check_has_a_session(const fs::path& library, const fs::path& recorded)
{
    const auto store = SessionStore::open(library);
    if (!store) {
        return failure(store.error());
    }
    const auto sessions = (*store)->sessions().list();
    if (!sessions) {
        return failure(sessions.error());
    }
    if (sessions->empty()) {
        return failure(Error::Kind::BadFile, recorded.string() + " holds no session.");
    }
    const auto latest = (*store)->sessions().read(sessions->front().id);
    return latest ? Result<void>() : failure(latest.error());
}

} // namespace

Result<bool> begin_library_with(const fs::path& recorded, const fs::path& file)
{
    std::error_code unknown;
    if (fs::symlink_status(file, unknown).type() != fs::file_type::not_found) {
        return false;
    }
    const auto content = read_file(recorded, kMostBytes);
    if (!content) {
        return failure(content.error());
    }
    std::error_code ignored;
    fs::create_directories(file.parent_path(), ignored); // writing says it better when this fails
    fs::path beside = file;
    const FirstCopy copy(beside += ".first");
    if (auto written = write_file_atomically(copy.file(), *content); !written) {
        return failure(std::move(written.error()));
    }
    if (auto sound = check_has_a_session(copy.file(), recorded); !sound) {
        return failure(std::move(sound.error()));
    }
    // link() and not rename(): it refuses to take the place of what another Retort made meanwhile.
    if (::link(copy.file().c_str(), file.c_str()) == 0) {
        return true;
    }
    return errno == EEXIST ? Result<bool>(false) : failure(Error::Kind::Io, file.string() + " could not be made: " + std::strerror(errno) + ".");
}

} // namespace retort
