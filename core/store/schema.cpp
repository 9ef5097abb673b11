#include "core/store/schema.h"

#include "core/base/files.h"

#include <array>
#include <chrono>
#include <cstring>
#include <map>
#include <sqlite3.h>

namespace retort {

namespace {

/// What each version added; the tables of version N are the scripts 1 ... N run in order. A published script never changes.
constexpr std::array<const char*, kSchemaVersion> kMigrations = {R"sql(
CREATE TABLE session(
  id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, title TEXT NOT NULL, view_state TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, binned_at INTEGER);

CREATE TABLE model(                                   -- one row for each distinct file, found again by its hash
  id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, name TEXT NOT NULL, path TEXT NOT NULL, format TEXT NOT NULL, sha256 TEXT NOT NULL,
  family TEXT NOT NULL, dtype TEXT NOT NULL, parameters INTEGER NOT NULL, file_bytes INTEGER NOT NULL, tokenizer_fingerprint TEXT NOT NULL,
  config_json TEXT NOT NULL, licence TEXT NOT NULL, derived_from TEXT NOT NULL, created_at INTEGER NOT NULL);

CREATE TABLE session_model(                           -- the latest row of a role is the model in it
  id INTEGER PRIMARY KEY, session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE, model_id INTEGER NOT NULL REFERENCES model(id),
  role TEXT NOT NULL CHECK(role IN ('teacher', 'student')), since INTEGER NOT NULL);
CREATE INDEX session_model_session ON session_model(session_id, role, id);

CREATE TABLE prompt(
  id INTEGER PRIMARY KEY, session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  messages_json TEXT NOT NULL,                        -- [{"role": .., "content": ..}]
  rendered TEXT NOT NULL, ids BLOB NOT NULL,          -- what the models really saw: text, and int32 little-endian
  created_at INTEGER NOT NULL);
CREATE INDEX prompt_session ON prompt(session_id, id);

CREATE TABLE response(
  id INTEGER PRIMARY KEY, prompt_id INTEGER NOT NULL REFERENCES prompt(id) ON DELETE CASCADE, model_id INTEGER NOT NULL REFERENCES model(id),
  role TEXT NOT NULL, text TEXT NOT NULL, finish TEXT NOT NULL, settings_json TEXT NOT NULL, seed INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL,
  first_token_ms REAL NOT NULL, generation_ms REAL NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX response_prompt ON response(prompt_id, id);

CREATE TABLE token(
  response_id INTEGER NOT NULL REFERENCES response(id) ON DELETE CASCADE, position INTEGER NOT NULL, token_id INTEGER NOT NULL, bytes BLOB NOT NULL,
  log_probability REAL, rank INTEGER NOT NULL, entropy REAL, PRIMARY KEY(response_id, position)) WITHOUT ROWID;

CREATE TABLE comparison(                              -- both models read one text; packed per position, see core/store/packing.h
  id INTEGER PRIMARY KEY, prompt_id INTEGER NOT NULL REFERENCES prompt(id) ON DELETE CASCADE,
  response_id INTEGER NOT NULL REFERENCES response(id) ON DELETE CASCADE, text_of TEXT NOT NULL CHECK(text_of IN ('teacher', 'student')),
  mean_kl REAL, same_top REAL, positions BLOB NOT NULL, sha256 TEXT NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX comparison_prompt ON comparison(prompt_id, id);

CREATE TABLE snapshot(                                -- both exact distributions at one position, packed
  id INTEGER PRIMARY KEY, prompt_id INTEGER NOT NULL REFERENCES prompt(id) ON DELETE CASCADE, text_of TEXT NOT NULL, position INTEGER NOT NULL,
  content BLOB NOT NULL, sha256 TEXT NOT NULL, created_at INTEGER NOT NULL, UNIQUE(prompt_id, text_of, position));

CREATE TABLE run(
  id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE, name TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('queued', 'running', 'paused', 'finished', 'stopped', 'failed', 'interrupted')),
  teacher_model_id INTEGER REFERENCES model(id), student_model_id INTEGER REFERENCES model(id), -- NULL: a model that was never stored
  plan_json TEXT NOT NULL, seed INTEGER NOT NULL, total_steps INTEGER NOT NULL, last_step INTEGER NOT NULL DEFAULT 0, active_ms INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL DEFAULT 0, host_json TEXT NOT NULL, error_text TEXT NOT NULL DEFAULT '');
CREATE INDEX run_session ON run(session_id, id);

CREATE TABLE metric(                                  -- a row for each step; NULL is a number that was not finite; segment counts resumes
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, segment INTEGER NOT NULL, step INTEGER NOT NULL, tokens INTEGER NOT NULL, loss REAL,
  divergence REAL, cross_entropy REAL, teacher_entropy REAL, lr REAL, grad_norm REAL, tokens_per_s REAL, active_ms REAL, wall_ms INTEGER NOT NULL,
  PRIMARY KEY(run_id, segment, step)) WITHOUT ROWID;

CREATE TABLE evaluation(
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, step INTEGER NOT NULL, cross_entropy REAL, kl REAL, same_top REAL,
  targets INTEGER NOT NULL, entropy_floor REAL, PRIMARY KEY(run_id, step)) WITHOUT ROWID;

CREATE TABLE probe_sample(
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, step INTEGER NOT NULL, probe INTEGER NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY(run_id, step, probe)) WITHOUT ROWID;

CREATE TABLE checkpoint(                              -- the weights are files; a row is written after they are safe on the disk
  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, step INTEGER NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL, is_final INTEGER NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX checkpoint_run ON checkpoint(run_id, id);
)sql"};

/// Tables and indexes, name to the SQL that made them.
std::map<std::string, std::string> objects_of(Database& database)
{
    std::map<std::string, std::string> objects;
    Statement rows = database.prepare("SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'");
    while (rows.step()) {
        objects[rows.text(0)] = rows.text(1);
    }
    return objects;
}

void migrate(Database& database, std::int64_t from)
{
    for (std::int64_t version = from; version < kSchemaVersion; ++version) {
        database.execute(kMigrations[static_cast<std::size_t>(version)]);
    }
    database.execute(("PRAGMA user_version = " + std::to_string(kSchemaVersion)).c_str());
}

std::map<std::string, std::string> expected_objects()
{
    Database memory(":memory:", Database::Mode::Create);
    migrate(memory, 0);
    return objects_of(memory);
}

void back_up(Database& database, const std::filesystem::path& file, std::int64_t version)
{
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    std::filesystem::path copy = file;
    copy += ".v" + std::to_string(version) + "-" + std::to_string(seconds) + ".bak";
    database.prepare("VACUUM INTO ?").with(copy.string()).run();
    Database check(copy, Database::Mode::ReadOnly);
    Statement result = check.prepare("PRAGMA integrity_check");
    if (!result.step() || result.text(0) != "ok") {
        throw SqlFailure{SQLITE_CORRUPT, "the copy made before changing the file is not sound"};
    }
}

} // namespace

Result<void> check_is_library(const std::filesystem::path& file)
{
    const auto input = InputFile::open(file);
    if (!input) {
        return failure(input.error());
    }
    std::array<std::byte, 100> header{};
    constexpr std::string_view kMagic("SQLite format 3\0", 16);
    if (input->size() < header.size() || !input->read_at(0, header) || std::memcmp(header.data(), kMagic.data(), kMagic.size()) != 0) {
        return failure(Error::Kind::BadFile, file.string() + " is no session library (" + std::to_string(input->size()) +
                                                 " bytes without SQLite's header). It was left as it is: move it aside, or name another library.");
    }
    std::uint32_t id = 0;
    for (std::size_t i = 68; i < 72; ++i) { // big-endian, https://www.sqlite.org/fileformat.html
        id = id << 8 | std::to_integer<std::uint32_t>(header[i]);
    }
    if (id != static_cast<std::uint32_t>(kApplicationId)) {
        return failure(Error::Kind::BadFile, file.string() + " is a database of another program. It was left as it is; name another library.");
    }
    return {};
}

void create_library(const std::filesystem::path& file)
{
    std::filesystem::path fresh = file;
    fresh += ".part";
    std::filesystem::remove(fresh);
    try {
        Database database(fresh, Database::Mode::Create);
        database.execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
        Transaction transaction(database);
        migrate(database, 0);
        transaction.commit();
    } catch (...) { // a full disk; the journal went with the rolled back transaction
        std::error_code ignored;
        std::filesystem::remove(fresh, ignored);
        throw;
    }
    std::filesystem::rename(fresh, file);
}

Result<void> bring_up_to_date(Database& database, const std::filesystem::path& file, bool may_write)
{
    const std::int64_t version = database.integer("PRAGMA user_version");
    if (version > kSchemaVersion) {
        return failure(Error::Kind::Mismatch, file.string() + " was written by a newer Retort (schema " + std::to_string(version) +
                                                  ", this one knows " + std::to_string(kSchemaVersion) +
                                                  "). It was left as it is: update Retort to open it.");
    }
    if (version < kSchemaVersion) {
        if (!may_write) {
            return failure(Error::Kind::Mismatch,
                           file.string() + " was written by an older Retort; open it once for writing to bring it up to date.");
        }
        back_up(database, file, version);
        Transaction transaction(database);
        migrate(database, version);
        transaction.commit();
    }
    if (objects_of(database) != expected_objects()) {
        return failure(Error::Kind::BadFile, file.string() +
                                                 " holds other tables, views or triggers than Retort makes, so it was not opened. It may come from "
                                                 "somebody who means harm; it was left as it is.");
    }
    return {};
}

} // namespace retort
