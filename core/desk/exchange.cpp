#include "core/desk/exchange.h"

#include "core/base/text_format.h"

#include <algorithm>
#include <cmath>

namespace retort {

namespace {

Finish finish_from(const std::string& name)
{
    for (const Finish finish : {Finish::Stop, Finish::Length, Finish::Cancelled, Finish::ContextFull}) {
        if (name_of(finish) == name) {
            return finish;
        }
    }
    return Finish::Stop;
}

/// Fills in the whole characters that each token completed.
void spell(std::vector<GeneratedToken>& tokens)
{
    std::string pending;
    for (GeneratedToken& token : tokens) {
        pending += token.bytes;
        const std::size_t whole = valid_utf8_prefix(pending);
        token.text = pending.substr(0, whole);
        pending.erase(0, whole);
        if (pending.size() > 3) { // longer than any unfinished character: these bytes are none
            token.text += with_valid_utf8(pending);
            pending.clear();
        }
    }
}

ExchangeSide side_from(const StoredResponse& stored, const std::vector<TokenId>& prompt)
{
    ExchangeSide side;
    side.asked = true;
    side.model_name = stored.model_name;
    side.model_sha256 = stored.model_sha256;
    side.answer.prompt = prompt;
    side.answer.text = stored.text;
    side.answer.finish = finish_from(stored.finish);
    side.answer.first_token_seconds = stored.first_token_ms / 1000.0;
    side.answer.prompt_seconds = side.answer.first_token_seconds;
    side.answer.decode_seconds = std::max(0.0, (stored.generation_ms - stored.first_token_ms) / 1000.0);
    for (const StoredToken& token : stored.tokens) {
        side.answer.tokens.push_back({.id = token.id,
                                      .text = {},
                                      .bytes = token.bytes,
                                      .log_probability = token.log_probability,
                                      .rank = token.rank,
                                      .entropy = token.entropy});
    }
    spell(side.answer.tokens);
    return side;
}

} // namespace

Exchange exchange_from(const StoredPrompt& stored, std::uint64_t number)
{
    Exchange exchange{.number = number, .row = stored.id};
    exchange.question.messages = stored.messages;
    exchange.prompt = {stored.rendered, stored.ids};
    for (const StoredResponse& response : stored.responses) {
        exchange.side(response.role == "student" ? Role::Student : Role::Teacher) = side_from(response, stored.ids);
        exchange.question.settings.sampler.seed = response.seed;
    }
    for (const StoredComparison& comparison : stored.comparisons) {
        exchange.side(comparison.text_of == "student" ? Role::Student : Role::Teacher).forced = comparison.comparison;
    }
    return exchange;
}

ExchangeHead head_of(const Exchange& exchange)
{
    ExchangeHead head;
    head.id = exchange.row != 0 ? exchange.row : -static_cast<RowId>(exchange.number);
    head.messages = exchange.question.messages;
    for (const Role role : kRoles) {
        if (exchange.side(role).asked && !exchange.side(role).error) {
            head.answered_by.push_back(exchange.side(role).model_name);
        }
    }
    return head;
}

std::vector<GeneratedToken> beginning_with(const Exchange& exchange, TokenPlace place, TokenId alternative, Role viewer, const Tokenizer& tokenizer)
{
    const ExchangeSide& side = exchange.side(place.text_of);
    const auto before = side.answer.tokens.begin() + static_cast<std::ptrdiff_t>(place.position);
    std::vector<GeneratedToken> tokens(side.answer.tokens.begin(), before);
    if (viewer != place.text_of && side.forced) {
        for (std::size_t i = 0; i < tokens.size() && i < side.forced->positions.size(); ++i) {
            const ComparedPosition& seen = side.forced->positions[i];
            const bool teacher = viewer == Role::Teacher;
            tokens[i].log_probability = teacher ? seen.teacher_log_probability : seen.student_log_probability;
            tokens[i].rank = teacher ? seen.teacher_rank : seen.student_rank;
            tokens[i].entropy = static_cast<float>(teacher ? seen.divergence.teacher_entropy : seen.divergence.student_entropy);
        }
    }
    GeneratedToken chosen{.id = alternative, .text = {}, .bytes = std::string(tokenizer.bytes(alternative))};
    if (side.forced && place.position < side.forced->positions.size()) {
        const ComparedPosition& seen = side.forced->positions[place.position];
        const auto& candidates = viewer == Role::Teacher ? seen.teacher_top : seen.student_top;
        const auto candidate = std::ranges::find(candidates, alternative, &Candidate::id);
        if (candidate != candidates.end()) {
            chosen.log_probability = std::log(candidate->probability);
            chosen.rank = candidate->rank;
        }
        chosen.entropy = static_cast<float>(viewer == Role::Teacher ? seen.divergence.teacher_entropy : seen.divergence.student_entropy);
    }
    tokens.push_back(std::move(chosen));
    spell(tokens);
    return tokens;
}

} // namespace retort
