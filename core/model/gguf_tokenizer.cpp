#include "core/model/gguf.h"

#include <algorithm>

namespace retort {

namespace {

/// Nothing where the key holds something else than a number: collect_ends() looks at that.
std::optional<TokenId> token_id(const GgufFile& file, GgufFields& fields, const std::string& key, std::size_t tokens)
{
    const auto found = file.metadata.find(key);
    if (found == file.metadata.end() || std::holds_alternative<std::string>(found->second) || std::holds_alternative<GgufArray>(found->second)) {
        return std::nullopt;
    }
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

/// What ends an answer, as a number, a list of them, or a spelling; writers of GGUF files agree on the number only.
void collect_ends(const GgufFile& file, const std::string& key, GgufTokenizer& tokenizer)
{
    const auto found = file.metadata.find(key);
    if (found == file.metadata.end()) {
        return;
    }
    const auto add_number = [&tokenizer](std::uint64_t id) {
        if (id < tokenizer.tokens.size()) {
            tokenizer.ends.push_back(static_cast<TokenId>(id));
        }
    };
    const auto add_spelling = [&](const std::string& spelling) {
        const auto piece = std::find(tokenizer.tokens.begin(), tokenizer.tokens.end(), spelling);
        if (piece != tokenizer.tokens.end()) {
            add_number(static_cast<std::uint64_t>(piece - tokenizer.tokens.begin()));
        }
    };
    if (const auto* number = std::get_if<std::uint64_t>(&found->second)) {
        add_number(*number);
    } else if (const auto* signed_number = std::get_if<std::int64_t>(&found->second)) {
        add_number(static_cast<std::uint64_t>(*signed_number));
    } else if (const auto* spelling = std::get_if<std::string>(&found->second)) {
        add_spelling(*spelling);
    } else if (const auto* list = std::get_if<GgufArray>(&found->second)) {
        if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(list)) {
            std::for_each(numbers->begin(), numbers->end(), add_number);
        } else if (const auto* spellings = std::get_if<std::vector<std::string>>(list)) {
            std::for_each(spellings->begin(), spellings->end(), add_spelling);
        }
    }
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
    tokenizer.bos = token_id(file, fields, "tokenizer.ggml.bos_token_id", count);
    tokenizer.eos = token_id(file, fields, "tokenizer.ggml.eos_token_id", count);
    tokenizer.eot = token_id(file, fields, "tokenizer.ggml.eot_token_id", count);
    tokenizer.unknown = token_id(file, fields, "tokenizer.ggml.unknown_token_id", count);
    tokenizer.padding = token_id(file, fields, "tokenizer.ggml.padding_token_id", count);
    for (const char* key : {"eos_token_id", "eos_token_ids", "eot_token_id", "eom_token_id", "eog_token_ids"}) {
        collect_ends(file, std::string("tokenizer.ggml.") + key, tokenizer);
    }
    tokenizer.remove_extra_blanks = fields.boolean(".remove_extra_whitespaces");
    if (const auto* map = fields.list<std::int64_t>(".precompiled_charsmap")) {
        tokenizer.character_map.assign(map->begin(), map->end());
    }
    tokenizer.add_bos = fields.boolean(".add_bos_token");
    tokenizer.add_eos = fields.boolean(".add_eos_token");
    tokenizer.add_space_prefix = fields.boolean(".add_space_prefix");
    if (auto result = fields.result(); !result) {
        return failure(std::move(result.error()));
    }
    return tokenizer;
}

} // namespace retort
