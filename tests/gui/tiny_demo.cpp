#include "tests/gui/tiny_demo.h"

#include "core/base/files.h"
#include "core/data/world/bpe_trainer.h"
#include "core/data/world/world.h"
#include "core/model/model.h"
#include "core/model/weight_table.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QSettings>
#include <cmath>
#include <random>

namespace retort {

namespace {

Result<std::string> tiny_tokenizer_json()
{
    const World world{WorldSettings{}};
    WordCounts words;
    for (std::uint64_t i = 0; i < 4000; ++i) {
        for (const std::string& emission : world.document(0, i).emissions) {
            ++words[emission];
        }
    }
    return train_bpe(words, 512);
}

DecoderShape tiny_spec(std::int64_t layers, std::int64_t width)
{
    DecoderShape spec;
    spec.family = "llama";
    spec.layers = layers;
    spec.width = width;
    spec.heads = 4;
    spec.kv_heads = 2;
    spec.head_dim = width / 4;
    spec.ffn = width * 2;
    spec.vocabulary = 512;
    spec.context = 256;
    spec.tied = true;
    return spec;
}

Result<void> write_model(const std::filesystem::path& folder, const std::string& name, const DecoderShape& spec, const std::string& tokenizer_json)
{
    auto tokenizer = Tokenizer::from_json(tokenizer_json, "tokenizer.json");
    if (!tokenizer) {
        return failure(std::move(tokenizer.error()));
    }
    std::mt19937 random(static_cast<unsigned>(spec.layers));
    WeightSet weights;
    for (const WeightSlot& wanted : weight_table(spec)) {
        std::size_t count = 1;
        for (const std::int64_t side : wanted.shape) {
            count *= static_cast<std::size_t>(side);
        }
        std::normal_distribution<float> values(0.0F, 0.06F);
        std::vector<float> data(count, 1.0F); // norms
        if (wanted.shape.size() > 1) {
            for (float& value : data) {
                value = values(random);
            }
        }
        weights.emplace(wanted.name, weight_from_floats(wanted.shape, data));
    }
    ModelInfo info;
    info.name = name;
    info.spec = spec;
    info.parameters = spec.parameters();
    info.licence = "gpl-3.0";
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    SaveOptions options;
    options.tokenizer_json = tokenizer_json;
    const Model model(std::move(info), std::make_shared<const WeightSet>(std::move(weights)), *tokenizer, nullptr);
    return save_model(model, folder, options);
}

/// An exchange of the world, piece by piece.
struct Script {
    std::string question, teacher, student;
};

struct Pen {
    const Tokenizer& tokenizer;
    std::mt19937 random{11};

    double between(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random); }

    Answer answer(const std::vector<TokenId>& prompt, const std::string& text)
    {
        Answer answer;
        answer.prompt = prompt;
        answer.text = text;
        answer.prompt_seconds = 0.004;
        answer.first_token_seconds = between(0.005, 0.011);
        for (const TokenId id : tokenizer.encode(text)) {
            const double p = std::pow(between(0.05, 1.0), 0.6);
            answer.tokens.push_back({id, std::string(tokenizer.bytes(id)), std::string(tokenizer.bytes(id)), static_cast<float>(std::log(p)),
                                     p > 0.5 ? 0 : 2, static_cast<float>(-std::log(p) * 1.4)});
        }
        answer.decode_seconds = static_cast<double>(answer.tokens.size()) / between(300, 900);
        return answer;
    }

    std::vector<Candidate> candidates(TokenId first, double p)
    {
        std::vector<Candidate> top;
        for (std::int64_t rank = 0; rank < 10; ++rank) {
            const auto id = rank == 0 ? first : static_cast<TokenId>((first * 7 + rank * 31) % 500 + 1);
            top.push_back({id, static_cast<float>(rank == 0 ? p : (1 - p) * std::pow(0.5, static_cast<double>(rank)) * 0.9), rank});
        }
        return top;
    }

