#pragma once
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/model/tensor_entry.h"
#include "core/text/tokenizer.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace retort {

/// A list in a GGUF file's metadata: texts, whole numbers (bool included; u64 as its bits) or real numbers, by the type the file names.
using GgufArray = std::variant<std::vector<std::string>, std::vector<std::int64_t>, std::vector<double>>;
using GgufValue = std::variant<std::uint64_t, std::int64_t, double, bool, std::string, GgufArray>;

/// Everything in a GGUF file but the tensors' bytes (format: ggml-org/ggml, docs/gguf.md), versions 2 and 3, little-endian.
struct GgufFile {
    std::map<std::string, GgufValue, std::less<>> metadata;
    std::vector<TensorEntry> tensors; ///< in the order of their bytes
    std::uint64_t alignment = 32;
    std::uint64_t data_begin = 0; ///< from the start of the file
};

/// Reads and checks the header. Every count is compared with the bytes that are left before anything is allocated for it, sizes are multiplied step
/// by step, tensors must follow one another, and each must end within the file.
[[nodiscard]] Result<GgufFile> read_gguf(const InputFile& file);
[[nodiscard]] Result<GgufFile> read_gguf(const std::filesystem::path& path);
[[nodiscard]] Result<GgufFile> read_gguf(std::span<const std::byte> bytes, const std::string& origin);

/// Asks a file's metadata for values of a kind. The first one that is missing or of another kind is kept as the complaint; ask result() after a
/// group.
class GgufFields {
public:
    /// `file` must outlive this. `prefix` ("llama.") goes before every key that begins with a dot.
    GgufFields(const GgufFile& file, std::string origin, std::string prefix = {})
        : m_file(file), m_origin(std::move(origin)), m_prefix(std::move(prefix))
    {
    }

    [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
    [[nodiscard]] std::optional<std::string> text(std::string_view key);
    [[nodiscard]] std::optional<bool> boolean(std::string_view key);
    /// A list of one number repeated (some writers give a number per layer) counts as that number.
    [[nodiscard]] std::optional<std::int64_t> whole(std::string_view key);
    /// A float32 is taken as the shortest decimal that means it: 1e-06, not 9.99999997e-07, which is what the model's author wrote.
    [[nodiscard]] std::optional<double> real(std::string_view key);
    [[nodiscard]] std::int64_t required_whole(std::string_view key);
    [[nodiscard]] double required_real(std::string_view key);
    /// Null when absent.
    template <class Element>
    [[nodiscard]] const std::vector<Element>* list(std::string_view key);

    void complain(std::string what);
    [[nodiscard]] Result<void> result() const;
    [[nodiscard]] const std::string& origin() const { return m_origin; }

private:
    [[nodiscard]] std::string full(std::string_view key) const;
    [[nodiscard]] const GgufValue* find(std::string_view key) const;

    const GgufFile& m_file;
    std::string m_origin;
    std::string m_prefix;
    std::string m_complaint;
};

/// The keys tokenizer.ggml.*, types and lengths checked against each other; empty when the file was written without a tokenizer.
[[nodiscard]] Result<std::optional<GgufTokenizer>> tokenizer_fields(const GgufFile& file, const std::string& origin);

} // namespace retort
