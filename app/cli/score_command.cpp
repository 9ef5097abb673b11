#include "app/cli/answer_options.h"
#include "app/cli/commands.h"
#include "core/measure/logits_file.h"
#include "core/measure/prompt_comparison.h"
#include "core/measure/score_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <memory>

namespace retort::cli {

namespace {

constexpr std::int64_t kUsualContext = 512;

struct ScoreOptions {
    std::string teacher, base_logits, student, text, save_logits;
    std::int64_t context = 0; ///< 0: kUsualContext, or as much as both models read
    bool exact = false;
};

struct Line {
    const char* name;
    double value;
};

std::array<Line, 13> lines_of(const Spread& s)
{
    return {{{"Maximum", s.maximum},
             {"99.9%  ", s.p99_9},
             {"99.0%  ", s.p99},
             {"95.0%  ", s.p95},
             {"90.0%  ", s.p90},
             {"75.0%  ", s.p75},
             {"Median ", s.median},
             {"25.0%  ", s.p25},
             {"10.0%  ", s.p10},
             {" 5.0%  ", s.p5},
             {" 1.0%  ", s.p1},
             {" 0.1%  ", s.p0_1},
             {"Minimum", s.minimum}}};
}

/// llama-perplexity prints no quartiles of the divergence.
bool is_quartile(const Line& line)
{
    const std::string_view name = line.name;
    return name.starts_with("75.0%") || name.starts_with("25.0%");
}

template <class... Values>
void print_line(const Shell& shell, const char* format, Values... values)
{
    char line[200];
    std::snprintf(line, sizeof line, format, values...);
    shell.print(line);
}

/// llama-perplexity's lines, letter by letter, so that what reads its output reads ours.
void print_table(const Shell& shell, const ScoreTable& t)
{
    shell.print("====== Perplexity statistics ======\n");
    const auto row = [&shell](const char* name, const Estimate& e) { print_line(shell, "%-30s: %10.6f \u00b1 %10.6f\n", name, e.value, e.error); };
    row("Mean PPL(Q)", t.perplexity);
    row("Mean PPL(base)", t.base_perplexity);
    print_line(shell, "Cor(ln(PPL(Q)), ln(PPL(base))): %6.2f%%\n", 100.0 * t.correlation);
    row("Mean ln(PPL(Q)/PPL(base))", t.log_ratio);
    row("Mean PPL(Q)/PPL(base)", t.ratio);
    row("Mean PPL(Q)-PPL(base)", t.difference);
    shell.print("\n====== KL divergence statistics ======\n");
    print_line(shell, "Mean    KLD: %10.6f \u00b1 %10.6f\n", t.kld.value, t.kld.error);
    for (const Line& line : lines_of(t.kld_spread)) {
        if (!is_quartile(line)) {
            print_line(shell, "%s KLD: %10.6f\n", line.name, line.value);
        }
    }
    shell.print("\n====== Token probability statistics ======\n");
    print_line(shell, "Mean    \u0394p: %6.3f \u00b1 %5.3f %%\n", 100.0 * t.delta_p.value, 100.0 * t.delta_p.error);
    for (const Line& line : lines_of(t.delta_p_spread)) {
        print_line(shell, "%s \u0394p: %6.3f%%\n", line.name, 100.0 * line.value);
    }
    print_line(shell, "RMS \u0394p    : %6.3f \u00b1 %5.3f %%\n", 100.0 * t.rms_delta_p.value, 100.0 * t.rms_delta_p.error);
    print_line(shell, "Same top p: %6.3f \u00b1 %5.3f %%\n", 100.0 * t.same_top.value, 100.0 * t.same_top.error);
}

/// What llama-perplexity leaves out. The errors above take positions for independent; here whole chunks vary.
void print_additions(const Shell& shell, const ScoreTable& t, bool exact)
{
    print_line(shell, "\n====== Beyond that table: %lld positions in %lld chunks, errors clustered by chunk ======\n",
               static_cast<long long>(t.positions), static_cast<long long>(t.chunks));
    const auto row = [&shell](const char* name, const Estimate& e, const char* unit) {
        print_line(shell, "%-34s: %10.6f \u00b1 %10.6f %s\n", name, e.value, e.clustered_error, unit);
    };
    row("Mean ln(PPL(Q)/PPL(base))", t.log_ratio, "");
    row("Mean KLD", t.kld, "nat");
    row("Same top p", t.same_top, "");
    if (!exact) {
        shell.print("Exact divergences need the base itself: its file keeps 16 nats below each row's most probable piece.\n");
        return;
    }
    row("Mean KL(base || Q), all pieces", t.kl, "nat");
    row("Mean KL(Q || base)", t.reverse_kl, "nat");
    row("Mean Jensen-Shannon", t.js, "nat");
    row("Mean total variation", t.tv, "");
    row("Mean entropy of base", t.base_entropy, "nat");
    row("Mean entropy of Q", t.entropy, "nat");
}

Json to_json(const Estimate& e)
{
    return {{"value", e.value}, {"error", e.error}, {"clustered_error", e.clustered_error}};
}

Json to_json(const Estimate& mean, const Spread& spread)
{
    Json result = to_json(mean);
    result["maximum"] = spread.maximum;
    result["p99_9"] = spread.p99_9;
    result["p99"] = spread.p99;
    result["p95"] = spread.p95;
    result["p90"] = spread.p90;
    result["p75"] = spread.p75;
    result["median"] = spread.median;
    result["p25"] = spread.p25;
    result["p10"] = spread.p10;
    result["p5"] = spread.p5;
    result["p1"] = spread.p1;
    result["p0_1"] = spread.p0_1;
    result["minimum"] = spread.minimum;
    return result;
}

Json to_json(const ScoreTable& t, const TextScore& score, bool exact)
{
    Json result = {{"context", score.context},
                   {"chunks", t.chunks},
                   {"positions", t.positions},
                   {"ppl", to_json(t.perplexity)},
                   {"ppl_base", to_json(t.base_perplexity)},
                   {"cor_ln_ppl", t.correlation},
                   {"ln_ppl_ratio", to_json(t.log_ratio)},
                   {"ppl_ratio", to_json(t.ratio)},
                   {"ppl_difference", to_json(t.difference)},
                   {"kld", to_json(t.kld, t.kld_spread)},
                   {"delta_p", to_json(t.delta_p, t.delta_p_spread)},
                   {"rms_delta_p", to_json(t.rms_delta_p)},
                   {"same_top", to_json(t.same_top)}};
    if (exact) {
        result["kl"] = to_json(t.kl);
        result["reverse_kl"] = to_json(t.reverse_kl);
        result["js"] = to_json(t.js);
        result["tv"] = to_json(t.tv);
        result["entropy_base"] = to_json(t.base_entropy);
        result["entropy"] = to_json(t.entropy);
    }
    return result;
}

Result<void> print_score(const Shell& shell, const Result<TextScore>& score, bool exact)
{
    if (!score) {
        return failure(score.error());
    }
    const auto table = table_of(*score);
    if (!table) {
        return failure(table.error());
    }
    if (shell.json()) {
        shell.print_json(to_json(*table, *score, exact));
    } else {
        print_table(shell, *table);
        print_additions(shell, *table, exact);
    }
    return {};
}

Net::Precision precision_of(const ScoreOptions& options)
{
    return options.exact ? Net::Precision::Exact : Net::Precision::Fast;
}

Result<void> score_against_file(const Shell& shell, const ScoreOptions& options, const RunningModel& student, std::stop_token stop)
{
    auto base = LogitsFile::open(options.base_logits);
    if (!base) {
        return failure(base.error());
    }
    const auto pieces = static_cast<std::int64_t>(student.model.tokenizer().size());
    if (base->vocabulary() < pieces || base->vocabulary() > student.model.spec().vocabulary) {
        return failure(Error::Kind::Mismatch, options.base_logits + " was made with " + std::to_string(base->vocabulary()) + " pieces and " +
                                                  student.model.info().name + " has " + std::to_string(pieces) +
                                                  ". Score a model that cuts text as the file's does.");
    }
    if (base->context() > student.model.spec().context) {
        return failure(Error::Kind::Mismatch, options.base_logits + " was made with a context of " + std::to_string(base->context()) + " and " +
                                                  student.model.info().name + " reads at most " + std::to_string(student.model.spec().context) +
                                                  ". Make the file with a shorter one.");
    }
    const auto text = base->text(beginning_of_texts(student.model));
    if (!text) {
        return failure(text.error());
    }
    return print_score(shell, score_text(*text, *base, *rows_of(*student.net, "student"), base->vocabulary(), {}, shell.progress(stop)), false);
}

Result<void> score_against_teacher(const Shell& shell, const ScoreOptions& options, const RunningModel& teacher, const RunningModel& student,
                                   std::stop_token stop)
{
    if (const auto match = compare_tokenizers(teacher.model.tokenizer(), student.model.tokenizer()); !match.same) {
        return failure(Error::Kind::Mismatch, match.reason);
    }
    const auto content = text_of(options.text);
    if (!content) {
        return failure(content.error());
    }
    const std::int64_t readable = std::min(teacher.model.spec().context, student.model.spec().context);
    const std::int64_t context = options.context != 0 ? options.context : std::min(kUsualContext, readable);
    if (context > readable) {
        return failure(Error::Kind::Usage,
                       "Both models read at most " + std::to_string(readable) + " tokens. Give --context " + std::to_string(readable) + " or less.");
    }
    const auto text = cut_for_scoring(teacher.model, *content, context);
    if (!text) {
        return failure(text.error());
    }
    const std::int64_t vocabulary = common_vocabulary({teacher.model, *teacher.net}, {student.model, *student.net});
    std::optional<LogitsFileWriter> writer;
    OnBaseRows keep;
    if (!options.save_logits.empty()) {
        auto created = LogitsFileWriter::create(options.save_logits, *text, vocabulary);
        if (!created) {
            return failure(created.error());
        }
        writer.emplace(*std::move(created));
        keep = [&writer](std::span<const float> rows, std::int64_t count) { return writer->add(rows, count); };
    }
    const auto base = rows_of(*teacher.net, "teacher");
    const auto model = rows_of(*student.net, "student");
    if (auto printed = print_score(shell, score_text(*text, *base, *model, vocabulary, keep, shell.progress(stop)), true); !printed) {
        return printed;
    }
    return writer ? writer->commit() : Result<void>{};
}

Result<void> score(const Shell& shell, const ScoreOptions& options)
{
    const Interrupt interrupt;
    const auto student = load_to_answer(shell, options.student, interrupt.token(), precision_of(options));
    if (!student) {
        return failure(student.error());
    }
    if (!options.base_logits.empty()) {
        return score_against_file(shell, options, *student, interrupt.token());
    }
    if (options.text.empty()) {
        return failure(Error::Kind::Usage, "There is no text to score on. Give --text; a file of base log-probabilities brings its own.");
    }
    const auto teacher = load_to_answer(shell, options.teacher, interrupt.token(), precision_of(options));
    if (!teacher) {
        return failure(teacher.error());
    }
    return score_against_teacher(shell, options, *teacher, *student, interrupt.token());
}

} // namespace

void add_score(CLI::App& app, Shell& shell)
{
    const auto options = std::make_shared<ScoreOptions>();
    CLI::App* command = shell.add_command(
        app, "score", "Read a text with two models and tell how far the student is from the teacher: llama-perplexity's table, and more",
        "retort-cli score --teacher demo:teacher --student demo:distilled --text @stories.txt --context 128",
        [options](const Shell& s) { return score(s, *options); });
    auto* base = command->add_option_group("what to measure against");
    base->add_option("--teacher", options->teacher, "The teacher: \"base\" in the table")->option_text("MODEL");
    base->add_option("--base-logits", options->base_logits, "Its log-probabilities and text, as llama-perplexity --kl-divergence-base writes them")
        ->option_text("FILE");
    base->require_option(1);
    command->add_option("--student", options->student, "The student: \"Q\" in the table")->required()->option_text("MODEL");
    command->add_option("--text", options->text, "Text to read; @file, or -")->option_text("TEXT");
    command->add_option("--context", options->context, "Tokens in a chunk; the second half of each is scored")
        ->capture_default_str()
        ->option_text("N");
    command->add_option("--save-logits", options->save_logits, "Write the teacher's log-probabilities as llama-perplexity reads them")
        ->option_text("FILE");
    command->add_flag("--exact", options->exact, "Float32 arithmetic on the decoded weights, slower");
}

} // namespace retort::cli
