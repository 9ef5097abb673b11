#pragma once
#include "core/base/error.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace retort {

/// A prepared statement with its parameters. SQL text is always a literal of this folder; values only ever travel as parameters.
/// Errors are thrown as SqlFailure inside this folder and become Results at its border (session_store.cpp).
class Statement {
public:
    Statement(sqlite3* connection, const char* sql);
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    /// Binds every parameter in order, from the first.
    template <class... Values>
    Statement& with(const Values&... values)
    {
        reset();
        int index = 0;
        (bind(++index, values), ...);
        return *this;
    }

    /// To the next row; false when there is none.
    bool step();
    /// For a statement that gives no rows.
    void run()
    {
        while (step()) {
        }
    }
    void reset();

    // One by one, after reset():
    void bind_column(int index, const Statement& row, int column); ///< the value as it is
    void bind_integer(int index, std::int64_t value) { bind(index, value); }

    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] double real(int column) const; ///< NULL reads as NaN: SQLite stores a NaN as NULL
    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] bool is_null(int column) const;

private:
    void bind(int index, std::int64_t value);
    void bind(int index, std::uint64_t value) { bind(index, static_cast<std::int64_t>(value)); }
    void bind(int index, int value) { bind(index, static_cast<std::int64_t>(value)); }
    void bind(int index, bool value) { bind(index, static_cast<std::int64_t>(value)); }
    void bind(int index, double value);
    void bind(int index, std::string_view value);
    void bind(int index, const std::string& value) { bind(index, std::string_view(value)); }
    void bind(int index, const char* value) { bind(index, std::string_view(value)); }
    void bind(int index, std::span<const std::byte> blob);
    void bind(int index, std::nullptr_t);
    template <class Value>
    void bind(int index, const std::optional<Value>& value)
    {
        value ? bind(index, *value) : bind(index, nullptr);
    }

    sqlite3* m_connection;
    sqlite3_stmt* m_statement = nullptr;
};

/// What SQLite said, thrown within core/store.
struct SqlFailure {
    int code = 0;
    std::string message;
};
[[nodiscard]] Error to_error(const SqlFailure& failure, const std::filesystem::path& file);

/// One SQLite connection: foreign keys, trusted_schema off, DEFENSIVE. Used by one thread.
class Database {
public:
    enum class Mode {
        ReadWrite, ///< with a log beside the file (WAL), synchronous FULL; readers may come and go meanwhile
        ReadOnly,  ///< sees what is committed, also while another program writes, and leaves no file behind
        AsItLies,  ///< the bytes of the file alone, whatever log lies beside it: for a file that nobody writes, or to look at its head
        Create,    ///< without a log: its commit is in the file, or fails
        Private,   ///< a database without a name that goes with the connection; `file` is not looked at
    };

    Database(const std::filesystem::path& file, Mode mode); ///< throws SqlFailure
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    [[nodiscard]] Statement prepare(const char* sql) { return {m_connection, sql}; }
    void execute(const char* sql_script);
    [[nodiscard]] std::int64_t last_row() const;
    [[nodiscard]] std::int64_t integer(const char* sql); ///< of the first column of the first row
    [[nodiscard]] std::int64_t changes() const;          ///< rows that the latest statement inserted, updated or deleted
    [[nodiscard]] bool may_write() const { return m_may_write; }

    /// Becomes what `other` is now, page by page, as SQLite itself copies.
    void copy_from(Database& other);

private:
    void open(const std::filesystem::path& file, Mode mode);

    sqlite3* m_connection = nullptr;
    bool m_may_write = true;
};

/// Begins now, with the right to write where the connection has it; rolled back unless commit() was called.
class Transaction {
public:
    explicit Transaction(Database& database);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

private:
    Database& m_database;
    bool m_open = true;
};

} // namespace retort
