#include "core/text/unicode.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utf8proc.h>
#include <utility>
#include <vector>

namespace retort {

namespace {

/// Below U+0300 every character is its own NFC and none joins what stands before it, so only the stretches above need work.
constexpr unsigned char kLeadOfU0300 = 0xCC;

void sort_marks(std::vector<utf8proc_int32_t>& code_points)
{
    const auto combining = [](utf8proc_int32_t c) { return utf8proc_get_property(c)->combining_class; };
    for (auto begin = code_points.begin(); begin != code_points.end();) {
        if (combining(*begin) == 0) {
            ++begin;
            continue;
        }
        const auto end = std::find_if(begin, code_points.end(), [&](utf8proc_int32_t c) { return combining(c) == 0; });
        std::stable_sort(begin, end, [&](utf8proc_int32_t a, utf8proc_int32_t b) { return combining(a) < combining(b); });
        begin = end;
    }
}

void append_normalised(std::string& out, std::string_view text, NormalForm form)
{
    const bool compatible = form == NormalForm::Nfkc || form == NormalForm::Nfkd;
    const auto options = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0));
    std::vector<utf8proc_int32_t> code_points;
    std::array<utf8proc_int32_t, 32> parts{}; // the longest full decomposition in Unicode has 18
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = code_point_at(text, at);
        at += c.length;
        int boundary = 0;
        const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c.value), parts.data(), parts.size(), options, &boundary);
        code_points.insert(code_points.end(), parts.begin(), parts.begin() + std::clamp<std::ptrdiff_t>(count, 0, parts.size()));
    }
    sort_marks(code_points);
    auto size = static_cast<utf8proc_ssize_t>(code_points.size());
    if (form == NormalForm::Nfc || form == NormalForm::Nfkc) {
        size = utf8proc_normalize_utf32(code_points.data(), size, static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
    }
    for (utf8proc_ssize_t i = 0; i < size; ++i) {
        append_utf8(out, static_cast<char32_t>(code_points[static_cast<std::size_t>(i)]));
    }
}

bool is_high(char byte)
{
    return static_cast<unsigned char>(byte) >= kLeadOfU0300;
}

std::string nfc(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    std::size_t copied = 0;
    for (std::size_t at = 0; at < text.size();) {
        if (!is_high(text[at])) {
            ++at;
            continue;
        }
        const std::size_t begin = at > copied ? previous_character(text, at) : at;
        std::size_t end = at;
        while (end < text.size() && is_high(text[end])) {
            end += code_point_at(text, end).length;
        }
        out += text.substr(copied, begin - copied);
        append_normalised(out, text.substr(begin, end - begin), NormalForm::Nfc);
        copied = at = end;
    }
    out += text.substr(copied);
    return out;
}

} // namespace

CodePoint code_point_at(std::string_view text, std::size_t at)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) {
        return {lead, 1};
    }
    const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (at + length > text.size()) {
        return {0xFFFD, text.size() - at};
    }
    char32_t value = lead & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        value = (value << 6) | (byte(i) & 0x3Fu);
    }
    return {value, length};
}

std::size_t previous_character(std::string_view text, std::size_t at)
{
    do {
        --at;
    } while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0u) == 0x80u);
    return at;
}

void append_utf8(std::string& out, char32_t code_point)
{
    std::array<utf8proc_uint8_t, 4> bytes{};
    const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code_point), bytes.data());
    for (utf8proc_ssize_t i = 0; i < length; ++i) {
        out += static_cast<char>(bytes[static_cast<std::size_t>(i)]);
    }
}

bool is_numeric(char32_t code_point)
{
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
    return category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL || category == UTF8PROC_CATEGORY_NO;
}

bool is_letter(char32_t code_point)
{
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool is_white_space(char32_t c)
{
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_word(char32_t code_point)
{
    constexpr std::array<std::pair<char32_t, char32_t>, 5> kOthers = {
        // joiners, and circled and squared letters, which count as alphabetic
        {{0x200C, 0x200D}, {0x24B6, 0x24E9}, {0x1F130, 0x1F149}, {0x1F150, 0x1F169}, {0x1F170, 0x1F189}}};
    if (std::any_of(kOthers.begin(), kOthers.end(), [&](const auto& range) { return range.first <= code_point && code_point <= range.second; })) {
        return true;
    }
    switch (utf8proc_category(static_cast<utf8proc_int32_t>(code_point))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
        return true;
    default:
        return false;
    }
}

std::string normalised(std::string_view text, NormalForm form)
{
    if (form == NormalForm::Nfc) {
        return nfc(text);
    }
    std::string out;
    append_normalised(out, text, form);
    return out;
}

char32_t upper_of(char32_t code_point)
{
    return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(code_point)));
}

std::string lower_case(std::string_view text)
{
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = code_point_at(text, at);
        at += c.length;
        if (c.value == 0x130) {
            out += "i\xCC\x87"; // the one character whose lower case is two
        } else {
            append_utf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c.value))));
        }
    }
    return out;
}

std::string with_replaced(std::string_view text, std::string_view from, std::string_view to)
{
    std::string out;
    std::size_t done = 0;
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string_view::npos; done = at) {
        out.append(text.substr(done, at - done)).append(to);
        at += from.size();
    }
    return out.append(text.substr(done));
}

std::string without_accents(std::string_view text)
{
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = code_point_at(text, at);
        if (utf8proc_category(static_cast<utf8proc_int32_t>(c.value)) != UTF8PROC_CATEGORY_MN) {
            out += text.substr(at, c.length);
        }
        at += c.length;
    }
    return out;
}

} // namespace retort
