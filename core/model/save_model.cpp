#include "core/model/config_json.h"
#include "core/model/model.h"
#include "core/model/model_card.h"
#include "core/model/safetensors.h"

#include "core/base/files.h"

#include <algorithm>

namespace retort {

namespace {

Weight as_bfloat16(const Weight& weight, const std::vector<float>& values)
{
    auto memory = allocate_weight(values.size() * sizeof(std::uint16_t));
    const std::span<std::byte> bytes(memory.get(), values.size() * sizeof(std::uint16_t));
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint16_t rounded = bfloat16_from_float(values[i]);
        std::ranges::copy(std::as_bytes(std::span(&rounded, 1)), bytes.subspan(i * sizeof rounded).begin());
    }
    return {.dtype = DType::BF16, .shape = weight.shape, .owner = std::move(memory), .bytes = bytes};
}

/// `weight` in `dtype`; itself, without a copy, where it already is.
Weight stored_as(const Weight& weight, DType dtype)
{
    if (weight.dtype == dtype) {
        return weight;
    }
    const std::vector<float> values = decoded(weight);
    return dtype == DType::BF16 ? as_bfloat16(weight, values) : weight_from_floats(weight.shape, values);
}

std::string generation_config(const ModelConfig& config)
{
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    if (config.bos) {
        object["bos_token_id"] = *config.bos;
    }
    if (!config.eos.empty()) {
        object["eos_token_id"] = config.eos;
    }
    return object.dump(2) + "\n";
}

Result<void> make_folder(const std::filesystem::path& folder)
{
    std::error_code code;
    std::filesystem::create_directories(folder, code);
    if (code) {
        return failure(Error::Kind::Io, folder.string() + " could not be made: " + code.message() + ". Choose another folder.");
    }
    return {};
}

/// A weights file that would be read beside the new one, or instead of it, must not stay: the folder is one model.
Result<void> remove_old_shards(const std::filesystem::path& folder)
{
    std::error_code code;
    std::filesystem::remove(folder / "model.safetensors.index.json", code);
    if (code) {
        return failure(Error::Kind::Io, (folder / "model.safetensors.index.json").string() + " could not be removed: " + code.message() + ".");
    }
    return {};
}

struct SmallFile {
    const char* name;
    std::string content;
};

Result<void> save(const Model& model, const std::filesystem::path& folder, const SaveOptions& options, const Progress& progress)
{
    if (options.dtype != DType::F32 && options.dtype != DType::BF16) {
        return failure(Error::Kind::Usage, "A Hugging Face folder is written in F32 or BF16, not in " + std::string(name_of(options.dtype)) + ".");
    }
    ModelConfig config{.spec = model.spec(), .eos = model.info().stop_tokens, .bos = {}};
    if (model.has_tokenizer()) {
        config.bos = model.tokenizer().bos();
    }
    auto config_text = write_config(config, options.dtype);
    if (!config_text) {
        return failure(std::move(config_text.error()));
    }
    if (auto made = make_folder(folder); !made) {
        return made;
    }
    const ModelCard card{.licence = model.info().licence, .base_model = model.info().derived_from};
    const SmallFile files[] = {
        {"config.json", std::move(*config_text)},
        {"generation_config.json", generation_config(config)},
        {"tokenizer.json", options.tokenizer_json},
        {"tokenizer_config.json", options.tokenizer_config_json},
        {"README.md", options.readme.empty() ? std::string() : with_front_matter(options.readme, card)},
    };
    for (const SmallFile& file : files) {
        if (file.content.empty()) {
            continue;
        }
        if (auto written = write_file_atomically(folder / file.name, file.content); !written) {
            return written;
        }
    }
    WeightSet weights;
    for (const auto& [name, weight] : model.weights()) {
        weights.emplace(name, stored_as(weight, options.dtype));
    }
    if (auto written = write_safetensors(folder / "model.safetensors", weights, {{"format", "pt"}}, progress); !written) {
        return written;
    }
    return remove_old_shards(folder);
}

} // namespace

Result<void> save_model(const Model& model, const std::filesystem::path& folder, const SaveOptions& options, const Progress& progress)
{
    return guard("saving a model", [&] { return save(model, folder, options, progress); });
}

Result<SaveOptions> save_options_of(const ModelInfo& info)
{
    constexpr std::uint64_t kMost = std::uint64_t{256} << 20;
    SaveOptions options;
    if (info.format != "safetensors" || info.path.empty()) {
        return options;
    }
    const std::filesystem::path folder = info.path;
    for (const auto& [name, text] :
         {std::pair("tokenizer.json", &options.tokenizer_json), std::pair("tokenizer_config.json", &options.tokenizer_config_json)}) {
        std::error_code code;
        if (!std::filesystem::exists(folder / name, code)) {
            continue;
        }
        auto content = read_text_file(folder / name, kMost);
        if (!content) {
            return failure(std::move(content.error()));
        }
        *text = std::move(*content);
    }
    return options;
}

} // namespace retort
