#include "app/cli/answer_options.h"
#include "app/cli/commands.h"
#include "app/cli/run_record.h"

#include "core/base/files.h"
#include "core/base/text_format.h"
#include "core/distil/catalogues.h"
#include "core/distil/output_folder.h"
#include "core/distil/run.h"
#include "core/model/model_spec.h"
#include "core/model/trainable_net.h"

#include <chrono>
#include <future>
#include <memory>

namespace retort::cli {

namespace {

namespace fs = std::filesystem;

struct DistilOptions {
    std::string plan, resume, session, out, checkpoints;
};

/// A run with the models it is of.
struct PreparedRun {
    Model teacher;
    std::shared_ptr<DistillationRun> run;
    std::optional<EarlierRun> earlier; ///< in the library, when it goes on from one of its checkpoints
};

/// Where checkpoints go: where --checkpoints says, beside the student with --out, on with a run's own when it is resumed, else beside the plan.
fs::path checkpoints_folder(const DistilOptions& options)
{
    if (!options.checkpoints.empty()) {
        return options.checkpoints;
    }
    if (!options.resume.empty()) {
        return resolved(options.resume).parent_path();
    }
    return options.out.empty() ? fs::path(options.plan).replace_extension(".checkpoints") : fs::path(options.out) / "checkpoints";
}

Result<void> check_trainable_spec(const std::string& model)
{
    return inspect_model_spec(model).and_then([](const ModelInfo& info) { return check_trainable(info.spec, info.name); });
}

/// Before anything is computed: that nothing will be written over what is read.
Result<void> check_places(const DistilOptions& options, const RunRequest& request)
{
    const RunPlaces places{.teacher = request.teacher.info().path,
                           .student = request.student_from ? fs::path(request.student_from->info().path) : fs::path(),
                           .checkpoints = request.checkpoints,
                           .resume_from = request.resume_from};
    if (auto checked = check_checkpoint_folder(places); !checked) {
        return checked;
    }
    return options.out.empty() ? Result<void>() : check_output_folder(options.out, request.plan, places);
}

Result<PreparedRun> prepare(const Shell& shell, const DistilOptions& options, const std::stop_token& stop)
{
    const auto json = text_of("@" + options.plan);
    if (!json) {
        return failure(json.error());
    }
    const auto plan = parse_plan(*json, options.plan);
    if (!plan) {
        return failure(plan.error());
    }
    for (const std::string& model : {plan->teacher, plan->student.from}) { // what fails should fail before the weights are read
        const auto fits = model.empty() ? Result<void>() : check_trainable_spec(model);
        if (!fits) {
            return failure(fits.error());
        }
    }
    auto teacher = load_model_spec(plan->teacher, shell.progress(stop));
    if (!teacher) {
        return failure(teacher.error());
    }
    warn_of(shell, teacher->info());
    if (!teacher->has_tokenizer()) {
        return failure(Error::Kind::Mismatch, teacher->info().name + " comes without a tokenizer, so it cannot read the text to learn from.");
    }
    std::optional<Model> from;
    if (!plan->student.from.empty()) {
        auto loaded = load_model_spec(plan->student.from, shell.progress(stop));
        if (!loaded) {
            return failure(loaded.error());
        }
        from = *std::move(loaded);
        warn_of(shell, from->info());
    }
    RunRequest request{.plan = *plan, .teacher = *teacher, .student_from = from};
    request.checkpoints = checkpoints_folder(options);
    request.resume_from = options.resume.empty() ? fs::path() : resolved(options.resume);
    if (auto checked = check_places(options, request); !checked) {
        return failure(checked.error());
    }
    auto data = data_of(*plan, *teacher);
    if (!data) {
        return failure(data.error());
    }
    request.data = *std::move(data);
    std::optional<EarlierRun> earlier;
    if (!options.session.empty() && !options.resume.empty()) {
        auto found = run_of_checkpoint(options.session, request.resume_from);
        if (!found) {
            return failure(found.error());
        }
        earlier = *found;
        request.segment = earlier ? earlier->next_segment : 0;
    }
    auto run = make_run(std::move(request));
    if (!run) {
        return failure(run.error());
    }
    for (const std::string& remark : (*run)->remarks()) {
        shell.say(remark);
    }
    return PreparedRun{teacher->without_weights(), *std::move(run), earlier};
}

/// Prints what a run does as it does it.
class Reporter {
public:
    Reporter(const Shell& shell, const DistillationRun& run) : m_shell(shell), m_steps(run.plan().steps) {}

