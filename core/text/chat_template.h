#pragma once
#include "core/base/error.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

struct ChatMessage {
    std::string role; ///< system, user, assistant
    std::string content;
};

/// A model's chat template (Jinja), run in an interpreter of our own: it is a program from a stranger, so steps, output and depth are bounded, and it
/// sees the messages and nothing else. Immutable; any thread.
class ChatTemplate {
public:
    struct Options {
        bool add_generation_prompt = true;
        std::string bos_token;
        std::string eos_token;
        std::optional<std::int64_t> now; ///< seconds since 1970 for strftime_now; the clock when empty
    };

    /// Refuses with a sentence that names the construct and its line when the template uses what the interpreter does not know;
    /// a filter or test inside an `if` is refused by render(), when it is reached.
    [[nodiscard]] static Result<std::shared_ptr<const ChatTemplate>> parse(std::string_view source);

    ~ChatTemplate();

    /// The prompt's text. Fails when the template raises, or passes a limit (1,000,000 steps, 1 MiB of output, depth 100).
    [[nodiscard]] Result<std::string> render(const std::vector<ChatMessage>& messages, const Options& options) const;

    [[nodiscard]] const std::string& source() const;

private:
    struct Program;
    explicit ChatTemplate(std::unique_ptr<Program> program);
    std::unique_ptr<Program> m_program;
};

} // namespace retort
