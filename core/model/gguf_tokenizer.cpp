#include "core/model/gguf.h"

namespace retort {

namespace {

std::optional<TokenId> token_id(GgufFields& fields, const std::string& key, std::size_t tokens)
{
    const auto id = fields.whole(key);
    if (!id || *id == 0xFFFFFFFF || *id == -1) { // how some writers say "none"
        return std::nullopt;
    }
    if (*id < 0 || static_cast<std::uint64_t>(*id) >= tokens) {
        fields.complain(key + " is " + std::to_string(*id) + "; the vocabulary has " + std::to_string(tokens) + " pieces.");
        return std::nullopt;
    }
    return static_cast<TokenId>(*id);
}

/// A list of numbers that, when it is there, must have one for each piece.
template <class To, class From>
std::vector<To> per_piece(GgufFields& fields, const std::string& key, const std::vector<From>* list, std::size_t tokens)
{
    if (list == nullptr) {
        return {};
    }
    if (list->size() != tokens) {
        fields.complain(key + " has " + std::to_string(list->size()) + " entries; the vocabulary has " + std::to_string(tokens) + " pieces.");
        return {};
    }
    std::vector<To> values;
    values.reserve(tokens);
    for (const From value : *list) {
        values.push_back(static_cast<To>(value));
    }
    return values;
}

constexpr std::size_t kMostPieces = std::size_t{1} << 21;

} // namespace

Result<std::optional<GgufTokenizer>> tokenizer_fields(const GgufFile& file, const std::string& origin)
{
    GgufFields fields(file, origin, "tokenizer.ggml.");
    GgufTokenizer tokenizer;
    tokenizer.model = fields.text(".model").value_or("");
    if (const bool absent = tokenizer.model.empty() || tokenizer.model == "no_vocab" || tokenizer.model == "none"; absent) {
        if (auto result = fields.result(); !result) {
            return failure(std::move(result.error()));
        }
        return std::nullopt;
    }
    tokenizer.pre = fields.text(".pre").value_or("");
    tokenizer.huggingface_json = fields.text("tokenizer.huggingface.json").value_or("");
    if (const auto* tokens = fields.list<std::string>(".tokens")) {
        tokenizer.tokens = *tokens;
    }
    if (const auto* merges = fields.list<std::string>(".merges")) {
        tokenizer.merges = *merges;
    }
    const std::size_t count = tokenizer.tokens.size();
    if (count == 0 || count > kMostPieces) {
        fields.complain("tokenizer.ggml.tokens has " + std::to_string(count) + " pieces; 1 to " + std::to_string(kMostPieces) + " are possible.");
    }
    tokenizer.types = per_piece<std::int32_t>(fields, "tokenizer.ggml.token_type", fields.list<std::int64_t>(".token_type"), count);
    tokenizer.scores = per_piece<float>(fields, "tokenizer.ggml.scores", fields.list<double>(".scores"), count);
    tokenizer.bos = token_id(fields, "tokenizer.ggml.bos_token_id", count);
    tokenizer.eos = token_id(fields, "tokenizer.ggml.eos_token_id", count);
    tokenizer.eot = token_id(fields, "tokenizer.ggml.eot_token_id", count);
    tokenizer.unknown = token_id(fields, "tokenizer.ggml.unknown_token_id", count);
    tokenizer.padding = token_id(fields, "tokenizer.ggml.padding_token_id", count);
    tokenizer.add_bos = fields.boolean(".add_bos_token");
    tokenizer.add_eos = fields.boolean(".add_eos_token");
    tokenizer.add_space_prefix = fields.boolean(".add_space_prefix");
    if (auto result = fields.result(); !result) {
        return failure(std::move(result.error()));
    }
    return tokenizer;
}

} // namespace retort
