#pragma once
#include "core/text/jinja/value.h"

namespace retort::jinja {

/// A word of a template. Text between tags comes as one token, already trimmed as the tags around it ask.
struct Token {
    enum class Kind { Text, BlockBegin, BlockEnd, VariableBegin, VariableEnd, Name, Integer, Float, String, Operator, End };
    Kind kind = Kind::End;
    std::string text;
    int line = 1;
};

/// Cuts a template into tokens as Jinja does with trim_blocks and lstrip_blocks on, which is how transformers renders. Throws Problem.
[[nodiscard]] std::vector<Token> tokens_of(std::string_view source);

} // namespace retort::jinja
