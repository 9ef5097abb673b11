#include "core/store/transfer.h"

#include "core/store/row_tools.h"
#include "core/store/schema.h"
#include "core/store/text_index.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <sqlite3.h>

namespace retort {

namespace {

namespace fs = std::filesystem;

#define RETORT_PROMPTS "(SELECT id FROM prompt WHERE session_id = ?1)"
#define RETORT_RESPONSES "(SELECT id FROM response WHERE prompt_id IN " RETORT_PROMPTS ")"
#define RETORT_RUNS "(SELECT id FROM run WHERE session_id = ?1)"
#define RETORT_MODELS                                                                                                                                \
    "(SELECT model_id FROM session_model WHERE session_id = ?1 UNION SELECT model_id FROM response WHERE prompt_id IN " RETORT_PROMPTS               \
    " UNION SELECT teacher_model_id FROM run WHERE session_id = ?1 UNION SELECT student_model_id FROM run WHERE session_id = ?1"                     \
    " UNION SELECT model_id FROM artifact WHERE session_id = ?1)"
#define RETORT_TOKENIZERS                                                                                                                            \
    "(SELECT tokenizer_id FROM comparison WHERE prompt_id IN " RETORT_PROMPTS                                                                        \
    " UNION SELECT tokenizer_id FROM snapshot WHERE prompt_id IN " RETORT_PROMPTS ")"

struct Table {
    const char* name;
    const char* shared_by; ///< the column by which a row that is there already is known; null: every row is the session's own
    const char* rows;      ///< which ones are the session's
};

/// Each after those that it refers to. Checkpoints do not travel.
constexpr std::array kTables = {Table{"tokenizer", "fingerprint",
                                      "SELECT * FROM tokenizer WHERE id IN " RETORT_TOKENIZERS
                                      " OR fingerprint IN (SELECT tokenizer_fingerprint FROM model WHERE id IN " RETORT_MODELS ")"},
                                Table{"model", "identity", "SELECT * FROM model WHERE id IN " RETORT_MODELS},
                                Table{"metric_name", "name", "SELECT * FROM metric_name WHERE ?1 <> 0"},
                                Table{"session", nullptr, "SELECT * FROM session WHERE id = ?1"},
                                Table{"session_model", nullptr, "SELECT * FROM session_model WHERE session_id = ?1 ORDER BY id"},
                                Table{"run", nullptr, "SELECT * FROM run WHERE session_id = ?1 ORDER BY id"},
                                Table{"segment", nullptr, "SELECT * FROM segment WHERE run_id IN " RETORT_RUNS},
                                Table{"point", nullptr, "SELECT * FROM point WHERE run_id IN " RETORT_RUNS},
                                Table{"metric_value", nullptr, "SELECT * FROM metric_value WHERE run_id IN " RETORT_RUNS},
                                Table{"probe_sample", nullptr, "SELECT * FROM probe_sample WHERE run_id IN " RETORT_RUNS},
                                Table{"prompt", nullptr, "SELECT * FROM prompt WHERE session_id = ?1 ORDER BY id"},
                                Table{"response", nullptr, "SELECT * FROM response WHERE prompt_id IN " RETORT_PROMPTS " ORDER BY id"},
                                Table{"token", nullptr, "SELECT * FROM token WHERE response_id IN " RETORT_RESPONSES},
                                Table{"comparison", nullptr, "SELECT * FROM comparison WHERE prompt_id IN " RETORT_PROMPTS " ORDER BY id"},
                                Table{"snapshot", nullptr, "SELECT * FROM snapshot WHERE prompt_id IN " RETORT_PROMPTS " ORDER BY id"},
                                Table{"artifact", nullptr, "SELECT * FROM artifact WHERE session_id = ?1 ORDER BY id"}};

/// Copies rows with all their columns and keeps which number became which.
class Copier {
public:
    Copier(Database& from, RowId session, Database& to) : m_from(from), m_to(to), m_session(session) {}

    void copy(const Table& table)
    {
        const std::vector<Column> columns = columns_of(table.name);
        Statement insert = m_to.prepare(insertion(table.name, columns).c_str());
        Statement row = m_from.prepare(table.rows);
        row.with(m_session);
        while (row.step()) {
            if (table.shared_by != nullptr && known_already(table, columns, row)) {
                continue;
            }
            insert.reset();
            int place = 0;
            for (std::size_t i = 0; i < columns.size(); ++i) {
                if (!columns[i].is_number) {
                    bind(insert, ++place, columns[i], row, static_cast<int>(i));
                }
            }
            insert.run();
            if (columns.front().is_number) {
                m_numbers[table.name][row.integer(0)] = m_to.last_row();
            }
        }
    }

    /// What became of a row; 0 when it was not copied.
    [[nodiscard]] RowId number(const std::string& table, RowId before) const
    {
        const auto rows = m_numbers.find(table);
        const auto row = rows == m_numbers.end() ? decltype(rows->second.begin()){} : rows->second.find(before);
        return rows == m_numbers.end() || row == rows->second.end() ? 0 : row->second;
    }

private:
    struct Column {
        std::string name;
        bool is_number = false; ///< the row's own, given anew
        std::string refers_to{};
    };

    std::vector<Column> columns_of(const std::string& table)
    {
        std::vector<Column> columns;
        Statement column = m_to.prepare("SELECT c.name, c.pk = 1 AND c.name = 'id', coalesce(f.\"table\", '') FROM pragma_table_info(?1) c"
                                        " LEFT JOIN pragma_foreign_key_list(?1) f ON f.\"from\" = c.name ORDER BY c.cid");
        column.with(table);
        while (column.step()) {
            columns.push_back({column.text(0), column.integer(1) != 0, column.text(2)});
        }
        return columns;
    }

