#include "core/kernels/half.h"
#include "core/model/config_json.h"
#include "core/model/gguf.h"
#include "core/model/model.h"
#include "core/model/model_card.h"
#include "core/model/safetensors.h"
#include "core/model/tokenizer_files.h"
#include "core/model/weight_import.h"
#include "core/text/gguf_tokenizer_json.h"

#include "core/base/files.h"

#include <algorithm>
#include <nlohmann/json.hpp>

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

/// The folder to save to. One that was made for it goes again when nothing came of it.
class FreshFolder {
public:
    explicit FreshFolder(const std::filesystem::path& folder) : m_folder(folder) {}
    ~FreshFolder()
    {
        if (m_fresh) {
            std::error_code code;
            std::filesystem::remove(m_folder, code);
        }
    }
    FreshFolder(const FreshFolder&) = delete;
    FreshFolder& operator=(const FreshFolder&) = delete;

    Result<void> make()
    {
        std::error_code code;
        m_fresh = std::filesystem::create_directories(m_folder, code);
        if (code) {
            return failure(Error::Kind::Io, m_folder.string() + " could not be made: " + code.message() + ". Choose another folder.");
        }
        return {};
    }
    void keep() { m_fresh = false; }

private:
    const std::filesystem::path& m_folder;
    bool m_fresh = false;
};

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

/// Written, not yet in their places.
Result<std::vector<AtomicFile>> write_small_files(const std::filesystem::path& folder, std::span<const SmallFile> files)
{
    std::vector<AtomicFile> waiting;
    waiting.reserve(files.size());
    for (const SmallFile& file : files) {
        if (file.content.empty()) {
            continue;
        }
        auto written = AtomicFile::create(folder / file.name);
        if (!written) {
            return failure(std::move(written.error()));
        }
        if (auto filled = written->write(file.content); !filled) {
            return failure(std::move(filled.error()));
        }
        waiting.push_back(std::move(*written));
    }
    return waiting;
}

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
    const ModelCard card{.licence = model.info().licence, .base_model = model.info().derived_from};
    const SmallFile files[] = {
        {"config.json", std::move(*config_text)},
        {"generation_config.json", generation_config(config)},
        {"tokenizer.json", options.tokenizer_json},
        {"tokenizer_config.json", options.tokenizer_config_json},
        {"README.md", options.readme.empty() ? std::string() : with_front_matter(options.readme, card)},
    };
    const auto whole = model.with_weights(progress);
    if (!whole) {
        return failure(whole.error());
    }
    FreshFolder place(folder);
    if (auto made = place.make(); !made) {
        return made;
    }
    // All bytes are on the disk before the first name appears, so that a full disk leaves what stood here as it was.
    auto waiting = write_small_files(folder, files);
    if (!waiting) {
        return failure(std::move(waiting.error()));
    }
    WeightSet weights;
    for (const auto& [name, weight] : family_tensors(whole->spec(), whole->weights())) {
        weights.emplace(name, stored_as(weight, options.dtype));
    }
    auto weights_file = prepare_safetensors(folder / "model.safetensors", weights, {{"format", "pt"}}, progress);
    if (!weights_file) {
        return failure(std::move(weights_file.error()));
    }
    place.keep();
    for (AtomicFile& file : *waiting) {
        if (auto committed = file.commit(); !committed) {
            return committed;
        }
    }
    if (auto committed = weights_file->commit(); !committed) {
        return committed;
    }
    return remove_old_shards(folder);
}

/// A chat template goes into tokenizer_config.json, where every reader finds it.
std::string with_chat_template(const std::string& tokenizer_config, const std::string& chat_template)
{
    nlohmann::ordered_json config = nlohmann::ordered_json::parse(tokenizer_config, nullptr, false);
    if (!config.is_object()) {
        config = nlohmann::ordered_json::object();
    }
    config["chat_template"] = chat_template;
    return config.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Result<SaveOptions> options_of_folder(const std::filesystem::path& folder)
{
    auto files = read_tokenizer_files(folder);
    if (!files) {
        return failure(std::move(files.error()));
    }
    SaveOptions options;
    options.tokenizer_json = std::move(files->json);
    if (files->sentencepiece) {
        auto json = tokenizer_json_of(*files->sentencepiece);
        if (!json) {
            return failure(std::move(json.error()));
        }
        options.tokenizer_json = std::move(*json);
    }
    options.tokenizer_config_json = files->chat_template.empty() ? std::move(files->config) : with_chat_template(files->config, files->chat_template);
    return options;
}

std::string tokenizer_config_of(const GgufFile& content, const GgufTokenizer& fields, const std::string& origin)
{
    nlohmann::ordered_json config = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"clean_up_tokenization_spaces", false}};
    if (fields.bos) {
        config["bos_token"] = fields.tokens[static_cast<std::size_t>(*fields.bos)];
    }
    if (fields.eos) {
        config["eos_token"] = fields.tokens[static_cast<std::size_t>(*fields.eos)];
    }
    if (const auto chat_template = GgufFields(content, origin).text("tokenizer.chat_template")) {
        config["chat_template"] = *chat_template;
    }
    return config.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Result<SaveOptions> options_of_gguf(const std::filesystem::path& path)
{
    auto content = read_gguf(path);
    if (!content) {
        return failure(std::move(content.error()));
    }
    const std::string origin = path.filename().string();
    auto fields = tokenizer_fields(*content, origin);
    if (!fields) {
        return failure(std::move(fields.error()));
    }
    SaveOptions options;
    if (*fields) {
        auto json = tokenizer_json_of(**fields);
        if (!json) {
            return failure(std::move(json.error()));
        }
        options.tokenizer_json = std::move(*json);
        options.tokenizer_config_json = tokenizer_config_of(*content, **fields, origin);
    }
    return options;
}

} // namespace

Result<void> save_model(const Model& model, const std::filesystem::path& folder, const SaveOptions& options, const Progress& progress)
{
    return guard("saving a model", [&] { return save(model, folder, options, progress); });
}

Result<SaveOptions> save_options_of(const ModelInfo& info)
{
    if (info.path.empty()) {
        return SaveOptions();
    }
    return info.format == "gguf" ? options_of_gguf(info.path) : options_of_folder(info.path);
}

} // namespace retort
