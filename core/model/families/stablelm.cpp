// StableLM: a llama with LayerNorm, a quarter of each head turned, perhaps biases on q, k and v, perhaps parallel branches through one norm.
#include "core/model/families/common.h"

namespace retort {

namespace {

void be_stablelm(DecoderShape& shape, bool parallel)
{
    shape.norm = DecoderShape::Norm::Layer;
    shape.norm_bias = true;
    shape.residual.parallel = shape.residual.shared_norm = parallel;
}

void from_config(ConfigFields& fields, DecoderShape& shape)
{
    read_sizes(fields, shape, 4096);
    be_stablelm(shape, fields.boolean("use_parallel_residual").value_or(false));
    shape.norm_eps = fields.real("layer_norm_eps").value_or(1e-5);
    shape.feed_forward.activation = read_activation(fields, "hidden_act", "silu");
    shape.attention.bias = fields.boolean("use_qkv_bias").value_or(false);
    read_rope(fields, shape, 10000.0, 0.25);
    refuse_unless(fields, "qk_layernorm", false);
}

void from_gguf(GgufFields& fields, DecoderShape& shape)
{
    read_gguf_sizes(fields, shape, ".attention.layer_norm_epsilon");
    be_stablelm(shape, fields.boolean(".use_parallel_residual").value_or(false));
    read_gguf_rope(fields, shape);
}

} // namespace

Family stablelm_family()
{
    return {.model_type = "stablelm",
            .architecture = "StableLmForCausalLM",
            .gguf_architecture = "stablelm",
            .from_config = from_config,
            .from_gguf = from_gguf,
            .prefix = "model.",
            .tensors = kLlamaTensors,
            .gguf_tensors = kGgufTensors,
            .buffers = kRotaryBuffers};
}

} // namespace retort
