#pragma once
#include "core/base/error.h"
#include "core/model/arch_spec.h"
#include "core/model/weights.h"
#include "core/text/tokenizer.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

/// Asks a config.json's object for values of a kind, null counting as absent. The first value that is missing, of another kind, or asks for what is
/// not known here is kept as the complaint; ask result() after a group.
class ConfigFields {
public:
    /// `object` must outlive this.
    ConfigFields(const nlohmann::json& object, std::string origin) : m_object(object), m_origin(std::move(origin)) {}

    [[nodiscard]] bool has(const char* key) const { return find(key) != nullptr; }
    /// Written as null, which some configurations tell from absent.
    [[nodiscard]] bool is_null(const char* key) const { return m_object.contains(key) && m_object[key].is_null(); }
    [[nodiscard]] std::optional<std::int64_t> whole(const char* key);
    [[nodiscard]] std::optional<double> real(const char* key);
    [[nodiscard]] std::optional<bool> boolean(const char* key);
    [[nodiscard]] std::optional<std::string> text(const char* key);
    [[nodiscard]] std::int64_t required_whole(const char* key);
    [[nodiscard]] double required_real(const char* key);
    /// The object under `key`; null when absent.
    [[nodiscard]] const nlohmann::json* object(const char* key);
    /// One token id or a list of them; empty when absent.
    [[nodiscard]] std::vector<TokenId> token_ids(const char* key);

    void complain(std::string what);
    [[nodiscard]] Result<void> result() const;
    [[nodiscard]] const std::string& origin() const { return m_origin; }

private:
    [[nodiscard]] const nlohmann::json* find(const char* key) const;

    const nlohmann::json& m_object;
    std::string m_origin;
    std::string m_complaint;
};

/// What a config.json says that matters here.
struct ModelConfig {
    ArchSpec spec; ///< `tied` as the file says; whoever has the weights knows better
    std::vector<TokenId> eos;
    std::optional<TokenId> bos;
};

/// Reads the text of a config.json (Hugging Face transformers 4 and 5, NaN and Infinity allowed). Refuses, by name, a model_type, activation, bias or
/// RoPE scaling that the decoder does not know.
[[nodiscard]] Result<ModelConfig> parse_config(std::string_view text, const std::string& origin);

/// A config.json that transformers and parse_config read as this model. Mismatch when the spec cannot be said in one (RoPE divisors of a GGUF file
/// that no known scaling explains).
[[nodiscard]] Result<std::string> write_config(const ModelConfig& config, DType dtype);

} // namespace retort
