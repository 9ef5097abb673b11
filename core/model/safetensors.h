#pragma once
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/progress.h"
#include "core/model/tensor_entry.h"
#include "core/model/weights.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

/// A safetensors file's header: u64 length, JSON, then the tensors' bytes (format: huggingface/safetensors, tensor.rs and README).
struct SafetensorsHeader {
    std::vector<TensorEntry> tensors; ///< in the order of their bytes
    std::map<std::string, std::string> metadata;
    std::uint64_t data_begin = 0; ///< from the start of the file
};

/// Reads and checks the header alone. What the reference refuses is refused here: tensors must fill the file exactly, without hole, overlap or rest.
/// So are a name that comes twice, more than 200,000 tensors, more than 8 dimensions.
[[nodiscard]] Result<SafetensorsHeader> read_safetensors_header(const InputFile& file);

/// The same for the JSON text alone, of a file whose tensors' bytes begin at `data_begin` and number `data_bytes`.
[[nodiscard]] Result<SafetensorsHeader> parse_safetensors_header(std::string_view text, std::uint64_t data_begin, std::uint64_t data_bytes,
                                                                 const std::string& origin);

/// A whole file in memory: F32, F16 and BF16 tensors by name, with the header's texts. Refuses other types (F64 included) by name.
struct SafetensorsContent {
    WeightSet tensors;
    std::map<std::string, std::string> metadata;
};
[[nodiscard]] Result<SafetensorsContent> read_safetensors(const std::filesystem::path& path, const Progress& progress = {});

/// Writes such a file, whole or not at all: larger types first, then by name, header padded to 8 bytes, as the reference does. Only F32, F16 and BF16
/// tensors (Usage otherwise). Cancels between tensors.
[[nodiscard]] Result<void> write_safetensors(const std::filesystem::path& path, const WeightSet& tensors,
                                             const std::map<std::string, std::string>& metadata = {}, const Progress& progress = {});
/// The same up to the moment of its appearing: all bytes are written, commit() puts it in its place.
[[nodiscard]] Result<AtomicFile> prepare_safetensors(const std::filesystem::path& path, const WeightSet& tensors,
                                                     const std::map<std::string, std::string>& metadata = {}, const Progress& progress = {});

} // namespace retort
