// OLMo 2: norms of what each branch adds instead of what it reads, and norms over all queries and over all keys of a position.
#include "core/model/families/common.h"

namespace retort {

namespace {

constexpr std::array kTensors = {
    TensorRule("embed_tokens", Part::Embedding),
    TensorRule("layers.N.self_attn.q_proj", Part::Query),
    TensorRule("layers.N.self_attn.k_proj", Part::Key),
    TensorRule("layers.N.self_attn.v_proj", Part::Value),
    TensorRule("layers.N.self_attn.q_norm", Part::QueryNorm),
    TensorRule("layers.N.self_attn.k_norm", Part::KeyNorm),
    TensorRule("layers.N.self_attn.o_proj", Part::Output),
    TensorRule("layers.N.post_attention_layernorm", Part::AfterAttentionNorm),
    TensorRule("layers.N.mlp.gate_proj", Part::Gate),
    TensorRule("layers.N.mlp.up_proj", Part::Up),
    TensorRule("layers.N.mlp.down_proj", Part::Down),
    TensorRule("layers.N.post_feedforward_layernorm", Part::AfterFfnNorm),
    TensorRule("norm", Part::FinalNorm),
    TensorRule("lm_head", Part::Head),
};

void be_olmo2(DecoderShape& shape)
{
    shape.residual.norms = ResidualShape::Norms::After;
    shape.attention.norm = AttentionShape::Norm::Row;
}

void from_config(ConfigFields& fields, DecoderShape& shape)
{
    llama_from_config(fields, shape);
    shape.norm_eps = fields.real("rms_norm_eps").value_or(1e-5);
    be_olmo2(shape);
}

void from_gguf(GgufFields& fields, DecoderShape& shape)
{
    read_gguf_sizes(fields, shape, ".attention.layer_norm_rms_epsilon");
    read_gguf_rope(fields, shape);
    be_olmo2(shape);
}

} // namespace

Family olmo2_family()
{
    return {.model_type = "olmo2",
            .architecture = "Olmo2ForCausalLM",
            .gguf_architecture = "olmo2",
            .from_config = from_config,
            .from_gguf = from_gguf,
            .to_config = llama_to_config,
            .prefix = "model.",
            .tensors = kTensors,
            .gguf_tensors = kGgufTensors,
            .buffers = kRotaryBuffers};
}

} // namespace retort
