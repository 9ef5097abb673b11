#include "app/cli/commands.h"

#include "core/base/files.h"
#include "core/base/text_format.h"
#include "core/inference/prompt.h"
#include "core/model/model_spec.h"
#include "core/text/messages_json.h"

#include <charconv>
#include <ctime>
#include <memory>

namespace retort::cli {

namespace {

std::string hex_of(std::string_view bytes)
{
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string hex;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        hex += kDigits[byte >> 4];
        hex += kDigits[byte & 15];
    }
    return hex;
}

struct TokenizeOptions {
    std::string model, text, batch;
    bool special = false, additions = false;
};

std::vector<TokenId> ids_of(const Tokenizer& tokenizer, std::string_view text, const TokenizeOptions& options)
{
    auto ids = tokenizer.encode(text, options.special ? Tokenizer::Special::AsTokens : Tokenizer::Special::AsText);
    return options.additions ? tokenizer.with_additions(std::move(ids)) : ids;
}

void print_pieces(const Shell& shell, const Tokenizer& tokenizer, const std::vector<TokenId>& ids)
{
    if (!shell.json()) {
        for (const TokenId id : ids) {
            shell.print(std::to_string(id) + "\t" + std::string(tokenizer.spelling(id)) + "\n");
        }
        return;
    }
    Json pieces = Json::array();
    for (const TokenId id : ids) {
        pieces.push_back(tokenizer.spelling(id));
    }
    shell.print_json(Json{{"ids", ids}, {"pieces", std::move(pieces)}});
}

Result<void> tokenize(const Shell& shell, const TokenizeOptions& options)
{
    const auto tokenizer = load_tokenizer_spec(options.model);
    if (!tokenizer) {
        return failure(tokenizer.error());
    }
    if (options.batch.empty()) {
        const auto text = text_of(options.text);
        if (!text) {
            return failure(text.error());
        }
        print_pieces(shell, **tokenizer, ids_of(**tokenizer, *text, options));
        return {};
    }
    const auto lines = json_lines(options.batch);
    if (!lines) {
        return failure(lines.error());
    }
    for (std::size_t i = 0; i < lines->size(); ++i) {
        if (!(*lines)[i].is_string()) {
            return failure(Error::Kind::BadFile,
                           options.batch + ": value " + std::to_string(i + 1) + " is no JSON string; a batch has one string a line.");
        }
        print_pieces(shell, **tokenizer, ids_of(**tokenizer, (*lines)[i].get_ref<const std::string&>(), options));
    }
    return {};
}

struct DetokenizeOptions {
    std::string model;
    std::vector<TokenId> ids;
    bool skip_special = false;
};

Result<void> detokenize(const Shell& shell, const DetokenizeOptions& options)
{
    const auto tokenizer = load_tokenizer_spec(options.model);
    if (!tokenizer) {
        return failure(tokenizer.error());
    }
    std::string bytes;
    for (const TokenId id : options.ids) {
        if (id < 0 || static_cast<std::size_t>(id) >= (*tokenizer)->size()) {
            return failure(Error::Kind::Usage, "Id " + std::to_string(id) + " is none of the " + std::to_string((*tokenizer)->size()) +
                                                   " pieces of this tokenizer, which begin at 0.");
        }
        if (!options.skip_special || !(*tokenizer)->is_special(id)) {
            bytes += (*tokenizer)->bytes(id);
        }
    }
    const std::string text = (*tokenizer)->decode(options.ids, options.skip_special);
    if (shell.json()) {
        shell.print_json(Json{{"text", text}, {"bytes_hex", hex_of(bytes)}});
    } else {
        shell.print(text + "\n");
    }
    return {};
}

struct RenderOptions {
    std::string model, template_file, messages, batch, now;
    PromptOptions prompt;
    bool no_generation_prompt = false;
};

/// Seconds since 1970 as a number, or a UTC date with or without a time.
Result<std::int64_t> time_of(const std::string& text)
{
    std::int64_t seconds = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (problem == std::errc() && end == text.data() + text.size()) {
        return seconds;
    }
    for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"}) {
        std::tm parts{};
        const char* rest = strptime(text.c_str(), format, &parts);
        if (rest != nullptr && *rest == '\0') {
            return static_cast<std::int64_t>(timegm(&parts));
        }
    }
    return failure(Error::Kind::Usage, "\"" + printable(text) + "\" is no time. Write seconds since 1970, 2026-01-31 or 2026-01-31T12:00:00.");
}

/// What renders messages: a whole model, or a template file alone, which has no ids to give.
class Renderer {
public:
    static Result<Renderer> open(const Shell& shell, const RenderOptions& options)
    {
        Renderer renderer;
        renderer.m_options = options.prompt;
        renderer.m_options.add_generation_prompt = !options.no_generation_prompt;
        if (!options.now.empty()) {
            const auto now = time_of(options.now);
            if (!now) {
                return failure(now.error());
            }
            renderer.m_options.now = *now;
        }
        if (options.template_file.empty()) {
            auto model = load_model_spec(options.model, shell.progress());
            if (!model) {
                return failure(model.error());
            }
            if (!model->has_tokenizer() || model->chat_template() == nullptr) {
                return failure(Error::Kind::Mismatch, model->info().name + " has no " + (model->has_tokenizer() ? "chat template" : "tokenizer") +
                                                          ". Give a template with --template FILE.jinja.");
            }
            renderer.m_model = *std::move(model);
            return renderer;
        }
        const auto source = read_text_file(options.template_file, 1 << 20);
        if (!source) {
            return failure(source.error());
        }
        auto parsed = ChatTemplate::parse(*source);
        if (!parsed) {
            return failure(parsed.error());
        }
        renderer.m_template = *std::move(parsed);
        return renderer;
    }

