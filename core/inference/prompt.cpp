#include "core/inference/prompt.h"

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
        return make_text_prompt(model, messages.back().content);
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
