#pragma once
#include <string_view>

namespace retort {

/// Whether a special token of that spelling ends an answer in the model families we know ("<|im_end|>", "</s>", ...).
[[nodiscard]] bool ends_an_answer(std::string_view spelling);

/// Whether a special token of that spelling begins a text in the model families we know.
[[nodiscard]] bool begins_a_text(std::string_view spelling);

} // namespace retort
