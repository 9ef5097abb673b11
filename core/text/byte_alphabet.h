#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace retort {

/// The 256 printable characters that byte-level BPE spells bytes with: 33-126, 161-172 and 174-255 are themselves, the others follow from U+0100
/// in order (GPT-2's encoder.py). "Ġthe" stands for " the".
[[nodiscard]] std::string spell_bytes(std::string_view bytes);

/// The bytes of a spelling; nothing when a character of it is not in the alphabet.
[[nodiscard]] std::optional<std::string> bytes_of_spelling(std::string_view spelling);

/// The byte that a piece spelled "<0x0A>" stands for, as SentencePiece writes bytes.
[[nodiscard]] std::optional<unsigned char> byte_of_fallback(std::string_view spelling);

} // namespace retort
