#include "core/model/model.h"

#include "core/base/memory.h"
#include "core/base/text_format.h"
#include "core/model/checkpoint.h"
#include "core/model/weights_reader.h"

#include <algorithm>

namespace retort {

namespace {

/// Undoes what llama.cpp's converter does to q and k: within a head it stores half-split rows 0, d/2, 1, d/2 + 1, ... (conversion/llama.py, permute).
/// Rows are whole blocks, so quantised ones move as they are.
Weight with_half_split_rows(const Weight& weight, std::int64_t heads)
{
    const auto row = static_cast<std::size_t>(bytes_for(weight.dtype, static_cast<std::uint64_t>(weight.columns())));
    const std::int64_t head_dim = weight.rows() / heads;
    auto memory = allocate_weight(weight.bytes.size());
    for (std::int64_t to = 0; to < weight.rows(); ++to) {
        const std::int64_t within = to % head_dim;
        const std::int64_t half = within / (head_dim / 2);
        const std::int64_t pair = within % (head_dim / 2);
        const std::int64_t from = to - within + 2 * pair + half;
        std::ranges::copy(weight.bytes.subspan(static_cast<std::size_t>(from) * row, row), memory.get() + static_cast<std::size_t>(to) * row);
    }
    const std::span<const std::byte> bytes(memory.get(), weight.bytes.size());
    return {.dtype = weight.dtype, .shape = weight.shape, .owner = std::move(memory), .bytes = bytes};
}

/// Files from first byte to last; the hash of one file is its own, of several that of their hashes' text, in the order of their names.
Result<WeightSet> read_all(Checkpoint& checkpoint, const Progress& progress)
{
    WeightSet as_named;
    WeightsReader reader(progress, checkpoint.info.file_bytes);
    Sha256 together;
    for (std::size_t file = 0; file < checkpoint.files.size(); ++file) {
        std::vector<TensorEntry> entries;
        for (const auto& [name, place] : checkpoint.weights) {
            if (place.file == file) {
                entries.push_back(place.entry);
            }
        }
        if (auto read = reader.read(checkpoint.files[file], std::move(entries), as_named); !read) {
            return failure(std::move(read.error()));
        }
        together.add(reader.last_hash());
    }
    checkpoint.info.sha256 = checkpoint.files.size() == 1 ? reader.last_hash() : together.hex();

    WeightSet canonical;
    for (const auto& [name, place] : checkpoint.weights) {
        auto node = as_named.extract(place.entry.name);
        Weight& weight = node.mapped();
        if (!is_finite(weight)) {
            checkpoint.info.notes.push_back(quoted_tensor(name) + " holds numbers that are not finite; answers will fail. The file may be damaged.");
        }
        canonical.emplace(name, place.interleaved_heads > 0 ? with_half_split_rows(weight, place.interleaved_heads) : std::move(weight));
    }
    return canonical;
}

Result<std::shared_ptr<const Tokenizer>> make_tokenizer(const Checkpoint& checkpoint)
{
    const std::string origin = std::filesystem::path(checkpoint.info.path).filename().string();
    if (checkpoint.gguf_tokenizer) {
        return Tokenizer::from_gguf(*checkpoint.gguf_tokenizer, origin);
    }
    if (!checkpoint.tokenizer_json.empty()) {
        return Tokenizer::from_json(checkpoint.tokenizer_json, "tokenizer.json");
    }
    return std::shared_ptr<const Tokenizer>();
}

/// Every id that ends an answer, whichever file names it; ids that the model does not have are left out.
void collect_stop_tokens(const Checkpoint& checkpoint, const Tokenizer* tokenizer, ModelInfo& info)
{
    std::vector<TokenId> ids = checkpoint.stop_tokens;
    if (tokenizer != nullptr) {
        std::ranges::copy(tokenizer->stop_tokens(), std::back_inserter(ids));
    }
    std::ranges::sort(ids);
    const auto repeated = std::ranges::unique(ids);
    ids.erase(repeated.begin(), repeated.end());
    const auto outside = [&info](TokenId id) { return id < 0 || id >= info.spec.vocabulary; };
    if (std::erase_if(ids, outside) > 0) {
        info.notes.emplace_back("A stop token named by the model's files lies outside its vocabulary and is left out.");
    }
    info.stop_tokens = std::move(ids);
}

void fill_texts(const Checkpoint& checkpoint, const Tokenizer* tokenizer, ModelInfo& info)
{
    collect_stop_tokens(checkpoint, tokenizer, info);
    if (tokenizer == nullptr) {
        info.notes.emplace_back("The model comes without a tokenizer: it can be inspected and compared, but not talked to.");
        return;
    }
    if (info.bos_text.empty() && tokenizer->bos()) {
        info.bos_text = tokenizer->spelling(*tokenizer->bos());
    }
    if (info.eos_text.empty() && checkpoint.gguf_tokenizer && checkpoint.gguf_tokenizer->eos) {
        info.eos_text = tokenizer->spelling(*checkpoint.gguf_tokenizer->eos);
    } else if (info.eos_text.empty() && !tokenizer->stop_tokens().empty()) {
        info.eos_text = tokenizer->spelling(tokenizer->stop_tokens().front());
    }
    if (static_cast<std::int64_t>(tokenizer->size()) > info.spec.vocabulary) {
        info.notes.push_back("The tokenizer knows " + std::to_string(tokenizer->size()) + " pieces, the model only " +
                             std::to_string(info.spec.vocabulary) + ": texts with the pieces beyond cannot be read.");
    }
}

std::shared_ptr<const ChatTemplate> make_chat_template(const Checkpoint& checkpoint, ModelInfo& info)
{
    if (checkpoint.chat_template.empty()) {
        return nullptr;
    }
    auto chat_template = ChatTemplate::parse(checkpoint.chat_template);
    if (!chat_template) {
        info.notes.push_back("The chat template is not understood, so the model is only given plain text: " + chat_template.error().message);
        return nullptr;
    }
    return std::move(*chat_template);
}

Result<Model> load(const std::filesystem::path& path, const Progress& progress)
{
    auto checkpoint = open_checkpoint(path);
    if (!checkpoint) {
        return failure(std::move(checkpoint.error()));
    }
    std::uint64_t bytes = 0;
    for (const auto& [name, place] : checkpoint->weights) {
        bytes += place.entry.bytes;
    }
    if (auto fits = check_memory(bytes, checkpoint->info.name); !fits) {
        return failure(std::move(fits.error()));
    }
    auto tokenizer = make_tokenizer(*checkpoint); // before the weights: what fails should fail at once
    if (!tokenizer) {
        return failure(std::move(tokenizer.error()));
    }
    auto weights = read_all(*checkpoint, progress);
    if (!weights) {
        return failure(std::move(weights.error()));
    }
    ModelInfo info = std::move(checkpoint->info);
    fill_texts(*checkpoint, tokenizer->get(), info);
    auto chat_template = make_chat_template(*checkpoint, info);
    return Model(std::move(info), std::make_shared<const WeightSet>(std::move(*weights)), std::move(*tokenizer), std::move(chat_template));
}

} // namespace

Model::Model(ModelInfo info, std::shared_ptr<const WeightSet> weights, std::shared_ptr<const Tokenizer> tokenizer,
             std::shared_ptr<const ChatTemplate> chat_template)
    : m_info(std::make_shared<const ModelInfo>(std::move(info))), m_weights(std::move(weights)), m_tokenizer(std::move(tokenizer)),
      m_chat_template(std::move(chat_template))
{
}

Result<ModelInfo> inspect_model(const std::filesystem::path& path)
{
    return guard("inspecting a model", [&path]() -> Result<ModelInfo> {
        auto checkpoint = open_checkpoint(path);
        if (!checkpoint) {
            return failure(std::move(checkpoint.error()));
        }
        ModelInfo info = std::move(checkpoint->info);
        collect_stop_tokens(*checkpoint, nullptr, info);
        return info;
    });
}

MemoryEstimate estimate_memory(const ModelInfo& info, std::int64_t positions)
{
    const ArchSpec& spec = info.spec;
    const auto rows = static_cast<std::uint64_t>(std::max<std::int64_t>(positions, 0));
    constexpr std::uint64_t kFloat = sizeof(float);
    constexpr std::uint64_t kPerParameter = 4 * kFloat; // the value, its gradient, two moments
    constexpr std::uint64_t kHeadRows = 256;            // the head runs in chunks of rows: logits, probabilities and gradient of one chunk at a time
    // Kept for the way back, per layer and position: two normed inputs and two sums of `width`, q, k, v and the attention's output, and the three of
    // the FFN.
    const auto kept = static_cast<std::uint64_t>(spec.layers * (4 * spec.width + 2 * spec.query_width() + 2 * spec.kv_width() + 3 * spec.ffn));
    MemoryEstimate estimate;
    estimate.weights = info.file_bytes;
    estimate.kv_cache = rows * spec.kv_bytes_per_position(kFloat);
    estimate.training =
        info.parameters * kPerParameter + rows * kept * kFloat + std::min(rows, kHeadRows) * static_cast<std::uint64_t>(spec.vocabulary) * 3 * kFloat;
    estimate.available = available_memory();
    return estimate;
}

Result<Model> load_model(const std::filesystem::path& path, const Progress& progress)
{
    return guard("loading a model", [&] { return load(path, progress); });
}

} // namespace retort
