#include "ui/pages/compare/column_content.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace retort {

namespace {

constexpr double kRare = 0.1;

TokenFacts facts_from(const ComparedPosition& position, Role column)
{
    const double teacher = std::exp(static_cast<double>(position.teacher_log_probability));
    const double student = std::exp(static_cast<double>(position.student_log_probability));
    TokenFacts facts;
    facts.probability = column == Role::Teacher ? teacher : student;
    facts.entropy = column == Role::Teacher ? position.divergence.teacher_entropy : position.divergence.student_entropy;
    facts.rank = column == Role::Teacher ? position.teacher_rank : position.student_rank;
    facts.kl = position.divergence.kl;
    facts.delta_p = student - teacher;
    facts.same_top = position.divergence.same_top;
    return facts;
}

TokenFacts facts_from(const GeneratedToken& token)
{
    TokenFacts facts;
    facts.probability = std::exp(static_cast<double>(token.log_probability));
    facts.entropy = token.entropy;
    facts.rank = token.rank;
    return facts;
}

/// The first place after (or before) `from` that passes, around the end.
template <class Passes>
std::optional<std::size_t> walk(std::size_t count, std::optional<std::size_t> from, bool forward, Passes passes)
{
    const std::size_t start = from && *from < count ? *from : (forward ? count - 1 : 0);
    for (std::size_t step = 1; step <= count; ++step) {
        const std::size_t at = forward ? (start + step) % count : (start + count - step) % count;
        if (passes(at)) {
            return at;
        }
    }
    return std::nullopt;
}

} // namespace

std::vector<ShownToken> shown_tokens(const Answer& answer, std::size_t first, const Tokenizer* tokenizer)
{
    std::vector<ShownToken> out;
    for (std::size_t i = first; i < answer.tokens.size(); ++i) {
        out.push_back({answer.tokens[i].bytes, tokenizer != nullptr && tokenizer->is_special(answer.tokens[i].id)});
    }
    return out;
}

std::vector<TokenFacts> token_facts(const Exchange& exchange, Role text_of, Role column, std::size_t first)
{
    const ExchangeSide& side = exchange.side(text_of);
    std::vector<TokenFacts> out;
    if (side.forced) {
        const auto& positions = side.forced->positions;
        for (std::size_t i = first; i < std::min(positions.size(), side.answer.tokens.size()); ++i) {
            out.push_back(facts_from(positions[i], column));
        }
    } else if (text_of == column) {
        for (std::size_t i = first; i < side.answer.tokens.size(); ++i) {
            out.push_back(facts_from(side.answer.tokens[i]));
        }
    }
    return out;
}

std::optional<std::size_t> parting_of(const Exchange& exchange)
{
    const auto& teacher = exchange.side(Role::Teacher).answer.tokens;
    const auto& student = exchange.side(Role::Student).answer.tokens;
    const std::size_t common = std::min(teacher.size(), student.size());
    for (std::size_t i = 0; i < common; ++i) {
        if (teacher[i].id != student[i].id) {
            return i;
        }
    }
    const bool both_done = !exchange.running() && exchange.side(Role::Teacher).asked && exchange.side(Role::Student).asked;
    return both_done && teacher.size() != student.size() ? std::optional(common) : std::nullopt;
}

std::vector<double> kl_values(const Exchange& exchange, Role text_of)
{
    std::vector<double> out;
    if (const auto& forced = exchange.side(text_of).forced) {
        for (const ComparedPosition& position : forced->positions) {
            out.push_back(position.divergence.kl);
        }
    }
    return out;
}

std::optional<std::size_t> jump(Jump kind, const std::vector<TokenFacts>& facts, std::optional<std::size_t> from)
{
    if (facts.empty()) {
        return std::nullopt;
    }
    switch (kind) {
    case Jump::NextDifference:
    case Jump::PreviousDifference:
        return walk(facts.size(), from, kind == Jump::NextDifference, [&](std::size_t at) { return !facts[at].same_top; });
    case Jump::Rare:
        return walk(facts.size(), from, true, [&](std::size_t at) { return facts[at].probability < kRare; });
    case Jump::MostUncertain: {
        std::vector<std::size_t> order(facts.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return facts[a].entropy > facts[b].entropy; });
        order.resize(std::max<std::size_t>(1, order.size() / 4));
        const auto here = from ? std::find(order.begin(), order.end(), *from) : order.end();
        return here == order.end() || here + 1 == order.end() ? order.front() : *(here + 1);
    }
    }
    return std::nullopt;
}

} // namespace retort
