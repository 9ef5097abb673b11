#pragma once
#include "core/text/jinja/library.h"

namespace retort::jinja {

// What filters, tests and methods do alike to texts, with Python's meaning.

[[nodiscard]] std::string upper_case(std::string_view text);
/// The first letter of the text, or of every word, large and the others small.
[[nodiscard]] std::string capitalised(std::string_view text, bool every_word);
/// Without white space, or without the characters given, at its ends.
[[nodiscard]] std::string_view stripped(std::string_view text, const Value* characters, bool left, bool right);
[[nodiscard]] std::string joined(const Library& library, const List& items, std::string_view separator);
/// In characters.
[[nodiscard]] std::int64_t length_of(const Library& library, std::string_view text);

/// `form` filled by printf's rules as Python has them ("%s: %d"), from the values in their order. Throws when they do not fit.
[[nodiscard]] std::string printf_text(const Library& library, std::string_view form, const List& values);

} // namespace retort::jinja
