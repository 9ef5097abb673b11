#pragma once
#include "core/text/piece_tokenizer.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace retort {

/// Values of tokenizer.ggml.token_type.
enum TokenType : std::int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

/// A pre-tokenizer that GGUF files know by name only. The expressions are those of the models' own tokenizer.json, where one is published;
/// which name means which, and the two flags, is llama.cpp's convention.
struct NamedCut {
    std::vector<std::string_view> names;
    std::vector<std::string_view> expressions;
    bool ignore_merges = false;
    bool add_bos = false;
};

/// Null for a name that is not known.
[[nodiscard]] const NamedCut* cut_named(std::string_view name);

/// The tokenizer's parts. The error is a part of a sentence without the file's name.
[[nodiscard]] Result<PieceTokenizer::Parts> parts_of(const GgufTokenizer& fields);

} // namespace retort
