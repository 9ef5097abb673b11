#pragma once
#include "core/desk/exchange.h"
#include "ui/widgets/token_tint.h"
#include "ui/widgets/token_view.h"

#include <optional>
#include <vector>

namespace retort {

/// Whose words the two columns show: each its own, or both the same text, as each model scores it.
enum class TextView { Free, TeacherText, StudentText };

/// Whose text stands in the column of `column`.
[[nodiscard]] constexpr Role text_in(TextView view, Role column)
{
    return view == TextView::Free ? column : view == TextView::TeacherText ? Role::Teacher : Role::Student;
}

/// The answer's tokens from `first` on. `tokenizer` tells which are control tokens; may be null.
[[nodiscard]] std::vector<ShownToken> shown_tokens(const Answer& answer, std::size_t first, const Tokenizer* tokenizer);

/// What the model of `column` thought of the tokens of `text_of`'s answer, from `first` on. Empty when it has not read them.
[[nodiscard]] std::vector<TokenFacts> token_facts(const Exchange& exchange, Role text_of, Role column, std::size_t first);

/// The first place where the two answers are not the same token: from there on they are different texts. Empty while they agree, or when only one
/// model answered.
[[nodiscard]] std::optional<std::size_t> parting_of(const Exchange& exchange);

/// KL(teacher || student) at each token of the text; empty until both have read it.
[[nodiscard]] std::vector<double> kl_values(const Exchange& exchange, Role text_of);

/// Where the next place of a kind is.
enum class Jump { NextDifference, PreviousDifference, MostUncertain, Rare };
/// From `from` in a text with these facts. Differences: the models' first choices differ. Most uncertain: down the order of entropy, from the top
/// when `from` is not in it. Rare: the next token below 10 %. All wrap around; empty where there is none.
[[nodiscard]] std::optional<std::size_t> jump(Jump kind, const std::vector<TokenFacts>& facts, std::optional<std::size_t> from);

} // namespace retort
