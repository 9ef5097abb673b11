#pragma once
#include "core/base/error.h"
#include "core/store/session.h"
#include "core/store/write_queue.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace retort {

/// Distillations: what was planned, every point, what was said on the way, where the weights lie. See SessionStore for threads and errors.
///
/// A run has segments: it begins in 0 and each resume is one more. What earlier segments did beyond the step that a later one went on from stays in
/// the library but is no longer part of the run's line, which is what read() gives.
class RunTable {
public:
    explicit RunTable(WriteQueue& queue) : m_queue(queue) {}

    [[nodiscard]] Result<RowId> add(RowId session, const NewRun& run);
    /// The run whole. Of a line longer than `most_points` an overview of about so many, with every low and high of the loss, which takes a fraction
    /// of the time; StoredRun::thinned says so.
    [[nodiscard]] Result<StoredRun> read(RowId run, std::size_t most_points = std::numeric_limits<std::size_t>::max());
    /// The run that wrote the checkpoint in this folder, to be resumed; empty when no session outside the bin has one.
    [[nodiscard]] Result<std::optional<EarlierRun>> of_checkpoint(const std::filesystem::path& checkpoint);

    /// A resume from the checkpoint after `from_step` steps: what comes belongs to `segment`, what earlier ones did beyond is given up.
    [[nodiscard]] Result<void> begin_segment(RowId run, std::int64_t segment, std::int64_t from_step);
    void add_metrics_later(RowId run, std::vector<MetricPoint> points);
    void add_evaluations_later(RowId run, std::vector<EvaluationPoint> points);
    void add_probes_later(RowId run, std::vector<ProbeSample> samples);
    [[nodiscard]] Result<void> add_checkpoint(RowId run, const CheckpointNote& checkpoint);
    /// A last step or active time of 0 leaves what is known.
    void set_state_later(RowId run, RunState state, std::int64_t last_step, double active_ms, const std::string& error_text);
    /// The student is not wanted: the run stays to be looked at, its checkpoints may be removed.
    void discard_later(RowId run);

    /// Every folder of checkpoints that is on the disk, with its size, and whether a run wants it.
    [[nodiscard]] Result<std::vector<CheckpointFolder>> checkpoint_folders();
    /// Removes those that are removable() at this moment; the bytes that became free.
    [[nodiscard]] Result<std::uint64_t> remove_unwanted_checkpoints();

private:
    WriteQueue& m_queue;
};

// On the store's thread:

/// The session's runs without their curves.
[[nodiscard]] std::vector<StoredRun> read_run_heads(Database& database, RowId session);
/// Runs that a dead process left running are interrupted: only one program writes the library, so nobody runs them.
void mark_interrupted_runs(Database& database);

} // namespace retort
