#include "core/store/session_store.h"

#include "core/store/schema.h"
#include "core/store/transfer.h"

#include <cstdlib>

namespace retort {

namespace {

namespace fs = std::filesystem;

Result<std::unique_ptr<Database>> open_for_writing(const fs::path& file)
{
    if (!fs::exists(file)) {
        create_library(file);
    }
    if (auto known = check_is_library(file); !known) {
        return failure(std::move(known.error()));
    }
    auto database = std::make_unique<Database>(file, Database::Mode::ReadWrite);
    if (auto current = bring_up_to_date(*database, file); !current) {
        return failure(std::move(current.error()));
    }
    Transaction transaction(*database);
    mark_interrupted_runs(*database);
    transaction.commit();
    return database;
}

} // namespace

SessionStore::SessionStore(std::unique_ptr<WriteLock> lock, std::unique_ptr<Database> database, fs::path file)
    : m_lock(std::move(lock)), m_queue(std::move(database), std::move(file))
{
}

Result<std::unique_ptr<SessionStore>> SessionStore::open(const fs::path& file, Mode mode)
{
    try {
        std::error_code ignored;
        if (mode == Mode::ReadOnly && !fs::exists(file, ignored)) {
            return failure(Error::Kind::Io, file.string() + " was not found. Nothing has been saved there yet.");
        }
        std::unique_ptr<WriteLock> lock;
        if (mode == Mode::ReadWrite) {
            if (file.has_parent_path()) {
                fs::create_directories(file.parent_path());
            }
            lock = std::make_unique<WriteLock>(file);
        }
        auto database = lock ? open_for_writing(file) : open_for_reading(file, Database::Mode::ReadOnly);
        if (!database) {
            return failure(std::move(database.error()));
        }
        return std::unique_ptr<SessionStore>(new SessionStore(std::move(lock), std::move(*database), file));
    } catch (const SqlFailure& sql) {
        return failure(to_error(sql, file));
    } catch (const fs::filesystem_error& e) {
        return failure(Error::Kind::Io, file.string() + " could not be opened: " + e.code().message() + ".");
    }
}

Result<void> SessionStore::export_session(RowId session, const fs::path& file)
{
    std::error_code error;
    if (fs::equivalent(file, this->file(), error)) {
        return failure(Error::Kind::Usage, file.string() + " is the library itself; name another file to export to.");
    }
    // By a connection of its own, which sees what is committed: neither the window nor a run waits for a long copy.
    return flush().and_then([&]() -> Result<void> {
        try {
            auto from = open_for_reading(this->file(), Database::Mode::ReadOnly);
            if (!from) {
                return failure(std::move(from.error()));
            }
            const Transaction moment(**from);
            return write_session_file(**from, session, file);
        } catch (const SqlFailure& sql) {
            return failure(to_error(sql, this->file()));
        }
    });
}

Result<RowId> SessionStore::import_session(const fs::path& file)
{
    auto from = read_session_file(file);
    if (!from) {
        return failure(std::move(from.error()));
    }
    return m_queue.call([&](Database& to) { return copy_session(**from, (*from)->integer("SELECT id FROM session"), to); });
}

Result<std::string> SessionStore::check()
{
    return m_queue.call([](Database& db) {
        std::string found;
        Statement integrity = db.prepare("PRAGMA integrity_check(5)");
        while (integrity.step()) {
            found += found.empty() ? integrity.text(0) : "; " + integrity.text(0);
        }
        if (db.prepare("PRAGMA foreign_key_check").step()) {
            found += "; some rows refer to others that are gone";
        }
        return found == "ok" ? std::string("The library is sound.") : "The library is damaged: " + found + ".";
    });
}

fs::path default_library_path()
{
    const auto variable = [](const char* name) -> fs::path {
        const char* value = std::getenv(name);
        return value == nullptr ? "" : value;
    };
    if (const fs::path named = variable("RETORT_LIBRARY"); !named.empty()) {
        return named;
    }
    fs::path data = variable("XDG_DATA_HOME");
    if (data.empty()) {
        data = variable("HOME") / ".local" / "share";
    }
    return data / "retort" / "library.retort-db";
}

} // namespace retort
