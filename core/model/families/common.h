#pragma once
#include "core/model/family.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace retort {

// What the families' files share: keys that most configurations spell alike, and names that most files do.

/// Layers, width, heads, feed-forward, vocabulary, context, head_dim and tie_word_embeddings as llama's configuration spells them.
/// `context`: where the file gives none.
void read_sizes(ConfigFields& fields, DecoderShape& shape, std::int64_t context = 2048);
/// num_hidden_layers and the like, as read_sizes() reads them.
void write_sizes(const DecoderShape& shape, nlohmann::ordered_json& config);

/// head_dim where the file gives none: the width divided among the heads.
void divide_width(ConfigFields& fields, DecoderShape& shape);

/// rope_parameters (transformers 5), or rope_scaling beside a top-level rope_theta (before); the scaling's name under rope_type or type.
/// `theta`: where the file gives none. Part of a head: partial_rotary_factor, `partial` where the file gives none.
void read_rope(ConfigFields& fields, DecoderShape& shape, double theta = 10000.0, double partial = 1.0);
/// The same for one object of rope_parameters.
[[nodiscard]] Rope rope_in(ConfigFields& rope, const DecoderShape& shape, double theta, std::optional<std::int64_t> original_context);
void write_rope(const DecoderShape& shape, nlohmann::ordered_json& config);

/// hidden_act or another key; refuses an activation that is not known.
[[nodiscard]] Activation read_activation(ConfigFields& fields, const char* key, const char* otherwise);
[[nodiscard]] const char* name_of(Activation activation);

/// layer_types of the file; empty when it has none. Refuses types other than full_attention and sliding_attention.
[[nodiscard]] std::vector<bool> sliding_layers(ConfigFields& fields, const DecoderShape& shape);
/// A window on the layers that `slides` tells; none that is as long as the context.
void set_windows(DecoderShape& shape, std::int64_t window, const std::vector<bool>& slides);

/// Complains when `key` is set to anything but `expected`, because the arithmetic would be another.
void refuse_unless(ConfigFields& fields, const char* key, bool expected);

/// The sizes under the keys that every architecture of GGUF has; RoPE with its scaling. `eps`: the key's ending of the norm's epsilon.
void read_gguf_sizes(GgufFields& fields, DecoderShape& shape, const char* eps);
void read_gguf_rope(GgufFields& fields, DecoderShape& shape);

/// Two lists of rules as one.
template <std::size_t A, std::size_t B>
constexpr std::array<TensorRule, A + B> joined(const std::array<TensorRule, A>& first, const std::array<TensorRule, B>& second)
{
    return [&]<std::size_t... I, std::size_t... J>(std::index_sequence<I...>, std::index_sequence<J...>) {
        return std::array<TensorRule, A + B>{first[I]..., second[J]...};
    }(std::make_index_sequence<A>(), std::make_index_sequence<B>());
}

/// The tensors of a llama, in safetensors files and in GGUF files, where q and k are either as they are or interleaved.
inline constexpr std::array kLlamaTensors = {
    TensorRule("embed_tokens", Part::Embedding),
    TensorRule("layers.N.input_layernorm", Part::AttentionNorm),
    TensorRule("layers.N.self_attn.q_proj", Part::Query),
    TensorRule("layers.N.self_attn.k_proj", Part::Key),
    TensorRule("layers.N.self_attn.v_proj", Part::Value),
    TensorRule("layers.N.self_attn.o_proj", Part::Output),
    TensorRule("layers.N.post_attention_layernorm", Part::FfnNorm),
    TensorRule("layers.N.mlp.gate_proj", Part::Gate),
    TensorRule("layers.N.mlp.up_proj", Part::Up),
    TensorRule("layers.N.mlp.down_proj", Part::Down),
    TensorRule("norm", Part::FinalNorm),
    TensorRule("lm_head", Part::Head),
};

inline constexpr std::array kGgufTensors = {
    TensorRule("token_embd", Part::Embedding),
    TensorRule("position_embd", Part::Positions),
    TensorRule("blk.N.attn_norm", Part::AttentionNorm),
    TensorRule("blk.N.attn_q", Part::Query),
    TensorRule("blk.N.attn_k", Part::Key),
    TensorRule("blk.N.attn_v", Part::Value),
    TensorRule("blk.N.attn_qkv", Part::Query, Part::Key, Part::Value),
    TensorRule("blk.N.attn_q_norm", Part::QueryNorm),
    TensorRule("blk.N.attn_k_norm", Part::KeyNorm),
    TensorRule("blk.N.attn_output", Part::Output),
    TensorRule("blk.N.post_attention_norm", Part::AfterAttentionNorm),
    TensorRule("blk.N.ffn_norm", Part::FfnNorm),
    TensorRule("blk.N.ffn_gate", Part::Gate),
    TensorRule("blk.N.ffn_up", Part::Up),
    TensorRule("blk.N.ffn_down", Part::Down),
    TensorRule("blk.N.post_ffw_norm", Part::AfterFfnNorm),
    TensorRule("output_norm", Part::FinalNorm),
    TensorRule("output", Part::Head),
};

inline constexpr std::array kInterleavedGgufTensors = {
    TensorRule("token_embd", Part::Embedding),
    TensorRule("blk.N.attn_norm", Part::AttentionNorm),
    TensorRule("blk.N.attn_q", Part::Query, Import::Interleaved),
    TensorRule("blk.N.attn_k", Part::Key, Import::Interleaved),
    TensorRule("blk.N.attn_v", Part::Value),
    TensorRule("blk.N.attn_output", Part::Output),
    TensorRule("blk.N.ffn_norm", Part::FfnNorm),
    TensorRule("blk.N.ffn_gate", Part::Gate),
    TensorRule("blk.N.ffn_up", Part::Up),
    TensorRule("blk.N.ffn_down", Part::Down),
    TensorRule("output_norm", Part::FinalNorm),
    TensorRule("output", Part::Head),
};

inline constexpr std::array<std::string_view, 1> kRotaryBuffers = {"rotary_emb.inv_freq"};

/// Each family's row.
[[nodiscard]] Family llama_family();
[[nodiscard]] Family mistral_family();
[[nodiscard]] Family qwen2_family();
[[nodiscard]] Family qwen3_family();
[[nodiscard]] Family gemma2_family();
[[nodiscard]] Family gemma3_family();
[[nodiscard]] Family phi_family();
[[nodiscard]] Family phi3_family();
[[nodiscard]] Family gpt2_family();
[[nodiscard]] Family gpt_neox_family();
[[nodiscard]] Family opt_family();
[[nodiscard]] Family smollm3_family();
[[nodiscard]] Family olmo2_family();
[[nodiscard]] Family granite_family();
[[nodiscard]] Family stablelm_family();

// Shared by those that are a llama with additions.
void llama_from_config(ConfigFields& fields, DecoderShape& shape);
void llama_to_config(const DecoderShape& shape, nlohmann::ordered_json& config);

} // namespace retort
