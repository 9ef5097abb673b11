#include "core/model/checkpoint.h"

#include "core/base/text_format.h"
#include "core/model/config_json.h"
#include "core/model/json_reader.h"
#include "core/model/model_card.h"
#include "core/model/placeholder.h"
#include "core/model/safetensors.h"
#include "core/model/shard_index.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace retort {

namespace {

constexpr std::uint64_t kMostConfig = std::uint64_t{1} << 20;
constexpr std::uint64_t kMostIndex = std::uint64_t{64} << 20;
constexpr std::string_view kSingle = "model.safetensors";
constexpr std::string_view kIndex = "model.safetensors.index.json";

/// The tensors of the folder's files by name.
using FoundByName = std::map<std::string, FoundTensor, std::less<>>;

Result<void> add_file(Checkpoint& checkpoint, FoundByName& found, const std::filesystem::path& path, InputFile::Links links)
{
    std::error_code code;
    if (!std::filesystem::exists(path, code)) {
        return failure(missing_file(path.parent_path(), path.filename().string(), path.string() + " was not found. Copy or download it."));
    }
    auto file = InputFile::open(path, links);
    if (!file) {
        return failure(std::move(file.error()));
    }
    if (auto real = refuse_placeholder(*file); !real) {
        return real;
    }
    auto header = read_safetensors_header(*file);
    if (!header) {
        return failure(std::move(header.error()));
    }
    for (TensorEntry& entry : header->tensors) {
        std::string name = entry.name;
        if (!found.emplace(name, FoundTensor{.file = checkpoint.files.size(), .entry = std::move(entry)}).second) {
            return failure(Error::Kind::BadFile, path.filename().string() + ": " + quoted_tensor(name) +
                                                     " is in another file of the model too. Remove what does not belong to it.");
        }
    }
    checkpoint.files.push_back(std::move(*file));
    return {};
}

/// The index and the files must tell of the same tensors, each in the file the index says.
Result<void> add_shards(Checkpoint& checkpoint, FoundByName& tensors, const std::filesystem::path& folder)
{
    auto text = read_model_text(folder / kIndex, kMostIndex);
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
        if (auto added = add_file(checkpoint, tensors, folder / name, InputFile::Links::Follow); !added) {
            return added;
        }
    }
    for (const auto& [tensor, file] : *index) {
        const auto found = tensors.find(tensor);
        if (found == tensors.end() || checkpoint.files[found->second.file].path().filename() != file) {
            return failure(Error::Kind::BadFile, std::string(kIndex) + ": " + quoted_tensor(tensor) + " is said to be in " + file +
                                                     ", which does not hold it. The files belong to different models.");
        }
    }
    for (const auto& [tensor, place] : tensors) {
        if (!index->contains(tensor)) {
            return failure(Error::Kind::BadFile, checkpoint.files[place.file].path().filename().string() + ": " + quoted_tensor(tensor) +
                                                     " is not in " + std::string(kIndex) + ". The files belong to different models.");
        }
    }
    return {};
}

/// Whether `file` is one of the several that the folder's index names.
bool is_shard(const std::filesystem::path& folder, const std::filesystem::path& file)
{
    const auto text = read_text_file(folder / kIndex, kMostIndex);
    const auto index = text ? parse_shard_index(*text, std::string(kIndex)) : failure(text.error());
    return index && std::ranges::any_of(*index, [&file](const auto& item) { return item.second == file.filename(); });
}

std::string without_weights(const std::filesystem::path& folder)
{
    std::error_code code;
    const bool pickled =
        std::filesystem::exists(folder / "pytorch_model.bin", code) || std::filesystem::exists(folder / "pytorch_model.bin.index.json", code);
    return folder.string() + " holds no model.safetensors" +
           (pickled ? "; pytorch_model.bin is a pickle, which can run code when opened. Convert it to safetensors where you trust it."
                    : ". Copy or download the weights into it.");
}

/// A file that a person chose is the one taken, unless it is a part of several.
Result<void> add_weights(Checkpoint& checkpoint, FoundByName& tensors, const std::filesystem::path& folder, const std::filesystem::path& chosen)
{
    std::error_code code;
    const bool has_index = std::filesystem::exists(folder / kIndex, code);
    const bool sharded = has_index && (chosen.empty() ? !std::filesystem::exists(folder / kSingle, code) : is_shard(folder, chosen));
    if (sharded) {
        return add_shards(checkpoint, tensors, folder);
    }
    const std::filesystem::path file = chosen.empty() ? folder / kSingle : chosen;
    if (!std::filesystem::exists(file, code)) {
        return failure(missing_file(folder, file.filename().string(), without_weights(folder)));
    }
    return add_file(checkpoint, tensors, file, InputFile::Links::Follow);
}

Result<void> read_texts(Checkpoint& checkpoint, const std::filesystem::path& folder)
{
    auto files = read_tokenizer_files(folder);
    if (!files) {
        return failure(std::move(files.error()));
    }
    checkpoint.tokenizer = std::move(*files);
    checkpoint.info.bos_text = checkpoint.tokenizer.bos_text;
    checkpoint.info.eos_text = checkpoint.tokenizer.eos_text;
    checkpoint.chat_template = checkpoint.tokenizer.chat_template;
    return {};
}

Result<void> read_model_card(Checkpoint& checkpoint, const std::filesystem::path& folder)
{
    auto text = text_if_present(folder / "README.md", kMostConfig);
    if (!text) {
        checkpoint.info.notes.push_back(text.error().message); // a model runs without its card
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
    std::error_code code;
    if (!std::filesystem::exists(folder / "config.json", code)) {
        return failure(missing_file(folder, "config.json", (folder / "config.json").string() + " was not found. Check the path."));
    }
    auto text = read_model_text(folder / "config.json", kMostConfig);
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
    FoundByName by_name;
    if (auto added = add_weights(checkpoint, by_name, folder, weights_file); !added) {
        return failure(std::move(added.error()));
    }
    std::vector<FoundTensor> found;
    for (auto& [name, tensor] : by_name) {
        found.push_back(std::move(tensor));
    }
    const Family& family = *family_of_model_type(checkpoint.info.spec.family); // parse_config() found it
    const Naming naming{.rules = family.tensors,
                        .buffers = family.buffers,
                        .prefix = family.prefix,
                        .described_by = "config.json",
                        .says_tied = config->says_tied,
                        .says_biases = true};
    const std::string origin = checkpoint.files.size() == 1 ? checkpoint.files.front().path().filename().string() : std::string(kIndex);
    if (auto matched = match_tensors(checkpoint, std::move(found), naming, origin); !matched) {
        return failure(std::move(matched.error()));
    }
    if (std::filesystem::exists(folder / "adapter_config.json", code)) {
        checkpoint.info.report.doubts.emplace_back("The folder also holds an adapter (adapter_config.json), which is not applied.");
    }
    for (const auto& read : {read_texts, read_model_card}) {
        if (auto done = read(checkpoint, folder); !done) {
            return failure(std::move(done.error()));
        }
    }
    NamedTokens& ends = checkpoint.tokenizer.ends;
    ends.ids.insert(ends.ids.end(), config->ends.ids.begin(), config->ends.ids.end());
    ends.spellings.insert(ends.spellings.end(), config->ends.spellings.begin(), config->ends.spellings.end());
    return checkpoint;
}

} // namespace retort
