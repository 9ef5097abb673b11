#include "core/distil/run.h"

#include "core/base/text_format.h"
#include "core/base/uuid.h"
#include "core/distil/catalogues.h"
#include "core/distil/evaluation.h"
#include "core/distil/precision.h"
#include "core/distil/probing.h"
#include "core/distil/run_batches.h"
#include "core/distil/run_check.h"
#include "core/distil/run_controls.h"
#include "core/distil/step.h"
#include "core/distil/training_checkpoint.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace retort {
namespace {

using Clock = std::chrono::steady_clock;
using Yield = std::function<void(std::chrono::milliseconds)>;

double milliseconds_since(Clock::time_point begin)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

std::int64_t wall_clock_ms()
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The trainable net of `model`, which afterwards holds its weights no more where they can be read again.
Result<std::unique_ptr<TrainableNet>> net_of(Model& model, TrainableNet::Precision precision, TrainableNet::Purpose purpose)
{
    const auto whole = model.with_weights();
    if (!whole) {
        return failure(whole.error());
    }
    auto net = TrainableNet::create(model.spec(), whole->weights(), model.info().name, precision, purpose);
    model = whole->without_weights();
    return net;
}

class Run final : public DistillationRun {
public:
    Run(RunRequest request, Model student, std::int64_t vocabulary, std::optional<TrainingState> resumed)
        : m_request(std::move(request)), m_student_model(std::move(student)), m_vocabulary(vocabulary), m_resumed(std::move(resumed)),
          m_remarks(remarks_on(m_request, m_student_model))
    {
        m_state_kept.segment = m_request.segment;
        m_state_kept.run = m_resumed && !m_resumed->run.empty() ? m_resumed->run : m_request.uuid.empty() ? new_uuid() : m_request.uuid;
        if (const std::size_t others = checkpoints_of_others(m_request.checkpoints, m_state_kept.run); others > 0) {
            m_remarks.push_back(m_request.checkpoints.string() + " holds " + std::to_string(others) +
                                (others == 1 ? " checkpoint of another run, which stays." : " checkpoints of other runs, which stay."));
        }
    }

    void request_pause(bool paused) override { m_controls.request_pause(paused); }
    void request_step() override { m_controls.request_step(); }
    void request_stop() override { m_controls.request_stop(); }
    RunState state() const override { return m_controls.state(); }
    Error error() const override { return m_controls.error(); }
    RunStage stage() const override { return m_controls.stage(); }
    const DistilPlan& plan() const override { return m_request.plan; }
    const std::string& uuid() const override { return m_state_kept.run; }
    const std::vector<std::string>& remarks() const override { return m_remarks; }
    std::int64_t steps_done() const override { return m_steps_done; }
    const Stream<MetricPoint>& metrics() const override { return m_metrics; }
    const Stream<EvaluationPoint>& evaluations() const override { return m_evaluations; }
    const Stream<ProbeSample>& probes() const override { return m_probes; }
    const Stream<CheckpointNote>& checkpoints() const override { return m_checkpoints; }

    Result<Model> student_now() override;
    void execute(const Yield& yield, std::stop_token stop) override;

private:
    Result<void> work(const Yield& yield, const std::stop_token& stop);
    Result<void> prepare();
    Result<void> resume(const TrainingState& state);
    Result<void> take_step();
    void note_step(const StepReport& report, double milliseconds);
    Error not_finite(const StepReport& report) const;
    [[nodiscard]] bool has_converged() const;
    Result<void> look(bool last);
    Result<void> evaluate(bool last);
    Result<void> probe(const std::stop_token& stop);
    Result<void> save(bool last);
    Result<Model> finite_student();
    [[nodiscard]] const Catalogues& known() const { return m_request.known != nullptr ? *m_request.known : built_in_catalogues(); }
    [[nodiscard]] Teacher* teacher() { return m_teacher ? &*m_teacher : nullptr; }

    RunRequest m_request;
    Model m_student_model; ///< before the first step, and after the last
    std::int64_t m_vocabulary = 0;
    std::string m_precision;
    std::optional<TrainingState> m_resumed; ///< of the checkpoint that it goes on from
    std::vector<std::string> m_remarks;

    RunControls m_controls;
    std::atomic<std::int64_t> m_steps_done = 0;
    Stream<MetricPoint> m_metrics;
    Stream<EvaluationPoint> m_evaluations;
    Stream<ProbeSample> m_probes;
    Stream<CheckpointNote> m_checkpoints;

