#pragma once
#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/model/arch_spec.h"
#include "core/model/weights.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace retort {

class Net;

/// What is known of a model without its weights; plain values that the window and the database keep.
struct ModelInfo {
    std::string name;   ///< folder or file name, or "Alembic (demo)"
    std::string path;   ///< empty for a model that lives only in memory
    std::string format; ///< "safetensors" or "gguf"
    std::string sha256; ///< of the weights file (of the concatenated shard hashes when sharded); empty for a model in memory
    std::uint64_t file_bytes = 0;
    std::string dtype; ///< the one most weights are stored in: "F32", "Q4_1"
    ArchSpec spec;
    std::uint64_t parameters = 0;
    std::string licence;              ///< as the file says; empty when it does not
    std::string derived_from;         ///< lineage: sha256 or name of the teacher, from the folder's README front matter / GGUF base_model
    std::vector<TokenId> stop_tokens; ///< tokenizer's and generation_config's together
    std::string bos_text, eos_text;   ///< spellings for the chat template
    std::vector<std::string> notes;   ///< load report: unknown tensors left aside, disagreements between files; a sentence each
};

/// A language model in memory: weights as stored, tokenizer, chat template. A thin handle to immutable parts; copies share them. Any thread.
class Model {
public:
    Model(ModelInfo info, std::shared_ptr<const WeightSet> weights, std::shared_ptr<const Tokenizer> tokenizer,
          std::shared_ptr<const ChatTemplate> chat_template);

    [[nodiscard]] const ModelInfo& info() const { return *m_info; }
    [[nodiscard]] const ArchSpec& spec() const { return m_info->spec; }
    [[nodiscard]] const WeightSet& weights() const { return *m_weights; }
    [[nodiscard]] std::shared_ptr<const WeightSet> shared_weights() const { return m_weights; }
    [[nodiscard]] const Tokenizer& tokenizer() const { return *m_tokenizer; } ///< only when has_tokenizer()
    [[nodiscard]] std::shared_ptr<const Tokenizer> shared_tokenizer() const { return m_tokenizer; }
    [[nodiscard]] bool has_tokenizer() const { return m_tokenizer != nullptr; }
    [[nodiscard]] const ChatTemplate* chat_template() const { return m_chat_template.get(); } ///< null when the model has none
    [[nodiscard]] std::shared_ptr<const ChatTemplate> shared_chat_template() const { return m_chat_template; }

private:
    std::shared_ptr<const ModelInfo> m_info;
    std::shared_ptr<const WeightSet> m_weights;
    std::shared_ptr<const Tokenizer> m_tokenizer;
    std::shared_ptr<const ChatTemplate> m_chat_template;
};

/// What loading would take, told before a byte of the weights is read.
struct MemoryEstimate {
    std::uint64_t weights = 0;   ///< as kept for answering
    std::uint64_t kv_cache = 0;  ///< for `positions` positions
    std::uint64_t training = 0;  ///< gradients, AdamW's moments, fp32 master weights and activations, were this the student
    std::uint64_t available = 0; ///< free now
    [[nodiscard]] bool fits() const { return weights + kv_cache <= available; }
};

/// Reads only headers and small files: config.json or GGUF metadata, checks every tensor's name, type, shape and place. `sha256`, which needs the
/// whole file, and what only a tokenizer tells (its stop tokens and spellings) stay empty.
[[nodiscard]] Result<ModelInfo> inspect_model(const std::filesystem::path& path);
/// An estimate from the sizes alone: weights as stored, a float32 cache, training in float32 with AdamW over `positions` positions at once.
[[nodiscard]] MemoryEstimate estimate_memory(const ModelInfo& info, std::int64_t positions);

/// Loads a Hugging Face folder (or the config.json / .safetensors file in one) or a .gguf file. Refuses, with the two numbers, what does not fit in
/// memory. Never runs code from the file. Cancels between pieces of a few MiB.
[[nodiscard]] Result<Model> load_model(const std::filesystem::path& path, const Progress& progress = {});

struct SaveOptions {
    DType dtype = DType::F32; ///< or BF16
    std::string tokenizer_json;
    std::string tokenizer_config_json;
    std::string readme; ///< without front matter, one is put before it from the model's licence and derived_from
};

/// Writes a Hugging Face folder that transformers and load_model read: config.json, generation_config.json, the texts of `options` that are not
/// empty, and model.safetensors last (quantised weights are decoded). Each file appears whole or not at all. `model.info().stop_tokens` become
/// eos_token_id.
[[nodiscard]] Result<void> save_model(const Model& model, const std::filesystem::path& folder, const SaveOptions& options,
                                      const Progress& progress = {});

/// The tokenizer files of the folder that `info` came from, so that a student gets its teacher's; empty texts for a GGUF file or a model in memory.
[[nodiscard]] Result<SaveOptions> save_options_of(const ModelInfo& info);

} // namespace retort
