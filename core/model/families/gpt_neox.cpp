// GPT-NeoX and Pythia: LayerNorm, parallel branches with a norm each, plain GELU, biases, part of each head turned; q, k and v of each head together.
#include "core/model/families/common.h"

namespace retort {

namespace {

constexpr std::array kTensors = {
    TensorRule("embed_in", Part::Embedding),
    TensorRule("layers.N.input_layernorm", Part::AttentionNorm),
    TensorRule("layers.N.attention.query_key_value", Part::Query, Part::Key, Part::Value, Import::HeadRows),
    TensorRule("layers.N.attention.dense", Part::Output),
    TensorRule("layers.N.post_attention_layernorm", Part::FfnNorm),
    TensorRule("layers.N.mlp.dense_h_to_4h", Part::Up),
    TensorRule("layers.N.mlp.dense_4h_to_h", Part::Down),
    TensorRule("final_layer_norm", Part::FinalNorm),
    TensorRule("embed_out", Part::Head),
};

constexpr std::array<std::string_view, 3> kBuffers = {".attention.bias", ".attention.masked_bias", "rotary_emb.inv_freq"};

void be_neox(DecoderShape& shape, bool parallel)
{
    shape.norm = DecoderShape::Norm::Layer;
    shape.norm_bias = true;
    shape.attention.bias = shape.attention.output_bias = true;
    shape.feed_forward = {.gated = false, .activation = Activation::Gelu, .bias = true, .down_bias = true};
    shape.residual.parallel = parallel;
}

void from_config(ConfigFields& fields, DecoderShape& shape)
{
    read_sizes(fields, shape);
    be_neox(shape, fields.boolean("use_parallel_residual").value_or(true));
    shape.norm_eps = fields.real("layer_norm_eps").value_or(1e-5);
    shape.feed_forward.activation = read_activation(fields, "hidden_act", "gelu");
    shape.attention.bias = shape.attention.output_bias = fields.boolean("attention_bias").value_or(true);
    read_rope(fields, shape, fields.real("rotary_emb_base").value_or(10000.0), fields.real("rotary_pct").value_or(0.25));
}

void from_gguf(GgufFields& fields, DecoderShape& shape)
{
    read_gguf_sizes(fields, shape, ".attention.layer_norm_epsilon");
    be_neox(shape, fields.boolean(".use_parallel_residual").value_or(true));
    read_gguf_rope(fields, shape);
}

} // namespace

Family gpt_neox_family()
{
    return {.model_type = "gpt_neox",
            .architecture = "GPTNeoXForCausalLM",
            .gguf_architecture = "gptneox",
            .from_config = from_config,
            .from_gguf = from_gguf,
            .prefix = "gpt_neox.",
            .tensors = kTensors,
            .gguf_tensors = kGgufTensors,
            .buffers = kBuffers};
}

} // namespace retort