    // The engine thread's own.
    std::optional<Teacher> m_teacher;
    std::optional<Student> m_student;
    std::shared_ptr<const Objective> m_objective; ///< without a teacher it takes no part
    TrainingState m_state_kept;
    std::int64_t m_evaluated_at = -1, m_probed_at = -1, m_saved_at = -1;
    Clock::time_point m_last_save = Clock::now();
    std::stop_token m_stop; ///< the program's: it ends
};

void Run::execute(const Yield& yield, std::stop_token stop)
{
    m_controls.set_state(RunState::Running);
    m_stop = stop;
    const Result<void> done = guard("Distilling", [&] { return work(yield, stop); });
    m_controls.enter({});
    if (m_student && m_steps_done > 0) {
        if (auto model = guard("Keeping the student", [&] { return finite_student(); })) {
            m_student_model = *std::move(model);
        }
    }
    m_teacher.reset();
    m_student.reset();
    if (!done) {
        m_controls.note_error(done.error());
        m_controls.set_state(RunState::Failed);
    } else {
        m_controls.set_state(m_controls.ends(stop) && m_steps_done < plan().steps ? RunState::Stopped : RunState::Finished);
    }
}

Result<void> Run::work(const Yield& yield, const std::stop_token& stop)
{
    if (auto ready = prepare(); !ready) {
        return ready;
    }
    m_controls.enter({});
    m_last_save = Clock::now();
    bool converged = false;
    while (m_steps_done < plan().steps && !converged) {
        if (auto looked = look(false); !looked) {
            return looked;
        }
        if (auto probed = probe(stop); !probed) {
            return probed;
        }
        if (yield) {
            yield(std::chrono::milliseconds(0));
        }
        m_controls.wait_while_paused(yield, stop);
        if (m_controls.ends(stop)) {
            break;
        }
        if (auto stepped = take_step(); !stepped) {
            return stepped;
        }
        converged = has_converged();
    }
    if (auto looked = look(true); !looked) {
        return looked;
    }
    return probe(stop);
}

Result<void> Run::prepare()
{
    const TrainableNet::Precision precision = decide_precision(m_resumed ? m_resumed->precision : plan().precision);
    m_precision = name_of(precision);
    auto objective = known().objective(plan().objective);
    if (!objective) {
        return failure(std::move(objective.error()));
    }
    const bool has_teacher = *objective != nullptr;
    m_objective = has_teacher ? *std::move(objective) : built_in_catalogues().objective({}).value();
    if (has_teacher) {
        m_controls.enter({"Laying out the teacher"});
        auto net = net_of(m_request.teacher, precision, TrainableNet::Purpose::Teacher);
        if (!net) {
            return failure(std::move(net.error()));
        }
        m_teacher.emplace(*std::move(net));
    }
    m_controls.enter({"Laying out the student", 0.5});
    auto net = net_of(m_student_model, precision, TrainableNet::Purpose::Training);
    if (!net) {
        return failure(std::move(net.error()));
    }
    if (m_request.student_from) {
        m_request.student_from = m_request.student_from->without_weights();
    }
    const auto optimiser = known().optimisers.choose(plan().optimiser.name, "optimiser.name");
    if (!optimiser) {
        return failure(optimiser.error());
    }
    m_student.emplace(*std::move(net), plan().optimiser, (*optimiser)->update);
    return m_resumed ? resume(*m_resumed) : Result<void>();
}

Result<void> Run::resume(const TrainingState& state)
{
    const std::string uuid = m_state_kept.run;
    if (auto restored = restore(m_request.resume_from, state, *m_student); !restored) {
        return restored;
    }
    m_state_kept = state;
    m_state_kept.run = uuid;
    m_state_kept.segment = std::max(m_request.segment, state.segment + 1);
    m_steps_done = state.step;
    // What was looked at before the checkpoint was written is not looked at twice.
    m_evaluated_at = m_probed_at = m_saved_at = state.step;
    return {};
}

Result<void> Run::take_step()
{
    auto batches = training_batches(plan(), *m_request.data, m_steps_done, m_vocabulary);
    if (!batches) {
        return failure(std::move(batches.error()));
    }
    if (count_targets(*batches) == 0) {
        return failure(Error::Kind::Usage, "Step " + std::to_string(m_steps_done) +
                                               ": no token of its batch counts, so there is nothing to learn from (" + m_request.data->description() +
                                               "). Give longer sequences or data in which more counts.");
    }
    const auto begin = Clock::now();
    const StepReport report = distil_step(teacher(), *m_student, *batches, *m_objective,
                                          {.temperature = plan().objective.temperature,
                                           .alpha_cross_entropy = plan().objective.alpha_cross_entropy,
                                           .clip_norm = plan().optimiser.clip_norm,
                                           .learning_rate = learning_rate(plan(), m_steps_done, known()),
                                           .vocabulary = m_vocabulary});
    if (!report.finite) {
        return failure(not_finite(report));
    }
    note_step(report, milliseconds_since(begin));
    ++m_steps_done;
    return {};
}

void Run::note_step(const StepReport& report, double milliseconds)
{
    const DistilPlan::BatchShape& shape = plan().batch;
    m_state_kept.tokens += report.targets;
    m_state_kept.active_ms += milliseconds;
    // A mean over about ten steps, so that one lucky batch is no new best.
    m_state_kept.smoothed_loss = m_steps_done == 0 ? report.loss : 0.9 * m_state_kept.smoothed_loss + 0.1 * report.loss;
    if (m_steps_done == 0 || m_state_kept.smoothed_loss < m_state_kept.best_loss) {
        m_state_kept.best_loss = m_state_kept.smoothed_loss;
        m_state_kept.best_step = m_steps_done;
    }
    m_metrics.append({.step = m_steps_done,
                      .segment = m_state_kept.segment,
                      .tokens = m_state_kept.tokens,
                      .loss = report.loss,
                      .divergence = report.divergence,
                      .cross_entropy = report.cross_entropy,
                      .teacher_entropy = report.teacher_entropy,
                      .lr = learning_rate(plan(), m_steps_done, known()),
                      .grad_norm = report.gradient_norm,
                      .tokens_per_s = 1000.0 * static_cast<double>(shape.sequences * shape.length * shape.accumulate) / std::max(1e-3, milliseconds),
                      .active_ms = m_state_kept.active_ms,
                      .wall_ms = wall_clock_ms()});
}

Error Run::not_finite(const StepReport& report) const
{
    const auto notes = m_checkpoints.since(0).first;
    const std::string kept =
        notes.empty() ? "no checkpoint had been written" : "the last checkpoint, of step " + std::to_string(notes.back().step) + ", is whole";
    return {Error::Kind::Usage,
            "Step " + std::to_string(m_steps_done) + ": the loss is " + std::to_string(report.loss) + " and the gradient's norm " +
                std::to_string(report.gradient_norm) + ", so nothing of this step was taken over; " + kept + ". A lower learning rate usually helps.",
            {}};
}

bool Run::has_converged() const
{
    const DistilPlan::Stop& stop = plan().stop;
    const bool flat = stop.plateau_steps > 0 && m_steps_done - m_state_kept.best_step > stop.plateau_steps;
    return flat || (stop.loss_below && m_state_kept.smoothed_loss < *stop.loss_below);
}

/// Evaluates and saves where they are due; at the end always, unless it was just done.
Result<void> Run::look(bool last)
{
    const std::int64_t done = m_steps_done;
    const std::int64_t every = plan().evaluate.every;
    const bool quits = m_stop.stop_requested(); // then nobody waits for more than the checkpoint
    if (every > 0 && !quits && m_evaluated_at != done && (last || done % every == 0)) {
        if (auto evaluated = evaluate(last); !evaluated) {
            return evaluated;
        }
    }
    const double every_s = plan().checkpoint.every_s;
    const double patience_s = m_saved_at < 0 ? std::min(m_request.first_checkpoint_s, every_s) : every_s;
    const bool due = milliseconds_since(m_last_save) >= 1000.0 * patience_s && done > 0;
    if (!m_request.checkpoints.empty() && m_saved_at != done && (last || due)) {
        auto saved = save(last);
        if (!saved && !last && saved.error().kind == Error::Kind::Io) {
            m_controls.hold(std::move(saved.error())); // a full disk is no reason to lose the training
            return {};
        }
        return saved;
    }
    return {};
}

Result<void> Run::evaluate(bool last)
{
    m_evaluated_at = m_steps_done;
    if (!m_request.data->has_held_out()) {
        return {};
    }
    const auto batches = held_out_batches(plan(), *m_request.data, m_vocabulary);
    if (!batches) {
        return failure(batches.error());
    }
    // A run that is stopped is not evaluated to the end before it hears of it; afterwards it is, so that what is kept has its figures.
    const auto watch = [&](double fraction) {
        m_controls.enter({"Evaluating", fraction});
        return last ? !m_stop.stop_requested() : !m_controls.ends(m_stop);
    };
    auto evaluated = evaluate_student(teacher(), *m_student, *batches, m_vocabulary, watch);
    m_controls.enter({});
    if (!evaluated) {
        return evaluated.error().kind == Error::Kind::Cancelled ? Result<void>{} : failure(std::move(evaluated.error()));
    }
    EvaluationPoint& point = *evaluated;
    if (point.targets == 0) {
        return failure(Error::Kind::Usage, "No token of the held-out sequences counts, so the student cannot be evaluated on them (" +
                                               m_request.data->description() + "). Give longer sequences, or set evaluate.every to 0.");
    }
    point.step = m_steps_done;
    point.entropy_floor = m_request.data->entropy_floor();
    m_evaluations.append(point);
    return {};
}

Result<void> Run::probe(const std::stop_token& stop)
{
    const std::int64_t done = m_steps_done;
    const bool due = plan().probe_every > 0 && (done % plan().probe_every == 0 || done == plan().steps);
    if (!due || m_stop.stop_requested() || m_probed_at == done || plan().probes.empty() || !m_student_model.has_tokenizer()) {
        return {};
    }
    m_probed_at = done;
    auto model = student_now();
    if (!model) {
        return failure(std::move(model.error()));
    }
    for (std::size_t i = 0; i < plan().probes.size(); ++i) {
        m_controls.enter({"Answering the probes", static_cast<double>(i) / static_cast<double>(plan().probes.size())});
        auto answer = greedy_answer(*model, plan().probes[i], stop);
        if (!answer) {
            return failure(std::move(answer.error()));
        }
        m_probes.append({.step = done, .probe = i, .text = *std::move(answer)});
    }
    m_controls.enter({});
    return {};
}

/// The student as it is; an update that left numbers which are not finite is noticed here, before it reaches a checkpoint.
Result<Model> Run::finite_student()
{
    return student_now().and_then([this](Model model) -> Result<Model> {
        for (const auto& [name, weight] : model.weights()) {
            if (!is_finite(weight)) {
                return failure(Error::Kind::Usage, "After step " + std::to_string(m_steps_done - 1) + " the student's " + name +
                                                       " holds numbers that are not finite, so it is not kept. A lower learning rate usually helps.");
            }
        }
        return model;
    });
}

Result<void> Run::save(bool last)
{
    auto model = finite_student();
    if (!model) {
        return failure(std::move(model.error()));
    }
    TrainingState state = m_state_kept;
    state.step = m_steps_done;
    state.precision = m_precision;
    state.plan_sha256 = plan_identity(plan());
    state.teacher_sha256 = m_request.teacher.info().sha256;
    m_controls.enter({"Writing a checkpoint"});
    auto note = write_checkpoint(m_request.checkpoints, *model, m_request.files, plan(), *m_student, std::move(state));
    m_controls.enter({});
    if (!note) {
        return failure(std::move(note.error()));
    }
    note->final = last;
    m_checkpoints.append(*std::move(note));
    prune_checkpoints(m_request.checkpoints, m_state_kept.run, plan().checkpoint.keep);
    m_controls.note_error({});
    m_saved_at = m_steps_done;
    m_last_save = Clock::now();
    return {};
}

Result<Model> Run::student_now()
{
    if (!m_student) {
        return m_student_model;
    }
    ModelInfo info = m_student_model.info();
    info.path.clear();
    info.sha256.clear();
    info.file_bytes = 0;
    info.format = "safetensors";
    info.dtype = "F32";
    return Model(std::move(info), std::make_shared<const WeightSet>(std::as_const(*m_student).net().weights()), m_student_model.shared_tokenizer(),
                 m_student_model.shared_chat_template());
}

} // namespace

