// GPT-2: LayerNorm, learned positions, plain tanh-GELU, biases everywhere, matrices kept (inputs, outputs) with q, k and v in one.
#include "core/model/families/common.h"

namespace retort {

namespace {

constexpr std::array kTensors = {
    TensorRule("wte", Part::Embedding),
    TensorRule("wpe", Part::Positions),
    TensorRule("h.N.ln_1", Part::AttentionNorm),
    TensorRule("h.N.attn.c_attn", Part::Query, Part::Key, Part::Value, Import::Transposed),
    TensorRule("h.N.attn.c_proj", Part::Output, Import::Transposed),
    TensorRule("h.N.ln_2", Part::FfnNorm),
    TensorRule("h.N.mlp.c_fc", Part::Up, Import::Transposed),
    TensorRule("h.N.mlp.c_proj", Part::Down, Import::Transposed),
    TensorRule("ln_f", Part::FinalNorm),
    TensorRule("lm_head", Part::Head),
};

constexpr std::array<std::string_view, 2> kBuffers = {".attn.bias", ".attn.masked_bias"}; // the causal mask

void be_gpt2(DecoderShape& shape)
{
    shape.norm = DecoderShape::Norm::Layer;
    shape.norm_bias = true;
    shape.positions = DecoderShape::Positions::Learned;
    shape.attention.bias = shape.attention.output_bias = true;
    shape.feed_forward = {.gated = false, .activation = Activation::GeluTanh, .bias = true, .down_bias = true};
}

void from_config(ConfigFields& fields, DecoderShape& shape)
{
    shape.layers = fields.required_whole("n_layer");
    shape.width = fields.required_whole("n_embd");
    shape.heads = fields.required_whole("n_head");
    shape.kv_heads = shape.heads;
    shape.ffn = fields.whole("n_inner").value_or(4 * shape.width);
    shape.vocabulary = fields.required_whole("vocab_size");
    shape.context = fields.whole("n_positions").value_or(fields.whole("n_ctx").value_or(1024));
    shape.tied = fields.boolean("tie_word_embeddings").value_or(true);
    divide_width(fields, shape);
    be_gpt2(shape);
    shape.norm_eps = fields.real("layer_norm_epsilon").value_or(1e-5);
    shape.feed_forward.activation = read_activation(fields, "activation_function", "gelu_new");
    if (!fields.boolean("scale_attn_weights").value_or(true)) {
        shape.attention.scale = 1.0;
    }
    refuse_unless(fields, "scale_attn_by_inverse_layer_idx", false);
    refuse_unless(fields, "add_cross_attention", false);
}

void from_gguf(GgufFields& fields, DecoderShape& shape)
{
    read_gguf_sizes(fields, shape, ".attention.layer_norm_epsilon");
    be_gpt2(shape);
}

} // namespace

Family gpt2_family()
{
    return {.model_type = "gpt2",
            .architecture = "GPT2LMHeadModel",
            .gguf_architecture = "gpt2",
            .from_config = from_config,
            .from_gguf = from_gguf,
            .prefix = "transformer.",
            .tensors = kTensors,
            .gguf_tensors = kGgufTensors,
            .buffers = kBuffers};
}

} // namespace retort
