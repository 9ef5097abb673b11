#pragma once
#include "core/base/error.h"
#include "core/base/stream.h"
#include "core/base/worker.h"
#include "core/data/batch.h"
#include "core/distil/plan.h"
#include "core/model/model.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace retort {

/// One training step, as measured. Means over the targets of the whole accumulated batch, nats.
struct MetricPoint {
    std::int64_t step = 0;    ///< from 0
    std::int64_t segment = 0; ///< +1 on each resume
    std::int64_t tokens = 0;  ///< targets seen since the run began
    double loss = 0;          ///< alpha CE + (1 - alpha) divergence
    double divergence = 0;    ///< the objective's, times T^2 (or its own factor): 0 when the two agree
    double cross_entropy = 0;
    double teacher_entropy = 0; ///< at the temperature of the objective
    double lr = 0;
    double grad_norm = 0;     ///< before clipping
    double tokens_per_s = 0;  ///< positions read (sequences x length x accumulate) per second of this step
    double active_ms = 0;     ///< since the run began, pauses left out
    std::int64_t wall_ms = 0; ///< since 1970
};

/// The student on held-out data. KL here is at temperature 1.
struct EvaluationPoint {
    std::int64_t step = 0; ///< steps done when it was measured
    double cross_entropy = 0;
    double kl = 0;       ///< KL(teacher || student)
    double same_top = 0; ///< share of positions, 0 to 1
    std::int64_t targets = 0;
    double entropy_floor = -1; ///< of the data; negative when unknown
};

/// What the student says to a fixed prompt after `step` steps, greedily.
struct ProbeSample {
    std::int64_t step = 0;
    std::size_t probe = 0; ///< index into the plan's probes
    std::string text;
};

struct CheckpointNote {
    std::int64_t step = 0;
    std::string path;        ///< folder, absolute
    std::string sha256;      ///< of its weights file
    std::uint64_t bytes = 0; ///< of all its files, the optimiser's moments among them
    bool final = false;
    std::uint64_t weights_bytes = 0; ///< of its weights file alone: what the model takes
};

enum class RunState { Waiting, Running, Paused, Finished, Stopped, Failed };
[[nodiscard]] std::string_view name_of(RunState state);
[[nodiscard]] constexpr bool is_over(RunState state)
{
    return state == RunState::Finished || state == RunState::Stopped || state == RunState::Failed;
}

/// What a run does besides its steps, for whoever waits and wonders: laying out the models, evaluating, answering the probes, writing a checkpoint.
struct RunStage {
    std::string name{};  ///< "Evaluating"; empty while it steps, is paused, or is over
    double fraction = 0; ///< done of it, 0 to 1
    friend bool operator==(const RunStage&, const RunStage&) = default;
};

/// A distillation. Made by make_run(), given to a Worker by start_run(); the GUI (or the command line) holds it, asks and watches.
///
/// Requests are flags that the asking thread sets and the run reads between steps; everything that happened is in the streams. Read state() before
/// the streams and no last point is lost.
class DistillationRun {
public:
    virtual ~DistillationRun() = default;

    // Any thread.
    virtual void request_pause(bool paused) = 0;
    virtual void request_step() = 0; ///< one step while paused
    virtual void request_stop() = 0; ///< ends after the current step; the student as it is can be kept
    [[nodiscard]] virtual RunState state() const = 0;
    [[nodiscard]] virtual Error error() const = 0; ///< why it Failed, or Paused by itself: a checkpoint could not be written
    [[nodiscard]] virtual RunStage stage() const = 0;
    [[nodiscard]] virtual const DistilPlan& plan() const = 0;
    /// Names the run in its checkpoints, and wherever else it is kept.
    [[nodiscard]] virtual const std::string& uuid() const = 0;
    /// What a person should know before the first step, a sentence each: examples left out, nothing to evaluate on. Mostly none.
    [[nodiscard]] virtual const std::vector<std::string>& remarks() const = 0;
    [[nodiscard]] virtual std::int64_t steps_done() const = 0;
    [[nodiscard]] virtual const Stream<MetricPoint>& metrics() const = 0;
    [[nodiscard]] virtual const Stream<EvaluationPoint>& evaluations() const = 0;
    [[nodiscard]] virtual const Stream<ProbeSample>& probes() const = 0;
    [[nodiscard]] virtual const Stream<CheckpointNote>& checkpoints() const = 0;

    // The engine thread only (a task posted to the same Worker).
    /// The student as it is now, as a model of its own: weights copied, so that training may go on.
    [[nodiscard]] virtual Result<Model> student_now() = 0;
    /// The whole run, in the calling thread; `yield` (may be empty) is called between steps with a limit to wait, so that tasks can slip in.
    virtual void execute(const std::function<void(std::chrono::milliseconds)>& yield, std::stop_token stop) = 0;
};

struct RunRequest {
    DistilPlan plan;
    Model teacher;
    std::optional<Model> student_from{}; ///< when plan.student.from is set
    std::shared_ptr<const DataSource> data{};
    const Catalogues* known = nullptr;   ///< where the plan's names are looked up; outlives the run; null: the built-ins
    SaveOptions files{};                 ///< tokenizer texts to put into checkpoints; where empty, those of the teacher's folder are taken
    std::filesystem::path checkpoints{}; ///< folder; empty: none are written. Other runs' checkpoints in it stay as they are
    std::filesystem::path resume_from{}; ///< a checkpoint's folder; empty: from the start
    double first_checkpoint_s = 10;      ///< sooner than plan.checkpoint.every_s: a run killed before it has nothing to be resumed from
    std::int64_t segment = 0;            ///< of the metric points; a resumed run takes at least one more than its checkpoint's
    std::string uuid{};                  ///< of a new run, made here where empty; a resumed one keeps its checkpoint's
};

/// Checks that plan, models and data fit together (same tokenizer, sizes, memory) and builds the run, in state Waiting.
[[nodiscard]] Result<std::shared_ptr<DistillationRun>> make_run(RunRequest request);

/// Posts the run to the worker. The worker's stop ends it after the current step, with a checkpoint.
void start_run(Worker& worker, std::shared_ptr<DistillationRun> run);

/// The data that `plan` names, cut by the teacher's tokenizer and, for chats, written out by its template.
[[nodiscard]] Result<std::shared_ptr<const DataSource>> data_of(const DistilPlan& plan, const Model& teacher);
[[nodiscard]] Result<std::shared_ptr<const DataSource>> data_of(const DistilPlan& plan, const Model& teacher, const Catalogues& known);

/// The student that `plan` asks for, before any step: cut from the teacher, fresh, or `from`.
[[nodiscard]] Result<Model> make_student(const DistilPlan& plan, const Model& teacher, const std::optional<Model>& from);

/// Memory the plan would take while training, bytes: weights, gradients, moments, activations, teacher.
[[nodiscard]] std::uint64_t training_memory(const DistilPlan& plan, const DecoderShape& teacher, const DecoderShape& student);

} // namespace retort
