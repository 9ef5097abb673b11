// OPT: LayerNorm, learned positions whose first two rows are unused, plain ReLU, biases. The 350M model puts its norms after the sums, has none at
// the end, and keeps its embedding narrower than the model. There are no GGUF files of it.
#include "core/model/families/common.h"

namespace retort {

namespace {

constexpr std::array kTensors = {
    TensorRule("embed_tokens", Part::Embedding),
    TensorRule("embed_positions", Part::Positions),
    TensorRule("project_in", Part::ProjectIn),
    TensorRule("layers.N.self_attn_layer_norm", Part::AttentionNorm),
    TensorRule("layers.N.self_attn.q_proj", Part::Query),
    TensorRule("layers.N.self_attn.k_proj", Part::Key),
    TensorRule("layers.N.self_attn.v_proj", Part::Value),
    TensorRule("layers.N.self_attn.out_proj", Part::Output),
    TensorRule("layers.N.final_layer_norm", Part::FfnNorm),
    TensorRule("layers.N.fc1", Part::Up),
    TensorRule("layers.N.fc2", Part::Down),
    TensorRule("final_layer_norm", Part::FinalNorm),
    TensorRule("project_out", Part::ProjectOut),
    TensorRule("lm_head", Part::Head),
};

void from_config(ConfigFields& fields, DecoderShape& shape)
{
    shape.layers = fields.required_whole("num_hidden_layers");
    shape.width = fields.required_whole("hidden_size");
    shape.heads = shape.kv_heads = fields.required_whole("num_attention_heads");
    shape.ffn = fields.required_whole("ffn_dim");
    shape.vocabulary = fields.required_whole("vocab_size");
    shape.context = fields.whole("max_position_embeddings").value_or(2048);
    shape.tied = fields.boolean("tie_word_embeddings").value_or(true);
    divide_width(fields, shape);
    shape.norm = DecoderShape::Norm::Layer;
    shape.norm_bias = true;
    shape.positions = DecoderShape::Positions::Learned;
    shape.position_offset = 2;
    const bool before = fields.boolean("do_layer_norm_before").value_or(true);
    shape.residual.norms = before ? ResidualShape::Norms::Before : ResidualShape::Norms::OfSum;
    shape.final_norm = before && !fields.boolean("_remove_final_layer_norm").value_or(false);
    const bool bias = fields.boolean("enable_bias").value_or(true);
    shape.attention.bias = shape.attention.output_bias = bias;
    shape.feed_forward = {.gated = false, .activation = read_activation(fields, "activation_function", "relu"), .bias = bias, .down_bias = bias};
    if (const std::int64_t embedded = fields.whole("word_embed_proj_dim").value_or(shape.width); embedded != shape.width) {
        shape.embedding_width = embedded;
    }
    refuse_unless(fields, "layer_norm_elementwise_affine", true);
}

} // namespace

Family opt_family()
{
    return {.model_type = "opt",
            .architecture = "OPTForCausalLM",
            .from_config = from_config,
            .prefix = "model.decoder.",
            .tensors = kTensors,
            .buffers = {}};
}

} // namespace retort
