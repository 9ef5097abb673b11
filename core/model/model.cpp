#include "core/model/model.h"

#include "core/base/text_format.h"
#include "core/model/checkpoint.h"
#include "core/model/weight_import.h"
#include "core/model/weights_reader.h"

#include <algorithm>
#include <map>

namespace retort {

namespace {

/// The weights that a tensor becomes, into `weights`.
void add_weights(const TensorPlace& place, const Weight& tensor, ModelInfo& info, WeightSet& weights)
{
    if (!is_finite(tensor)) {
        info.report.doubts.push_back(quoted_tensor(place.entry.name) +
                                     " holds numbers that are not finite; answers will fail. The file may be damaged.");
    }
    std::vector<Weight> parts = import_weights(tensor, place.slots, place.import, place.heads);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        weights.emplace(place.slots[i].name, std::move(parts[i]));
    }
}

/// Files from first byte to last; the hash of one file is its own, of several that of their hashes' text, in the order of their names.
Result<WeightSet> read_all(Checkpoint& checkpoint, const Progress& progress)
{
    WeightSet weights;
    WeightsReader reader(progress, checkpoint.info.file_bytes);
    Sha256 together;
    for (std::size_t file = 0; file < checkpoint.files.size(); ++file) {
        std::vector<TensorEntry> entries;
        std::map<std::string, const TensorPlace*> places;
        for (const TensorPlace& place : checkpoint.tensors) {
            if (place.file == file) {
                entries.push_back(place.entry);
                places.emplace(place.entry.name, &place);
            }
        }
        const auto take = [&](const TensorEntry& entry, const Weight& tensor) {
            add_weights(*places.at(entry.name), tensor, checkpoint.info, weights);
        };
        if (auto read = reader.read(checkpoint.files[file], std::move(entries), take); !read) {
            return failure(std::move(read.error()));
        }
        together.add(reader.last_hash());
    }
    checkpoint.info.sha256 = checkpoint.files.size() == 1 ? reader.last_hash() : together.hex();
    return weights;
}

Result<std::shared_ptr<const Tokenizer>> tokenizer_of(const Checkpoint& checkpoint)
{
    if (checkpoint.gguf_tokenizer) {
        return Tokenizer::from_gguf(*checkpoint.gguf_tokenizer, std::filesystem::path(checkpoint.info.path).filename().string());
    }
    return make_tokenizer(checkpoint.tokenizer, checkpoint.tokenizer.sentencepiece ? "tokenizer.model" : "tokenizer.json");
}

/// Every id that ends an answer, whichever file names it and in whatever form; ids that the model does not have are left out.
void collect_stop_tokens(const Checkpoint& checkpoint, const Tokenizer* tokenizer, ModelInfo& info)
{
    std::vector<TokenId> ids = checkpoint.tokenizer.ends.ids;
    if (tokenizer != nullptr) {
        std::ranges::copy(tokenizer->stop_tokens(), std::back_inserter(ids));
        for (const std::string& spelling : checkpoint.tokenizer.ends.spellings) {
            const auto id = tokenizer->find(spelling);
            id ? ids.push_back(*id)
               : info.notes.push_back("The model's files say that \"" + printable(spelling, 40) +
                                      "\" ends an answer, which its tokenizer does not have.");
        }
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
    } else if (info.eos_text.empty() && !info.stop_tokens.empty()) {
        const auto& named = checkpoint.tokenizer.ends.ids;
        info.eos_text = tokenizer->spelling(named.empty() ? info.stop_tokens.front() : named.front());
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
    for (const TensorPlace& place : checkpoint->tensors) {
        bytes += place.entry.bytes;
    }
    if (auto fits = check_memory(bytes, checkpoint->info.name); !fits) {
        return failure(std::move(fits.error()));
    }
    auto tokenizer = tokenizer_of(*checkpoint); // before the weights: what fails should fail at once
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

Model Model::without_weights() const
{
    Model light = *this;
    if (!info().path.empty() && !info().sha256.empty()) {
        light.m_weights = nullptr;
    }
    return light;
}

Result<Model> Model::with_weights(const Progress& progress) const
{
    if (has_weights()) {
        return *this;
    }
    auto read = load_model(info().path, progress);
    if (!read) {
        return failure(std::move(read.error()));
    }
    if (read->info().sha256 != info().sha256) {
        return failure(Error::Kind::Mismatch, printable(info().path, 300) + " is not the file any more that was opened. Open the model again.");
    }
    Model whole = *this;
    whole.m_weights = read->shared_weights();
    return whole;
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

Result<Model> load_model(const std::filesystem::path& path, const Progress& progress)
{
    return guard("loading a model", [&] { return load(path, progress); });
}

} // namespace retort
