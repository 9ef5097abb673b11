#include "core/desk/engine.h"

#include "core/model/model_spec.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace retort {

namespace {

constexpr std::int64_t kEstimatePositions = 2048; ///< of the KV cache that the memory estimate counts

Result<Prompt> prompt_for(const Model& model, const Question& question)
{
    if (!model.has_tokenizer()) {
        return failure(Error::Kind::Mismatch,
                       model.info().name + " came without a tokenizer, so it cannot read text. Put its tokenizer.json beside it.");
    }
    if (question.use_chat_template && model.chat_template() != nullptr) {
        return make_chat_prompt(model, question.messages);
    }
    return make_text_prompt(model, question.messages.empty() ? std::string_view() : std::string_view(question.messages.back().content));
}

/// One model's answer under way.
struct Writing {
    Role role = Role::Teacher;
    Answer kept; ///< the prompt, and the tokens that the answer begins with
    std::unique_ptr<Generation> generation;
    std::vector<GeneratedToken> untold;

    [[nodiscard]] Answer answer() const
    {
        Answer whole = generation->answer();
        whole.prompt = kept.prompt;
        whole.tokens.insert(whole.tokens.begin(), kept.tokens.begin(), kept.tokens.end());
        whole.text.insert(0, kept.text);
        return whole;
    }
};

Result<Writing> begin_writing(Role role, Net& net, const Model& model, const Engine::Asking& asking, const Engine::AskReport& report,
                              std::stop_token stop)
{
    auto prompt = prompt_for(model, asking.question);
    if (!prompt) {
        return failure(std::move(prompt.error()));
    }
    report.started(role, model.info().name, *prompt);
    Writing writing{role, {}, nullptr, asking.kept[index_of(role)]};
    writing.kept.prompt = prompt->ids;
    writing.kept.tokens = writing.untold;
    std::vector<TokenId> ids = std::move(prompt->ids);
    for (const GeneratedToken& token : writing.kept.tokens) {
        ids.push_back(token.id);
        writing.kept.text += token.text;
    }
    GenerateSettings settings = asking.question.settings;
    settings.max_tokens = std::max<std::int64_t>(1, settings.max_tokens - static_cast<std::int64_t>(writing.kept.tokens.size()));
    settings.stop_tokens.insert(settings.stop_tokens.end(), model.info().stop_tokens.begin(), model.info().stop_tokens.end());
    auto generation = Generation::start(net, model, std::move(ids), std::move(settings), std::move(stop));
    if (!generation) {
        return failure(std::move(generation.error()));
    }
    writing.generation = std::move(*generation);
    return writing;
}

} // namespace

Result<void> Engine::seat(Role role, Model model, const Progress& progress)
{
    auto running = lay_out(std::move(model), Net::Precision::Fast, progress);
    if (!running) {
        return failure(std::move(running.error()));
    }
    m_seats[index_of(role)].emplace(Seat{std::move(running->model), std::move(running->net)});
    return {};
}

Engine::Seat* Engine::at(Role role)
{
    auto& seat = role == Role::Student && m_half_trained ? m_half_trained : m_seats[index_of(role)];
    return seat ? &*seat : nullptr;
}

Result<ModelFacts> Engine::load(Role role, const std::string& spec, const Progress& progress,
                                const std::function<void(const ModelInfo&, const MemoryEstimate&)>& head)
{
    auto info = inspect_model_spec(spec);
    if (!info) {
        return failure(std::move(info.error()));
    }
    head(*info, estimate_memory(*info, std::min(info->spec.context, kEstimatePositions)));
    auto model = load_model_spec(spec, progress);
    if (!model) {
        return failure(std::move(model.error()));
    }
    ModelFacts facts{model->info(), model->shared_tokenizer()};
    if (auto seated = seat(role, std::move(*model), progress); !seated) {
        return failure(std::move(seated.error()));
    }
    return facts;
}

void Engine::eject(Role role)
{
    m_seats[index_of(role)].reset();
}

void Engine::swap()
{
    std::swap(m_seats[0], m_seats[1]);
}

