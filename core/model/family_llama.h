#pragma once
#include "core/model/config_json.h"
#include "core/model/gguf.h"

#include <optional>
#include <string>
#include <string_view>

namespace retort {

/// Llama and what has its shape (SmolLM2, TinyStories, Mistral without a sliding window): RMSNorm, gated SiLU, grouped queries, half-split RoPE.
/// Keys and defaults as in transformers' LlamaConfig and MistralConfig; GGUF keys as in gguf-py's constants.
void llama_from_config(ConfigFields& fields, ArchSpec& spec);
void mistral_from_config(ConfigFields& fields, ArchSpec& spec);
void llama_from_gguf(GgufFields& fields, ArchSpec& spec);
[[nodiscard]] std::optional<std::string> llama_canonical_name(std::string_view gguf_name);

} // namespace retort
