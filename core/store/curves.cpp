#include "core/store/curves.h"

#include "core/store/row_tools.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace retort {

namespace {

/// A measure by its name, and where a point keeps it.
template <class Point>
struct Named {
    const char* name;
    double Point::*value;
};

constexpr std::array<Named<MetricPoint>, 7> kMetrics = {{{"loss", &MetricPoint::loss},
                                                         {"divergence", &MetricPoint::divergence},
                                                         {"cross_entropy", &MetricPoint::cross_entropy},
                                                         {"teacher_entropy", &MetricPoint::teacher_entropy},
                                                         {"lr", &MetricPoint::lr},
                                                         {"grad_norm", &MetricPoint::grad_norm},
                                                         {"tokens_per_s", &MetricPoint::tokens_per_s}}};

constexpr std::array<Named<EvaluationPoint>, 4> kEvaluations = {{{"held_out.cross_entropy", &EvaluationPoint::cross_entropy},
                                                                 {"held_out.kl", &EvaluationPoint::kl},
                                                                 {"held_out.same_top", &EvaluationPoint::same_top},
                                                                 {"held_out.entropy_floor", &EvaluationPoint::entropy_floor}}};
constexpr const char* kTargets = "held_out.targets";

RowId row_of_name(Database& database, const char* name)
{
    Statement row = database.prepare("SELECT id FROM metric_name WHERE name = ?");
    if (row.with(name).step()) {
        return row.integer(0);
    }
    database.prepare("INSERT INTO metric_name(name) VALUES (?)").with(name).run();
    return database.last_row();
}

/// 0, which no row has, for a name that nothing was measured under.
RowId known_row_of_name(Database& database, const char* name)
{
    Statement row = database.prepare("SELECT id FROM metric_name WHERE name = ?");
    return row.with(name).step() ? row.integer(0) : 0;
}

/// What of a segment is part of the run's line: steps before `until`.
struct Stretch {
    std::int64_t segment = 0, from = 0, until = std::numeric_limits<std::int64_t>::max();
};

std::vector<Stretch> line_of(Database& database, RowId run)
{
    std::vector<Stretch> line;
    Statement row = database.prepare("SELECT segment, from_step FROM segment WHERE run_id = ? ORDER BY segment");
    row.with(run);
    while (row.step()) {
        for (Stretch& earlier : line) {
            earlier.until = std::min(earlier.until, row.integer(1));
        }
        line.push_back({row.integer(0), row.integer(1)});
    }
    return line;
}

class Segments {
public:
    Segments(Database& database, RowId run) : m_database(database), m_run(run)
    {
        Statement row = m_database.prepare("SELECT max(segment) FROM segment WHERE run_id = ?");
        m_latest = row.with(run).step() && !row.is_null(0) ? row.integer(0) : -1;
    }
    void note(const MetricPoint& point)
    {
        if (point.segment > m_latest) {
            insert_segment(m_database, m_run, point.segment, point.step);
            m_latest = point.segment;
        }
    }
    /// Of evaluations and probes, which do not say it.
    [[nodiscard]] std::int64_t latest() const { return std::max<std::int64_t>(0, m_latest); }

private:
    Database& m_database;
    RowId m_run;
    std::int64_t m_latest = -1;
};

/// Where the points of an overview are: in each of `parts` equal stretches the first, and the lowest and highest of the loss.
std::vector<std::int64_t> steps_of_overview(Database& database, RowId run, const Stretch& stretch, std::int64_t last, std::size_t parts)
{
    const std::int64_t width = std::max<std::int64_t>(1, (last - stretch.from) / static_cast<std::int64_t>(parts) + 1);
    std::vector<std::int64_t> steps;
    Statement row =
        database.prepare("SELECT step, value FROM metric_value WHERE run_id = ? AND name_id = ? AND segment = ? AND step < ? ORDER BY step");
    row.with(run, known_row_of_name(database, "loss"), stretch.segment, stretch.until);
    std::int64_t part = -1, first = 0, low = 0, high = 0;
    double lowest = 0, highest = 0;
    const auto end_part = [&] {
        if (part >= 0) {
            for (const std::int64_t step : {first, std::min(low, high), std::max(low, high)}) {
                if (steps.empty() || steps.back() < step) {
                    steps.push_back(step);
                }
            }
        }
    };
    while (row.step()) {
        const std::int64_t step = row.integer(0);
        const double value = row.real(1);
        if (const std::int64_t its_part = (step - stretch.from) / width; its_part != part) {
            end_part();
            part = its_part;
            first = low = high = step;
            lowest = highest = value;
        } else if (value < lowest || std::isnan(lowest)) {
            low = step;
            lowest = value;
        } else if (value > highest || std::isnan(highest)) {
            high = step;
            highest = value;
        }
    }
    end_part();
    if (last > 0 && (steps.empty() || steps.back() < last)) {
        steps.push_back(last);
    }
    return steps;
}

MetricPoint point_from(Statement& row, std::int64_t segment)
{
    MetricPoint point;
    point.segment = segment;
    point.step = row.integer(0);
    point.tokens = row.integer(1);
    point.active_ms = row.real(2);
    point.wall_ms = row.integer(3);
    return point;
}

/// Every point of a stretch: the rows of each name lie in a row, so each is read through beside the points.
void read_all(Database& database, StoredRun& run, const Stretch& stretch)
{
    const std::size_t begin = run.metrics.size();
    Statement row =
        database.prepare("SELECT step, tokens, active_ms, wall_ms FROM point WHERE run_id = ? AND segment = ? AND step < ? ORDER BY step");
    row.with(run.id, stretch.segment, stretch.until);
    while (row.step()) {
        run.metrics.push_back(point_from(row, stretch.segment));
    }
    Statement value =
        database.prepare("SELECT step, value FROM metric_value WHERE run_id = ? AND name_id = ? AND segment = ? AND step < ? ORDER BY step");
    for (const auto& metric : kMetrics) {
        value.with(run.id, known_row_of_name(database, metric.name), stretch.segment, stretch.until);
        for (std::size_t i = begin; value.step();) {
            while (i < run.metrics.size() && run.metrics[i].step < value.integer(0)) {
                ++i;
            }
            if (i < run.metrics.size() && run.metrics[i].step == value.integer(0)) {
                run.metrics[i].*metric.value = value.real(1);
            }
        }
    }
}

void read_overview(Database& database, StoredRun& run, const Stretch& stretch, std::int64_t last, std::size_t parts)
{
    Statement row = database.prepare("SELECT step, tokens, active_ms, wall_ms FROM point WHERE run_id = ? AND segment = ? AND step = ?");
    Statement value = database.prepare("SELECT value FROM metric_value WHERE run_id = ? AND name_id = ? AND segment = ? AND step = ?");
    std::array<RowId, kMetrics.size()> names{};
    std::ranges::transform(kMetrics, names.begin(), [&](const auto& metric) { return known_row_of_name(database, metric.name); });
    for (const std::int64_t step : steps_of_overview(database, run.id, stretch, last, parts)) {
        if (!row.with(run.id, stretch.segment, step).step()) {
            continue;
        }
        MetricPoint point = point_from(row, stretch.segment);
        for (std::size_t i = 0; i < kMetrics.size(); ++i) {
            if (value.with(run.id, names[i], stretch.segment, step).step()) {
                point.*kMetrics[i].value = value.real(0);
            }
        }
        run.metrics.push_back(point);
    }
}

/// The last step of a stretch; -1 when it has none.
std::int64_t last_step_of(Database& database, RowId run, const Stretch& stretch)
{
    Statement row = database.prepare("SELECT step FROM point WHERE run_id = ? AND segment = ? AND step < ? ORDER BY step DESC LIMIT 1");
    return row.with(run, stretch.segment, stretch.until).step() ? row.integer(0) : -1;
}

void read_metrics(Database& database, StoredRun& run, const std::vector<Stretch>& line, std::size_t most_points)
{
    std::vector<std::int64_t> last;
    std::size_t points = 0; // at the most: steps may have been left out
    for (const Stretch& stretch : line) {
        last.push_back(last_step_of(database, run.id, stretch));
        points += static_cast<std::size_t>(std::max<std::int64_t>(0, last.back() + 1 - stretch.from));
    }
    run.thinned = points > most_points;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (!run.thinned) {
            read_all(database, run, line[i]);
        } else if (last[i] >= 0) {
            const double share = static_cast<double>(last[i] + 1 - line[i].from) / static_cast<double>(points);
            read_overview(database, run, line[i], last[i], 1 + static_cast<std::size_t>(share * static_cast<double>(most_points) / 3));
        }
    }
}

