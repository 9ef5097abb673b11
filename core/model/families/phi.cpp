// Phi 1, 1.5 and 2: LayerNorm, parallel branches through one norm, biases everywhere, part of each head turned.
#include "core/model/families/common.h"

namespace retort {

namespace {

constexpr std::array kTensors = {
    TensorRule("embed_tokens", Part::Embedding),
    TensorRule("layers.N.input_layernorm", Part::AttentionNorm),
    TensorRule("layers.N.self_attn.q_proj", Part::Query),
    TensorRule("layers.N.self_attn.k_proj", Part::Key),
    TensorRule("layers.N.self_attn.v_proj", Part::Value),
    TensorRule("layers.N.self_attn.dense", Part::Output),
    TensorRule("layers.N.mlp.fc1", Part::Up),
    TensorRule("layers.N.mlp.fc2", Part::Down),
    TensorRule("final_layernorm", Part::FinalNorm),
    TensorRule("lm_head", Part::Head),
};

void be_phi(DecoderShape& shape)
{
    shape.norm = DecoderShape::Norm::Layer;
    shape.norm_bias = true;
    shape.attention.bias = shape.attention.output_bias = true;
    shape.feed_forward = {.gated = false, .activation = Activation::GeluTanh, .bias = true, .down_bias = true};
    shape.residual.parallel = shape.residual.shared_norm = true;
    shape.head_bias = true;
}

void from_config(ConfigFields& fields, DecoderShape& shape)
{
    read_sizes(fields, shape);
    be_phi(shape);
    shape.norm_eps = fields.real("layer_norm_eps").value_or(1e-5);
    shape.feed_forward.activation = read_activation(fields, "hidden_act", "gelu_new");
    read_rope(fields, shape, 10000.0, 0.5);
    refuse_unless(fields, "qk_layernorm", false);
}

void from_gguf(GgufFields& fields, DecoderShape& shape)
{
    read_gguf_sizes(fields, shape, ".attention.layer_norm_epsilon");
    be_phi(shape);
    read_gguf_rope(fields, shape);
}

} // namespace

Family phi_family()
{
    return {.model_type = "phi",
            .architecture = "PhiForCausalLM",
            .gguf_architecture = "phi2",
            .from_config = from_config,
            .from_gguf = from_gguf,
            .prefix = "model.",
            .tensors = kTensors,
            .gguf_tensors = kGgufTensors,
            .buffers = kRotaryBuffers};
}

} // namespace retort
