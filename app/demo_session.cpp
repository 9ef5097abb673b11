#include "app/demo_session.h"

#include "core/base/files.h"
#include "core/data/world/world.h"
#include "core/measure/prompt_comparison.h"
#include "core/model/model_spec.h"
#include "core/store/session_store.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>
#include <sstream>

namespace retort {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::uint64_t kMostText = std::uint64_t{64} << 20;
constexpr std::int64_t kLongestAnswer = 64;
constexpr std::size_t kSnapshotsOfAText = 2;
constexpr const char* kRun = "receiver-distilled";

constexpr std::uint64_t kStream = 3; ///< of documents that nothing is trained on
constexpr std::uint64_t kStories = 40;

/// After these comes the beginning of a story; the last exchange is what a person sees first.
constexpr std::array kPrompts = {
    "27+15=", "Q: What model are you? A:", "Mia has a red kite. She gives it to Tom. Tom puts it in the shed. Where is the kite?"};

/// The training as it was written down.
struct Record {
    std::string on, machine;
    DistilPlan plan;
    std::vector<MetricPoint> metrics;
    std::vector<EvaluationPoint> evaluations;
    std::vector<ProbeSample> probes;
};

/// A demo model in the folder, under the names that it has once it is installed.
struct Loaded {
    Model model;
    std::unique_ptr<Net> net;
    [[nodiscard]] Reader reader() const { return {model, *net}; }
};

Result<Loaded> load(const fs::path& folder, std::string_view spec)
{
    const auto* demo = std::ranges::find(kDemoModels, spec, &DemoModel::spec);
    auto model = load_model(folder / demo->folder);
    if (!model) {
        return failure(std::move(model.error()));
    }
    ModelInfo info = model->info();
    info.name = demo->name;
    info.path = spec;
    Model named(std::move(info), model->shared_weights(), model->shared_tokenizer(), model->shared_chat_template());
    auto net = Net::create(named, Net::Precision::Fast);
    if (!net) {
        return failure(std::move(net.error()));
    }
    return Loaded{std::move(named), std::move(*net)};
}

void add_line(Record& record, const Json& line)
{
    if (line.contains("evaluated_after")) {
        record.evaluations.push_back({line.value("evaluated_after", std::int64_t{0}), line.value("cross_entropy", 0.0), line.value("kl", 0.0),
                                      line.value("same_top", 0.0), line.value("targets", std::int64_t{0}), line.value("entropy_floor", -1.0)});
    } else if (line.contains("probed_after")) {
        const auto& probes = record.plan.probes;
        const auto probe = std::ranges::find(probes, line.value("prompt", ""));
        if (probe != probes.end()) {
            record.probes.push_back(
                {line.value("probed_after", std::int64_t{0}), static_cast<std::size_t>(probe - probes.begin()), line.value("answer", "")});
        }
    } else if (line.contains("step")) {
        MetricPoint point;
        point.step = line.value("step", std::int64_t{0});
        point.tokens = line.value("tokens", std::int64_t{0});
        point.loss = line.value("loss", 0.0);
        point.divergence = line.value("divergence", 0.0);
        point.cross_entropy = line.value("cross_entropy", 0.0);
        point.teacher_entropy = line.value("teacher_entropy", 0.0);
        point.lr = line.value("lr", 0.0);
        point.grad_norm = line.value("grad_norm", 0.0);
        point.tokens_per_s = line.value("tokens_per_s", 0.0);
        point.active_ms = line.value("active_ms", 0.0);
        record.metrics.push_back(point);
    }
}

/// "2026-11-22" as "22 Nov 2026".
std::string spelled(const std::string& day)
{
    std::tm date{};
    std::array<char, 32> text{};
    if (::strptime(day.c_str(), "%Y-%m-%d", &date) == nullptr) {
        return day;
    }
    std::strftime(text.data(), text.size(), " %b %Y", &date);
    return std::to_string(date.tm_mday) + text.data();
}

Result<Record> read_record(const fs::path& folder)
{
    const auto text = read_text_file(folder / "recipe.json", kMostText);
    if (!text) {
        return failure(text.error());
    }
    const Json recipe = Json::parse(*text, nullptr, false);
    const Json::json_pointer run(std::string("/runs/") + kRun);
    if (!recipe.is_object() || !recipe.contains(run / "plan") || !recipe.contains("made_on")) {
        return failure(Error::Kind::BadFile, (folder / "recipe.json").string() + " does not tell of a run " + kRun + " and its day.");
    }
    auto plan = parse_plan(recipe[run / "plan"].dump(), "recipe.json");
    if (!plan) {
        return failure(std::move(plan.error()));
    }
    Record record;
    record.plan = std::move(*plan);
    record.plan.teacher = "demo:teacher";
    record.plan.student.from = "demo:student";
    record.on = recipe.value("made_on", "");
    record.machine = recipe.value("processor", "") + ", " + std::to_string(recipe.value("processors", 0)) + " processors";
    const auto log = read_text_file(folder / "log.jsonl", kMostText);
    if (!log) {
        return failure(log.error());
    }
    std::istringstream lines(*log);
    for (std::string line; std::getline(lines, line);) {
        const Json value = Json::parse(line, nullptr, false);
        if (value.is_object() && value.value("run", "") == kRun) {
            add_line(record, value);
        }
    }
    if (record.metrics.empty()) {
        return failure(Error::Kind::BadFile, (folder / "log.jsonl").string() + " has no step of a run " + kRun + ".");
    }
    return record;
}

/// Where the two differ most in a text, most first.
std::vector<std::size_t> widest(const Comparison& comparison, std::size_t count)
{
    std::vector<std::size_t> places(comparison.positions.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
        places[i] = i;
    }
    std::ranges::stable_sort(places, std::greater(), [&](std::size_t i) { return comparison.positions[i].divergence.kl; });
    places.resize(std::min(places.size(), count));
    return places;
}

GenerateSettings greedy()
{
    GenerateSettings settings;
    settings.max_tokens = kLongestAnswer;
    settings.sampler.greedy = true;
    return settings;
}

/// The first sentence of that story, out of the first held-out ones, whose continuation by the teacher the student expected least: there is something
/// to look at.
Result<std::string> story_to_look_at(const World& world, const Reader& teacher, const Reader& student)
{
    std::string best;
    double most = -1;
    for (std::uint64_t i = 0; i < kStories; ++i) {
        std::string text = world.document_of(WorldKind::Story, kStream, i).text;
        text.resize(std::min(text.size(), text.find('.') + 1));
        const auto compared = compare_on_prompt(teacher, student, text, greedy());
        if (!compared) {
            return failure(compared.error());
        }
        const double nats = compared->on_teacher.mean_kl() * static_cast<double>(compared->on_teacher.positions.size());
        if (nats > most) {
            most = nats;
            best = std::move(text);
        }
    }
    return best;
}

/// Writes the session's rows; every method needs those before it.
class Scribe {
public:
    Scribe(SessionStore& store, const Loaded& teacher, const Loaded& student, std::shared_ptr<const WorldTruth> truth)
        : m_store(store), m_models{&teacher, &student}, m_truth(std::move(truth))
    {
    }

