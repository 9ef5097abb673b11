#pragma once
#include "core/text/json_value.h"
#include "core/text/tokenizer.h"

namespace retort {

/// Tokens that are put around a text (format: `post_processor` of tokenizer.json).
struct PostProcessor {
    std::vector<TokenId> before;
    std::vector<TokenId> after;

    /// From the JSON object, or null for none; ids are below `pieces`. The error is a part of a sentence without the file's name.
    [[nodiscard]] static Result<PostProcessor> from_json(const JsonValue* json, std::size_t pieces);
};

} // namespace retort