Result<ModelFacts> Engine::create_student(const DistilPlan& plan)
{
    const auto& teacher = m_seats[index_of(Role::Teacher)];
    if (!teacher) {
        return failure(Error::Kind::Usage, "A student is made from a teacher, and none is loaded. Open a teacher first.");
    }
    auto student = make_student(plan, teacher->model, std::nullopt);
    if (!student) {
        return failure(std::move(student.error()));
    }
    ModelFacts facts{student->info(), student->shared_tokenizer()};
    if (auto seated = seat(Role::Student, std::move(*student), {}); !seated) {
        return failure(std::move(seated.error()));
    }
    return facts;
}

Result<void> Engine::refresh_half_trained()
{
    auto student = m_run->student_now();
    if (!student) {
        return failure(std::move(student.error()));
    }
    auto net = Net::create(*student, Net::Precision::Fast);
    if (!net) {
        return failure(std::move(net.error()));
    }
    m_half_trained.emplace(Seat{std::move(*student), std::move(*net)});
    return {};
}

void Engine::ask(const Asking& asking, const AskReport& report, std::stop_token stop)
{
    using Clock = std::chrono::steady_clock;
    constexpr auto kTellEvery = std::chrono::milliseconds(25);

    if (m_run) {
        if (auto refreshed = refresh_half_trained(); !refreshed) {
            report.finished(Role::Student, failure(std::move(refreshed.error())));
            m_half_trained.reset();
        }
    }
    std::vector<Writing> writers;
    for (const Role role : kRoles) {
        if (Seat* seat = at(role)) {
            auto writing = begin_writing(role, *seat->net, seat->model, asking, report, stop);
            if (writing) {
                writers.push_back(std::move(*writing));
            } else {
                report.finished(role, failure(std::move(writing.error())));
            }
        }
    }

    auto told = Clock::now();
    const auto tell = [&report](Writing& writing) {
        if (!writing.untold.empty()) {
            report.tokens(writing.role, std::exchange(writing.untold, {}));
        }
    };
    while (!writers.empty()) {
        for (auto writing = writers.begin(); writing != writers.end();) {
            auto token = writing->generation->next(stop);
            if (token && *token != nullptr) {
                writing->untold.push_back(**token);
                ++writing;
                continue;
            }
            tell(*writing);
            if (token) {
                report.finished(writing->role, writing->answer());
            } else {
                report.finished(writing->role, failure(std::move(token.error())));
            }
            writing = writers.erase(writing);
        }
        if (Clock::now() - told >= kTellEvery) {
            std::ranges::for_each(writers, tell);
            told = Clock::now();
        }
    }
}

std::int64_t Engine::vocabulary_limit()
{
    std::int64_t limit = std::numeric_limits<std::int64_t>::max();
    for (const Role role : kRoles) {
        if (const Seat* seat = at(role)) {
            limit = std::min(limit, seat->model.spec().vocabulary);
            if (seat->model.has_tokenizer()) {
                limit = std::min(limit, static_cast<std::int64_t>(seat->model.tokenizer().size()));
            }
        }
    }
    return limit;
}

Result<Comparison> Engine::compare(const Answer& answer, std::stop_token stop)
{
    Seat* teacher = at(Role::Teacher);
    Seat* student = at(Role::Student);
    if (teacher == nullptr || student == nullptr) {
        return failure(Error::Kind::Usage, "Comparing takes a teacher and a student; one of them is not loaded.");
    }
    if (!teacher->model.has_tokenizer() || !student->model.has_tokenizer()) {
        return failure(Error::Kind::Mismatch,
                       "One of these models comes without a tokenizer, so there is no telling whether their pieces mean the same.");
    }
    if (const auto match = compare_tokenizers(teacher->model.tokenizer(), student->model.tokenizer()); !match.same) {
        return failure(Error::Kind::Mismatch, match.reason + " Their probabilities cannot be compared piece by piece; choose another student.");
    }
    std::vector<TokenId> ids = answer.prompt;
    std::ranges::transform(answer.tokens, std::back_inserter(ids), &GeneratedToken::id);
    return compare_on_text(*teacher->net, *student->net, ids, answer.prompt.size(), vocabulary_limit(), std::move(stop));
}

