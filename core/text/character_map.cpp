#include "core/text/character_map.h"

#include "core/text/message.h"
#include "core/text/unicode.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace retort {

namespace {

constexpr std::size_t kUnitBytes = sizeof(std::uint32_t);
constexpr std::size_t kLongestMapped = 6; // a grapheme of as many bytes is looked at character by character

// A unit of darts-clone: a label in the low byte, whether a leaf hangs below it, and the offset to its children.
std::uint32_t label_of(std::uint32_t unit)
{
    return unit & (0x80000000U | 0xFFU);
}
bool has_leaf(std::uint32_t unit)
{
    return ((unit >> 8) & 1U) != 0;
}
std::size_t offset_of(std::uint32_t unit)
{
    return static_cast<std::size_t>(unit >> 10) << ((unit & 0x200U) >> 6);
}
std::uint32_t value_of(std::uint32_t unit)
{
    return unit & 0x7FFFFFFFU;
}

} // namespace

Result<CharacterMap> CharacterMap::create(std::string_view bytes)
{
    std::uint32_t size = 0;
    if (bytes.size() < kUnitBytes) {
        return refusal("the character map is cut short");
    }
    std::memcpy(&size, bytes.data(), kUnitBytes);
    bytes.remove_prefix(kUnitBytes);
    if (size % kUnitBytes != 0 || size == 0 || size > bytes.size()) {
        return refusal("the character map says its table has " + std::to_string(size) + " bytes, of " + std::to_string(bytes.size()) +
                       " that follow");
    }
    CharacterMap map;
    map.m_units.resize(size / kUnitBytes);
    std::memcpy(map.m_units.data(), bytes.data(), size);
    map.m_texts = bytes.substr(size);
    for (std::size_t at = 0; at < map.m_texts.size();) {
        const std::size_t end = std::min(map.m_texts.find('\0', at), map.m_texts.size());
        map.m_longest = std::max(map.m_longest, end - at);
        at = end + 1;
    }
    return map;
}

std::string_view CharacterMap::replacement_at(std::uint32_t place) const
{
    const std::string_view texts = m_texts;
    if (place >= texts.size()) {
        return {};
    }
    return texts.substr(place, texts.find('\0', place) - place);
}

CharacterMap::Found CharacterMap::find(std::string_view text, Want want) const
{
    Found found;
    std::size_t at = offset_of(m_units[0]);
    for (std::size_t i = 0; i < text.size() && text[i] != '\0'; ++i) {
        at ^= static_cast<unsigned char>(text[i]);
        if (at >= m_units.size() || label_of(m_units[at]) != static_cast<unsigned char>(text[i])) {
            break;
        }
        const std::uint32_t unit = m_units[at];
        at ^= offset_of(unit);
        if (!has_leaf(unit)) {
            continue;
        }
        if (at >= m_units.size()) {
            break;
        }
        found = {i + 1, replacement_at(value_of(m_units[at]))};
        if (want == Want::Shortest) {
            break;
        }
    }
    return found;
}

std::string CharacterMap::applied_by_longest(std::string_view text) const
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const Found found = find(text.substr(at), Want::Longest);
        const std::size_t length = found.length > 0 ? found.length : code_point_at(text, at).length;
        out += found.length > 0 ? found.text : text.substr(at, length);
        at += length;
    }
    return valid_utf8_prefix(out) == out.size() ? out : with_valid_utf8(out); // an entry of a made-up map may end within a character
}

std::string CharacterMap::applied_by_graphemes(std::string_view text) const
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view grapheme = text.substr(at, grapheme_length(text, at));
        at += grapheme.size();
        if (grapheme.size() < kLongestMapped) {
            if (const Found found = find(grapheme, Want::Shortest); found.length > 0) {
                out += found.text;
                continue;
            }
        }
        for (std::size_t i = 0; i < grapheme.size();) {
            const std::string_view character = grapheme.substr(i, code_point_at(grapheme, i).length);
            const Found found = find(character, Want::Shortest);
            out += found.length > 0 ? found.text : character;
            i += character.size();
        }
    }
    return valid_utf8_prefix(out) == out.size() ? out : with_valid_utf8(out);
}

std::optional<std::string> bytes_of_base64(std::string_view text)
{
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve(text.size() / 4 * 3);
    while (text.ends_with('=')) {
        text.remove_suffix(1);
    }
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const std::size_t digit = kDigits.find(c);
        if (digit == std::string_view::npos) {
            return std::nullopt;
        }
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out += static_cast<char>(bits >> count & 0xFFU);
        }
    }
    return out;
}

} // namespace retort
