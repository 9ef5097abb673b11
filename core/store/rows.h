#pragma once
#include "core/store/database.h"
#include "core/store/session.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace retort {

// Reading and writing of the library's rows, each on the store's thread inside a transaction that the caller holds.

[[nodiscard]] std::int64_t now_ms(); ///< since 1970
[[nodiscard]] std::string new_uuid();

// session_rows.cpp
[[nodiscard]] RowId insert_session(Database& database, const std::string& title);
[[nodiscard]] std::vector<SessionSummary> read_sessions(Database& database, bool in_bin);
[[nodiscard]] SessionContent read_session(Database& database, RowId id); ///< throws SqlFailure when there is none
void touch_session(Database& database, RowId id);
[[nodiscard]] RowId insert_model(Database& database, RowId session, const std::string& role, const ModelInfo& info,
                                 const std::string& tokenizer_fingerprint);
[[nodiscard]] RowId insert_prompt(Database& database, RowId session, const std::vector<ChatMessage>& messages, const Prompt& prompt);
[[nodiscard]] RowId insert_response(Database& database, RowId prompt, RowId model, const std::string& role, const Answer& answer,
                                    const GenerateSettings& settings);
[[nodiscard]] RowId insert_comparison(Database& database, RowId prompt, const std::string& text_of, RowId response, const Comparison& comparison);
void insert_snapshot(Database& database, RowId prompt, const std::string& text_of, const DistributionSnapshot& snapshot);

// run_rows.cpp
[[nodiscard]] RowId insert_run(Database& database, RowId session, const DistilPlan& plan, RowId teacher_model, RowId student_model);
void insert_metrics(Database& database, RowId run, const std::vector<MetricPoint>& points);
void insert_evaluations(Database& database, RowId run, const std::vector<EvaluationPoint>& points);
void insert_probes(Database& database, RowId run, const std::vector<ProbeSample>& samples);
void insert_checkpoint(Database& database, RowId run, const CheckpointNote& checkpoint);
/// The run that wrote the checkpoint in `folder`, unless its session is in the bin.
[[nodiscard]] std::optional<EarlierRun> find_run_of_checkpoint(Database& database, const std::filesystem::path& folder);
void update_run_state(Database& database, RowId run, RunState state, std::int64_t last_step, double active_ms, const std::string& error_text);
/// Runs that a dead process left running are interrupted: only one program has the library open, so nobody runs them.
void mark_interrupted_runs(Database& database);
[[nodiscard]] std::vector<StoredRun> read_runs(Database& database, RowId session);

} // namespace retort