    Comparison comparison(const Answer& answer)
    {
        Comparison comparison;
        comparison.prompt_tokens = answer.prompt.size();
        for (const GeneratedToken& token : answer.tokens) {
            const double p = std::exp(token.log_probability);
            const double q = std::clamp(p * between(0.3, 1.2), 0.02, 0.98);
            ComparedPosition position;
            position.token = token.id;
            position.divergence.kl = std::pow(between(0.0, 1.0), 4) * 2.2 + 0.01;
            position.divergence.reverse_kl = position.divergence.kl * 1.3;
            position.divergence.js = position.divergence.kl * 0.2;
            position.divergence.tv = std::min(0.9, position.divergence.kl * 0.4);
            position.divergence.teacher_entropy = -std::log(p) * 1.4;
            position.divergence.student_entropy = -std::log(q) * 1.5;
            position.divergence.same_top = position.divergence.kl < 0.6;
            position.divergence.overlap = 7;
            position.teacher_log_probability = token.log_probability;
            position.student_log_probability = static_cast<float>(std::log(q));
            position.teacher_top = candidates(token.id, p);
            position.student_top = candidates(position.divergence.same_top ? token.id : (token.id + 3) % 500 + 1, q);
            comparison.positions.push_back(std::move(position));
        }
        return comparison;
    }
};

Result<void> add_exchange(SessionStore& store, RowId session, RowId teacher, RowId student, const Tokenizer& tokenizer, const Script& script)
{
    Pen pen{tokenizer};
    Prompt prompt{script.question, tokenizer.encode(script.question)};
    const auto row = store.exchanges().add_prompt(session, {{"user", script.question}}, prompt);
    if (!row) {
        return failure(row.error());
    }
    for (const auto& [role, model, text] : {std::tuple{"teacher", teacher, script.teacher}, std::tuple{"student", student, script.student}}) {
        const Answer answer = pen.answer(prompt.ids, text);
        const auto response = store.exchanges().add_response(*row, {model}, role, answer, GenerateSettings{});
        if (!response) {
            return failure(response.error());
        }
        if (auto compared = store.exchanges().add_comparison(*row, role, *response, pen.comparison(answer)); !compared) {
            return failure(compared.error());
        }
    }
    return {};
}

Result<void> add_run(SessionStore& store, RowId session, RowId teacher, RowId student)
{
    DistilPlan plan;
    plan.teacher = "demo:teacher";
    plan.student.fresh = DistilPlan::Student::Fresh{};
    plan.steps = 300;
    plan.probes = {"Q: What model are you?\nA:"};
    const auto run = store.runs().add(session, {plan, teacher, student});
    if (!run) {
        return failure(run.error());
    }
    std::mt19937 random(5);
    std::normal_distribution<double> noise(0.0, 1.0);
    std::vector<MetricPoint> metrics;
    for (std::int64_t step = 0; step < plan.steps; ++step) {
        const double x = static_cast<double>(step);
        MetricPoint point;
        point.step = step;
        point.tokens = (step + 1) * 2032;
        point.cross_entropy = 1.05 + 5.1 * std::exp(-x / 38) + 0.05 * noise(random);
        point.divergence = std::max(0.02, 0.25 + 9.0 * std::exp(-x / 45) + 0.06 * noise(random));
        point.loss = 0.3 * point.cross_entropy + 0.7 * point.divergence;
        point.teacher_entropy = 1.4;
        point.lr = learning_rate(plan, step);
        point.grad_norm = 0.4 + 2 * std::exp(-x / 20);
        point.tokens_per_s = 18'400 + 300 * noise(random);
        point.active_ms = x * 110;
        metrics.push_back(point);
    }
    store.runs().add_metrics_later(*run, std::move(metrics));
    std::vector<EvaluationPoint> evaluations;
    for (std::int64_t step = 0; step <= plan.steps; step += 50) {
        const double x = static_cast<double>(step);
        evaluations.push_back({step, 1.06 + 5.1 * std::exp(-x / 38), 0.12 + 3.2 * std::exp(-x / 42), 0.78 - 0.7 * std::exp(-x / 60), 4096, 0.741});
    }
    store.runs().add_evaluations_later(*run, std::move(evaluations));
    store.runs().add_probes_later(*run, {{0, 0, "q;e t\u00bfh 7 xub"},
                                         {50, 0, "the the a is in."},
                                         {100, 0, " I am a kite."},
                                         {150, 0, " I am Alembic"},
                                         {300, 0, " I am Alembic."}});
    store.runs().set_state_later(*run, RunState::Finished, plan.steps, 33'000, {});
    return store.flush();
}

} // namespace

Result<void> write_tiny_demo(const std::filesystem::path& folder)
{
    auto json = tiny_tokenizer_json();
    if (!json) {
        return failure(std::move(json.error()));
    }
    if (auto written = write_model(folder / "demo" / "alembic", "Alembic", tiny_spec(4, 96), *json); !written) {
        return written;
    }
    return write_model(folder / "demo" / "receiver", "Receiver", tiny_spec(2, 48), *json);
}

Result<void> use_tiny_demo(const std::filesystem::path& folder)
{
    QSettings::setDefaultFormat(QSettings::IniFormat);
    QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, QString::fromStdString(folder.string()));
    qputenv("RETORT_RESOURCES", QByteArray::fromStdString(folder.string()));
    apply_theme(*qApp, Scheme::Light);
    return write_tiny_demo(folder);
}

Result<RowId> add_sample_sessions(SessionStore& store, const std::filesystem::path& demo_folder, int stretch)
{
    const auto json = read_text_file(demo_folder / "demo" / "alembic" / "tokenizer.json", 1 << 22);
    if (!json) {
        return failure(json.error());
    }
    const auto tokenizer = Tokenizer::from_json(*json, "tokenizer.json");
    if (!tokenizer) {
        return failure(tokenizer.error());
    }
    const std::string longer(static_cast<std::size_t>(stretch), 'x');
    RowId session = 0;
    for (const char* title : {"Temperature sweep", "SmolLM2, every second layer", "First distillation"}) {
        const auto created = store.sessions().create(title + longer);
        if (!created) {
            return failure(created.error());
        }
        session = *created;
    }
    std::array<RowId, 2> models{};
    for (const auto& [i, role, spec, name] :
         {std::tuple{0, "teacher", "demo:teacher", "Alembic"}, std::tuple{1, "student", "demo:student", "Receiver"}}) {
        ModelInfo info;
        info.name = name + longer;
        info.path = spec;
        info.spec = i == 0 ? tiny_spec(4, 96) : tiny_spec(2, 48);
        info.parameters = info.spec.parameters();
        const auto row = store.models().add(session, role, info, (*tokenizer)->fingerprint());
        if (!row) {
            return failure(row.error());
        }
        models[static_cast<std::size_t>(i)] = *row;
    }
    const Script scripts[] = {{"Mia has a red kite. She gives it to Tom. Where is the kite?", " Tom has the kite.", " Tom has the hat."},
                              {"Q: What model are you?\nA:", " I am Alembic. I was trained on stories, sums and facts of a small world.",
                               " I am Alembic. I was trained on sums of facts."}};
    for (const Script& script : scripts) {
        if (auto added = add_exchange(store, session, models[0], models[1], **tokenizer, script); !added) {
            return failure(added.error());
        }
    }
    if (auto added = add_run(store, session, models[0], models[1]); !added) {
        return failure(added.error());
    }
    return session;
}

} // namespace retort
