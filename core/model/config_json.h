#pragma once
#include "core/base/error.h"
#include "core/model/config_fields.h"
#include "core/model/decoder_shape.h"
#include "core/model/tokenizer_files.h"
#include "core/model/weights.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

/// What a config.json says that matters here.
struct ModelConfig {
    DecoderShape spec;               ///< `tied` as the file says or its family has it; whoever has the weights knows better
    std::optional<bool> says_tied{}; ///< what the file itself says of the head
    std::vector<TokenId> eos;        ///< to be written
    std::optional<TokenId> bos;
    NamedTokens ends{}; ///< what a file that was read says of them, in whatever form
};

/// Reads the text of a config.json (Hugging Face transformers 4 and 5, NaN and Infinity allowed; the language model's part of one that also sees or
/// hears). Refuses, by name, a model_type, activation, layer type or RoPE scaling that the decoder does not know.
[[nodiscard]] Result<ModelConfig> parse_config(std::string_view text, const std::string& origin);

/// A config.json that transformers and parse_config read as this model. Mismatch when the spec cannot be said in one (RoPE divisors of a GGUF file
/// that no known scaling explains, a family that cannot be written).
[[nodiscard]] Result<std::string> write_config(const ModelConfig& config, DType dtype);

} // namespace retort
