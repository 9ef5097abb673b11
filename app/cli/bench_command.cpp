#include "app/cli/answer_options.h"
#include "app/cli/commands.h"

#include "core/base/cpu.h"
#include "core/distil/precision.h"
#include "core/distil/run.h"
#include "core/kernels/team.h"
#include "core/measure/distil_speed.h"
#include "core/model/model_spec.h"

#include <cmath>
#include <cstdio>
#include <memory>

namespace retort::cli {

namespace {

struct BenchOptions {
    std::string model;
    std::int64_t tokens = 0;
    std::int64_t depth = 0;
    std::int64_t sequences = 16;
    int repeat = 5;
    std::string text;
    std::string precision = "auto";
};

void show(const Shell& shell, const std::string& what, const Speed& speed)
{
    const CpuDescription cpu = describe_cpu();
    const auto rounded = [](double value) { return std::round(value * 10.0) / 10.0; };
    const Json share = speed.limit_share ? Json(std::round(*speed.limit_share * 1000.0) / 1000.0) : Json();
    if (shell.json()) {
        shell.print_json(Json{{"bench", what},
                              {"tokens_per_s", rounded(speed.tokens_per_s)},
                              {"low", rounded(speed.low)},
                              {"high", rounded(speed.high)},
                              {"n", speed.n},
                              {"machine", cpu.model},
                              {"processors", cpu.processors},
                              {"threads", what == "tokenize" ? 1 : team_size()},
                              {"precision", speed.precision.empty() ? Json() : Json(speed.precision)},
                              {"limit", speed.limit.empty() ? Json() : Json(speed.limit)},
                              {"limit_share", share}});
        return;
    }
    char line[160];
    std::snprintf(line, sizeof line, "%.1f tokens/s (median of %d, %.1f to %.1f)", speed.tokens_per_s, speed.n, speed.low, speed.high);
    shell.print(what + ": " + line + "\n");
    shell.print("machine    " + cpu.model + ", " + std::to_string(what == "tokenize" ? 1 : team_size()) + " of " + std::to_string(cpu.processors) +
                " processors\n");
    if (!speed.precision.empty()) {
        shell.print("precision  " + speed.precision + "\n");
    }
    if (speed.limit_share) {
        std::snprintf(line, sizeof line, "limit      %.0f %% of the measured %s\n", 100.0 * *speed.limit_share, speed.limit.c_str());
        shell.print(line);
    }
}

Result<void> show_or_fail(const Shell& shell, const std::string& what, const Result<Speed>& speed)
{
    if (!speed) {
        return failure(speed.error());
    }
    show(shell, what, *speed);
    return {};
}

Result<void> bench_decode(const Shell& shell, const BenchOptions& options)
{
    const auto loaded = load(shell, options.model, Net::Precision::Fast);
    return loaded ? show_or_fail(shell, "decode", decode_speed(loaded->model.info(), *loaded->net, options.tokens, options.depth, options.repeat))
                  : failure(loaded.error());
}

Result<void> bench_prefill(const Shell& shell, const BenchOptions& options)
{
    const auto loaded = load(shell, options.model, Net::Precision::Fast);
    return loaded ? show_or_fail(shell, "prefill",
                                 prefill_speed(loaded->model.info(), *loaded->net, Net::Precision::Fast, options.tokens, options.repeat))
                  : failure(loaded.error());
}

/// A model teaches the student of its every second layer; without one, the demo's shape teaches itself.
Result<void> bench_distil(const Shell& shell, const BenchOptions& options)
{
    auto teacher = options.model.empty() ? demo_shaped_model(2) : load_model_spec(options.model, shell.progress());
    if (!teacher) {
        return failure(teacher.error());
    }
    DistilPlan plan;
    plan.student.layers = "every 2";
    auto student = options.model.empty() ? demo_shaped_model(1) : make_student(plan, *teacher, std::nullopt);
    if (!student) {
        return failure(student.error());
    }
    return show_or_fail(shell, "distil",
                        distil_speed(*teacher, *student, decide_precision(options.precision), options.sequences, options.tokens, options.repeat));
}

Result<void> bench_tokenize(const Shell& shell, const BenchOptions& options)
{
    const auto model = load_model_spec(options.model, shell.progress());
    if (!model) {
        return failure(model.error());
    }
    if (!model->has_tokenizer()) {
        return failure(Error::Kind::Mismatch, model->info().name + " comes without a tokenizer. Put its tokenizer.json beside it.");
    }
    const auto text = text_of(options.text);
    if (!text) {
        return failure(text.error());
    }
    if (text->empty()) {
        return failure(Error::Kind::Usage, "There is no text to cut. Give some with --text.");
    }
    return show_or_fail(shell, "tokenize", tokenize_speed(*model->shared_tokenizer(), std::vector<std::string>{*text}, options.repeat));
}

} // namespace

void add_bench(CLI::App& app, Shell& shell)
{
    CLI::App* bench = app.add_subcommand("bench", "How fast this machine answers, reads, learns and cuts text");
    bench->require_subcommand(1);
    const auto add = [&](const char* name, const char* does, const std::string& example, std::int64_t tokens, const char* counted,
                         Result<void> (*run)(const Shell&, const BenchOptions&)) {
        const auto options = std::make_shared<BenchOptions>();
        options->tokens = tokens;
        CLI::App* command = shell.add_command(*bench, name, does, example, [options, run](const Shell& s) { return run(s, *options); });
        command->add_option("--repeat", options->repeat, "Times it is measured, after once to warm up")
            ->check(CLI::Range(1, 1000))
            ->capture_default_str();
        if (tokens > 0) {
            command->add_option("--tokens", options->tokens, counted)->check(CLI::Range(1, 1'000'000))->capture_default_str();
        }
        return std::pair(command, options);
    };
    const auto add_model = [](const auto& made) { return made.first->add_option("--model", made.second->model, "A model")->option_text("MODEL"); };

    const auto decode = add("decode", "Tokens generated one by one", "retort-cli bench decode --model demo:teacher --depth 64 --json", 64,
                            "Tokens to generate", bench_decode);
    add_model(decode)->required();
    decode.first->add_option("--depth", decode.second->depth, "Tokens that are in the cache before")
        ->check(CLI::Range(0, 10'000'000))
        ->capture_default_str();

    const auto prefill = add("prefill", "A text read at once", "retort-cli bench prefill --model SmolLM2-135M-Instruct.Q4_1.gguf", 512,
                             "Tokens of the text", bench_prefill);
    add_model(prefill)->required();

    const auto distil =
        add("distil", "Steps of distillation; the student has every second layer of the model, without a model both have the demo's shape",
            "retort-cli bench distil --json", 128, "Tokens of a sequence", bench_distil);
    add_model(distil);
    distil.first->add_option("--sequences", distil.second->sequences, "Sequences of a step")->check(CLI::Range(1, 4096))->capture_default_str();
    distil.first->add_option("--precision", distil.second->precision, "auto: the faster one here")
        ->check(CLI::IsMember({"auto", "fp32", "bf16"}))
        ->capture_default_str();

    const auto tokenize = add("tokenize", "A text cut into pieces, one thread", "retort-cli bench tokenize --model demo:teacher --text @README.md", 0,
                              "", bench_tokenize);
    add_model(tokenize)->required();
    tokenize.first->add_option("--text", tokenize.second->text, "The text, @file, or - for standard input")->required()->option_text("TEXT");
}

} // namespace retort::cli
