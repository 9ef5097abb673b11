#include "core/text/chat_template.h"

#include "core/text/jinja/run.h"
#include "core/text/message.h"

#include <ctime>

namespace retort {

namespace {

constexpr std::size_t kLongestSource = 1 << 20;

tl::unexpected<Error> template_error(const jinja::Problem& problem)
{
    std::string place = problem.line > 0 ? " (line " + std::to_string(problem.line) + ")" : std::string();
    return failure(Error::Kind::BadFile, "The chat template cannot be used" + place + ": " + printable(problem.what(), 300) + ".");
}

} // namespace

struct ChatTemplate::Program {
    std::string source;
    jinja::Block block;
};

ChatTemplate::ChatTemplate(std::unique_ptr<Program> program) : m_program(std::move(program)) {}

ChatTemplate::~ChatTemplate() = default;

Result<std::shared_ptr<const ChatTemplate>> ChatTemplate::parse(std::string_view source)
{
    return guard("reading a chat template", [&]() -> Result<std::shared_ptr<const ChatTemplate>> {
        constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
        if (source.starts_with(kByteOrderMark)) {
            source.remove_prefix(kByteOrderMark.size());
        }
        if (source.size() > kLongestSource || valid_utf8_prefix(source) != source.size()) {
            return failure(Error::Kind::BadFile, "The chat template is longer than 1 MiB or is not UTF-8.");
        }
        try {
            auto program = std::make_unique<Program>(Program{std::string(source), jinja::parse(source)});
            jinja::check_names(program->block);
            return std::shared_ptr<const ChatTemplate>(new ChatTemplate(std::move(program)));
        } catch (const jinja::Problem& problem) {
            return template_error(problem);
        }
    });
}

Result<std::string> ChatTemplate::render(const std::vector<ChatMessage>& messages, const Options& options) const
{
    using jinja::Value;
    return guard("rendering a chat template", [&]() -> Result<std::string> {
        jinja::List list;
        for (const ChatMessage& message : messages) {
            list.push_back(
                Value::dict_of({{"role", Value::text(with_valid_utf8(message.role))}, {"content", Value::text(with_valid_utf8(message.content))}}));
        }
        // The names that transformers' apply_chat_template gives a template; tools and documents are undefined where there are none.
        jinja::Names globals;
        globals.emplace_back("messages", Value::list(std::move(list)));
        globals.emplace_back("add_generation_prompt", Value::boolean(options.add_generation_prompt));
        globals.emplace_back("bos_token", Value::text(options.bos_token));
        globals.emplace_back("eos_token", Value::text(options.eos_token));
        try {
            return jinja::run(m_program->block, std::move(globals), options.now.value_or(std::time(nullptr)));
        } catch (const jinja::Problem& problem) {
            return template_error(problem);
        }
    });
}

const std::string& ChatTemplate::source() const
{
    return m_program->source;
}

} // namespace retort
