#include "core/text/byte_alphabet.h"

#include "core/text/unicode.h"

#include <array>
#include <charconv>
#include <cstdint>

namespace retort {

namespace {

struct Alphabet {
    std::array<char32_t, 256> character{};
    std::array<std::int16_t, 512> byte{};
};

constexpr Alphabet make_alphabet()
{
    Alphabet alphabet;
    for (auto& byte : alphabet.byte) {
        byte = -1;
    }
    char32_t next = 0x100;
    for (std::size_t b = 0; b < 256; ++b) {
        const bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        const char32_t character = printable ? static_cast<char32_t>(b) : next++;
        alphabet.character[b] = character;
        alphabet.byte[character] = static_cast<std::int16_t>(b);
    }
    return alphabet;
}

constexpr Alphabet kAlphabet = make_alphabet();

} // namespace

std::string spell_bytes(std::string_view bytes)
{
    std::string out;
    for (const char c : bytes) {
        append_utf8(out, kAlphabet.character[static_cast<unsigned char>(c)]);
    }
    return out;
}

std::optional<std::string> bytes_of_spelling(std::string_view spelling)
{
    std::string out;
    for (std::size_t at = 0; at < spelling.size();) {
        const CodePoint c = code_point_at(spelling, at);
        if (c.value >= kAlphabet.byte.size() || kAlphabet.byte[c.value] < 0) {
            return std::nullopt;
        }
        out += static_cast<char>(kAlphabet.byte[c.value]);
        at += c.length;
    }
    return out;
}

std::optional<unsigned char> byte_of_fallback(std::string_view spelling)
{
    if (spelling.size() != 6 || !spelling.starts_with("<0x") || spelling.back() != '>') {
        return std::nullopt;
    }
    unsigned char byte = 0;
    const auto [end, error] = std::from_chars(spelling.data() + 3, spelling.data() + 5, byte, 16);
    return error == std::errc() && end == spelling.data() + 5 ? std::optional(byte) : std::nullopt;
}

} // namespace retort