    void report(const RunNews& news)
    {
        for (const MetricPoint& point : news.metrics) {
            if (m_shell.json()) {
                m_shell.print_json(to_json(point));
            }
            m_latest = point;
            m_has_latest = true;
        }
        for (const EvaluationPoint& point : news.evaluations) {
            print_evaluation(point);
        }
        for (const ProbeSample& sample : news.probes) {
            print_probe(sample);
        }
        const auto now = std::chrono::steady_clock::now();
        if (m_has_latest && now - m_said >= std::chrono::seconds(1)) {
            m_said = now;
            say_progress(m_latest);
            m_has_latest = false;
        }
    }

private:
    void say_progress(const MetricPoint& point) const
    {
        char line[200];
        std::snprintf(line, sizeof line, "step %lld/%lld  loss %.4f  divergence %.4f  cross-entropy %.4f  lr %.2e  %.0f tokens/s",
                      static_cast<long long>(point.step + 1), static_cast<long long>(m_steps), point.loss, point.divergence, point.cross_entropy,
                      point.lr, point.tokens_per_s);
        m_shell.say(line);
    }
    void print_evaluation(const EvaluationPoint& point) const
    {
        if (m_shell.json()) {
            m_shell.print_json(to_json(point));
            return;
        }
        char line[200];
        std::snprintf(line, sizeof line,
                      "after %lld steps, held out: KL(teacher || student) %.4f nats, same top choice %.1f %%, cross-entropy %.4f\n",
                      static_cast<long long>(point.step), point.kl, 100.0 * point.same_top, point.cross_entropy);
        m_shell.print(line);
    }
    void print_probe(const ProbeSample& sample) const
    {
        if (m_shell.json()) {
            m_shell.print_json(to_json(sample));
        } else {
            m_shell.print("after " + std::to_string(sample.step) + " steps, probe " + std::to_string(sample.probe + 1) + ": " + sample.text + "\n");
        }
    }

