#pragma once
#include "app/cli/shell.h"
#include "core/desk/run_reader.h"
#include "core/store/session_store.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace retort::cli {

/// The figures a run ends with.
class RunSummary {
public:
    void add(const RunNews& news);
    [[nodiscard]] Json to_json(std::string_view state, std::int64_t steps_done, const std::string& out) const;
    [[nodiscard]] std::string sentence(std::int64_t steps_done, std::int64_t steps) const;
    [[nodiscard]] const std::optional<EvaluationPoint>& first_evaluation() const { return m_first_evaluation; }
    [[nodiscard]] const std::optional<EvaluationPoint>& last_evaluation() const { return m_last_evaluation; }
    /// Folder of the latest checkpoint; empty when there is none.
    [[nodiscard]] std::string checkpoint() const { return m_checkpoint ? m_checkpoint->path : std::string(); }

private:
    std::optional<MetricPoint> m_last;
    std::optional<EvaluationPoint> m_first_evaluation, m_last_evaluation;
    std::optional<CheckpointNote> m_checkpoint;
};

/// The run in `library` that wrote `checkpoint`; empty when none did, or when there is no such library yet, which is then not made.
[[nodiscard]] Result<std::optional<EarlierRun>> run_of_checkpoint(const std::filesystem::path& library, const std::filesystem::path& checkpoint);

/// A run as it is kept in a library: a session of its own, with both models, the plan, and every point; or an earlier run's, gone on with.
class RunRecord {
public:
    [[nodiscard]] static Result<std::unique_ptr<RunRecord>> open(const std::filesystem::path& library, const Model& teacher, const Model& student,
                                                                 const DistillationRun& run, const std::optional<EarlierRun>& earlier);
    /// `error_text`: why the run failed or paused by itself; empty otherwise.
    void add(const RunNews& news, RunState state, const std::string& error_text);
    /// Waits until all is committed; the first thing that could not be kept, if any.
    [[nodiscard]] Result<void> close();

private:
    RunRecord() = default;
    void note(Result<void> done);

    std::unique_ptr<SessionStore> m_store;
    RowId m_run = 0;
    std::int64_t m_last_step = 0;
    double m_active_ms = 0;
    std::optional<RunState> m_state;
    std::mutex m_mutex; // on_failure comes on the store's thread
    std::optional<Error> m_error;
};

[[nodiscard]] Json to_json(const MetricPoint& point);
[[nodiscard]] Json to_json(const EvaluationPoint& point);
[[nodiscard]] Json to_json(const ProbeSample& sample);

/// README.md of a distilled student: what it is, from whom, how, and how close it came.
[[nodiscard]] std::string model_card(const Model& student, const Model& teacher, const DistilPlan& plan, const RunSummary& summary);

} // namespace retort::cli
