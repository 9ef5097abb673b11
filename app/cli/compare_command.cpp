#include "app/cli/answer_options.h"
#include "app/cli/commands.h"
#include "core/measure/prompt_comparison.h"

#include <memory>

namespace retort::cli {

namespace {

struct CompareOptions {
    std::string teacher, student, prompt, prompts;
    GenerateSettings settings;
};

Json to_json(const Comparison& comparison)
{
    Json positions = Json::array();
    for (const ComparedPosition& position : comparison.positions) {
        const Divergence& d = position.divergence;
        positions.push_back({{"id", position.token},
                             {"kl", d.kl},
                             {"reverse_kl", d.reverse_kl},
                             {"js", d.js},
                             {"tv", d.tv},
                             {"teacher_entropy", d.teacher_entropy},
                             {"student_entropy", d.student_entropy},
                             {"teacher_logprob", position.teacher_log_probability},
                             {"student_logprob", position.student_log_probability},
                             {"teacher_rank", position.teacher_rank},
                             {"student_rank", position.student_rank},
                             {"overlap", d.overlap},
                             {"agree", d.same_top}});
    }
    const bool none = comparison.positions.empty(); // an answer of no tokens says nothing of how close the two are
    return {{"mean_kl", none ? Json() : Json(comparison.mean_kl())},
            {"same_top", none ? Json() : Json(comparison.same_top_share())},
            {"positions", std::move(positions)}};
}

void print_compared(const Shell& shell, const std::string& prompt, const PromptComparison& compared)
{
    if (shell.json()) {
        shell.print_json(Json{{"prompt", prompt},
                              {"teacher", cli::to_json(compared.teacher)},
                              {"student", cli::to_json(compared.student)},
                              {"forced", {{"teacher", to_json(compared.on_teacher)}, {"student", to_json(compared.on_student)}}}});
        return;
    }
    const auto line = [&shell](const char* who, const Answer& answer, const Comparison& comparison) {
        if (comparison.positions.empty()) {
            shell.print(std::string(who) + answer.text + "\n  no token in it, so there is nothing to compare\n");
            return;
        }
        char figures[160];
        std::snprintf(figures, sizeof figures,
                      "  on this text: mean KL(teacher || student) %.4f nats, same top choice %.1f %% of %zu tokens; %.1f tokens/s\n",
                      comparison.mean_kl(), 100.0 * comparison.same_top_share(), comparison.positions.size(), answer.tokens_per_second());
        shell.print(std::string(who) + answer.text + "\n" + figures);
    };
    shell.print("prompt:  " + prompt + "\n");
    line("teacher: ", compared.teacher, compared.on_teacher);
    line("student: ", compared.student, compared.on_student);
}

Result<std::vector<std::string>> prompts_of(const CompareOptions& options)
{
    if (options.prompts.empty()) {
        const auto text = text_of(options.prompt);
        return text ? std::vector<std::string>{*text} : Result<std::vector<std::string>>(failure(text.error()));
    }
    const auto lines = json_lines(options.prompts);
    if (!lines) {
        return failure(lines.error());
    }
    if (lines->empty()) {
        return failure(Error::Kind::BadFile, options.prompts + " holds no prompt, so there is nothing to compare; write one on each line.");
    }
    std::vector<std::string> prompts;
    for (const Json& line : *lines) {
        const bool is_object = line.is_object() && line.contains("prompt") && line["prompt"].is_string();
        if (!line.is_string() && !is_object) {
            return failure(Error::Kind::BadFile, options.prompts + ": value " + std::to_string(prompts.size() + 1) +
                                                     " is neither a string nor an object with a string \"prompt\".");
        }
        prompts.push_back(line.is_string() ? line.get<std::string>() : line["prompt"].get<std::string>());
    }
    return prompts;
}

Result<void> compare(const Shell& shell, const CompareOptions& options)
{
    const Interrupt interrupt;
    const auto prompts = prompts_of(options);
    if (!prompts) {
        return failure(prompts.error());
    }
    auto teacher = load_to_answer(shell, options.teacher, interrupt.token());
    if (!teacher) {
        return failure(teacher.error());
    }
    auto student = load_to_answer(shell, options.student, interrupt.token());
    if (!student) {
        return failure(student.error());
    }
    const auto match = compare_tokenizers(teacher->model.tokenizer(), student->model.tokenizer());
    if (!match.same) {
        return failure(Error::Kind::Mismatch, match.reason);
    }
    std::size_t done = 0;
    for (const std::string& prompt : *prompts) {
        const auto compared =
            compare_on_prompt({teacher->model, *teacher->net}, {student->model, *student->net}, prompt, options.settings, interrupt.token());
        if (!compared && compared.error().kind == Error::Kind::Cancelled) {
            return failure(Error::Kind::Cancelled,
                           "Interrupted after " + std::to_string(done) + " of " + std::to_string(prompts->size()) + " prompts.");
        }
        if (!compared) {
            return failure(compared.error());
        }
        print_compared(shell, prompt, *compared);
        ++done;
    }
    return {};
}

} // namespace

void add_compare(CLI::App& app, Shell& shell)
{
    const auto options = std::make_shared<CompareOptions>();
    CLI::App* command = shell.add_command(app, "compare", "Let two models answer, and score both on each other's text",
                                          "retort-cli compare --teacher demo:teacher --student demo:distilled --prompt \"Mia has a red\" --greedy",
                                          [options](const Shell& s) { return compare(s, *options); });
    command->add_option("--teacher", options->teacher, "The teacher")->required()->option_text("MODEL");
    command->add_option("--student", options->student, "The student")->required()->option_text("MODEL");
    auto* source = command->add_option_group("what to answer");
    source->add_option("--prompt", options->prompt, "Text that both continue; @file, or -")->option_text("TEXT");
    source->add_option("--prompts", options->prompts, "One JSON string, or object with \"prompt\", a line")->option_text("FILE.jsonl");
    source->require_option(1);
    add_answer_options(*command, options->settings);
}

} // namespace retort::cli
