#include "app/cli/run_record.h"

#include "core/base/text_format.h"

#include <filesystem>

namespace retort::cli {

void RunSummary::add(const RunNews& news)
{
    if (!news.metrics.empty()) {
        m_last = news.metrics.back();
    }
    if (!news.evaluations.empty()) {
        m_first_evaluation = m_first_evaluation ? m_first_evaluation : news.evaluations.front();
        m_last_evaluation = news.evaluations.back();
    }
    if (!news.checkpoints.empty()) {
        m_checkpoint = news.checkpoints.back();
    }
}

Json RunSummary::to_json(std::string_view state, std::int64_t steps_done, const std::string& out) const
{
    Json summary = {{"state", state}, {"steps", steps_done}};
    if (m_last) {
        summary.update({{"tokens", m_last->tokens}, {"loss", m_last->loss}, {"divergence", m_last->divergence}, {"active_ms", m_last->active_ms}});
    }
    if (m_first_evaluation) {
        summary["first_evaluation"] = cli::to_json(*m_first_evaluation);
        summary["last_evaluation"] = cli::to_json(*m_last_evaluation);
    }
    summary["checkpoint"] = m_checkpoint ? Json(m_checkpoint->path) : Json();
    summary["out"] = state == name_of(RunState::Finished) && !out.empty() ? Json(out) : Json();
    return summary;
}

std::string RunSummary::sentence(std::int64_t steps_done, std::int64_t steps) const
{
    std::string text = std::to_string(steps_done) + " of " + std::to_string(steps) + " steps";
    if (m_last) {
        text += " in " + std::to_string(static_cast<std::int64_t>(m_last->active_ms / 1000.0)) + " s, " +
                format_count(static_cast<std::uint64_t>(m_last->tokens)) + " tokens learned from";
    }
    if (m_first_evaluation) {
        char figures[160];
        std::snprintf(figures, sizeof figures, "; held out, KL to the teacher %.4f -> %.4f nats, same top choice %.1f -> %.1f %%",
                      m_first_evaluation->kl, m_last_evaluation->kl, 100.0 * m_first_evaluation->same_top, 100.0 * m_last_evaluation->same_top);
        text += figures;
    }
    return text + ".";
}

Result<std::optional<EarlierRun>> run_of_checkpoint(const std::filesystem::path& library, const std::filesystem::path& checkpoint)
{
    if (std::error_code error; !std::filesystem::exists(library, error)) {
        return std::nullopt;
    }
    const auto store = SessionStore::open(library);
    return store ? (*store)->runs().of_checkpoint(checkpoint) : failure(store.error());
}

Result<std::unique_ptr<RunRecord>> RunRecord::open(const std::filesystem::path& library, const Model& teacher, const Model& student,
                                                   const DistillationRun& run, const std::optional<EarlierRun>& earlier)
{
    auto store = SessionStore::open(library);
    if (!store) {
        return failure(store.error());
    }
    std::unique_ptr<RunRecord> record(new RunRecord);
    record->m_store = *std::move(store);
    record->m_store->set_on_failure([kept = record.get()](const Error& error) { kept->note(failure(error)); });
    if (earlier) {
        record->m_run = earlier->run;
        record->note(record->m_store->runs().begin_segment(earlier->run, earlier->next_segment, earlier->step));
        return record;
    }
    const auto session = record->m_store->sessions().create(teacher.info().name + " to " + student.info().name);
    if (!session) {
        return failure(session.error());
    }
    const auto add = [&](const char* role, const Model& model) {
        if (model.has_tokenizer()) {
            record->m_store->models().add_tokenizer_later(model.shared_tokenizer());
        }
        return record->m_store->models().add(*session, role, model.info(), model.has_tokenizer() ? model.tokenizer().fingerprint() : "");
    };
    const auto teacher_row = add("teacher", teacher);
    const auto student_row = teacher_row ? add("student", student) : teacher_row;
    const auto row = student_row ? record->m_store->runs().add(*session, {run.plan(), *teacher_row, *student_row, run.uuid()}) : student_row;
    if (!row) {
        return failure(row.error());
    }
    record->m_run = *row;
    return record;
}

void RunRecord::add(const RunNews& news, RunState state, const std::string& error_text)
{
    if (!news.metrics.empty()) {
        m_last_step = news.metrics.back().step + 1;
        m_active_ms = news.metrics.back().active_ms;
        m_store->runs().add_metrics_later(m_run, news.metrics);
    }
    if (!news.evaluations.empty()) {
        m_store->runs().add_evaluations_later(m_run, news.evaluations);
    }
    if (!news.probes.empty()) {
        m_store->runs().add_probes_later(m_run, news.probes);
    }
    for (const CheckpointNote& checkpoint : news.checkpoints) {
        note(m_store->runs().add_checkpoint(m_run, checkpoint));
    }
    if (m_state != state) {
        m_state = state;
        m_store->runs().set_state_later(m_run, state, m_last_step, m_active_ms, error_text);
    }
}

void RunRecord::note(Result<void> done)
{
    const std::lock_guard lock(m_mutex);
    if (!done && !m_error) {
        m_error = std::move(done.error());
    }
}

Result<void> RunRecord::close()
{
    auto flushed = m_store->flush();
    m_store.reset();
    return m_error ? failure(*m_error) : flushed;
}

Json to_json(const MetricPoint& point)
{
    return {{"step", point.step},
            {"tokens", point.tokens},
            {"loss", point.loss},
            {"divergence", point.divergence},
            {"cross_entropy", point.cross_entropy},
            {"teacher_entropy", point.teacher_entropy},
            {"lr", point.lr},
            {"grad_norm", point.grad_norm},
            {"tokens_per_s", point.tokens_per_s},
            {"active_ms", point.active_ms}};
}

Json to_json(const EvaluationPoint& point)
{
    return {{"evaluation", point.step}, {"cross_entropy", point.cross_entropy},
            {"kl", point.kl},           {"same_top", point.same_top},
            {"targets", point.targets}, {"entropy_floor", point.entropy_floor < 0 ? Json() : Json(point.entropy_floor)}};
}

Json to_json(const ProbeSample& sample)
{
    return {{"probe", sample.probe}, {"step", sample.step}, {"text", sample.text}};
}

std::string model_card(const Model& student, const Model& teacher, const DistilPlan& plan, const RunSummary& summary)
{
    std::string card = "# " + student.info().name + "\n\nA student of " + teacher.info().name +
                       ", distilled by Retort: " + format_count(student.spec().parameters()) + " parameters against the teacher's " +
                       format_count(teacher.spec().parameters()) + ".\n\n";
    char line[240];
    std::snprintf(
        line, sizeof line,
        "Objective %s at temperature %g, cross-entropy weighted %g; %lld steps of %lld x %lld tokens, seed %llu. The whole plan is in plan.json.\n",
        plan.objective.name.c_str(), plan.objective.temperature, plan.objective.alpha_cross_entropy, static_cast<long long>(plan.steps),
        static_cast<long long>(plan.batch.sequences * plan.batch.accumulate), static_cast<long long>(plan.batch.length),
        static_cast<unsigned long long>(plan.seed));
    card += line;
    if (const auto& last = summary.last_evaluation()) {
        std::snprintf(line, sizeof line,
                      "\nOn %lld held-out tokens: KL(teacher || student) %.4f nats, the same top choice at %.1f %%, cross-entropy %.4f nats.\n",
                      static_cast<long long>(last->targets), last->kl, 100.0 * last->same_top, last->cross_entropy);
        card += line;
    }
    return card;
}

} // namespace retort::cli
