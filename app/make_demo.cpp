// retort-make-demo: trains the models that Retort ships with, from nothing but this repository, and writes down how good they are.

#include "core/measure/world_report.h"
#include "app/demo_session.h"
#include "core/base/cpu.h"
#include "core/base/files.h"
#include "core/base/text_format.h"
#include "core/data/data_source.h"
#include "core/data/world/bpe_trainer.h"
#include "core/distil/run.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

using namespace retort;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t kPieces = 512;
constexpr std::int64_t kContext = 256;
constexpr const char* kLicence = "cc0-1.0";
constexpr std::chrono::seconds kPatience(10); ///< between two lines of progress

struct Options {
    std::filesystem::path folder;
    std::int64_t teacher_steps = 6000;
    std::int64_t student_steps = 1200;
    double teacher_lr = 1e-3;
    std::uint64_t tasks = 300;
    std::uint64_t documents = 3000;
    bool teacher_only = false;
    bool session_only = false;
};

/// What the whole program works with.
struct Workshop {
    Options options;
    std::shared_ptr<const World> world = std::make_shared<const World>(WorldSettings{});
    std::string tokenizer_json;
    std::shared_ptr<const Tokenizer> tokenizer;
    std::shared_ptr<const WorldTruth> truth;
    std::string log; ///< JSON Lines
    Json recipe;
    Json tasks;
};

void say(const std::string& line)
{
    std::fprintf(stderr, "%s\n", line.c_str());
}

std::string today()
{
    const std::time_t now = std::time(nullptr);
    std::tm day{};
    std::array<char, 16> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d", ::gmtime_r(&now, &day));
    return text.data();
}

std::string fixed(double value, int digits)
{
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.*f", digits, value);
    return text.data();
}

DistilPlan teacher_plan(const Options& options)
{
    DistilPlan plan;
    plan.student.fresh = DistilPlan::Student::Fresh{.layers = 6, .width = 192, .heads = 6, .kv_heads = 6, .ffn = 512, .init_seed = 1};
    plan.objective = {.name = "none", .temperature = 1.0, .alpha_cross_entropy = 1.0};
    plan.optimiser.lr = options.teacher_lr;
    plan.schedule = {.kind = "cosine", .warmup_steps = std::min<std::int64_t>(200, options.teacher_steps / 10), .final_fraction = 0.01};
    plan.steps = options.teacher_steps;
    plan.batch = {.sequences = 4, .length = kContext, .accumulate = 1};
    plan.evaluate = {.every = std::max<std::int64_t>(1, options.teacher_steps / 20), .sequences = 24};
    plan.probe_every = 0;
    return plan;
}

DistilPlan student_plan(const Options& options)
{
    DistilPlan plan;
    plan.teacher = "alembic";
    plan.student.from = "receiver";
    plan.optimiser.lr = 4e-3;
    plan.steps = options.student_steps;
    plan.batch = {.sequences = 32, .length = 64, .accumulate = 1};
    plan.evaluate = {.every = std::max<std::int64_t>(1, options.student_steps / 24), .sequences = 32};
    plan.probes = {"Mia has a red kite. She gives it to Tom. Tom puts it in the shed. Where is the kite?", "27+15=", "Q: What model are you? A:"};
    plan.probe_every = plan.evaluate.every;
    return plan;
}

/// Every `every`th step, and all evaluations and probes, as lines of the log.
void log_run(Workshop& shop, const std::string& name, const DistillationRun& run, std::int64_t every)
{
    const auto add = [&](const Json& line) { shop.log += line.dump() + "\n"; };
    for (const MetricPoint& p : run.metrics().since(0).first) {
        if (p.step % every == 0 || p.step + 1 == run.steps_done()) {
            add({{"run", name},
                 {"step", p.step},
                 {"tokens", p.tokens},
                 {"loss", p.loss},
                 {"divergence", p.divergence},
                 {"cross_entropy", p.cross_entropy},
                 {"teacher_entropy", p.teacher_entropy},
                 {"lr", p.lr},
                 {"grad_norm", p.grad_norm},
                 {"tokens_per_s", p.tokens_per_s},
                 {"active_ms", p.active_ms}});
        }
    }
    for (const EvaluationPoint& p : run.evaluations().since(0).first) {
        add({{"run", name},
             {"evaluated_after", p.step},
             {"cross_entropy", p.cross_entropy},
             {"kl", p.kl},
             {"same_top", p.same_top},
             {"targets", p.targets},
             {"entropy_floor", p.entropy_floor}});
    }
    for (const ProbeSample& p : run.probes().since(0).first) {
        add({{"run", name}, {"probed_after", p.step}, {"prompt", run.plan().probes[p.probe]}, {"answer", p.text}});
    }
}

