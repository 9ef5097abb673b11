// Phi 3, 3.5 and 4 (mini too): a llama whose q, k, v and whose gate and up are one matrix each; LongRoPE, perhaps part of each head turned.
#include "core/model/families/common.h"

#include <algorithm>

namespace retort {

namespace {

constexpr std::array kTensors = {
    TensorRule("embed_tokens", Part::Embedding),
    TensorRule("layers.N.input_layernorm", Part::AttentionNorm),
    TensorRule("layers.N.self_attn.qkv_proj", Part::Query, Part::Key, Part::Value),
    TensorRule("layers.N.self_attn.o_proj", Part::Output),
    TensorRule("layers.N.post_attention_layernorm", Part::FfnNorm),
    TensorRule("layers.N.mlp.gate_up_proj", Part::Gate, Part::Up),
    TensorRule("layers.N.mlp.down_proj", Part::Down),
    TensorRule("norm", Part::FinalNorm),
    TensorRule("lm_head", Part::Head),
};

constexpr std::array kGguf = {
    TensorRule("token_embd", Part::Embedding),
    TensorRule("blk.N.attn_norm", Part::AttentionNorm),
    TensorRule("blk.N.attn_qkv", Part::Query, Part::Key, Part::Value),
    TensorRule("blk.N.attn_output", Part::Output),
    TensorRule("blk.N.ffn_norm", Part::FfnNorm),
    TensorRule("blk.N.ffn_up", Part::Gate, Part::Up),
    TensorRule("blk.N.ffn_down", Part::Down),
    TensorRule("output_norm", Part::FinalNorm),
    TensorRule("output", Part::Head),
};

void from_config(ConfigFields& fields, DecoderShape& shape)
{
    read_sizes(fields, shape, 4096);
    shape.norm_eps = fields.real("rms_norm_eps").value_or(1e-5);
    shape.feed_forward.activation = read_activation(fields, "hidden_act", "silu");
    refuse_unless(fields, "attention_bias", false);
    read_rope(fields, shape);
    if (const std::int64_t window = fields.whole("sliding_window").value_or(0); window > 0 && window < shape.context) {
        std::vector<bool> slides = sliding_layers(fields, shape);
        slides.resize(static_cast<std::size_t>(std::max<std::int64_t>(shape.layers, 0)), slides.empty());
        set_windows(shape, window, slides);
    }
}

/// llama.cpp's converter writes the window of those models that have one in every layer.
void from_gguf(GgufFields& fields, DecoderShape& shape)
{
    read_gguf_sizes(fields, shape, ".attention.layer_norm_rms_epsilon");
    read_gguf_rope(fields, shape);
    shape.rope.scaling.attention_factor = fields.real(".rope.scaling.attn_factor").value_or(1.0);
    shape.rope.scaling.original_context = fields.whole(".rope.scaling.original_context_length").value_or(shape.context);
    if (const std::int64_t window = fields.whole(".attention.sliding_window").value_or(0); window > 0 && window < shape.context) {
        set_windows(shape, window, std::vector<bool>(static_cast<std::size_t>(std::max<std::int64_t>(shape.layers, 0)), true));
    }
}

} // namespace

Family phi3_family()
{
    return {.model_type = "phi3",
            .architecture = "Phi3ForCausalLM",
            .gguf_architecture = "phi3",
            .from_config = from_config,
            .from_gguf = from_gguf,
            .prefix = "model.",
            .tensors = kTensors,
            .gguf_tensors = kGguf,
            .buffers = kRotaryBuffers};
}

} // namespace retort