std::string_view name_of(RunState state)
{
    switch (state) {
    case RunState::Waiting:
        return "waiting";
    case RunState::Running:
        return "running";
    case RunState::Paused:
        return "paused";
    case RunState::Finished:
        return "finished";
    case RunState::Stopped:
        return "stopped";
    case RunState::Failed:
        return "failed";
    }
    return "unknown";
}

void start_run(Worker& worker, std::shared_ptr<DistillationRun> run)
{
    worker.post_run([&worker, run = std::move(run)](std::stop_token stop) {
        run->execute([&worker](std::chrono::milliseconds limit) { limit.count() > 0 ? worker.yield_for(limit) : worker.yield(); }, std::move(stop));
    });
}

Result<std::shared_ptr<DistillationRun>> make_run(RunRequest request)
{
    auto student = make_student(request.plan, request.teacher, request.student_from);
    if (!student) {
        return failure(std::move(student.error()));
    }
    auto vocabulary = check_request(request, *student);
    if (!vocabulary) {
        return failure(std::move(vocabulary.error()));
    }
    std::optional<TrainingState> resumed;
    if (!request.resume_from.empty()) {
        auto state = state_to_resume(request);
        if (!state) {
            return failure(std::move(state.error()));
        }
        resumed = *std::move(state);
    }
    complete_files(request);
    return std::make_shared<Run>(std::move(request), *std::move(student), *vocabulary, std::move(resumed));
}

} // namespace retort
