#include "core/store/runs.h"

#include "core/base/cpu.h"
#include "core/base/uuid.h"
#include "core/distil/training_checkpoint.h"
#include "core/store/checkpoint_folders.h"
#include "core/store/curves.h"
#include "core/store/row_tools.h"

#include <nlohmann/json.hpp>
#include <sqlite3.h>
#include <string_view>

namespace retort {

namespace {

namespace fs = std::filesystem;

std::string_view stored_name(RunState state)
{
    return state == RunState::Waiting ? "queued" : name_of(state);
}

std::string host_json()
{
    const CpuDescription cpu = describe_cpu();
    return dump({{"processor", cpu.model}, {"processors", cpu.processors}, {"instructions", cpu.instructions}});
}

/// A run that is resumed while its session lies in the bin begins anew in the library.
bool is_taken(Database& database, const std::string& uuid)
{
    return database.prepare("SELECT 1 FROM run WHERE uuid = ?").with(uuid).step();
}

RowId insert_run(Database& database, RowId session, const NewRun& run)
{
    Statement count = database.prepare("SELECT count(*) FROM run WHERE session_id = ?");
    count.with(session).step();
    const std::string name = run.name.empty() ? "run " + std::to_string(count.integer(0) + 1) : run.name;
    database
        .prepare("INSERT INTO run(uuid, session_id, name, state, teacher_model_id, student_model_id, plan_json, seed, total_steps, started_at,"
                 " host_json, checkpoints) VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?)")
        .with(run.uuid.empty() || is_taken(database, run.uuid) ? new_uuid() : run.uuid, session, name, known(run.teacher_model),
              known(run.student_model), to_json(run.plan), run.plan.seed, run.plan.steps, now_ms(), host_json(), run.checkpoint_folder)
        .run();
    const RowId id = database.last_row();
    touch_session(database, session);
    return id;
}

void insert_checkpoint(Database& database, RowId run, const CheckpointNote& checkpoint)
{
    database.prepare("INSERT INTO checkpoint(run_id, step, path, sha256, bytes, is_final, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .with(run, checkpoint.step, checkpoint.path, checkpoint.sha256, checkpoint.bytes, checkpoint.final, now_ms())
        .run();
    database.prepare("UPDATE run SET checkpoints = ? WHERE id = ?").with(fs::path(checkpoint.path).parent_path().string(), run).run();
}

std::vector<CheckpointNote> read_checkpoints(Database& database, RowId run)
{
    std::vector<CheckpointNote> checkpoints;
    Statement row = database.prepare("SELECT step, path, sha256, bytes, is_final FROM checkpoint WHERE run_id = ? ORDER BY id");
    row.with(run);
    while (row.step()) {
        checkpoints.push_back({row.integer(0), row.text(1), row.text(2), static_cast<std::uint64_t>(row.integer(3)), row.integer(4) != 0});
    }
    return checkpoints;
}

#define RETORT_RUN_COLUMNS                                                                                                                           \
    "SELECT id, uuid, name, state, plan_json, teacher_model_id, student_model_id, last_step, total_steps, active_ms, started_at, ended_at,"          \
    " error_text, discarded_at, checkpoints, coalesce((SELECT max(segment) FROM segment WHERE run_id = run.id), 0) + 1 FROM run "

StoredRun head_from(Database& database, Statement& row)
{
    StoredRun run;
    run.id = row.integer(0);
    run.uuid = row.text(1);
    run.name = row.text(2);
    run.state = row.text(3);
    run.plan_json = row.text(4);
    run.teacher_model = row.integer(5);
    run.student_model = row.integer(6);
    run.last_step = row.integer(7);
    run.total_steps = row.integer(8);
    run.active_ms = row.integer(9);
    run.started_at = row.integer(10);
    run.ended_at = row.integer(11);
    run.error_text = row.text(12);
    run.discarded = !row.is_null(13);
    run.checkpoint_folder = row.text(14);
    run.next_segment = row.integer(15);
    run.checkpoints = read_checkpoints(database, run.id);
    return run;
}

StoredRun read_run(Database& database, RowId id, std::size_t most_points)
{
    Statement row = database.prepare(RETORT_RUN_COLUMNS "WHERE id = ?");
    if (!row.with(id).step()) {
        throw SqlFailure{SQLITE_NOTFOUND, "there is no run " + std::to_string(id)};
    }
    StoredRun run = head_from(database, row);
    read_curves(database, run, most_points);
    return run;
}

/// However it is spelled: relative, with a slash behind it, by way of a link.
fs::path place_of(const fs::path& folder)
{
    std::error_code unknown;
    const fs::path place = fs::weakly_canonical(fs::absolute(folder, unknown), unknown);
    return place.has_filename() ? place : place.parent_path();
}

std::optional<EarlierRun> find_run_of_checkpoint(Database& database, const fs::path& folder)
{
    const fs::path wanted = place_of(folder);
    Statement row =
        database.prepare("SELECT run.id, checkpoint.path, coalesce((SELECT max(segment) FROM segment WHERE run_id = run.id), 0), checkpoint.step,"
                         " run.uuid, run.name FROM checkpoint JOIN run ON run.id = checkpoint.run_id JOIN session ON session.id = run.session_id"
                         " WHERE session.binned_at IS NULL ORDER BY checkpoint.id DESC");
    while (row.step()) {
        if (const fs::path path = row.text(1); path.filename() == wanted.filename() && place_of(path) == wanted) {
            return EarlierRun{row.integer(0), row.integer(2) + 1, row.integer(3), row.text(4), row.text(5)};
        }
    }
    return std::nullopt;
}

/// By the name that the checkpoint carries: a kill between its folder and its row leaves no other.
std::optional<EarlierRun> find_run_of_uuid(Database& database, const std::string& uuid, std::int64_t step)
{
    Statement row = database.prepare("SELECT run.id, coalesce((SELECT max(segment) FROM segment WHERE run_id = run.id), 0), run.name"
                                     " FROM run JOIN session ON session.id = run.session_id WHERE run.uuid = ? AND session.binned_at IS NULL");
    row.with(uuid);
    return row.step() ? std::optional(EarlierRun{row.integer(0), row.integer(1) + 1, step, uuid, row.text(2)}) : std::nullopt;
}

void update_run_state(Database& database, RowId run, RunState state, std::int64_t last_step, double active_ms, const std::string& error_text)
{
    const auto active = static_cast<std::int64_t>(active_ms);
    database
        .prepare("UPDATE run SET state = ?1, last_step = iif(?2 > 0, ?2, last_step), active_ms = iif(?3 > 0, ?3, active_ms), error_text = ?4,"
                 " ended_at = ?5 WHERE id = ?6")
        .with(stored_name(state), last_step, active, error_text, is_over(state) ? now_ms() : std::int64_t{0}, run)
        .run();
    database.prepare("UPDATE session SET updated_at = ? WHERE id = (SELECT session_id FROM run WHERE id = ?)").with(now_ms(), run).run();
}

} // namespace

std::vector<StoredRun> read_run_heads(Database& database, RowId session)
{
    std::vector<StoredRun> runs;
    Statement row = database.prepare(RETORT_RUN_COLUMNS "WHERE session_id = ? ORDER BY id");
    row.with(session);
    while (row.step()) {
        runs.push_back(head_from(database, row));
    }
    return runs;
}

void mark_interrupted_runs(Database& database)
{
    database.prepare("UPDATE run SET state = 'interrupted' WHERE state IN ('queued', 'running', 'paused')").run();
}

Result<RowId> RunTable::add(RowId session, const NewRun& run)
{
    return m_queue.call([&](Database& db) { return insert_run(db, session, run); });
}

Result<StoredRun> RunTable::read(RowId run, std::size_t most_points)
{
    return m_queue.call([&](Database& db) { return read_run(db, run, most_points); });
}

Result<std::optional<EarlierRun>> RunTable::of_checkpoint(const fs::path& checkpoint)
{
    const auto state = read_training_state(place_of(checkpoint));
    return m_queue.call([&](Database& db) {
        auto found = find_run_of_checkpoint(db, checkpoint);
        return found || !state || state->run.empty() ? found : find_run_of_uuid(db, state->run, state->step);
    });
}

Result<void> RunTable::begin_segment(RowId run, std::int64_t segment, std::int64_t from_step)
{
    return m_queue.call([&](Database& db) {
        insert_segment(db, run, segment, from_step);
        db.prepare("UPDATE run SET last_step = ?, error_text = '', ended_at = 0 WHERE id = ?").with(from_step, run).run();
    });
}

void RunTable::add_metrics_later(RowId run, std::vector<MetricPoint> points)
{
    m_queue.defer([run, points = std::move(points)](Database& db) { insert_metrics(db, run, points); });
}

void RunTable::add_evaluations_later(RowId run, std::vector<EvaluationPoint> points)
{
    m_queue.defer([run, points = std::move(points)](Database& db) { insert_evaluations(db, run, points); });
}

void RunTable::add_probes_later(RowId run, std::vector<ProbeSample> samples)
{
    m_queue.defer([run, samples = std::move(samples)](Database& db) { insert_probes(db, run, samples); });
}

Result<void> RunTable::add_checkpoint(RowId run, const CheckpointNote& checkpoint)
{
    return m_queue.call([&](Database& db) { insert_checkpoint(db, run, checkpoint); });
}

void RunTable::set_state_later(RowId run, RunState state, std::int64_t last_step, double active_ms, const std::string& error_text)
{
    m_queue.defer([=](Database& db) { update_run_state(db, run, state, last_step, active_ms, error_text); });
}

void RunTable::discard_later(RowId run)
{
    m_queue.defer([run, at = now_ms()](Database& db) { db.prepare("UPDATE run SET discarded_at = ? WHERE id = ?").with(at, run).run(); });
}

Result<std::vector<CheckpointFolder>> RunTable::checkpoint_folders()
{
    return m_queue.call([](Database& db) { return named_checkpoint_folders(db); }).map([this](std::vector<CheckpointFolder> named) {
        return present_checkpoint_folders(m_queue.file(), std::move(named));
    });
}

Result<std::uint64_t> RunTable::remove_unwanted_checkpoints()
{
    return checkpoint_folders().map([this](const std::vector<CheckpointFolder>& folders) {
        std::uint64_t freed = 0;
        for (const CheckpointFolder& folder : folders) {
            if (folder.removable && remove_checkpoint_folder(m_queue.file(), folder.folder)) {
                freed += folder.bytes;
            }
        }
        return freed;
    });
}

} // namespace retort
