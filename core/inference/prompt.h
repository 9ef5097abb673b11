#pragma once
#include "core/base/error.h"
#include "core/model/model.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

/// What a model is given to read, as text and as ids.
struct Prompt {
    std::string rendered;
    std::vector<TokenId> ids;
};

/// What a chat template is told besides the messages. Spellings left empty are the model's own.
struct PromptOptions {
    bool add_generation_prompt = true; ///< ends with the beginning of the assistant's turn
    std::string bos_token, eos_token;
    std::optional<std::int64_t> now; ///< seconds since 1970, for templates that name the date; the clock when empty
};

/// The chat template around `messages`; a model without one reads one message of a user as plain text, and refuses more rather than leave some out.
/// Text of messages never becomes special tokens, whatever it spells and whatever the template puts beside it; the template's own text does. Fails
/// when the template refuses the messages (its own words are in the sentence; which roles there are is its business), or when there is no message.
/// The model has a tokenizer.
[[nodiscard]] Result<Prompt> make_chat_prompt(const Model& model, const std::vector<ChatMessage>& messages, const PromptOptions& options = {});

/// `text` as it is, special tokens in it as text, with what the post-processor adds (a BOS, where the model wants one). The model has a tokenizer.
[[nodiscard]] Prompt make_text_prompt(const Model& model, std::string_view text);

} // namespace retort
