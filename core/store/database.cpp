#include "core/store/database.h"

#include <cstdio>
#include <limits>
#include <sqlite3.h>
#include <unistd.h>

namespace retort {

namespace {

constexpr int kLongestValue = 256 << 20; ///< bytes: a stranger's file may claim any length

[[noreturn]] void fail(sqlite3* connection, int code)
{
    throw SqlFailure{code, connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code)};
}

/// Whether a reader can share the log of `file` as any connection does. Then the last one to leave clears the log away; one that may not write would
/// have to leave it, and its own empty one too.
bool takes_part(const std::filesystem::path& file)
{
    return ::access(file.c_str(), W_OK) == 0 && ::access(file.has_parent_path() ? file.parent_path().c_str() : ".", W_OK) == 0;
}

bool has_log(const std::filesystem::path& file)
{
    std::error_code ignored;
    std::filesystem::path log = file;
    const auto bytes = std::filesystem::file_size(log += "-wal", ignored);
    return !ignored && bytes > 0;
}

std::string uri_of(const std::filesystem::path& file)
{
    std::string uri = "file:";
    for (const char c : std::filesystem::absolute(file).string()) {
        if (c == '?' || c == '#' || c == '%') { // https://www.sqlite.org/uri.html
            char code[4];
            std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned>(c));
            uri += code;
        } else {
            uri += c;
        }
    }
    return uri;
}

} // namespace

Error to_error(const SqlFailure& failure, const std::filesystem::path& file)
{
    const std::string name = file.string();
    switch (failure.code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return {Error::Kind::Io, name + " is open in another program. Close it there first; one program at a time may write a library.",
                failure.message};
    case SQLITE_CONSTRAINT:
        return {Error::Kind::Bug, name + " did not take a row that contradicts another one (" + failure.message + "). What was there is as it was.",
                failure.message};
    case SQLITE_FULL:
        return {Error::Kind::Io, name + " could not be written: the disk is full. Free some space; nothing that was saved is lost.", failure.message};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return {Error::Kind::Io, name + " may not be written by this user. Change its permissions or choose another library.", failure.message};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return {Error::Kind::BadFile,
                name + " is damaged or no session library (" + failure.message + "). Move it aside and open a backup from beside it.",
                failure.message};
    case SQLITE_CANTOPEN:
        return {Error::Kind::Io, name + " could not be opened. Check that the folder exists and may be written.", failure.message};
    case SQLITE_IOERR:
        return {Error::Kind::Io, name + " could not be read or written: the disk reports an error.", failure.message};
    case SQLITE_NOTFOUND: // of ours: a row that somebody named
        return {Error::Kind::Usage, name + ": " + failure.message + ".", {}};
    case SQLITE_NOMEM:
        return {Error::Kind::OutOfMemory, name + " could not be read: there is not enough free memory.", failure.message};
    default:
        return {Error::Kind::Bug, name + ": " + failure.message + ".", "SQLite code " + std::to_string(failure.code)};
    }
}

Statement::Statement(sqlite3* connection, const char* sql) : m_connection(connection)
{
    if (const int code = sqlite3_prepare_v2(connection, sql, -1, &m_statement, nullptr); code != SQLITE_OK) {
        fail(connection, code);
    }
}

Statement::~Statement()
{
    sqlite3_finalize(m_statement);
}

bool Statement::step()
{
    const int code = sqlite3_step(m_statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        fail(m_connection, code);
    }
    return code == SQLITE_ROW;
}

void Statement::reset()
{
    sqlite3_reset(m_statement);
}

void Statement::bind_column(int index, const Statement& row, int column)
{
    sqlite3_bind_value(m_statement, index, sqlite3_column_value(row.m_statement, column));
}

std::int64_t Statement::integer(int column) const
{
    return sqlite3_column_int64(m_statement, column);
}

double Statement::real(int column) const
{
    return is_null(column) ? std::numeric_limits<double>::quiet_NaN() : sqlite3_column_double(m_statement, column);
}

