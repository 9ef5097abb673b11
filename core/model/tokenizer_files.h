#pragma once
#include "core/base/error.h"
#include "core/text/tokenizer.h"

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace retort {

/// Tokens as a model's files name them: by id, by spelling, by an object with either, or by a list of those.
struct NamedTokens {
    std::vector<TokenId> ids;
    std::vector<std::string> spellings;
};

/// Adds what `object` (a config.json, generation_config.json, tokenizer_config.json or special_tokens_map.json) says that ends an answer.
void collect_ends(const nlohmann::json& object, NamedTokens& ends);

/// What a folder says of its tokenizer and chat template.
struct TokenizerFiles {
    std::string json;                           ///< of tokenizer.json; empty without one
    std::optional<GgufTokenizer> sentencepiece; ///< of tokenizer.model, read only where there is no tokenizer.json
    std::string config;                         ///< of tokenizer_config.json
    std::string bos_text, eos_text;             ///< spellings for the chat template
    std::optional<bool> add_bos, add_eos;       ///< what tokenizer_config.json says of a text's ends
    std::string chat_template;                  ///< of chat_template.jinja, or else of the config
    NamedTokens ends;                           ///< by tokenizer_config.json, special_tokens_map.json and generation_config.json
};

/// Reads the tokenizer's files of a folder; every one may be absent.
[[nodiscard]] Result<TokenizerFiles> read_tokenizer_files(const std::filesystem::path& folder);

/// Null where there is none.
[[nodiscard]] Result<std::shared_ptr<const Tokenizer>> make_tokenizer(const TokenizerFiles& files, const std::string& origin);

/// The text of a file in a model's folder; empty where there is no such file. JSON that was cut down to nothing is a damaged file, not an absent one.
[[nodiscard]] Result<std::string> text_if_present(const std::filesystem::path& path, std::uint64_t limit);

} // namespace retort
