#pragma once
#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/model/decoder_shape.h"
#include "core/model/load_report.h"
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
    std::uint64_t weight_bytes = 0; ///< of the weights as the kernels hold them; 0 for a model in memory
    std::string dtype;              ///< the one most weights are stored in: "F32", "Q4_1"
    DecoderShape spec;
    std::uint64_t parameters = 0;
    std::string licence;              ///< as the file says; empty when it does not
    std::string derived_from;         ///< lineage: sha256 or name of the teacher, from the folder's README front matter / GGUF base_model
    std::vector<TokenId> stop_tokens; ///< tokenizer's and generation_config's together
    std::string bos_text, eos_text;   ///< spellings for the chat template
    LoadReport report;                ///< what became of the files' tensors
    std::vector<std::string> notes;   ///< what else there is to say of the files; a sentence each
};

/// A language model in memory: weights as stored, tokenizer, chat template. A thin handle to immutable parts; copies share them. Any thread.
class Model {
public:
    Model(ModelInfo info, std::shared_ptr<const WeightSet> weights, std::shared_ptr<const Tokenizer> tokenizer,
          std::shared_ptr<const ChatTemplate> chat_template);

    [[nodiscard]] const ModelInfo& info() const { return *m_info; }
    [[nodiscard]] const DecoderShape& spec() const { return m_info->spec; }
    [[nodiscard]] const WeightSet& weights() const { return *m_weights; } ///< only when has_weights()
    [[nodiscard]] bool has_weights() const { return m_weights != nullptr; }
    /// The same model without its weights, which can be read again from its file; itself when there is no file to read them from.
    [[nodiscard]] Model without_weights() const;
    /// The same model with its weights, read from its file where it has none. Fails when the file has become another one.
    [[nodiscard]] Result<Model> with_weights(const Progress& progress = {}) const;
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

/// Reads only headers and small files: config.json or GGUF metadata, checks every tensor's name, type, shape and place. `sha256`, which needs the
/// whole file, and what only a tokenizer tells (its stop tokens and spellings) stay empty.
[[nodiscard]] Result<ModelInfo> inspect_model(const std::filesystem::path& path);

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
