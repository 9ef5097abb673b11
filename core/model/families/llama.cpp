// Llama and what has its shape (SmolLM2, TinyStories, R1-Distill-Llama): RMSNorm, gated SiLU, grouped queries, half-split RoPE. Keys and defaults as
// in transformers' LlamaConfig; GGUF keys as in gguf-py's constants. LlamaForCausalLM with attention_bias and mlp_bias too.
#include "core/model/families/common.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace retort {

namespace {

void from_gguf(GgufFields& fields, DecoderShape& shape)
{
    read_gguf_sizes(fields, shape, ".attention.layer_norm_rms_epsilon");
    read_gguf_rope(fields, shape);
    if (shape.rope_dims != 0) {
        fields.complain("of a head's " + std::to_string(shape.head_dim) + " values " + std::to_string(shape.rope_dims) +
                        " are turned by RoPE; all are in this family.");
    }
    if (const std::int64_t window = fields.whole(".attention.sliding_window").value_or(0); window > 0 && window < shape.context) {
        set_windows(shape, window, std::vector<bool>(static_cast<std::size_t>(std::max<std::int64_t>(shape.layers, 0)), true));
    }
}

} // namespace

void llama_from_config(ConfigFields& fields, DecoderShape& shape)
{
    read_sizes(fields, shape);
    shape.norm_eps = fields.real("rms_norm_eps").value_or(1e-6);
    shape.feed_forward.activation = read_activation(fields, "hidden_act", "silu");
    shape.attention.bias = shape.attention.output_bias = fields.boolean("attention_bias").value_or(false);
    shape.feed_forward.bias = shape.feed_forward.down_bias = fields.boolean("mlp_bias").value_or(false);
    read_rope(fields, shape);
}

void llama_to_config(const DecoderShape& shape, nlohmann::ordered_json& config)
{
    write_sizes(shape, config);
    write_rope(shape, config);
    config["hidden_act"] = name_of(shape.feed_forward.activation);
    config["rms_norm_eps"] = shape.norm_eps;
    config["attention_bias"] = shape.attention.bias;
    config["mlp_bias"] = shape.feed_forward.bias;
}

Family llama_family()
{
    return {.model_type = "llama",
            .architecture = "LlamaForCausalLM",
            .gguf_architecture = "llama",
            .from_config =
                [](ConfigFields& fields, DecoderShape& shape) {
                    llama_from_config(fields, shape);
                    if (shape.rope_dims != 0) {
                        fields.complain("partial_rotary_factor is below 1; whole heads are turned in this family.");
                    }
                },
            .from_gguf = from_gguf,
            .to_config = llama_to_config,
            .prefix = "model.",
            .tensors = kLlamaTensors,
            .gguf_tensors = kInterleavedGgufTensors,
            .buffers = kRotaryBuffers};
}

} // namespace retort
