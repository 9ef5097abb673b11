#pragma once
#include "core/base/error.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

/// A chat as a model reads it.
struct EncodedChat {
    std::string rendered;
    std::vector<TokenId> ids;
    std::vector<std::uint8_t> counts; ///< for each id: 1 where the assistant wrote it
};

/// Refuses no messages at all. Which roles there are is the template's business.
[[nodiscard]] Result<void> check_messages(const std::vector<ChatMessage>& messages);

/// Puts a chat template around messages and cuts the result into ids. Text of messages never becomes special tokens, whatever it spells and whatever
/// the template puts beside it; the template's own text does. Fails when the template refuses the messages (its own words are in the sentence), or
/// when there is no message. Immutable; any thread. Tokenizer and template must outlive it.
class ChatEncoder {
public:
    ChatEncoder(const Tokenizer& tokenizer, const ChatTemplate& chat_template);

    /// What a model is given to answer; nothing in it counts.
    [[nodiscard]] Result<EncodedChat> prompt(const std::vector<ChatMessage>& messages, const ChatTemplate::Options& options) const;

    /// A chat to learn from. Each answer is cut apart from what stands before it, as it is when a model writes it, and counts with the end of its
    /// turn. Mismatch for a template that writes a turn otherwise once more follows.
    [[nodiscard]] Result<EncodedChat> dialogue(const std::vector<ChatMessage>& messages, ChatTemplate::Options options) const;

    struct SpecialPiece {
        std::string_view spelling;
        TokenId id = 0;
    };

private:
    struct Shielded {
        std::vector<ChatMessage> messages;
        std::string mark;
    };
    [[nodiscard]] Result<Shielded> shield(const std::vector<ChatMessage>& messages) const;
    [[nodiscard]] Result<std::string> beginning_of_opening(ChatTemplate::Options options, const std::string& word) const;
    void append(EncodedChat& chat, const std::string& rendered, const std::string& mark, std::uint8_t counts) const;
    void drop_second_bos(EncodedChat& chat) const;

    const Tokenizer& m_tokenizer;
    const ChatTemplate& m_template;
    std::vector<SpecialPiece> m_specials;
};

} // namespace retort
