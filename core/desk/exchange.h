#pragma once
#include "core/base/error.h"
#include "core/desk/role.h"
#include "core/inference/comparison.h"
#include "core/inference/generator.h"
#include "core/store/session.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace retort {

/// A question to both models.
struct Question {
    std::vector<ChatMessage> messages;
    bool use_chat_template = true; ///< where the model has one; the last message's bare text otherwise
    GenerateSettings settings;     ///< stop tokens are added from each model
};

/// One model's part of an exchange.
struct ExchangeSide {
    bool asked = false; ///< this model takes part
    bool running = false;
    std::string model_name, model_sha256; ///< who answered; the hash is empty for a model in memory only
    Answer answer;                        ///< complete up to the tokens that have arrived
    std::optional<Error> error;
    std::optional<Comparison> forced; ///< both models on this side's text, prompt positions left out; positions[i] belongs to answer.tokens[i]
};

/// One prompt and everything that is known of it: filled as it streams in, or at once from a stored session.
struct Exchange {
    std::uint64_t number = 0; ///< of this program run; 0: none
    RowId row = 0;            ///< of the stored prompt; 0 until it is stored
    Question question{};
    Prompt prompt{}; ///< as the teacher (or the only model) read it
    std::array<ExchangeSide, 2> sides{};

    [[nodiscard]] ExchangeSide& side(Role role) { return sides[index_of(role)]; }
    [[nodiscard]] const ExchangeSide& side(Role role) const { return sides[index_of(role)]; }
    [[nodiscard]] bool empty() const { return number == 0; }
    [[nodiscard]] bool running() const { return sides[0].running || sides[1].running; }
};

/// A token of one of the two answers: `position` indexes exchange().side(text_of).answer.tokens.
struct TokenPlace {
    Role text_of = Role::Teacher;
    std::size_t position = 0;
    friend bool operator==(const TokenPlace&, const TokenPlace&) = default;
};

/// What the database gave back, as the pages show it.
[[nodiscard]] Exchange exchange_from(const StoredPrompt& stored, std::uint64_t number);

/// How the list of this session's exchanges shows it; while its row is not known, its id is -number.
[[nodiscard]] ExchangeHead head_of(const Exchange& exchange);

/// The answer's tokens before `place`, then `alternative`, with what `viewer` thought of each as far as it is known.
[[nodiscard]] std::vector<GeneratedToken> beginning_with(const Exchange& exchange, TokenPlace place, TokenId alternative, Role viewer,
                                                         const Tokenizer& tokenizer);

} // namespace retort
