#pragma once
#include "core/base/error.h"
#include "core/model/model.h"

#include <string>
#include <string_view>
#include <vector>

namespace retort
{

/// What a model is given to read, as text and as ids.
struct Prompt {
    std::string rendered;
    std::vector<TokenId> ids;
};

/// The chat template around `messages`; a model without one gets the last message as plain text. Text of messages never becomes special tokens,
/// whatever it spells and whatever the template puts beside it; the template's own text does. Fails when the template refuses the messages (its own
/// words are in the sentence), when a role is none of system, user, assistant and tool, or when there is no message. The model has a tokenizer.
[[nodiscard]] Result<Prompt> make_chat_prompt(const Model& model, const std::vector<ChatMessage>& messages);

/// `text` as it is, special tokens in it as text, with what the post-processor adds (a BOS, where the model wants one). The model has a tokenizer.
[[nodiscard]] Prompt make_text_prompt(const Model& model, std::string_view text);

} // namespace retort