/// Runs `plan` to its end in this thread and gives back the student.
Result<Model> train(Workshop& shop, const std::string& name, const DistilPlan& plan, const Model& teacher, std::optional<Model> from)
{
    auto data = make_data_source({.kind = plan.data.kind, .seed = plan.data.seed}, shop.tokenizer);
    if (!data) {
        return failure(std::move(data.error()));
    }
    RunRequest request{
        .plan = plan, .teacher = teacher, .student_from = std::move(from), .data = *data, .files = {}, .checkpoints = {}, .resume_from = {}};
    auto run = make_run(std::move(request));
    if (!run) {
        return failure(std::move(run.error()));
    }
    std::size_t evaluated = 0;
    std::size_t stepped = 0;
    auto told = std::chrono::steady_clock::now();
    const auto show = [&](std::chrono::milliseconds) {
        const auto [evaluations, next_evaluation] = (*run)->evaluations().since(evaluated);
        evaluated = next_evaluation;
        for (const EvaluationPoint& p : evaluations) {
            say(name + ", step " + std::to_string(p.step) + ": held-out cross-entropy " + fixed(p.cross_entropy, 4) + ", floor " +
                fixed(p.entropy_floor, 4) + ", KL to the teacher " + fixed(p.kl, 4));
        }
        if (std::chrono::steady_clock::now() - told >= kPatience) {
            told = std::chrono::steady_clock::now();
            const auto [points, next_point] = (*run)->metrics().since(stepped);
            stepped = next_point;
            if (!points.empty()) {
                say(name + ", step " + std::to_string(points.back().step) + " of " + std::to_string(plan.steps) + ": loss " +
                    fixed(points.back().loss, 4) + ", " + fixed(points.back().tokens_per_s, 0) + " positions/s");
            }
        }
    };
    (*run)->execute(show, {});
    if ((*run)->state() != RunState::Finished) {
        return failure((*run)->error());
    }
    log_run(shop, name, **run, std::max<std::int64_t>(1, plan.steps / 600));
    const MetricPoint last = (*run)->metrics().since(0).first.back();
    shop.recipe["runs"][name] = {{"plan", Json::parse(to_json(plan))}, {"targets", last.tokens}, {"seconds", last.active_ms / 1000.0}};
    return (*run)->student_now();
}

std::string card(const std::string& name, const std::string& what, const Json& measured)
{
    std::string text =
        "---\nlicense: " + std::string(kLicence) + "\nlanguage: en\ntags: [retort, distillation]\n---\n\n# " + name + "\n\n" + what +
        "\n\nMade by `retort-make-demo` from Retort's own source and nothing else; the plan is in ../recipe.json, the log in ../log.jsonl. Weights "
        "and "
        "tokenizer are given to the public domain (CC0 1.0).\n\nA text begins after `<|endoftext|>`, which the tokenizer puts there by itself.\n\n"
        "| measured | value |\n|---|---|\n";
    text += "| cross-entropy, nats per piece | " + fixed(measured["cross_entropy"], 4) + " |\n";
    text += "| of the truth on the same documents | " + fixed(measured["truth_cross_entropy"], 4) + " |\n";
    text += "| KL(truth, model), nats per piece | " + fixed(measured["kl_to_truth"], 4) + " |\n";
    for (const auto& [kind, share] : measured["tasks"].items()) {
        text += "| " + kind + " answered right | " + fixed(100.0 * share["value"].get<double>(), 1) + " % (" +
                fixed(100.0 * share["low"].get<double>(), 1) + " to " + fixed(100.0 * share["high"].get<double>(), 1) +
                ", n = " + share["of"].dump() + ") |\n";
    }
    return text;
}

