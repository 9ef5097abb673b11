#include "core/model/checkpoint.h"

#include "core/base/text_format.h"
#include "core/model/config_json.h"
#include "core/model/json_reader.h"
#include "core/model/model_card.h"
#include "core/model/safetensors.h"
#include "core/model/shard_index.h"

#include <algorithm>
#include <set>

namespace retort {

namespace {

constexpr std::uint64_t kMostConfig = std::uint64_t{1} << 20;
constexpr std::uint64_t kMostIndex = std::uint64_t{64} << 20;
constexpr std::uint64_t kMostTokenizer = std::uint64_t{256} << 20;
constexpr std::uint64_t kMostTemplate = std::uint64_t{1} << 20;
constexpr std::string_view kSingle = "model.safetensors";
constexpr std::string_view kIndex = "model.safetensors.index.json";

/// Empty when the folder has no such file. JSON that was cut down to nothing is a damaged file, not an absent one.
Result<std::string> read_if_present(const std::filesystem::path& path, std::uint64_t limit)
{
    std::error_code code;
    if (!std::filesystem::exists(path, code)) {
        return std::string();
    }
    auto text = read_text_file(path, limit);
    if (text && text->empty() && path.extension() == ".json") {
        return failure(Error::Kind::BadFile, path.string() + " is empty where JSON was expected. Copy it again from where the model came from.");
    }
    return text;
}

Result<void> add_file(Checkpoint& checkpoint, const std::filesystem::path& path, InputFile::Links links)
{
    auto file = InputFile::open(path, links);
    if (!file) {
        return failure(std::move(file.error()));
    }
    auto header = read_safetensors_header(*file);
    if (!header) {
        return failure(std::move(header.error()));
    }
    for (TensorEntry& entry : header->tensors) {
        std::string name = entry.name;
        if (!checkpoint.weights.emplace(name, WeightPlace{.file = checkpoint.files.size(), .entry = std::move(entry)}).second) {
            return failure(Error::Kind::BadFile, path.filename().string() + ": " + quoted_tensor(name) +
                                                     " is in another file of the model too. Remove what does not belong to it.");
        }
    }
    checkpoint.files.push_back(std::move(*file));
    return {};
}

/// The index and the files must tell of the same tensors, each in the file the index says.
Result<void> add_shards(Checkpoint& checkpoint, const std::filesystem::path& folder)
{
    auto text = read_text_file(folder / kIndex, kMostIndex);
    if (!text) {
        return failure(std::move(text.error()));
    }
    auto index = parse_shard_index(*text, std::string(kIndex));
    if (!index) {
        return failure(std::move(index.error()));
    }
    std::set<std::string> names;
    for (const auto& [tensor, file] : *index) {
        names.insert(file);
    }
    for (const std::string& name : names) {
        if (auto added = add_file(checkpoint, folder / name, InputFile::Links::Follow); !added) {
            return added;
        }
    }
    for (const auto& [tensor, file] : *index) {
        const auto found = checkpoint.weights.find(tensor);
        if (found == checkpoint.weights.end() || checkpoint.files[found->second.file].path().filename() != file) {
            return failure(Error::Kind::BadFile, std::string(kIndex) + ": " + quoted_tensor(tensor) + " is said to be in " + file +
                                                     ", which does not hold it. The files belong to different models.");
        }
    }
    for (const auto& [tensor, place] : checkpoint.weights) {
        if (!index->contains(tensor)) {
            return failure(Error::Kind::BadFile, checkpoint.files[place.file].path().filename().string() + ": " + quoted_tensor(tensor) +
                                                     " is not in " + std::string(kIndex) + ". The files belong to different models.");
        }
    }
    return {};
}

Result<void> add_weights(Checkpoint& checkpoint, const std::filesystem::path& folder, const std::filesystem::path& chosen)
{
    std::error_code code;
    if (std::filesystem::exists(folder / kIndex, code) && !std::filesystem::exists(folder / kSingle, code)) {
        return add_shards(checkpoint, folder);
    }
    const std::filesystem::path file = chosen.empty() ? folder / kSingle : chosen;
    if (!std::filesystem::exists(file, code)) {
        const bool pickled =
            std::filesystem::exists(folder / "pytorch_model.bin", code) || std::filesystem::exists(folder / "pytorch_model.bin.index.json", code);
        return failure(Error::Kind::BadFile,
                       folder.string() + " holds no model.safetensors" +
                           (pickled ? "; pytorch_model.bin is a pickle, which can run code when opened. Convert it to safetensors where "
                                      "you trust it."
                                    : ". Copy or download the weights into it."));
    }
    return add_file(checkpoint, file, InputFile::Links::Follow);
}

/// Whether the head is the embedding is told by the weights; a file that says otherwise is worth a note.
void decide_tying(Checkpoint& checkpoint)
{
    ArchSpec& spec = checkpoint.info.spec;
    const bool has_head = checkpoint.weights.contains("lm_head.weight");
    if (spec.tied && has_head) {
        checkpoint.info.notes.emplace_back(
            "config.json says that the output head is the embedding, but the weights hold a head of its own; that one is used.");
    } else if (!spec.tied && !has_head) {
        checkpoint.info.notes.emplace_back(
            "config.json says that the output head is a weight of its own, but the weights hold none; the embedding is used.");
    }
    spec.tied = !has_head;
}

std::vector<std::string> take_out_unknown(Checkpoint& checkpoint)
{
    std::set<std::string, std::less<>> known;
    for (WeightShape& weight : expected_weights(checkpoint.info.spec)) {
        known.insert(std::move(weight.name));
    }
    std::vector<std::string> unknown;
    std::erase_if(checkpoint.weights, [&](const auto& item) {
        if (known.contains(item.first)) {
            return false;
        }
        if (!item.first.ends_with("rotary_emb.inv_freq")) { // a buffer that old files carry and everybody recomputes
            unknown.push_back(item.first);
        }
        return true;
    });
    return unknown;
}

/// chat_template: a text, or a list of {"name", "template"} whose "default" is meant.
std::string template_in(const nlohmann::json& value)
{
    if (value.is_string()) {
        return value.get<std::string>();
    }
    std::string chosen;
    if (value.is_array()) {
        for (const auto& item : value) {
            const bool usable = item.is_object() && item.contains("template") && item["template"].is_string();
            if (usable && (chosen.empty() || item.value("name", nlohmann::json()) == "default")) {
                chosen = item["template"].get<std::string>();
            }
        }
    }
    return chosen;
}

/// bos_token: a text, or an object with its content.
std::string spelling_in(const nlohmann::json& config, const char* key)
{
    const auto found = config.find(key);
    if (found == config.end()) {
        return {};
    }
    if (found->is_string()) {
        return found->get<std::string>();
    }
    return found->is_object() && found->contains("content") && (*found)["content"].is_string() ? (*found)["content"].get<std::string>()
                                                                                               : std::string();
}

Result<void> read_tokenizer_files(Checkpoint& checkpoint, const std::filesystem::path& folder)
{
    auto tokenizer = read_if_present(folder / "tokenizer.json", kMostTokenizer);
    auto config_text = read_if_present(folder / "tokenizer_config.json", kMostTokenizer);
    auto jinja = read_if_present(folder / "chat_template.jinja", kMostTemplate);
    for (auto* text : {&tokenizer, &config_text, &jinja}) {
        if (!*text) {
            return failure(std::move(text->error()));
        }
    }
    checkpoint.tokenizer_json = std::move(*tokenizer);
    std::error_code code;
    if (checkpoint.tokenizer_json.empty() && std::filesystem::exists(folder / "tokenizer.model", code)) {
        checkpoint.info.notes.emplace_back(
            "The folder has tokenizer.model but no tokenizer.json; save the tokenizer with transformers once to make one.");
    }
    if (!config_text->empty()) {
        auto config = parse_json(without_non_finite(*config_text), "tokenizer_config.json");
        if (!config) {
            return failure(std::move(config.error()));
        }
        if (config->is_object()) {
            checkpoint.info.bos_text = spelling_in(*config, "bos_token");
            checkpoint.info.eos_text = spelling_in(*config, "eos_token");
            checkpoint.chat_template = config->contains("chat_template") ? template_in((*config)["chat_template"]) : std::string();
        }
    }
    if (!jinja->empty()) {
        checkpoint.chat_template = std::move(*jinja);
    }
    return {};
}

Result<void> read_generation_config(Checkpoint& checkpoint, const std::filesystem::path& folder)
{
    auto text = read_if_present(folder / "generation_config.json", kMostConfig);
    if (!text) {
        return failure(std::move(text.error()));
    }
    if (text->empty()) {
        return {};
    }
    auto document = parse_json(without_non_finite(*text), "generation_config.json");
    if (!document) {
        return failure(std::move(document.error()));
    }
    ConfigFields fields(*document, "generation_config.json");
    std::ranges::copy(fields.token_ids("eos_token_id"), std::back_inserter(checkpoint.stop_tokens));
    return fields.result();
}

Result<void> read_model_card(Checkpoint& checkpoint, const std::filesystem::path& folder)
{
    auto text = read_if_present(folder / "README.md", kMostConfig);
    if (!text) {
        checkpoint.info.notes.push_back(text.error().message); // a card harms nobody
        return {};
    }
    const ModelCard card = parse_model_card(*text);
    checkpoint.info.licence = card.licence;
    checkpoint.info.derived_from = card.base_model;
    return {};
}

std::string folder_name(const std::filesystem::path& folder)
{
    std::error_code code;
    const auto whole = std::filesystem::weakly_canonical(folder, code);
    return (code ? folder : whole).filename().string();
}

} // namespace

Result<Checkpoint> open_folder(const std::filesystem::path& folder, const std::filesystem::path& weights_file)
{
    auto text = read_text_file(folder / "config.json", kMostConfig);
    if (!text) {
        return failure(std::move(text.error()));
    }
    auto config = parse_config(*text, "config.json");
    if (!config) {
        return failure(std::move(config.error()));
    }
    Checkpoint checkpoint;
    checkpoint.info.name = folder_name(folder);
    checkpoint.info.path = folder.string();
    checkpoint.info.format = "safetensors";
    checkpoint.info.spec = std::move(config->spec);
    checkpoint.stop_tokens = std::move(config->eos);
    if (auto added = add_weights(checkpoint, folder, weights_file); !added) {
        return failure(std::move(added.error()));
    }
    decide_tying(checkpoint);
    const std::vector<std::string> unknown = take_out_unknown(checkpoint);
    const std::string origin = checkpoint.files.size() == 1 ? checkpoint.files.front().path().filename().string() : std::string(kIndex);
    if (auto matched = match_weights(checkpoint, origin, "config.json", unknown); !matched) {
        return failure(std::move(matched.error()));
    }
    for (const auto& read : {read_tokenizer_files, read_generation_config, read_model_card}) {
        if (auto done = read(checkpoint, folder); !done) {
            return failure(std::move(done.error()));
        }
    }
    return checkpoint;
}

} // namespace retort
