#include "core/text/added_tokens.h"

#include "core/text/unicode.h"

#include <algorithm>

namespace retort {

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : m_tokens(std::move(tokens))
{
    std::sort(m_tokens.begin(), m_tokens.end(), [](const AddedToken& a, const AddedToken& b) { return a.content < b.content; });
    for (const AddedToken& token : m_tokens) {
        m_begins[static_cast<unsigned char>(token.content.front())] = true;
    }
}

const AddedToken* AddedTokens::longest_at(std::string_view text, std::size_t at, Tokenizer::Special special) const
{
    const AddedToken* longest = nullptr;
    auto first = m_tokens.begin();
    auto last = m_tokens.end();
    const auto byte = [](char c) { return static_cast<unsigned char>(c); };
    for (std::size_t depth = 0; first != last; ++depth) {
        // All of [first, last) agree with the text up to depth; the shortest of them stands first.
        if (first->content.size() == depth) {
            if (!first->special || special == Tokenizer::Special::AsTokens) {
                longest = &*first;
            }
            ++first;
        }
        if (at + depth == text.size()) {
            break;
        }
        const unsigned char wanted = byte(text[at + depth]);
        first = std::partition_point(first, last, [&](const AddedToken& token) { return byte(token.content[depth]) < wanted; });
        last = std::partition_point(first, last, [&](const AddedToken& token) { return byte(token.content[depth]) == wanted; });
    }
    return longest;
}

std::optional<AddedTokens::Found> AddedTokens::next(std::string_view text, std::size_t at, std::size_t done, Tokenizer::Special special) const
{
    const auto word_before = [&](std::size_t place) { return place > 0 && is_word(code_point_at(text, previous_character(text, place)).value); };
    const auto word_after = [&](std::size_t place) { return place < text.size() && is_word(code_point_at(text, place).value); };
    for (; at < text.size(); ++at) {
        if (!m_begins[static_cast<unsigned char>(text[at])]) {
            continue;
        }
        const AddedToken* token = longest_at(text, at, special);
        if (!token) {
            continue;
        }
        Found found{token->id, at, at + token->content.size(), at + token->content.size()};
        if (token->single_word && (word_before(found.begin) || word_after(found.end))) {
            at = found.matched_end - 1;
            continue;
        }
        while (token->strip_left && found.begin > done) {
            const std::size_t before = previous_character(text, found.begin);
            if (!is_white_space(code_point_at(text, before).value)) {
                break;
            }
            found.begin = before;
        }
        while (token->strip_right && found.end < text.size() && is_white_space(code_point_at(text, found.end).value)) {
            found.end += code_point_at(text, found.end).length;
        }
        found.begin = std::max(found.begin, done);
        found.end = std::max(found.end, done);
        return found;
    }
    return std::nullopt;
}

} // namespace retort