    Result<Json> render(const std::vector<ChatMessage>& messages) const
    {
        if (m_model) {
            auto prompt = make_chat_prompt(*m_model, messages, m_options);
            return prompt ? Json{{"text", prompt->rendered}, {"ids", prompt->ids}} : Result<Json>(failure(prompt.error()));
        }
        auto text = m_template->render(messages, {.add_generation_prompt = m_options.add_generation_prompt,
                                                  .bos_token = m_options.bos_token,
                                                  .eos_token = m_options.eos_token,
                                                  .now = m_options.now});
        return text ? Json{{"text", *text}} : Result<Json>(failure(text.error()));
    }

private:
    std::optional<Model> m_model;
    std::shared_ptr<const ChatTemplate> m_template;
    PromptOptions m_options;
};

Result<void> render(const Shell& shell, const RenderOptions& options)
{
    const auto renderer = Renderer::open(shell, options);
    if (!renderer) {
        return failure(renderer.error());
    }
    std::vector<Json> chats;
    if (options.batch.empty()) {
        auto chat = json_file(options.messages);
        if (!chat) {
            return failure(chat.error());
        }
        chats.push_back(*std::move(chat));
    } else {
        auto lines = json_lines(options.batch);
        if (!lines) {
            return failure(lines.error());
        }
        chats = *std::move(lines);
    }
    // In a batch a chat that cannot be rendered fails alone: its row says why, and the others come.
    std::size_t failed = 0;
    for (std::size_t i = 0; i < chats.size(); ++i) {
        const std::string place = options.batch.empty() ? options.messages : options.batch + ", chat " + std::to_string(i + 1);
        const auto messages = read_messages(chats[i], place);
        const auto rendered = messages ? renderer->render(*messages) : failure(messages.error());
        if (!rendered && ++failed == chats.size()) {
            return failure(rendered.error());
        }
        if (shell.json()) {
            shell.print_json(rendered ? *rendered : Json{{"error", rendered.error().message}});
        } else if (rendered) {
            shell.print((*rendered)["text"].get<std::string>() + "\n");
        } else {
            shell.say(place + ": " + rendered.error().message);
        }
    }
    return {};
}

void add_tokenize(CLI::App& app, Shell& shell)
{
    const auto options = std::make_shared<TokenizeOptions>();
    CLI::App* command = shell.add_command(app, "tokenize", "Cut text into pieces", "retort-cli tokenize demo:teacher \"Mia has a red kite.\"",
                                          [options](const Shell& s) { return tokenize(s, *options); });
    command->add_option("MODEL", options->model, "A model, a tokenizer.json, or a vocabulary-only GGUF file")->required();
    auto* source = command->add_option_group("what to cut");
    source->add_option("TEXT", options->text, "The text, @file, or - for standard input");
    source->add_option("--batch", options->batch, "A file with one JSON string a line")->option_text("FILE.jsonl");
    source->require_option(1);
    command->add_flag("--special", options->special, "Special tokens in the text are taken as such, not as plain text");
    command->add_flag("--bos", options->additions, "Add what the post-processor adds");
}

void add_detokenize(CLI::App& app, Shell& shell)
{
    const auto options = std::make_shared<DetokenizeOptions>();
    CLI::App* command = shell.add_command(app, "detokenize", "Turn ids back into text", "retort-cli detokenize demo:teacher --ids 40,12,77",
                                          [options](const Shell& s) { return detokenize(s, *options); });
    command->add_option("MODEL", options->model, "A model, a tokenizer.json, or a vocabulary-only GGUF file")->required();
    command->add_option("--ids", options->ids, "The ids, with commas between")->delimiter(',')->required()->option_text("1,2,3");
    command->add_flag("--skip-special", options->skip_special, "Leave special tokens out");
}

void add_render(CLI::App& app, Shell& shell)
{
    const auto options = std::make_shared<RenderOptions>();
    CLI::App* command =
        shell.add_command(app, "render", "Write messages out as the chat template does", "retort-cli render model.gguf --messages chat.json",
                          [options](const Shell& s) { return render(s, *options); });
    auto* author = command->add_option_group("whose template");
    author->add_option("MODEL", options->model, "A model with a chat template");
    author->add_option("--template", options->template_file, "A template alone, without a model")->option_text("FILE.jinja");
    author->require_option(1);
    auto* source = command->add_option_group("what to render");
    source->add_option("--messages", options->messages, "A JSON array of {\"role\", \"content\"}, - for standard input")->option_text("FILE");
    source->add_option("--batch", options->batch, "One such array a line; one that fails has an error in its row")->option_text("FILE.jsonl");
    source->require_option(1);
    command->add_flag("--no-generation-prompt", options->no_generation_prompt, "Do not end with the beginning of an answer");
    command->add_option("--bos-token", options->prompt.bos_token, "Spelling of the template's bos_token")->option_text("TEXT");
    command->add_option("--eos-token", options->prompt.eos_token, "Spelling of the template's eos_token")->option_text("TEXT");
    command->add_option("--now", options->now, "The time that the template sees: seconds since 1970, or a date")->option_text("TIME");
}

} // namespace

void add_text_commands(CLI::App& app, Shell& shell)
{
    add_tokenize(app, shell);
    add_detokenize(app, shell);
    add_render(app, shell);
}

} // namespace retort::cli
