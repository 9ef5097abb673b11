#pragma once
#include "core/base/error.h"
#include "core/store/session.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace retort {

/// The library of sessions: one SQLite file, one connection, one thread of its own. Every method may be called from any thread; each hands its work
/// to the store's thread and blocks until it is committed, except the *_later ones, which return at once and are committed within 250 ms, in order. A
/// failed save is never silent: it comes back as the Result, or, for the *_later ones, through on_failure.
///
/// Opened with WAL, synchronous FULL, locking EXCLUSIVE, foreign keys, trusted_schema off, DEFENSIVE; application_id 0x52545254 ("RTRT");
/// user_version is the schema's. A second program is told at once. A newer file is refused for writing, an older one migrated after a backup (VACUUM
/// INTO) beside it.
class SessionStore {
public:
    enum class Mode { ReadWrite, ReadOnly };
    [[nodiscard]] static Result<std::unique_ptr<SessionStore>> open(const std::filesystem::path& file, Mode mode = Mode::ReadWrite);
    virtual ~SessionStore() = default; ///< commits what waits, marks a clean exit, closes

    /// Called on the store's thread when a *_later write failed. The window shows it until dismissed.
    virtual void set_on_failure(std::function<void(const Error&)> on_failure) = 0;

    // Sessions
    [[nodiscard]] virtual Result<RowId> create_session(const std::string& title) = 0;
    [[nodiscard]] virtual Result<std::vector<SessionSummary>> sessions(bool in_bin = false) = 0; ///< latest change first
    [[nodiscard]] virtual Result<SessionContent> session(RowId id) = 0;
    [[nodiscard]] virtual Result<void> rename_session(RowId id, const std::string& title) = 0;
    [[nodiscard]] virtual Result<void> move_to_bin(RowId id, bool in_bin) = 0;
    /// For good: the rows, and the checkpoint folders that only they knew. Only for a session in the bin.
    [[nodiscard]] virtual Result<void> purge_session(RowId id) = 0;
    virtual void save_view_state_later(RowId session, std::string json) = 0;

    // What happens in one
    [[nodiscard]] virtual Result<RowId> add_model(RowId session, const std::string& role, const ModelInfo& info,
                                                  const std::string& tokenizer_fingerprint) = 0;
    [[nodiscard]] virtual Result<RowId> add_prompt(RowId session, const std::vector<ChatMessage>& messages, const Prompt& prompt) = 0;
    [[nodiscard]] virtual Result<RowId> add_response(RowId prompt, RowId model, const std::string& role, const Answer& answer,
                                                     const GenerateSettings& settings) = 0;
    [[nodiscard]] virtual Result<RowId> add_comparison(RowId prompt, const std::string& text_of, RowId text_response,
                                                       const Comparison& comparison) = 0;
    /// Keeps the distributions of a position that was looked at; the latest 16 of a prompt stay.
    virtual void add_snapshot_later(RowId prompt, const std::string& text_of, DistributionSnapshot snapshot) = 0;

    // Runs
    /// A model that has no row (a fresh student) is 0.
    [[nodiscard]] virtual Result<RowId> add_run(RowId session, const DistilPlan& plan, RowId teacher_model, RowId student_model) = 0;
    /// The run that wrote the checkpoint in folder `checkpoint`, to be gone on with; empty when no session outside the bin has one.
    [[nodiscard]] virtual Result<std::optional<EarlierRun>> run_of_checkpoint(const std::filesystem::path& checkpoint) = 0;
    virtual void add_metrics_later(RowId run, std::vector<MetricPoint> points) = 0;
    virtual void add_evaluations_later(RowId run, std::vector<EvaluationPoint> points) = 0;
    virtual void add_probes_later(RowId run, std::vector<ProbeSample> samples) = 0;
    [[nodiscard]] virtual Result<void> add_checkpoint(RowId run, const CheckpointNote& checkpoint) = 0;
    virtual void set_run_state_later(RowId run, RunState state, std::int64_t last_step, double active_ms, const std::string& error_text) = 0;

    /// Waits until everything posted so far is committed.
    [[nodiscard]] virtual Result<void> flush() = 0;
    /// PRAGMA integrity_check and foreign_key_check; the sentence says what was found.
    [[nodiscard]] virtual Result<std::string> check() = 0;
    [[nodiscard]] virtual const std::filesystem::path& file() const = 0;
};

/// Where the library lies unless told otherwise: $RETORT_LIBRARY, else $XDG_DATA_HOME/retort/library.retort-db, else ~/.local/share/...
[[nodiscard]] std::filesystem::path default_library_path();

} // namespace retort