/// Of an evaluation or a probe the step counts those done: at the place of a resume the earlier segment's still belongs to the line.
bool is_on_line(const std::vector<Stretch>& line, std::int64_t segment, std::int64_t steps_done)
{
    const auto stretch = std::ranges::find(line, segment, &Stretch::segment);
    return stretch == line.end() || steps_done <= stretch->until;
}

void read_evaluations(Database& database, StoredRun& run, const std::vector<Stretch>& line)
{
    const auto point_at = [&run](std::int64_t step) -> EvaluationPoint& {
        const auto place = std::ranges::lower_bound(run.evaluations, step, {}, &EvaluationPoint::step);
        return place != run.evaluations.end() && place->step == step ? *place : *run.evaluations.insert(place, EvaluationPoint{.step = step});
    };
    Statement row = database.prepare("SELECT segment, step, value FROM metric_value WHERE run_id = ? AND name_id = ? ORDER BY segment, step");
    const auto read = [&](const char* name, auto&& take) {
        row.with(run.id, known_row_of_name(database, name));
        while (row.step()) {
            if (is_on_line(line, row.integer(0), row.integer(1))) {
                take(point_at(row.integer(1)), row.real(2));
            }
        }
    };
    for (const auto& measure : kEvaluations) {
        read(measure.name, [&measure](EvaluationPoint& point, double value) { point.*measure.value = value; });
    }
    read(kTargets, [](EvaluationPoint& point, double value) {
        point.targets = value >= 0 && value < 9e15 ? static_cast<std::int64_t>(value) : 0; // a stranger's file may say anything
    });
}