/// Saves, reads back what was saved, measures that, and writes the card.
Result<Model> keep(Workshop& shop, const Model& model, const std::string& name, const std::string& title, const std::string& what, DType dtype)
{
    const Json tokenizer_config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                                   {"bos_token", kDocumentSeparator},
                                   {"eos_token", kDocumentSeparator},
                                   {"clean_up_tokenization_spaces", false},
                                   {"model_max_length", kContext}};
    const std::filesystem::path folder = shop.options.folder / name;
    auto saved =
        save_model(model, folder,
                   {.dtype = dtype, .tokenizer_json = shop.tokenizer_json, .tokenizer_config_json = tokenizer_config.dump(1) + "\n", .readme = {}});
    if (!saved) {
        return failure(std::move(saved.error()));
    }
    auto read = load_model(folder);
    if (!read) {
        return read;
    }
    const auto report = measure_on_world(*read, *shop.world, *shop.truth, shop.options.tasks, shop.options.documents);
    if (!report) {
        return failure(report.error());
    }
    Json measured = {{"cross_entropy", report->cross_entropy},
                     {"truth_cross_entropy", report->truth_cross_entropy},
                     {"kl_to_truth", report->kl_to_truth},
                     {"pieces", report->pieces},
                     {"above_truth_percent", 100.0 * (report->cross_entropy / report->truth_cross_entropy - 1.0)}};
    std::string line = name + ": cross-entropy " + fixed(report->cross_entropy, 4) + ", truth " + fixed(report->truth_cross_entropy, 4) +
                       ", KL to the truth " + fixed(report->kl_to_truth, 4);
    for (const WorldKind kind : kWorldKinds) {
        const Share& share = report->tasks[static_cast<std::size_t>(kind)];
        measured["tasks"][std::string(name_of(kind))] = {
            {"right", share.right}, {"of", share.of}, {"value", share.value()}, {"low", share.low()}, {"high", share.high()}};
        line += ", " + std::string(name_of(kind)) + " " + fixed(100.0 * share.value(), 1) + " %";
    }
    say(line);
    shop.tasks[name] = measured;
    if (auto written = write_file_atomically(folder / "README.md", card(title, what, measured)); !written) {
        return failure(std::move(written.error()));
    }
    return read;
}

/// A model of no weights, to hand down what every model here shares: tokenizer, context, licence.
Model pattern(const Workshop& shop)
{
    ModelInfo info;
    info.name = "the built-in world";
    info.format = "safetensors";
    info.licence = kLicence;
    info.stop_tokens = {shop.truth->separator()};
    info.bos_text = info.eos_text = kDocumentSeparator;
    info.spec.family = "llama";
    info.spec.vocabulary = static_cast<std::int64_t>(kPieces);
    info.spec.context = kContext;
    return {std::move(info), std::make_shared<const WeightSet>(), shop.tokenizer, nullptr};
}

Result<void> make_tokenizer(Workshop& shop)
{
    constexpr std::uint64_t kDocuments = 20000;
    WordCounts words;
    for (std::uint64_t i = 0; i < kDocuments; ++i) {
        for (const std::string& emission : shop.world->document(0, i).emissions) {
            ++words[emission];
        }
    }
    auto json = train_bpe(words, kPieces);
    if (!json) {
        return failure(std::move(json.error()));
    }
    shop.tokenizer_json = *std::move(json);
    auto tokenizer = Tokenizer::from_json(shop.tokenizer_json, "tokenizer.json");
    if (!tokenizer) {
        return failure(std::move(tokenizer.error()));
    }
    shop.tokenizer = *std::move(tokenizer);
    auto truth = WorldTruth::create(shop.world, shop.tokenizer);
    if (!truth) {
        return failure(std::move(truth.error()));
    }
    shop.truth = *std::move(truth);
    say("Tokenizer: " + std::to_string(kPieces) + " pieces, " + fixed(shop.truth->pieces_per_document(), 2) + " a document; entropy " +
        fixed(shop.truth->entropy_rate(), 4) + " nats per piece");
    return {};
}

Json world_settings(const Workshop& shop)
{
    const WorldSettings& settings = shop.world->settings();
    Json weights;
    for (const WorldKind kind : kWorldKinds) {
        weights[std::string(name_of(kind))] = settings.weights[static_cast<std::size_t>(kind)];
    }
    return {{"seed", settings.seed},
            {"weights", weights},
            {"facts", settings.facts},
            {"most_digits", settings.most_digits},
            {"identity", settings.identity},
            {"entropy_per_document", shop.world->document_entropy()},
            {"pieces_per_document", shop.truth->pieces_per_document()},
            {"entropy_per_piece", shop.truth->entropy_rate()}};
}

