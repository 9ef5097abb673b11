#include "core/store/schema.h"

#include "core/base/sha256.h"

#include <chrono>
#include <map>
#include <sqlite3.h>

namespace retort {

namespace {

/// Tables and indexes, name to the SQL that made them. Those within the text index are SQLite's own and differ between its versions.
std::map<std::string, std::string> objects_of(Database& database)
{
    std::map<std::string, std::string> objects;
    Statement rows = database.prepare("SELECT type || ' ' || name, iif(name LIKE 'search\\_%' ESCAPE '\\', '', coalesce(sql, '')) FROM sqlite_master"
                                      " WHERE name NOT LIKE 'sqlite_stat%'");
    while (rows.step()) {
        objects[rows.text(0)] = rows.text(1);
    }
    return objects;
}

/// Rows move between tables that refer to each other, so foreign keys are off meanwhile: dropping a table would else take along what refers to it.
void migrate(Database& database, std::int64_t from)
{
    database.execute("PRAGMA foreign_keys = OFF");
    {
        Transaction transaction(database);
        for (std::int64_t version = from; version < kSchemaVersion; ++version) {
            database.execute(migration_from(version));
        }
        database.execute(("PRAGMA user_version = " + std::to_string(kSchemaVersion)).c_str());
        transaction.commit();
    }
    database.execute("PRAGMA foreign_keys = ON");
}

std::map<std::string, std::string> expected_objects()
{
    Database fresh({}, Database::Mode::Private);
    create_tables(fresh);
    return objects_of(fresh);
}

Result<void> check_version(std::int64_t version, const std::filesystem::path& file)
{
    if (version > kSchemaVersion) {
        return failure(Error::Kind::Mismatch, file.string() + " was written by a newer Retort (schema " + std::to_string(version) +
                                                  ", this one knows " + std::to_string(kSchemaVersion) +
                                                  "). It was left as it is: update Retort to open it.");
    }
    if (version < 1) {
        return failure(Error::Kind::BadFile, file.string() + " says schema " + std::to_string(version) + "; a library has 1 or more. It is damaged.");
    }
    return {};
}

Result<void> check_objects(Database& database, const std::filesystem::path& file)
{
    if (objects_of(database) != expected_objects()) {
        return failure(Error::Kind::BadFile, file.string() +
                                                 " holds other tables, views or triggers than Retort makes, so it was not opened. It may be "
                                                 "malicious; it was left as it is.");
    }
    return {};
}

/// Whether an earlier attempt, cut short after its copy, left the same one already.
bool is_backed_up(const std::filesystem::path& copy, const std::filesystem::path& file, const std::string& beginning)
{
    const auto hash = sha256_of_file(copy);
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(copy.has_parent_path() ? copy.parent_path() : ".", ignored)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with(file.filename().string() + beginning) && name.ends_with(".bak")) {
            if (const auto other = sha256_of_file(entry.path()); hash && other && *hash == *other) {
                return true;
            }
        }
    }
    return false;
}

void back_up(Database& database, const std::filesystem::path& file, std::int64_t version)
{
    const std::string beginning = ".v" + std::to_string(version) + "-";
    std::filesystem::path copy = file;
    copy += beginning + "bak.part";
    std::filesystem::remove(copy);
    database.prepare("VACUUM INTO ?").with(copy.string()).run();
    {
        Database check(copy, Database::Mode::AsItLies);
        Statement result = check.prepare("PRAGMA integrity_check");
        if (!result.step() || result.text(0) != "ok") {
            throw SqlFailure{SQLITE_CORRUPT, "the copy made before changing the file is not sound"};
        }
    }
    if (is_backed_up(copy, file, beginning)) {
        std::filesystem::remove(copy);
        return;
    }
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    std::filesystem::path kept = file;
    kept += beginning + std::to_string(seconds) + ".bak";
    std::filesystem::rename(copy, kept);
}

} // namespace

Result<void> check_is_library(const std::filesystem::path& file)
{
    const auto no_library = [&file](const std::string& why) {
        return failure(Error::Kind::BadFile,
                       file.string() + " is no session library (" + why + "). It was left as it is: move it aside, or name another library.");
    };
    if (!std::filesystem::is_regular_file(file)) {
        return no_library("no file");
    }
    const auto bytes = std::filesystem::file_size(file);
    if (bytes == 0) {
        return no_library("0 bytes");
    }
    try {
        Database head(file, Database::Mode::AsItLies);
        if (head.integer("PRAGMA application_id") != kApplicationId) {
            return failure(Error::Kind::BadFile, file.string() + " is a database of another program. It was left as it is; name another library.");
        }
    } catch (const SqlFailure& sql) {
        if ((sql.code & 0xFF) == SQLITE_NOTADB) {
            return no_library(std::to_string(bytes) + " bytes without SQLite's header");
        }
        throw;
    }
    return {};
}

void create_tables(Database& database)
{
    migrate(database, 0);
}

void create_library(const std::filesystem::path& file)
{
    std::filesystem::path fresh = file;
    fresh += ".part";
    std::filesystem::remove(fresh);
    try {
        Database database(fresh, Database::Mode::Create);
        database.execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
        create_tables(database);
    } catch (...) { // a full disk; the journal went with the rolled back transaction
        std::error_code ignored;
        std::filesystem::remove(fresh, ignored);
        throw;
    }
    std::filesystem::rename(fresh, file);
}

Result<void> bring_up_to_date(Database& database, const std::filesystem::path& file)
{
    const std::int64_t version = database.integer("PRAGMA user_version");
    if (auto known = check_version(version, file); !known) {
        return known;
    }
    if (version < kSchemaVersion) {
        back_up(database, file, version);
        migrate(database, version);
    }
    return check_objects(database, file);
}

Result<std::unique_ptr<Database>> open_for_reading(const std::filesystem::path& file, Database::Mode mode)
{
    if (auto known = check_is_library(file); !known) {
        return failure(std::move(known.error()));
    }
    auto database = std::make_unique<Database>(file, mode);
    const std::int64_t version = database->integer("PRAGMA user_version");
    if (auto known = check_version(version, file); !known) {
        return failure(std::move(known.error()));
    }
    if (version < kSchemaVersion || mode == Database::Mode::AsItLies) {
        auto copy = std::make_unique<Database>(std::filesystem::path(), Database::Mode::Private);
        copy->copy_from(*database);
        if (version < kSchemaVersion) {
            migrate(*copy, version);
        }
        database = std::move(copy);
    }
    if (auto ours = check_objects(*database, file); !ours) {
        return failure(std::move(ours.error()));
    }
    return database;
}

} // namespace retort
