#include "core/store/rows.h"

#include "core/base/cpu.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

namespace retort {

namespace {

std::string_view stored_name(RunState state)
{
    return state == RunState::Waiting ? "queued" : name_of(state);
}

std::string host_json()
{
    const CpuDescription cpu = describe_cpu();
    return nlohmann::json{{"processor", cpu.model}, {"processors", cpu.processors}, {"instructions", cpu.instructions}}.dump(
        -1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// A fresh student has no row of its own yet.
std::optional<RowId> known(RowId model)
{
    return model == 0 ? std::nullopt : std::optional(model);
}

void read_curves(Database& database, StoredRun& run)
{
    Statement metric = database.prepare(
        "SELECT segment, step, tokens, loss, divergence, cross_entropy, teacher_entropy, lr, grad_norm, tokens_per_s, active_ms, wall_ms"
        " FROM metric WHERE run_id = ? ORDER BY segment, step");
    metric.with(run.id);
    while (metric.step()) {
        MetricPoint point;
        point.segment = metric.integer(0);
        point.step = metric.integer(1);
        point.tokens = metric.integer(2);
        point.loss = metric.real(3);
        point.divergence = metric.real(4);
        point.cross_entropy = metric.real(5);
        point.teacher_entropy = metric.real(6);
        point.lr = metric.real(7);
        point.grad_norm = metric.real(8);
        point.tokens_per_s = metric.real(9);
        point.active_ms = metric.real(10);
        point.wall_ms = metric.integer(11);
        run.metrics.push_back(point);
    }
    Statement evaluation =
        database.prepare("SELECT step, cross_entropy, kl, same_top, targets, entropy_floor FROM evaluation WHERE run_id = ? ORDER BY step");
    evaluation.with(run.id);
    while (evaluation.step()) {
        run.evaluations.push_back(
            {evaluation.integer(0), evaluation.real(1), evaluation.real(2), evaluation.real(3), evaluation.integer(4), evaluation.real(5)});
    }
    Statement probe = database.prepare("SELECT step, probe, text FROM probe_sample WHERE run_id = ? ORDER BY step, probe");
    probe.with(run.id);
    while (probe.step()) {
        run.probes.push_back({probe.integer(0), static_cast<std::size_t>(std::max<std::int64_t>(0, probe.integer(1))), probe.text(2)});
    }
    Statement checkpoint = database.prepare("SELECT step, path, sha256, bytes, is_final FROM checkpoint WHERE run_id = ? ORDER BY id");
    checkpoint.with(run.id);
    while (checkpoint.step()) {
        run.checkpoints.push_back({checkpoint.integer(0), checkpoint.text(1), checkpoint.text(2), static_cast<std::uint64_t>(checkpoint.integer(3)),
                                   checkpoint.integer(4) != 0});
    }
}

} // namespace

RowId insert_run(Database& database, RowId session, const DistilPlan& plan, RowId teacher_model, RowId student_model)
{
    Statement count = database.prepare("SELECT count(*) FROM run WHERE session_id = ?");
    count.with(session).step();
    database
        .prepare(
            "INSERT INTO run(uuid, session_id, name, state, teacher_model_id, student_model_id, plan_json, seed, total_steps, started_at, host_json)"
            " VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?)")
        .with(new_uuid(), session, "run " + std::to_string(count.integer(0) + 1), known(teacher_model), known(student_model), to_json(plan),
              plan.seed, plan.steps, now_ms(), host_json())
        .run();
    const RowId id = database.last_row();
    touch_session(database, session);
    return id;
}

void insert_metrics(Database& database, RowId run, const std::vector<MetricPoint>& points)
{
    Statement row = database.prepare(
        "INSERT OR REPLACE INTO metric(run_id, segment, step, tokens, loss, divergence, cross_entropy, teacher_entropy, lr, grad_norm,"
        " tokens_per_s, active_ms, wall_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    std::int64_t last = 0;
    for (const MetricPoint& p : points) {
        row.with(run, p.segment, p.step, p.tokens, p.loss, p.divergence, p.cross_entropy, p.teacher_entropy, p.lr, p.grad_norm, p.tokens_per_s,
                 p.active_ms, p.wall_ms)
            .run();
        last = std::max(last, p.step + 1);
    }
    database.prepare("UPDATE run SET last_step = max(last_step, ?) WHERE id = ?").with(last, run).run();
    database.prepare("UPDATE session SET updated_at = ? WHERE id = (SELECT session_id FROM run WHERE id = ?)").with(now_ms(), run).run();
}

void insert_evaluations(Database& database, RowId run, const std::vector<EvaluationPoint>& points)
{
    Statement row = database.prepare(
        "INSERT OR REPLACE INTO evaluation(run_id, step, cross_entropy, kl, same_top, targets, entropy_floor) VALUES (?, ?, ?, ?, ?, ?, ?)");
    for (const EvaluationPoint& p : points) {
        row.with(run, p.step, p.cross_entropy, p.kl, p.same_top, p.targets, p.entropy_floor).run();
    }
}

void insert_probes(Database& database, RowId run, const std::vector<ProbeSample>& samples)
{
    Statement row = database.prepare("INSERT OR REPLACE INTO probe_sample(run_id, step, probe, text) VALUES (?, ?, ?, ?)");
    for (const ProbeSample& sample : samples) {
        row.with(run, sample.step, static_cast<std::int64_t>(sample.probe), sample.text).run();
    }
}

void insert_checkpoint(Database& database, RowId run, const CheckpointNote& checkpoint)
{
    database.prepare("INSERT INTO checkpoint(run_id, step, path, sha256, bytes, is_final, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .with(run, checkpoint.step, checkpoint.path, checkpoint.sha256, checkpoint.bytes, checkpoint.final, now_ms())
        .run();
}

std::optional<EarlierRun> find_run_of_checkpoint(Database& database, const std::filesystem::path& folder)
{
    const auto spelled = [](const std::filesystem::path& path) {
        std::error_code unknown;
        return std::filesystem::absolute(path, unknown).lexically_normal();
    };
    Statement row = database.prepare("SELECT run.id, checkpoint.path, coalesce((SELECT max(segment) FROM metric WHERE run_id = run.id), 0)"
                                     " FROM checkpoint JOIN run ON run.id = checkpoint.run_id JOIN session ON session.id = run.session_id"
                                     " WHERE session.binned_at IS NULL ORDER BY checkpoint.id DESC");
    while (row.step()) {
        if (spelled(row.text(1)) == spelled(folder)) {
            return EarlierRun{row.integer(0), row.integer(2) + 1};
        }
    }
    return std::nullopt;
}

void update_run_state(Database& database, RowId run, RunState state, std::int64_t last_step, double active_ms, const std::string& error_text)
{
    database.prepare("UPDATE run SET state = ?, last_step = max(last_step, ?), active_ms = ?, error_text = ?, ended_at = ? WHERE id = ?")
        .with(stored_name(state), last_step, static_cast<std::int64_t>(active_ms), error_text, is_over(state) ? now_ms() : std::int64_t{0}, run)
        .run();
    database.prepare("UPDATE session SET updated_at = ? WHERE id = (SELECT session_id FROM run WHERE id = ?)").with(now_ms(), run).run();
}

void mark_interrupted_runs(Database& database)
{
    database.prepare("UPDATE run SET state = 'interrupted' WHERE state IN ('queued', 'running', 'paused')").run();
}

std::vector<StoredRun> read_runs(Database& database, RowId session)
{
    std::vector<StoredRun> runs;
    Statement row = database.prepare("SELECT id, uuid, name, state, plan_json, teacher_model_id, student_model_id, last_step, total_steps, "
                                     "active_ms, started_at, ended_at, error_text"
                                     " FROM run WHERE session_id = ? ORDER BY id");
    row.with(session);
    while (row.step()) {
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
        read_curves(database, run);
        runs.push_back(std::move(run));
    }
    return runs;
}

} // namespace retort