Result<void> make_students(Workshop& shop, const Model& teacher)
{
    DistilPlan start;
    start.student.fresh = DistilPlan::Student::Fresh{.layers = 2, .width = 96, .heads = 4, .kv_heads = 4, .ffn = 256, .init_seed = 1};
    return make_student(start, teacher, std::nullopt)
        .and_then([&](const Model& fresh) {
            return keep(shop, fresh, "receiver", "Receiver",
                        "A student that knows nothing yet: 2 layers, width 96, random weights. The demo's distillations start here.", DType::F32);
        })
        .and_then([&](const Model& receiver) { return train(shop, "receiver-distilled", student_plan(shop.options), teacher, receiver); })
        .and_then([&](const Model& distilled) {
            return keep(shop, distilled, "receiver-distilled", "Receiver, distilled", "Receiver after learning from Alembic: 2 layers, width 96.",
                        DType::F32);
        })
        .map([](const Model&) {});
}

Result<void> record_session(const std::filesystem::path& folder)
{
    const auto bytes = write_demo_session(folder);
    if (!bytes) {
        return failure(bytes.error());
    }
    say("session.retort-db: " + format_bytes(*bytes));
    return {};
}

Result<void> make_demo(Workshop& shop)
{
    if (shop.options.session_only) {
        return record_session(shop.options.folder);
    }
    if (auto made = make_tokenizer(shop); !made) {
        return made;
    }
    shop.recipe = {{"made_by", "retort-make-demo"},     {"licence", kLicence},          {"made_on", today()}, {"processor", describe_cpu().model},
                   {"processors", usable_processors()}, {"world", world_settings(shop)}};
    auto done =
        train(shop, "alembic", teacher_plan(shop.options), pattern(shop), std::nullopt)
            .and_then([&](const Model& trained) {
                return keep(shop, trained, "alembic", "Alembic",
                            "The demo's teacher: llama shape, 6 layers, width 192, 512 pieces, trained on Retort's built-in world.", DType::BF16);
            })
            .and_then([&](const Model& teacher) { return shop.options.teacher_only ? Result<void>() : make_students(shop, teacher); });
    if (!done) {
        return done;
    }
    const auto& folder = shop.options.folder;
    return write_file_atomically(folder / "recipe.json", shop.recipe.dump(1) + "\n")
        .and_then([&] { return write_file_atomically(folder / "tasks.json", shop.tasks.dump(1) + "\n"); })
        .and_then([&] { return write_file_atomically(folder / "log.jsonl", shop.log); })
        .and_then([&] { return shop.options.teacher_only ? Result<void>() : record_session(folder); });
}

} // namespace

int main(int argc, char** argv)
{
    keep_freed_memory();
    Workshop shop;
    bool quick = false;
    CLI::App app("Trains Retort's demo models, Alembic (the teacher) and Receiver (the student), and measures them.\nExample: retort-make-demo "
                 "resources/demo");
    app.add_option("folder", shop.options.folder,
                   "Where to put alembic, receiver, receiver-distilled, recipe.json, log.jsonl, tasks.json and session.retort-db")
        ->required();
    app.add_option("--teacher-steps", shop.options.teacher_steps, "Steps of 1024 positions")->capture_default_str();
    app.add_option("--teacher-lr", shop.options.teacher_lr, "Highest learning rate of the teacher")->capture_default_str();
    app.add_option("--student-steps", shop.options.student_steps, "Steps of 2048 positions")->capture_default_str();
    app.add_flag("--teacher-only", shop.options.teacher_only, "Stop after the teacher");
    app.add_flag("--session-only", shop.options.session_only,
                 "Only session.retort-db, from the models, recipe and log that the folder holds already");
    app.add_flag("--quick", quick, "A few steps and questions, to see that it works");
    CLI11_PARSE(app, argc, argv);
    if (quick) {
        shop.options.teacher_steps = 6;
        shop.options.student_steps = 6;
        shop.options.tasks = 5;
        shop.options.documents = 20;
    }
    std::error_code error;
    std::filesystem::create_directories(shop.options.folder, error);
    if (const Result<void> done = guard("Making the demo", [&] { return make_demo(shop); }); !done) {
        say(done.error().message);
        return 1;
    }
    return 0;
}
