// What normalizers take out of a text, or put blanks for.
#include "core/text/unicode.h"

#include <algorithm>
#include <array>
#include <span>
#include <utf8proc.h>
#include <utility>

namespace retort {

namespace {

using Range = std::pair<char32_t, char32_t>;

bool is_in(std::span<const Range> ranges, char32_t c)
{
    return std::any_of(ranges.begin(), ranges.end(), [c](const Range& range) { return range.first <= c && c <= range.second; });
}

/// The text with each character as `change` says: nothing to drop it, a blank, or itself.
template <class Change>
std::string changed(std::string_view text, Change&& change)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = code_point_at(text, at);
        change(out, c.value, text.substr(at, c.length));
        at += c.length;
    }
    return out;
}

} // namespace

std::size_t grapheme_length(std::string_view text, std::size_t at)
{
    const std::size_t begin = at;
    CodePoint c = code_point_at(text, at);
    utf8proc_int32_t state = 0;
    for (at += c.length; at < text.size(); at += c.length) {
        const auto before = static_cast<utf8proc_int32_t>(c.value);
        c = code_point_at(text, at);
        if (utf8proc_grapheme_break_stateful(before, static_cast<utf8proc_int32_t>(c.value), &state)) {
            break;
        }
    }
    return at - begin;
}

std::string with_plain_blanks(std::string_view text)
{
    constexpr std::array<Range, 6> kDropped = {{{0x01, 0x08}, {0x0B, 0x0B}, {0x0E, 0x1F}, {0x7F, 0x7F}, {0x8F, 0x8F}, {0x9F, 0x9F}}};
    constexpr std::array<Range, 9> kBlanks = {{{0x09, 0x0A},
                                               {0x0C, 0x0D},
                                               {0x1680, 0x1680},
                                               {0x200B, 0x200F},
                                               {0x2028, 0x2029},
                                               {0x2581, 0x2581},
                                               {0xFEFF, 0xFEFF},
                                               {0xFFFD, 0xFFFD},
                                               {0x20, 0x20}}};
    return changed(text, [&](std::string& out, char32_t c, std::string_view character) {
        if (!is_in(kDropped, c)) {
            out += is_in(kBlanks, c) ? std::string_view(" ") : character;
        }
    });
}

std::string without_controls(std::string_view text)
{
    return changed(text, [](std::string& out, char32_t c, std::string_view character) {
        if (c == '\t' || c == '\n' || c == '\r' || is_white_space(c)) {
            out += ' ';
            return;
        }
        const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
        const bool other = category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_CO;
        if (!other && c != 0xFFFD) {
            out += character;
        }
    });
}

std::string with_spaced_ideographs(std::string_view text)
{
    constexpr std::array<Range, 8> kIdeographs = {{{0x4E00, 0x9FFF},
                                                   {0x3400, 0x4DBF},
                                                   {0x20000, 0x2A6DF},
                                                   {0x2A700, 0x2B73F},
                                                   {0x2B740, 0x2B81F},
                                                   {0x2B920, 0x2CEAF},
                                                   {0xF900, 0xFAFF},
                                                   {0x2F800, 0x2FA1F}}};
    return changed(text, [&](std::string& out, char32_t c, std::string_view character) {
        const bool ideograph = is_in(kIdeographs, c);
        out.append(ideograph ? " " : "").append(character).append(ideograph ? " " : "");
    });
}

} // namespace retort
