#pragma once
#include "core/base/error.h"
#include "core/store/artifacts.h"
#include "core/store/exchanges.h"
#include "core/store/models.h"
#include "core/store/runs.h"
#include "core/store/sessions.h"
#include "core/store/write_lock.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace retort {

/// The library of sessions: one SQLite file, one connection, one thread of its own; by subject in tables. Every method may be called from any thread;
/// each hands its work to the store's thread and blocks until it is committed, except the *_later ones, which return at once and are committed within
/// 250 ms, in order. A failed save is never silent: it comes back as the Result, or, for the *_later ones, through on_failure.
///
/// One program writes a library, and a second one that wants to is told at once; any number read it meanwhile, and leave no file behind. A newer file
/// is refused; an older one is migrated after a backup (VACUUM INTO) beside it, or, by one that only reads, in a private copy. core/store/README.md
/// tells the format.
class SessionStore {
public:
    enum class Mode { ReadWrite, ReadOnly };
    [[nodiscard]] static Result<std::unique_ptr<SessionStore>> open(const std::filesystem::path& file, Mode mode = Mode::ReadWrite);
    ~SessionStore() = default; ///< commits what waits, closes
    SessionStore(const SessionStore&) = delete;
    SessionStore& operator=(const SessionStore&) = delete;

    /// Called on the store's thread when a *_later write failed. The window shows it until dismissed.
    void set_on_failure(std::function<void(const Error&)> on_failure) { m_queue.set_on_failure(std::move(on_failure)); }

    [[nodiscard]] SessionTable& sessions() { return m_sessions; }
    [[nodiscard]] ExchangeTable& exchanges() { return m_exchanges; }
    [[nodiscard]] RunTable& runs() { return m_runs; }
    [[nodiscard]] ModelTable& models() { return m_models; }
    [[nodiscard]] ArtifactTable& artifacts() { return m_artifacts; }

    /// One session as a file of its own (.retort), in the place of what stands there. Weights are not in it.
    [[nodiscard]] Result<void> export_session(RowId session, const std::filesystem::path& file);
    /// The session of such a file, from whomever: looked through as a private copy, then taken in whole or not at all.
    [[nodiscard]] Result<RowId> import_session(const std::filesystem::path& file);

    /// Waits until everything posted so far is committed.
    [[nodiscard]] Result<void> flush() { return m_queue.flush(); }
    /// SQLite's integrity_check and foreign_key_check; the sentence says what was found.
    [[nodiscard]] Result<std::string> check();
    [[nodiscard]] const std::filesystem::path& file() const { return m_queue.file(); }

private:
    SessionStore(std::unique_ptr<WriteLock> lock, std::unique_ptr<Database> database, std::filesystem::path file);

    std::unique_ptr<WriteLock> m_lock; // first: it is given up when the connection is closed. Null for one that only reads.
    WriteQueue m_queue;
    SessionTable m_sessions{m_queue};
    ExchangeTable m_exchanges{m_queue};
    RunTable m_runs{m_queue};
    ModelTable m_models{m_queue};
    ArtifactTable m_artifacts{m_queue};
};

/// Where the library lies unless told otherwise: $RETORT_LIBRARY, else $XDG_DATA_HOME/retort/library.retort-db, else ~/.local/share/...
[[nodiscard]] std::filesystem::path default_library_path();

} // namespace retort