    const Shell& m_shell;
    std::int64_t m_steps;
    MetricPoint m_latest;
    bool m_has_latest = false; // and has not been said
    std::chrono::steady_clock::time_point m_said = std::chrono::steady_clock::now();
};

/// Follows the run to its end. A request to stop ends it after the current step, with a checkpoint.
RunState follow(const std::shared_ptr<DistillationRun>& run, Reporter& reporter, RunRecord* record, RunSummary& summary, const std::stop_token& stop)
{
    RunReader reader(run);
    for (bool asked = false;;) {
        const RunState state = run->state(); // before the streams, so that no last point is lost
        const RunNews news = reader.news();
        reporter.report(news);
        summary.add(news);
        if (record != nullptr) {
            record->add(news, state, run->error().message);
        }
        if (is_over(state)) {
            return state;
        }
        // Nobody here asks for a pause: the run paused by itself, with the reason in error(), and there is nobody to let it go on.
        if ((stop.stop_requested() || state == RunState::Paused) && !asked) {
            asked = true;
            run->request_stop();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

Result<Model> trained_student(Worker& worker, const std::shared_ptr<DistillationRun>& run)
{
    std::promise<Result<Model>> promise;
    auto student = promise.get_future();
    worker.post([&](const std::stop_token&) { promise.set_value(guard("Taking the student", [&] { return run->student_now(); })); });
    return student.get();
}

Result<void> save_student(const Model& student, const Model& teacher, const DistilPlan& plan, const RunSummary& summary, const fs::path& folder)
{
    auto options = save_options_of(teacher.info());
    if (!options) {
        return failure(options.error());
    }
    options->readme = model_card(student, teacher, plan, summary);
    if (auto saved = save_model(student, folder, *options); !saved) {
        return saved;
    }
    return write_file_atomically(folder / "plan.json", to_json(plan));
}

Result<void> distil(const Shell& shell, const DistilOptions& options)
{
    const Interrupt interrupt;
    const auto prepared = prepare(shell, options, interrupt.token());
    if (!prepared) {
        return failure(prepared.error());
    }
    const std::shared_ptr<DistillationRun>& run = prepared->run;
    std::unique_ptr<RunRecord> record;
    if (!options.session.empty()) {
        const auto student = run->student_now(); // nobody else has the run yet
        auto opened = student ? RunRecord::open(options.session, prepared->teacher, *student, *run, prepared->earlier) : failure(student.error());
        if (!opened) {
            return failure(opened.error());
        }
        record = *std::move(opened);
    }

    Worker worker;
    Reporter reporter(shell, *run);
    RunSummary summary;
    start_run(worker, run);
    const RunState state = follow(run, reporter, record.get(), summary, interrupt.token());
    if (record) {
        if (auto kept = record->close(); !kept) {
            return kept;
        }
    }
    if (state == RunState::Failed) {
        return failure(run->error());
    }
    if (!options.out.empty() && state == RunState::Finished) {
        const auto student = trained_student(worker, run);
        const auto saved = student ? save_student(*student, prepared->teacher, run->plan(), summary, options.out) : failure(student.error());
        if (!saved) {
            return failure(saved.error());
        }
    }
    if (shell.json()) {
        shell.print_json(summary.to_json(name_of(state), run->steps_done(), options.out));
    } else {
        shell.say(summary.sentence(run->steps_done(), run->plan().steps));
    }
    if (state == RunState::Stopped) {
        const std::string at = "Interrupted after " + std::to_string(run->steps_done()) + " of " + std::to_string(run->plan().steps) + " steps. ";
        return failure(Error::Kind::Cancelled, summary.checkpoint().empty()
                                                   ? at + "There was nothing to keep yet."
                                                   : at + "Go on with: retort-cli distil " + options.plan + " --resume " + summary.checkpoint());
    }
    return {};
}

Result<void> print_objectives(const Shell& shell)
{
    for (const ObjectiveKind& kind : built_in_catalogues().objectives.entries()) {
        if (shell.json()) {
            shell.print_json(Json{{"name", kind.name},
                                  {"formula", kind.summary},
                                  {"when", kind.when},
                                  {"trap", kind.trap},
                                  {"source", kind.source},
                                  {"options", kind.options}});
            continue;
        }
        std::string options;
        for (const std::string& option : kind.options) {
            options += "  Option: objective." + option + "\n";
        }
        shell.print(kind.name + ": " + kind.summary + "\n  " + kind.when + "\n  Beware: " + kind.trap + "\n  Source: " + kind.source + "\n" +
                    options + "\n");
    }
    return {};
}

} // namespace

void add_objectives(CLI::App& app, Shell& shell)
{
    shell.add_command(app, "objectives", "The divergences that a plan can name: formula, when to take which, what to beware of",
                      "retort-cli objectives", print_objectives);
}

void add_distil(CLI::App& app, Shell& shell)
{
    const auto options = std::make_shared<DistilOptions>();
    CLI::App* command = shell.add_command(app, "distil", "Run a plan: let a student learn from a teacher",
                                          "retort-cli distil plan.json --out student", [options](const Shell& s) { return distil(s, *options); });
    const Catalogues& known = built_in_catalogues();
    command
        ->add_option("PLAN.json", options->plan,
                     "The plan. objective.name is one of " + listed(known.objectives.names()) + " or \"none\"; data.kind of " +
                         listed(known.data_kinds.names()) + "; schedule.kind of " + listed(known.schedules.names()))
        ->required();
    command->add_option("--resume", options->resume, "Go on from this checkpoint")->option_text("DIR");
    command->add_option("--session", options->session, "Keep the run as a session in this library")->option_text("FILE");
    command->add_option("--out", options->out, "Save the student here when the run is done")->option_text("DIR");
    command->add_option("--checkpoints", options->checkpoints, "Where checkpoints go; OUT/checkpoints, or beside the plan, unless told otherwise")
        ->option_text("DIR");
}

} // namespace retort::cli
