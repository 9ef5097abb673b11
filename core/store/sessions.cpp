#include "core/store/sessions.h"

#include "core/base/uuid.h"
#include "core/store/checkpoint_folders.h"
#include "core/store/exchanges.h"
#include "core/store/models.h"
#include "core/store/row_tools.h"
#include "core/store/runs.h"
#include "core/store/text_index.h"

#include <set>
#include <sqlite3.h>

namespace retort {

namespace {

SessionSummary summary_from(Statement& row)
{
    SessionSummary summary;
    summary.id = row.integer(0);
    summary.uuid = row.text(1);
    summary.title = row.text(2);
    summary.teacher = row.text(3);
    summary.student = row.text(4);
    summary.prompts = row.integer(5);
    summary.runs = row.integer(6);
    summary.created_at = row.integer(7);
    summary.updated_at = row.integer(8);
    summary.opened_at = row.integer(9);
    summary.in_bin = !row.is_null(10);
    summary.has_interrupted_run = row.integer(11) != 0;
    return summary;
}

#define RETORT_SUMMARY_COLUMNS                                                                                                                       \
    "SELECT s.id, s.uuid, s.title,"                                                                                                                  \
    " coalesce((SELECT name FROM session_model WHERE session_id = s.id AND role = 'teacher' ORDER BY id DESC LIMIT 1), ''),"                         \
    " coalesce((SELECT name FROM session_model WHERE session_id = s.id AND role = 'student' ORDER BY id DESC LIMIT 1), ''),"                         \
    " (SELECT count(*) FROM prompt p WHERE p.session_id = s.id), (SELECT count(*) FROM run r WHERE r.session_id = s.id),"                            \
    " s.created_at, s.updated_at, s.opened_at, s.binned_at,"                                                                                         \
    " EXISTS(SELECT 1 FROM run r WHERE r.session_id = s.id AND r.state = 'interrupted') FROM session s "

RowId insert_session(Database& database, const std::string& title)
{
    const std::int64_t now = now_ms();
    database.prepare("INSERT INTO session(uuid, title, created_at, updated_at) VALUES (?, ?, ?, ?)").with(new_uuid(), title, now, now).run();
    const RowId id = database.last_row();
    index_title(database, id, title);
    return id;
}

std::vector<SessionSummary> read_sessions(Database& database, bool in_bin)
{
    std::vector<SessionSummary> sessions;
    Statement row = database.prepare(RETORT_SUMMARY_COLUMNS "WHERE (s.binned_at IS NOT NULL) = ? ORDER BY s.updated_at DESC, s.id DESC");
    row.with(in_bin);
    while (row.step()) {
        sessions.push_back(summary_from(row));
    }
    return sessions;
}

SessionContent read_session(Database& database, RowId id)
{
    SessionContent content;
    content.summary = read_summary(database, id);
    Statement view = database.prepare("SELECT view_state FROM session WHERE id = ?");
    if (view.with(id).step()) {
        content.view_state_json = view.text(0);
    }
    content.teacher = read_model_in_role(database, id, "teacher");
    content.student = read_model_in_role(database, id, "student");
    content.prompts = read_exchange_heads(database, id);
    content.runs = read_run_heads(database, id);
    return content;
}

} // namespace

SessionSummary read_summary(Database& database, RowId id)
{
    Statement row = database.prepare(RETORT_SUMMARY_COLUMNS "WHERE s.id = ?");
    if (!row.with(id).step()) {
        throw SqlFailure{SQLITE_NOTFOUND, "there is no session " + std::to_string(id)};
    }
    return summary_from(row);
}

Result<RowId> SessionTable::create(const std::string& title)
{
    return m_queue.call([&](Database& db) { return insert_session(db, title); });
}

Result<std::vector<SessionSummary>> SessionTable::list(bool in_bin)
{
    return m_queue.call([&](Database& db) { return read_sessions(db, in_bin); });
}

Result<SessionContent> SessionTable::read(RowId id)
{
    return m_queue.call([&](Database& db) { return read_session(db, id); });
}

Result<std::vector<SearchHit>> SessionTable::search(const std::string& words, std::int64_t most)
{
    return m_queue.call([&](Database& db) { return find_text(db, words, most); });
}

Result<void> SessionTable::rename(RowId id, const std::string& title)
{
    return m_queue.call([&](Database& db) {
        db.prepare("UPDATE session SET title = ?, updated_at = ? WHERE id = ?").with(title, now_ms(), id).run();
        if (db.changes() > 0) {
            index_title(db, id, title);
        }
    });
}

Result<void> SessionTable::move_to_bin(RowId id, bool in_bin)
{
    return m_queue.call([&](Database& db) {
        db.prepare("UPDATE session SET binned_at = ? WHERE id = ?").with(in_bin ? std::optional(now_ms()) : std::nullopt, id).run();
    });
}

Result<void> SessionTable::purge(RowId id)
{
    auto folders = m_queue.call([&](Database& db) {
        auto only_its_own = checkpoint_folders_of(db, id);
        unindex_session(db, id);
        Statement row = db.prepare("DELETE FROM session WHERE id = ? AND binned_at IS NOT NULL RETURNING id");
        if (!row.with(id).step()) {
            throw SqlFailure{SQLITE_NOTFOUND, "session " + std::to_string(id) + " is not in the bin"};
        }
        return only_its_own;
    });
    if (!folders) {
        return failure(folders.error());
    }
    for (const std::string& folder : *folders) {
        remove_checkpoint_folder(m_queue.file(), folder);
    }
    return {};
}

void SessionTable::note_opened_later(RowId id)
{
    m_queue.defer([id, at = now_ms()](Database& db) { db.prepare("UPDATE session SET opened_at = ? WHERE id = ?").with(at, id).run(); });
}

void SessionTable::save_view_state_later(RowId id, std::string json)
{
    m_queue.defer([id, json = std::move(json)](Database& db) { db.prepare("UPDATE session SET view_state = ? WHERE id = ?").with(json, id).run(); });
}

} // namespace retort