    static std::string insertion(const std::string& table, const std::vector<Column>& columns)
    {
        std::string names, marks;
        for (const Column& column : columns) {
            if (!column.is_number) {
                names += (names.empty() ? "" : ", ") + column.name;
                marks += marks.empty() ? "?" : ", ?";
            }
        }
        return "INSERT INTO " + table + "(" + names + ") VALUES (" + marks + ")";
    }

    bool known_already(const Table& table, const std::vector<Column>& columns, Statement& row)
    {
        const auto key = std::ranges::find(columns, table.shared_by, &Column::name) - columns.begin();
        Statement there = m_to.prepare(("SELECT id FROM " + std::string(table.name) + " WHERE " + table.shared_by + " = ?").c_str());
        if (!there.with(row.text(static_cast<int>(key))).step()) {
            return false;
        }
        m_numbers[table.name][row.integer(0)] = there.integer(0);
        return true;
    }

    void bind(Statement& insert, int place, const Column& column, Statement& row, int at) const
    {
        if (column.refers_to.empty() || row.is_null(at)) {
            insert.bind_column(place, row, at);
            return;
        }
        const RowId now = number(column.refers_to, row.integer(at));
        if (now == 0) {
            throw SqlFailure{SQLITE_CORRUPT, column.name + " " + std::to_string(row.integer(at)) + " refers to a row that is not there"};
        }
        insert.bind_integer(place, now);
    }

    Database& m_from;
    Database& m_to;
    RowId m_session;
    std::map<std::string, std::map<RowId, RowId>> m_numbers;
};

/// What a session remembers of how it was looked at names rows, which have other numbers now.
std::string renumbered(const std::string& view_state, const Copier& copier)
{
    nlohmann::json view = nlohmann::json::parse(view_state, nullptr, false);
    if (!view.is_object()) {
        return "{}";
    }
    const auto renumber = [&copier](nlohmann::json& in, const char* key, const char* table) {
        if (in.is_object() && in.contains(key) && in[key].is_number_integer()) {
            in[key] = copier.number(table, in[key].get<RowId>());
        }
    };
    renumber(view, "exchange", "prompt");
    if (view.contains("recorded")) {
        renumber(view["recorded"], "last_prompt", "prompt");
        renumber(view["recorded"], "last_run", "run");
    }
    return dump(view);
}

std::string sentence_of(Database& database, const char* check)
{
    Statement row = database.prepare(check);
    return row.step() ? row.text(0) : std::string();
}

} // namespace

RowId copy_session(Database& from, RowId session, Database& to)
{
    Statement source = from.prepare("SELECT uuid, title, view_state FROM session WHERE id = ?");
    if (!source.with(session).step()) {
        throw SqlFailure{SQLITE_NOTFOUND, "there is no session " + std::to_string(session)};
    }
    Statement there = to.prepare("SELECT id, binned_at IS NOT NULL FROM session WHERE uuid = ?");
    if (there.with(source.text(0)).step()) {
        throw SqlFailure{SQLITE_NOTFOUND, "the session \"" + source.text(1) + "\" is here already, as number " + std::to_string(there.integer(0)) +
                                              (there.integer(1) != 0 ? " in the bin" : "")};
    }
    Copier copier(from, session, to);
    for (const Table& table : kTables) {
        copier.copy(table);
    }
    const RowId id = copier.number("session", session);
    to.prepare("UPDATE session SET view_state = ?, binned_at = NULL WHERE id = ?").with(renumbered(source.text(2), copier), id).run();
    to.prepare("UPDATE run SET checkpoints = '', state = iif(state IN ('finished', 'failed'), state, 'stopped') WHERE session_id = ?").with(id).run();
    index_session(to, id);
    return id;
}

Result<void> write_session_file(Database& from, RowId session, const fs::path& file)
{
    fs::path part = file;
    part += ".part";
    try {
        fs::remove(part);
        {
            Database to(part, Database::Mode::Create);
            to.execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
            create_tables(to);
            Transaction transaction(to);
            (void)copy_session(from, session, to);
            transaction.commit();
        }
        fs::rename(part, file);
        return {};
    } catch (const SqlFailure& sql) {
        std::error_code ignored;
        fs::remove(part, ignored);
        return failure(to_error(sql, file));
    } catch (const fs::filesystem_error& e) {
        return failure(Error::Kind::Io, file.string() + " could not be written: " + e.code().message() + ".");
    }
}

Result<std::unique_ptr<Database>> read_session_file(const fs::path& file)
{
    try {
        auto copy = open_for_reading(file, Database::Mode::AsItLies);
        if (!copy) {
            return copy;
        }
        if (const std::string found = sentence_of(**copy, "PRAGMA integrity_check(1)"); found != "ok") {
            return failure(Error::Kind::BadFile, file.string() + " is damaged: " + found + ". Ask for it once more.");
        }
        if (const std::string table = sentence_of(**copy, "PRAGMA foreign_key_check"); !table.empty()) {
            return failure(Error::Kind::BadFile, file.string() + " is damaged: rows of \"" + table + "\" refer to others that are not there.");
        }
        if (const std::int64_t sessions = (*copy)->integer("SELECT count(*) FROM session"); sessions != 1) {
            return failure(Error::Kind::BadFile, file.string() + " holds " + std::to_string(sessions) +
                                                     " sessions; a file to import holds one. Export the one that is wanted from its library.");
        }
        return copy;
    } catch (const SqlFailure& sql) {
        return failure(to_error(sql, file));
    } catch (const fs::filesystem_error& e) {
        return failure(Error::Kind::Io, file.string() + " could not be read: " + e.code().message() + ".");
    }
}

} // namespace retort
