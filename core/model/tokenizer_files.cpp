#include "core/model/tokenizer_files.h"

#include "core/base/files.h"
#include "core/model/json_reader.h"
#include "core/model/placeholder.h"
#include "core/text/sentencepiece_file.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace retort {

namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMostTokenizer = std::uint64_t{256} << 20;
constexpr std::uint64_t kMostConfig = std::uint64_t{1} << 20;
constexpr std::uint64_t kMostTemplate = std::uint64_t{1} << 20;

/// chat_template: a text, or a list of {"name", "template"} whose "default" is meant.
std::string template_in(const Json& value)
{
    if (value.is_string()) {
        return value.get<std::string>();
    }
    std::string chosen;
    if (value.is_array()) {
        for (const auto& item : value) {
            const bool usable = item.is_object() && item.contains("template") && item["template"].is_string();
            if (usable && (chosen.empty() || item.value("name", Json()) == "default")) {
                chosen = item["template"].get<std::string>();
            }
        }
    }
    return chosen;
}

void collect_tokens(const Json& value, NamedTokens& tokens)
{
    if (value.is_number_unsigned() && value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<TokenId>::max())) {
        tokens.ids.push_back(value.get<TokenId>());
    } else if (value.is_string()) {
        tokens.spellings.push_back(value.get<std::string>());
    } else if (value.is_object()) {
        for (const char* key : {"id", "content"}) {
            if (value.contains(key) && value[key].is_primitive()) {
                collect_tokens(value[key], tokens);
            }
        }
    } else if (value.is_array()) {
        for (const Json& item : value) {
            if (!item.is_array()) { // no list within a list: nobody writes one, and it would nest without an end
                collect_tokens(item, tokens);
            }
        }
    }
}

/// The first spelling that `object` gives under `key`.
std::string spelling_in(const Json& object, const char* key)
{
    NamedTokens tokens;
    if (object.contains(key)) {
        collect_tokens(object[key], tokens);
    }
    return tokens.spellings.empty() ? std::string() : tokens.spellings.front();
}

/// The object in a file of the folder; null where there is no such file, or it holds something else.
Result<Json> object_in(const std::string& text, const char* name)
{
    if (text.empty()) {
        return Json();
    }
    auto document = parse_json(without_non_finite(text), name);
    if (!document) {
        return failure(std::move(document.error()));
    }
    return document->is_object() ? std::move(*document) : Json();
}

void read_config(const Json& config, TokenizerFiles& files)
{
    files.bos_text = spelling_in(config, "bos_token");
    files.eos_text = spelling_in(config, "eos_token");
    files.chat_template = config.contains("chat_template") ? template_in(config["chat_template"]) : std::string();
    for (const auto& [key, setting] : {std::pair("add_bos_token", &files.add_bos), {"add_eos_token", &files.add_eos}}) {
        if (config.contains(key) && config[key].is_boolean()) {
            *setting = config[key].get<bool>();
        }
    }
    if (files.sentencepiece) { // the file itself does not say
        files.sentencepiece->add_bos = files.add_bos ? files.add_bos : files.sentencepiece->add_bos;
        files.sentencepiece->add_eos = files.add_eos ? files.add_eos : files.sentencepiece->add_eos;
    }
}

Result<void> read_sentencepiece_model(const std::filesystem::path& folder, TokenizerFiles& files)
{
    const std::filesystem::path path = folder / "tokenizer.model";
    std::error_code code;
    if (!files.json.empty() || !std::filesystem::exists(path, code)) {
        return {};
    }
    const auto bytes = read_file(path, kMostTokenizer);
    if (!bytes) {
        return failure(bytes.error());
    }
    auto fields = read_sentencepiece(*bytes, path.string());
    if (!fields) {
        return failure(fields.error());
    }
    files.sentencepiece = std::move(*fields);
    return {};
}

} // namespace

Result<std::string> text_if_present(const std::filesystem::path& path, std::uint64_t limit)
{
    std::error_code code;
    if (!std::filesystem::exists(path, code)) {
        if (!unfinished_download(path.parent_path(), path.filename().string()).empty()) {
            return failure(missing_file(path.parent_path(), path.filename().string(), {}));
        }
        return std::string();
    }
    auto text = read_model_text(path, limit);
    if (text && text->empty() && path.extension() == ".json") {
        return failure(Error::Kind::BadFile, path.string() + " is empty where JSON was expected. Copy it again from where the model came from.");
    }
    return text;
}

void collect_ends(const Json& object, NamedTokens& ends)
{
    for (const char* key : {"eos_token_id", "eos_token_ids", "eos_token", "eot_token_id", "eot_token", "eom_token_id", "eom_token"}) {
        if (object.is_object() && object.contains(key)) {
            collect_tokens(object[key], ends);
        }
    }
}

Result<TokenizerFiles> read_tokenizer_files(const std::filesystem::path& folder)
{
    TokenizerFiles files;
    auto json = text_if_present(folder / "tokenizer.json", kMostTokenizer);
    auto jinja = text_if_present(folder / "chat_template.jinja", kMostTemplate);
    for (auto* text : {&json, &jinja}) {
        if (!*text) {
            return failure(std::move(text->error()));
        }
    }
    files.json = std::move(*json);
    if (auto read = read_sentencepiece_model(folder, files); !read) {
        return failure(read.error());
    }
    for (const char* name : {"tokenizer_config.json", "special_tokens_map.json", "generation_config.json"}) {
        auto text = text_if_present(folder / name, std::string_view(name) == "tokenizer_config.json" ? kMostTokenizer : kMostConfig);
        auto object = text ? object_in(*text, name) : failure(text.error());
        if (!object) {
            return failure(object.error());
        }
        collect_ends(*object, files.ends);
        if (std::string_view(name) == "tokenizer_config.json") {
            files.config = std::move(*text);
            if (object->is_object()) {
                read_config(*object, files);
            }
        } else if (object->is_object() && files.bos_text.empty()) {
            files.bos_text = spelling_in(*object, "bos_token");
        }
    }
    if (!jinja->empty()) {
        files.chat_template = std::move(*jinja);
    }
    return files;
}

Result<std::shared_ptr<const Tokenizer>> make_tokenizer(const TokenizerFiles& files, const std::string& origin)
{
    if (!files.json.empty()) {
        return Tokenizer::from_json(files.json, origin, {files.add_bos, files.add_eos, files.bos_text, files.eos_text});
    }
    return files.sentencepiece ? Tokenizer::from_gguf(*files.sentencepiece, origin) : std::shared_ptr<const Tokenizer>();
}

} // namespace retort
