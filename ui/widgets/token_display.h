#pragma once
#include <QString>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace retort {

/// A token as a text shows it: its own bytes, which may be a part of a character, or none at all.
struct ShownToken {
    std::string bytes;
    bool special = false; ///< the bytes are the spelling of a control token, shown as one sign
};

/// A byte of a list of tokens.
struct BytePlace {
    std::size_t token = 0;
    std::size_t byte = 0;
    friend bool operator==(const BytePlace&, const BytePlace&) = default;
};

/// What one token gives to one displayed character. A character whose bytes lie in several tokens has one cell for each of them, all with the same
/// characters; so every byte of every token belongs to exactly one cell, in order.
struct DisplayCell {
    enum class Kind : std::uint8_t { Text, Space, LineEnd, Tab, Control, Broken, Special, Empty };

    std::uint32_t token = 0;
    std::uint32_t byte_begin = 0, byte_end = 0; ///< within the token
    std::int32_t from = 0;                      ///< first UTF-16 unit in the display text
    std::uint16_t length = 0;                   ///< units
    std::uint8_t slice = 0, slices = 1;         ///< this token's part of the character's width
    Kind kind = Kind::Text;
};

/// A stretch of tokens made displayable: line ends, tabs and controls as signs, bytes that are no UTF-8 in hex.
struct DisplayText {
    QString text;
    std::vector<DisplayCell> cells;
    BytePlace end;              ///< the first byte not taken
    bool ends_the_line = false; ///< a line end was the last thing taken
};

/// A token on one line, for tables and buttons: "·win", its blanks as middle dots.
[[nodiscard]] QString token_label(const ShownToken& token);

/// Takes tokens from `begin` on until a line end (taken along), until `limit` UTF-16 units, or until they end.
[[nodiscard]] DisplayText display_text(std::span<const ShownToken> tokens, BytePlace begin, std::size_t limit);

} // namespace retort
