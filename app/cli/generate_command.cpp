#include "app/cli/answer_options.h"
#include "app/cli/commands.h"

#include "core/inference/distribution.h"
#include "core/text/messages_json.h"

#include <charconv>
#include <cmath>
#include <memory>

namespace retort::cli {

namespace {

struct LogitsOptions {
    std::string model, text;
    std::vector<TokenId> ids;
    bool last = false;
};

/// The shortest text that reads back as the same float.
void append_number(std::string& out, float value)
{
    char digits[32];
    const auto written = std::to_chars(digits, digits + sizeof digits, value);
    out.append(std::isfinite(value) ? std::string_view(digits, static_cast<std::size_t>(written.ptr - digits)) : "null");
}

/// A row of (T, V) numbers at a time: the whole can be larger than memory.
void print_rows(const Shell& shell, Net& net, const std::vector<float>& hidden, std::size_t first, std::size_t rows)
{
    const auto width = static_cast<std::size_t>(net.spec().width);
    std::vector<float> logits;
    for (std::size_t row = first; row < rows; ++row) {
        net.head(std::span<const float>(hidden).subspan(row * width, width), 1, logits);
        std::string line = row == first ? "" : shell.json() ? "," : "";
        line += shell.json() ? "[" : "";
        for (std::size_t i = 0; i < logits.size(); ++i) {
            line += i == 0 ? "" : shell.json() ? "," : " ";
            append_number(line, logits[i]);
        }
        shell.print(line + (shell.json() ? "]" : "\n"));
    }
}

Result<void> logits(const Shell& shell, const LogitsOptions& options)
{
    const auto loaded = load(shell, options.model, Net::Precision::Exact);
    if (!loaded) {
        return failure(loaded.error());
    }
    std::vector<TokenId> ids = options.ids;
    if (!options.text.empty()) {
        if (!loaded->model.has_tokenizer()) {
            return failure(Error::Kind::Mismatch, loaded->model.info().name + " comes without a tokenizer, so it cannot read text. Give --ids.");
        }
        const auto text = text_of(options.text);
        if (!text) {
            return failure(text.error());
        }
        ids = make_text_prompt(loaded->model, *text).ids;
    }
    if (ids.empty()) {
        return failure(Error::Kind::Usage, "There are no ids to read. Give at least one.");
    }
    std::vector<float> hidden;
    const auto cache = loaded->net->new_cache();
    if (auto done = loaded->net->forward_hidden(*cache, ids, hidden); !done) {
        return done;
    }
    if (shell.json()) {
        shell.print("{\"ids\":" + Json(ids).dump() + ",\"logits\":[");
    }
    print_rows(shell, *loaded->net, hidden, options.last ? ids.size() - 1 : 0, ids.size());
    if (shell.json()) {
        shell.print("]}\n");
    }
    return {};
}

struct GenerateOptions {
    std::string model, prompt, messages;
    bool chat = false;
    GenerateSettings settings;
    std::size_t log_probs = 0;
};

Result<Prompt> prompt_of(const Model& model, const GenerateOptions& options)
{
    if (!options.messages.empty()) {
        const auto json = json_file(options.messages);
        const auto messages = json ? read_messages(*json, options.messages) : failure(json.error());
        return messages ? make_chat_prompt(model, *messages) : failure(messages.error());
    }
    const auto text = text_of(options.prompt);
    if (!text) {
        return failure(text.error());
    }
    return options.chat ? make_chat_prompt(model, {{"user", *text}}) : Result<Prompt>(make_text_prompt(model, *text));
}

Json with_candidates(Json token, const Tokenizer& tokenizer, std::span<const float> logits, std::size_t count)
{
    if (count > 0) {
        const auto log_probs = log_probabilities(logits);
        Json top = Json::array();
        for (const Candidate& candidate : top_candidates(log_probs, count)) {
            top.push_back(
                {{"id", candidate.id}, {"piece", tokenizer.bytes(candidate.id)}, {"logprob", log_probs[static_cast<std::size_t>(candidate.id)]}});
        }
        token["top"] = std::move(top);
    }
    return token;
}

Result<void> generate(const Shell& shell, const GenerateOptions& options)
{
    const Interrupt interrupt;
    const auto loaded = load_to_answer(shell, options.model, interrupt.token());
    if (!loaded) {
        return failure(loaded.error());
    }
    const Tokenizer& tokenizer = loaded->model.tokenizer();
    auto prompt = prompt_of(loaded->model, options);
    if (!prompt) {
        return failure(prompt.error());
    }
    const auto generation = Generation::start(*loaded->net, loaded->model, std::move(prompt->ids), options.settings, interrupt.token());
    if (!generation) {
        return failure(generation.error());
    }
    const Answer& answer = (*generation)->answer();
    std::size_t printed = 0; // bytes of the answer's text: its end can grow after the last token
    while (!(*generation)->finished()) {
        const auto token = (*generation)->next(interrupt.token());
        if (!token) {
            return failure(token.error());
        }
        if (*token != nullptr && shell.json()) {
            shell.print_json(with_candidates(to_json(**token), tokenizer, (*generation)->logits(), options.log_probs));
        } else if (!shell.json()) {
            shell.print(std::string_view(answer.text).substr(printed));
            printed = answer.text.size();
        }
    }
    if (shell.json()) {
        shell.print_json(to_json(answer));
    } else {
        shell.print("\n");
        char speeds[160];
        std::snprintf(speeds, sizeof speeds, "%zu tokens (%s), prompt %.0f tokens/s, answer %.1f tokens/s", answer.tokens.size(),
                      std::string(name_of(answer.finish)).c_str(), answer.prompt_tokens_per_second(), answer.tokens_per_second());
        shell.say(speeds);
    }
    if (answer.finish == Finish::Cancelled) {
        return failure(Error::Kind::Cancelled, "Interrupted after " + std::to_string(answer.tokens.size()) + " tokens; they are above.");
    }
    return {};
}

} // namespace

void add_logits(CLI::App& app, Shell& shell)
{
    const auto options = std::make_shared<LogitsOptions>();
    CLI::App* command = shell.add_command(app, "logits", "The model's raw logits, in float32 arithmetic throughout",
                                          "retort-cli logits demo:teacher --text \"Mia has\" --last --json",
                                          [options](const Shell& s) { return logits(s, *options); });
    command->add_option("MODEL", options->model, "The model")->required();
    auto* source = command->add_option_group("what to read");
    source->add_option("--ids", options->ids, "Ids, with commas between")->delimiter(',')->option_text("1,2,3");
    source->add_option("--text", options->text, "Text, @file, or -")->option_text("TEXT");
    source->require_option(1);
    command->add_flag("--last", options->last, "Only what follows the last token");
}

void add_generate(CLI::App& app, Shell& shell)
{
    const auto options = std::make_shared<GenerateOptions>();
    CLI::App* command = shell.add_command(app, "generate", "Let a model answer", "retort-cli generate demo:teacher --prompt \"27+15=\" --greedy",
                                          [options](const Shell& s) { return generate(s, *options); });
    command->add_option("MODEL", options->model, "The model")->required();
    auto* source = command->add_option_group("what to answer");
    source->add_option("--prompt", options->prompt, "Text that the model continues; @file, or -")->option_text("TEXT");
    source->add_option("--messages", options->messages, "A JSON array of {\"role\", \"content\"} for the chat template")->option_text("FILE");
    source->require_option(1);
    command->add_flag("--chat", options->chat, "The prompt is a user's message for the chat template");
    add_answer_options(*command, options->settings);
    command->add_option("--logprobs", options->log_probs, "With --json: the K most probable pieces at each token")->option_text("K");
}

} // namespace retort::cli
