#include "core/inference/prompt.h"

#include "core/base/text_format.h"
#include "core/text/chat_encoding.h"

namespace retort {

Prompt make_text_prompt(const Model& model, std::string_view text)
{
    const Tokenizer& tokenizer = model.tokenizer();
    return {std::string(text), tokenizer.with_additions(tokenizer.encode(text, Tokenizer::Special::AsText))};
}

Result<Prompt> make_chat_prompt(const Model& model, const std::vector<ChatMessage>& messages, const PromptOptions& options)
{
    const ChatTemplate* chat_template = model.chat_template();
    if (chat_template == nullptr) {
        if (auto checked = check_messages(messages); !checked) {
            return failure(std::move(checked.error()));
        }
        if (messages.size() > 1 || messages.front().role != "user") {
            return failure(Error::Kind::Mismatch,
                           printable(model.info().name) + " has no chat template that Retort can follow, so it reads one text of a user; " +
                               std::to_string(messages.size()) +
                               (messages.size() == 1 ? " message was given, of the role \"" : " messages were given, the last of the role \"") +
                               printable(messages.back().role, 40) + "\". Put what it should read into one text.");
        }
        return make_text_prompt(model, messages.front().content);
    }
    auto chat = ChatEncoder(model.tokenizer(), *chat_template)
                    .prompt(messages, {.add_generation_prompt = options.add_generation_prompt,
                                       .bos_token = options.bos_token.empty() ? model.info().bos_text : options.bos_token,
                                       .eos_token = options.eos_token.empty() ? model.info().eos_text : options.eos_token,
                                       .now = options.now});
    if (!chat) {
        return failure(std::move(chat.error()));
    }
    return Prompt{std::move(chat->rendered), std::move(chat->ids)};
}

} // namespace retort