void read_probes(Database& database, StoredRun& run, const std::vector<Stretch>& line)
{
    Statement row = database.prepare("SELECT segment, step, probe, text FROM probe_sample WHERE run_id = ? ORDER BY step, probe, segment");
    row.with(run.id);
    while (row.step()) {
        if (!is_on_line(line, row.integer(0), row.integer(1))) {
            continue;
        }
        ProbeSample sample{row.integer(1), static_cast<std::size_t>(std::max<std::int64_t>(0, row.integer(2))), row.text(3)};
        if (!run.probes.empty() && run.probes.back().step == sample.step && run.probes.back().probe == sample.probe) {
            run.probes.back() = std::move(sample); // asked again after a resume
        } else {
            run.probes.push_back(std::move(sample));
        }
    }
}

void touch_session_of(Database& database, RowId run)
{
    database.prepare("UPDATE session SET updated_at = ? WHERE id = (SELECT session_id FROM run WHERE id = ?)").with(now_ms(), run).run();
}

} // namespace

void insert_segment(Database& database, RowId run, std::int64_t segment, std::int64_t from_step)
{
    database.prepare("INSERT INTO segment(run_id, segment, from_step, started_at) VALUES (?, ?, ?, ?)").with(run, segment, from_step, now_ms()).run();
}

void insert_metrics(Database& database, RowId run, const std::vector<MetricPoint>& points)
{
    if (points.empty()) {
        return;
    }
    Segments segments(database, run);
    Statement row = database.prepare("INSERT INTO point(run_id, segment, step, tokens, active_ms, wall_ms) VALUES (?, ?, ?, ?, ?, ?)");
    for (const MetricPoint& point : points) {
        segments.note(point);
        row.with(run, point.segment, point.step, point.tokens, point.active_ms, point.wall_ms).run();
    }
    Statement value = database.prepare("INSERT INTO metric_value(run_id, name_id, segment, step, value) VALUES (?, ?, ?, ?, ?)");
    for (const auto& metric : kMetrics) {
        const RowId name = row_of_name(database, metric.name);
        for (const MetricPoint& point : points) {
            value.with(run, name, point.segment, point.step, point.*metric.value).run();
        }
    }
    database.prepare("UPDATE run SET last_step = ? WHERE id = ?").with(points.back().step + 1, run).run();
    touch_session_of(database, run);
}

void insert_evaluations(Database& database, RowId run, const std::vector<EvaluationPoint>& points)
{
    const std::int64_t segment = Segments(database, run).latest();
    Statement value = database.prepare("INSERT INTO metric_value(run_id, name_id, segment, step, value) VALUES (?, ?, ?, ?, ?)");
    for (const auto& measure : kEvaluations) {
        const RowId name = row_of_name(database, measure.name);
        for (const EvaluationPoint& point : points) {
            value.with(run, name, segment, point.step, point.*measure.value).run();
        }
    }
    for (const EvaluationPoint& point : points) {
        value.with(run, row_of_name(database, kTargets), segment, point.step, static_cast<double>(point.targets)).run();
    }
}

void insert_probes(Database& database, RowId run, const std::vector<ProbeSample>& samples)
{
    const std::int64_t segment = Segments(database, run).latest();
    Statement row = database.prepare("INSERT INTO probe_sample(run_id, segment, step, probe, text) VALUES (?, ?, ?, ?, ?)");
    for (const ProbeSample& sample : samples) {
        row.with(run, segment, sample.step, static_cast<std::int64_t>(sample.probe), sample.text).run();
    }
}

void read_curves(Database& database, StoredRun& run, std::size_t most_points)
{
    const std::vector<Stretch> line = line_of(database, run.id);
    read_metrics(database, run, line, most_points);
    read_evaluations(database, run, line);
    read_probes(database, run, line);
}

} // namespace retort
