#pragma once
#include "core/model/config_json.h"
#include "core/model/gguf.h"
#include "core/model/tensor_rule.h"

#include <span>
#include <string>
#include <string_view>

namespace retort {

/// A family of models: how its files' words become a DecoderShape and weights, and back. Each is one file of families/ and one row of families();
/// nothing outside that folder knows a family's name, keys or tensors.
struct Family {
    std::string_view model_type{};        ///< in config.json
    std::string_view architecture{};      ///< there too: "LlamaForCausalLM"
    std::string_view gguf_architecture{}; ///< general.architecture; empty when such files do not exist
    void (*from_config)(ConfigFields& fields, DecoderShape& shape) = nullptr;
    void (*from_gguf)(GgufFields& fields, DecoderShape& shape) = nullptr;
    /// Adds the keys of config.json that from_config() reads.
    void (*to_config)(const DecoderShape& shape, nlohmann::ordered_json& config) = nullptr;
    std::string_view prefix{};             ///< before the tensors' names in safetensors files: "model."; some writers leave it out
    std::span<const TensorRule> tensors{}; ///< of safetensors files
    std::span<const TensorRule> gguf_tensors{};
    std::span<const std::string_view> buffers{}; ///< endings of tensors that old files carry and every program works out anew
};

[[nodiscard]] std::span<const Family> families();
/// Null when unknown.
[[nodiscard]] const Family* family_of_model_type(std::string_view model_type);
[[nodiscard]] const Family* family_of_gguf(std::string_view architecture);
/// "llama, mistral", for messages.
[[nodiscard]] std::string known_model_types();
[[nodiscard]] std::string known_gguf_architectures();

} // namespace retort
