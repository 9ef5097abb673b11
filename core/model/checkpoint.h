#pragma once
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/model/model.h"
#include "core/model/tensor_entry.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace retort {

/// One of a checkpoint's weights: where it lies and how it becomes canonical.
struct WeightPlace {
    std::size_t file = 0;               ///< index into Checkpoint::files
    TensorEntry entry;                  ///< under the file's own name
    std::int64_t interleaved_heads = 0; ///< when not 0: rows of so many heads come in the order of interleaved RoPE
};

/// A model's files, opened and checked, before a byte of its weights is read: every weight the spec asks for is there, in a type that can be read,
/// with the right shape, inside its file.
struct Checkpoint {
    ModelInfo info; ///< sha256 still empty
    std::vector<InputFile> files;
    std::map<std::string, WeightPlace, std::less<>> weights; ///< by canonical name
    std::optional<GgufTokenizer> gguf_tokenizer;
    std::string tokenizer_json;
    std::string chat_template;
    std::vector<TokenId> stop_tokens; ///< what config.json and generation_config.json say
};

/// A folder, a file in one, or a .gguf file. Refuses pickles and TorchScript: opening those runs code from the file.
[[nodiscard]] Result<Checkpoint> open_checkpoint(const std::filesystem::path& path);

/// The two kinds. `weights_file`: the one to take instead of searching, when a person chose it.
[[nodiscard]] Result<Checkpoint> open_folder(const std::filesystem::path& folder, const std::filesystem::path& weights_file = {});
[[nodiscard]] Result<Checkpoint> open_gguf(const std::filesystem::path& path);

/// Compares checkpoint.weights with what checkpoint.info.spec asks for and fills in dtype, parameters and file_bytes. `origin` is the file of the
/// weights, `described_by` what asked for the shapes. `left_aside` are the tensors that are no weights: noted, not refused.
[[nodiscard]] Result<void> match_weights(Checkpoint& checkpoint, const std::string& origin, const std::string& described_by,
                                         const std::vector<std::string>& left_aside);

} // namespace retort
