#pragma once
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/model/family.h"
#include "core/model/model.h"
#include "core/model/tensor_entry.h"
#include "core/model/tokenizer_files.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace retort {

/// One of a checkpoint's tensors: where it lies and which weights it becomes.
struct TensorPlace {
    std::size_t file = 0; ///< index into Checkpoint::files
    TensorEntry entry{};  ///< under the file's own name
    Import import = Import::Rows;
    std::int64_t heads = 1; ///< for imports that go by heads
    std::vector<WeightSlot> slots{};
};

/// A model's files, opened and checked, before a byte of its weights is read: every weight the spec asks for is there, in a type that can be read,
/// with the right shape, inside its file.
struct Checkpoint {
    ModelInfo info; ///< sha256 still empty
    std::vector<InputFile> files;
    std::vector<TensorPlace> tensors; ///< what becomes weights
    std::optional<GgufTokenizer> gguf_tokenizer;
    TokenizerFiles tokenizer; ///< of a folder; its ends with config.json's
    std::string chat_template;
};

/// A folder, a file in one, or a .gguf file. Refuses pickles and TorchScript: opening those runs code from the file.
[[nodiscard]] Result<Checkpoint> open_checkpoint(const std::filesystem::path& path);

/// The two kinds. `weights_file`: the one to take instead of searching, when a person chose it.
[[nodiscard]] Result<Checkpoint> open_folder(const std::filesystem::path& folder, const std::filesystem::path& weights_file = {});
[[nodiscard]] Result<Checkpoint> open_gguf(const std::filesystem::path& path);

/// A tensor of one of the checkpoint's files.
struct FoundTensor {
    std::size_t file = 0;
    TensorEntry entry;
};

/// What match_tensors() needs to know of the files.
struct Naming {
    std::span<const TensorRule> rules{};
    std::span<const std::string_view> buffers{}; ///< endings of tensors that are left aside without a word
    std::string_view prefix{};                   ///< that the family puts before its tensors' names
    std::string described_by{};                  ///< "config.json": who asks for the shapes
    std::optional<bool> says_tied{};             ///< what that one says of the head
    bool says_biases = false;                    ///< whether that one tells of biases at all
};

/// Gives every tensor its weights: fills checkpoint.tensors, the report, and what the weights tell better than a description: whether the head is the
/// embedding, and which biases there are. Refuses what is missing or has another shape, and a tensor inside a layer that this decoder has no use for,
/// because without it the numbers would be others. `origin` is the file of the weights.
[[nodiscard]] Result<void> match_tensors(Checkpoint& checkpoint, std::vector<FoundTensor> found, const Naming& naming, const std::string& origin);

} // namespace retort