std::string Statement::text(int column) const
{
    const void* bytes = sqlite3_column_blob(m_statement, column); // a text's bytes come as they are
    const int size = sqlite3_column_bytes(m_statement, column);
    return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

bool Statement::is_null(int column) const
{
    return sqlite3_column_type(m_statement, column) == SQLITE_NULL;
}

void Statement::bind(int index, std::int64_t value)
{
    sqlite3_bind_int64(m_statement, index, value);
}

void Statement::bind(int index, double value)
{
    sqlite3_bind_double(m_statement, index, value);
}

void Statement::bind(int index, std::string_view value)
{
    // The value lives until step() is done: with() is always followed by it in the same expression or scope. An empty view may hold a null pointer,
    // which SQLite would store as NULL.
    sqlite3_bind_text64(m_statement, index, value.data() == nullptr ? "" : value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void Statement::bind(int index, std::span<const std::byte> blob)
{
    if (blob.empty()) {
        sqlite3_bind_zeroblob(m_statement, index, 0);
    } else {
        sqlite3_bind_blob64(m_statement, index, blob.data(), blob.size(), SQLITE_TRANSIENT);
    }
}

void Statement::bind(int index, std::nullptr_t)
{
    sqlite3_bind_null(m_statement, index);
}

Database::Database(const std::filesystem::path& file, Mode mode)
{
    try {
        open(file, mode);
        sqlite3_busy_timeout(m_connection, 1000);
        sqlite3_db_config(m_connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
        sqlite3_limit(m_connection, SQLITE_LIMIT_LENGTH, kLongestValue);
        execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;");
        if (mode == Mode::ReadWrite) {
            execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
            execute("BEGIN IMMEDIATE; COMMIT;"); // fails now rather than at the first row that is to be kept
        }
        m_may_write = mode != Mode::ReadOnly && mode != Mode::AsItLies;
        if (!m_may_write) {
            execute("PRAGMA query_only = ON");
        }
    } catch (...) {
        sqlite3_close(m_connection);
        throw;
    }
}

void Database::open(const std::filesystem::path& file, Mode mode)
{
    std::string name = file.string();
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    switch (mode) {
    case Mode::ReadWrite:
        flags |= SQLITE_OPEN_READWRITE;
        break;
    case Mode::Create:
        flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
        break;
    case Mode::Private:
        name.clear();
        flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
        break;
    case Mode::ReadOnly:
        if (takes_part(file)) {
            flags |= SQLITE_OPEN_READWRITE;
            break;
        }
        if (has_log(file)) { // of a program with other rights, whose index can at least be read
            flags |= SQLITE_OPEN_READONLY;
            break;
        }
        [[fallthrough]];
    case Mode::AsItLies:
        name = uri_of(file) + "?immutable=1";
        flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
        break;
    }
    if (const int code = sqlite3_open_v2(name.c_str(), &m_connection, flags, nullptr); code != SQLITE_OK) {
        fail(m_connection, code);
    }
}

Database::~Database()
{
    sqlite3_close(m_connection);
}

void Database::execute(const char* sql_script)
{
    char* message = nullptr;
    const int code = sqlite3_exec(m_connection, sql_script, nullptr, nullptr, &message);
    if (code != SQLITE_OK) {
        SqlFailure failure{code, message != nullptr ? message : sqlite3_errstr(code)};
        sqlite3_free(message);
        throw failure;
    }
}

std::int64_t Database::last_row() const
{
    return sqlite3_last_insert_rowid(m_connection);
}

std::int64_t Database::changes() const
{
    return sqlite3_changes64(m_connection);
}

void Database::copy_from(Database& other)
{
    sqlite3_backup* copy = sqlite3_backup_init(m_connection, "main", other.m_connection, "main");
    if (copy == nullptr) {
        fail(m_connection, sqlite3_errcode(m_connection));
    }
    const int stepped = sqlite3_backup_step(copy, -1);
    const int finished = sqlite3_backup_finish(copy);
    if (stepped != SQLITE_DONE || finished != SQLITE_OK) {
        throw SqlFailure{finished != SQLITE_OK ? finished : stepped, sqlite3_errstr(finished != SQLITE_OK ? finished : stepped)};
    }
}

std::int64_t Database::integer(const char* sql)
{
    Statement statement = prepare(sql);
    return statement.step() ? statement.integer(0) : 0;
}

Transaction::Transaction(Database& database) : m_database(database)
{
    // IMMEDIATE: one that only later asks to write can be refused at once, however long it was told to wait.
    m_database.execute(m_database.may_write() ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction()
{
    if (m_open) {
        try {
            m_database.execute("ROLLBACK");
        } catch (const SqlFailure&) {
            // SQLite rolls back by itself after a full disk or an I/O error; a second ROLLBACK is then refused.
        }
    }
}

void Transaction::commit()
{
    m_database.execute("COMMIT");
    m_open = false;
}

} // namespace retort