std::shared_ptr<const WorldTruth> Engine::truth()
{
    const Seat* seat = at(Role::Teacher) != nullptr ? at(Role::Teacher) : at(Role::Student);
    if (seat == nullptr || !seat->model.has_tokenizer()) {
        return nullptr;
    }
    const std::string& fingerprint = seat->model.tokenizer().fingerprint();
    if (fingerprint != m_truth_of) {
        m_truth_of = fingerprint;
        // Only a tokenizer made for the world cuts its emissions alike alone and in a document; any other is refused here at once.
        auto made = WorldTruth::create(std::make_shared<World>(WorldSettings{}), seat->model.shared_tokenizer());
        m_truth = made ? *made : nullptr;
    }
    return m_truth;
}

Result<DistributionSnapshot> Engine::snapshot(std::vector<TokenId> context, std::stop_token stop)
{
    Seat* teacher = at(Role::Teacher);
    Seat* student = at(Role::Student);
    auto snapshot = snapshot_at(teacher != nullptr ? teacher->net.get() : nullptr, student != nullptr ? student->net.get() : nullptr, context,
                                vocabulary_limit(), std::move(stop));
    if (snapshot) {
        if (const auto world = truth()) {
            const auto last = std::ranges::find(context.rbegin(), context.rend(), world->separator());
            snapshot->truth = world->next(std::span(last.base(), context.end()));
        }
    }
    return snapshot;
}

Result<std::shared_ptr<DistillationRun>> Engine::make_run(const DistilPlan& plan, const Catalogues& known, const std::filesystem::path& checkpoints,
                                                          const std::filesystem::path& resume_from, std::int64_t segment, const std::string& uuid)
{
    const auto& teacher = m_seats[index_of(Role::Teacher)];
    const auto& student = m_seats[index_of(Role::Student)];
    if (!teacher) {
        return failure(Error::Kind::Usage, "Distilling takes a teacher, and none is loaded. Open one on the Models page.");
    }
    if (!teacher->model.has_tokenizer()) {
        return failure(Error::Kind::Mismatch, "The teacher came without a tokenizer, so it cannot read the text to learn from.");
    }
    auto data = data_of(plan, teacher->model, known);
    if (!data) {
        return failure(std::move(data.error()));
    }
    RunRequest request{.plan = plan, .teacher = teacher->model, .data = std::move(*data), .known = &known};
    request.checkpoints = checkpoints;
    request.resume_from = resume_from;
    request.segment = segment;
    request.uuid = uuid;
    if (is_demo_spec(plan.student.from)) { // from its files, whoever stands in the role
        auto loaded = load_model_spec(plan.student.from);
        if (!loaded) {
            return failure(std::move(loaded.error()));
        }
        request.student_from = std::move(*loaded);
    } else if (!plan.student.from.empty()) {
        if (!student) {
            return failure(Error::Kind::Usage, "The plan goes on from the student, and none is loaded. Open or design one on the Models page.");
        }
        request.student_from = student->model;
    }
    return retort::make_run(std::move(request));
}

Result<std::optional<ModelFacts>> Engine::end_run(bool keep, const std::string& name)
{
    const auto run = std::exchange(m_run, nullptr);
    m_half_trained.reset();
    if (!keep || !run) {
        return std::optional<ModelFacts>();
    }
    auto trained = run->student_now();
    if (!trained) {
        return failure(std::move(trained.error()));
    }
    ModelInfo info = trained->info();
    info.name = name;
    if (const auto checkpoints = run->checkpoints().since(0).first; !checkpoints.empty()) { // its last checkpoint is this student, on disk
        info.path = checkpoints.back().path;
        info.sha256 = checkpoints.back().sha256;
        info.file_bytes = checkpoints.back().weights_bytes;
    }
    Model student(std::move(info), trained->shared_weights(), trained->shared_tokenizer(), trained->shared_chat_template());
    ModelFacts facts{student.info(), student.shared_tokenizer()};
    if (auto seated = seat(Role::Student, std::move(student), {}); !seated) {
        return failure(std::move(seated.error()));
    }
    return std::optional<ModelFacts>(std::move(facts));
}

} // namespace retort
