#pragma once
#include "core/base/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

/// SentencePiece's table of characters and what they become ("precompiled_charsmap"): the size of a double-array trie (darts-clone), its units, then
/// the replacements, each ended by a zero byte. Every look-up stays within the table, whatever a file says. Immutable; any thread.
class CharacterMap {
public:
    /// The error is a part of a sentence without the file's name.
    [[nodiscard]] static Result<CharacterMap> create(std::string_view bytes);

    /// At each place the longest entry, else the character itself: SentencePiece's way (normalizer.cc).
    [[nodiscard]] std::string applied_by_longest(std::string_view text) const;

    /// For each grapheme of fewer than 6 bytes the shortest entry that it begins with, for longer ones for each character: the way of tokenizers'
    /// Precompiled.
    [[nodiscard]] std::string applied_by_graphemes(std::string_view text) const;

    /// Bytes of the longest replacement.
    [[nodiscard]] std::size_t longest_replacement() const { return m_longest; }

private:
    struct Found {
        std::size_t length = 0; ///< of what is replaced; 0 when there is no entry
        std::string_view text;
    };
    enum class Want { Shortest, Longest };
    [[nodiscard]] Found find(std::string_view text, Want want) const;
    [[nodiscard]] std::string_view replacement_at(std::uint32_t place) const;

    std::vector<std::uint32_t> m_units;
    std::string m_texts;
    std::size_t m_longest = 0;
};

/// Nothing when `text` is not base64 (RFC 4648).
[[nodiscard]] std::optional<std::string> bytes_of_base64(std::string_view text);

} // namespace retort
