#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace retort {

/// Code points of valid UTF-8 and the few properties of them that tokenizers ask for (Unicode data of utf8proc). Any thread.

/// The code point at `at` (< text.size()) and its length in bytes.
struct CodePoint {
    char32_t value = 0;
    std::size_t length = 1;
};
[[nodiscard]] CodePoint code_point_at(std::string_view text, std::size_t at);

/// Where the character that ends before `at` (> 0) begins.
[[nodiscard]] std::size_t previous_character(std::string_view text, std::size_t at);

void append_utf8(std::string& out, char32_t code_point);

/// General category N*: what Rust's char::is_numeric says.
[[nodiscard]] bool is_numeric(char32_t code_point);
/// General category L*.
[[nodiscard]] bool is_letter(char32_t code_point);
/// Property White_Space.
[[nodiscard]] bool is_white_space(char32_t code_point);
/// A letter, mark, digit, connector or joiner: what \w matches by UTS 18, as the word boundaries of added tokens have it.
[[nodiscard]] bool is_word(char32_t code_point);

enum class NormalForm { Nfc, Nfd, Nfkc, Nfkd };

/// `text` in a normal form of UAX 15. Linearithmic in the length whatever the text: a run of a million combining marks is no attack.
[[nodiscard]] std::string normalised(std::string_view text, NormalForm form);

[[nodiscard]] char32_t upper_of(char32_t code_point);
[[nodiscard]] std::string lower_case(std::string_view text);
/// Every `from` (not empty) as `to`, from left to right.
[[nodiscard]] std::string with_replaced(std::string_view text, std::string_view from, std::string_view to);
/// Bytes of the extended grapheme cluster (UAX 29) at `at` (< text.size()).
[[nodiscard]] std::size_t grapheme_length(std::string_view text, std::size_t at);

/// As SentencePiece's nmt_nfkc rule has it: most control characters go, tabs, line ends and kinds of blanks become a blank.
[[nodiscard]] std::string with_plain_blanks(std::string_view text);
/// As BERT cleans text: no control characters (categories Cc, Cf and Co), white space as blanks; ideographs with blanks around them.
[[nodiscard]] std::string without_controls(std::string_view text);
[[nodiscard]] std::string with_spaced_ideographs(std::string_view text);

/// Without the code points of category Mn.
[[nodiscard]] std::string without_accents(std::string_view text);

} // namespace retort