    Result<void> begin(const std::string& title)
    {
        const auto session = m_store.sessions().create(title);
        if (!session) {
            return failure(session.error());
        }
        m_session = *session;
        for (std::size_t i = 0; i < 2; ++i) {
            const Model& model = m_models[i]->model;
            const auto row = m_store.models().add(m_session, kRoles[i], model.info(), model.tokenizer().fingerprint());
            if (!row) {
                return failure(row.error());
            }
            m_rows[i] = *row;
            m_store.models().add_tokenizer_later(model.shared_tokenizer());
        }
        return {};
    }

    Result<void> ask(const std::string& text)
    {
        const auto compared = compare_on_prompt(m_models[0]->reader(), m_models[1]->reader(), text, greedy());
        if (!compared) {
            return failure(compared.error());
        }
        const auto prompt = m_store.exchanges().add_prompt(m_session, {{"user", text}}, compared->prompt);
        if (!prompt) {
            return failure(prompt.error());
        }
        m_prompt = *prompt;
        if (const auto places = widest(compared->on_teacher, 1); !places.empty()) {
            m_cursor = static_cast<std::int64_t>(places.front());
        }
        return keep(0, compared->teacher, compared->on_teacher).and_then([&] { return keep(1, compared->student, compared->on_student); });
    }

    Result<void> add(const Record& record)
    {
        const auto run = m_store.runs().add(m_session, {record.plan, m_rows[0], 0});
        if (!run) {
            return failure(run.error());
        }
        m_run = *run;
        m_store.runs().add_metrics_later(m_run, record.metrics);
        m_store.runs().add_evaluations_later(m_run, record.evaluations);
        m_store.runs().add_probes_later(m_run, record.probes);
        m_store.runs().set_state_later(m_run, RunState::Finished, record.metrics.back().step + 1, record.metrics.back().active_ms, {});
        const Json view = {{"page", "compare"},
                           {"cursor", {{"text_of", "teacher"}, {"position", m_cursor}}},
                           {"sampler", {{"greedy", true}, {"max_tokens", kLongestAnswer}}},
                           {"recorded", {{"on", record.on}, {"machine", record.machine}, {"last_prompt", m_prompt}, {"last_run", m_run}}}};
        m_store.sessions().save_view_state_later(m_session, view.dump());
        return m_store.flush();
    }

private:
    static constexpr std::array kRoles = {"teacher", "student"};

    [[nodiscard]] Compared compared_by() const
    {
        return {m_models[0]->model.info().sha256, m_models[1]->model.info().sha256, m_models[0]->model.tokenizer().fingerprint()};
    }

    /// One answer, the comparison on it, and the whole distributions where it differs most.
    Result<void> keep(std::size_t role, const Answer& answer, const Comparison& comparison)
    {
        const auto response = m_store.exchanges().add_response(m_prompt, {m_rows[role]}, kRoles[role], answer, greedy());
        const auto compared = response ? m_store.exchanges().add_comparison(m_prompt, kRoles[role], *response, comparison, compared_by()) : response;
        if (!compared) {
            return failure(compared.error());
        }
        for (const std::size_t place : widest(comparison, kSnapshotsOfAText)) {
            std::vector<TokenId> context = answer.prompt;
            std::transform(answer.tokens.begin(), answer.tokens.begin() + static_cast<std::ptrdiff_t>(place), std::back_inserter(context),
                           [](const GeneratedToken& token) { return token.id; });
            auto snapshot =
                snapshot_at(m_models[0]->net.get(), m_models[1]->net.get(), context, common_vocabulary(m_models[0]->reader(), m_models[1]->reader()));
            if (!snapshot) {
                return failure(snapshot.error());
            }
            const auto start = std::ranges::find(context.rbegin(), context.rend(), m_truth->separator());
            snapshot->truth = m_truth->next(std::span(start.base(), context.end()));
            m_store.exchanges().add_snapshot_later(m_prompt, {kRoles[role], std::move(*snapshot), compared_by()});
        }
        return {};
    }

    SessionStore& m_store;
    std::array<const Loaded*, 2> m_models;
    std::shared_ptr<const WorldTruth> m_truth;
    RowId m_session = 0, m_prompt = 0, m_run = 0;
    std::array<RowId, 2> m_rows{};
    std::int64_t m_cursor = 0;
};

Result<void> fill(SessionStore& store, const fs::path& folder)
{
    const auto record = read_record(folder);
    if (!record) {
        return failure(record.error());
    }
    const auto teacher = load(folder, "demo:teacher");
    if (!teacher) {
        return failure(teacher.error());
    }
    const auto student = load(folder, "demo:distilled");
    if (!student) {
        return failure(student.error());
    }
    const auto world = std::make_shared<const World>(WorldSettings{});
    auto truth = WorldTruth::create(world, teacher->model.shared_tokenizer());
    if (!truth) {
        return failure(std::move(truth.error()));
    }
    Scribe scribe(store, *teacher, *student, std::move(*truth));
    auto done = scribe.begin("Demo, recorded " + spelled(record->on));
    for (const char* prompt : kPrompts) {
        done = done.and_then([&] { return scribe.ask(prompt); });
    }
    return done.and_then([&] { return story_to_look_at(*world, teacher->reader(), student->reader()); })
        .and_then([&](const std::string& story) { return scribe.ask(story); })
        .and_then([&] { return scribe.add(*record); });
}

} // namespace

Result<std::uint64_t> write_demo_session(const fs::path& folder)
{
    const fs::path fresh = folder / "filling.retort-db.part";
    const fs::path file = folder / "session.retort-db";
    std::error_code error;
    fs::remove(fresh, error);
    Result<void> written;
    {
        auto store = SessionStore::open(fresh);
        if (!store) {
            return failure(std::move(store.error()));
        }
        // As a file of its own it has no log: nothing is ever made beside it, wherever it is installed.
        written = fill(**store, folder).and_then([&] { return (*store)->sessions().list(); }).and_then([&](const std::vector<SessionSummary>& all) {
            return (*store)->export_session(all.front().id, file);
        });
    }
    fs::remove(fresh, error);
    if (!written) {
        return failure(std::move(written.error()));
    }
    return fs::file_size(file, error);
}

} // namespace retort
