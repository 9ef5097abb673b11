// Gemma 2 and 3 (text): norms before and after each branch whose gains are kept less one, gated tanh-GELU, embeddings times sqrt(width), a scale of
// attention of their own, and layers that see a window. Gemma 2 caps scores and logits; Gemma 3 has norms of queries and keys, and turns its sliding
// layers by a base of their own.
#include "core/model/families/common.h"

#include <algorithm>

#include <cmath>
#include <nlohmann/json.hpp>

namespace retort {

namespace {

constexpr std::array kGemma2Tensors = {
    TensorRule("embed_tokens", Part::Embedding),
    TensorRule("layers.N.input_layernorm", Part::AttentionNorm, Import::PlusOne),
    TensorRule("layers.N.self_attn.q_proj", Part::Query),
    TensorRule("layers.N.self_attn.k_proj", Part::Key),
    TensorRule("layers.N.self_attn.v_proj", Part::Value),
    TensorRule("layers.N.self_attn.o_proj", Part::Output),
    TensorRule("layers.N.post_attention_layernorm", Part::AfterAttentionNorm, Import::PlusOne),
    TensorRule("layers.N.pre_feedforward_layernorm", Part::FfnNorm, Import::PlusOne),
    TensorRule("layers.N.mlp.gate_proj", Part::Gate),
    TensorRule("layers.N.mlp.up_proj", Part::Up),
    TensorRule("layers.N.mlp.down_proj", Part::Down),
    TensorRule("layers.N.post_feedforward_layernorm", Part::AfterFfnNorm, Import::PlusOne),
    TensorRule("norm", Part::FinalNorm, Import::PlusOne),
    TensorRule("lm_head", Part::Head),
};

constexpr std::array kGemma3Tensors = joined(kGemma2Tensors, std::array{TensorRule("layers.N.self_attn.q_norm", Part::QueryNorm, Import::PlusOne),
                                                                        TensorRule("layers.N.self_attn.k_norm", Part::KeyNorm, Import::PlusOne)});

constexpr std::int64_t kGemma2Pattern = 2;
constexpr std::int64_t kGemma3Pattern = 6;

/// Every `pattern`-th layer sees all, the others a window.
std::vector<bool> slides_by(std::int64_t pattern, std::int64_t layers)
{
    std::vector<bool> slides;
    for (std::int64_t layer = 0; layer < layers; ++layer) {
        slides.push_back((layer + 1) % std::max<std::int64_t>(pattern, 1) != 0);
    }
    return slides;
}

void be_gemma(DecoderShape& shape)
{
    shape.residual.norms = ResidualShape::Norms::Around;
    shape.embedding_scale = std::sqrt(static_cast<double>(std::max<std::int64_t>(shape.width, 1)));
    shape.feed_forward.activation = Activation::GeluTanh;
}

/// What sizes the two configurations leave out is what their classes have by themselves: files inside a model that also sees are so short.
void read_common(ConfigFields& fields, DecoderShape& shape)
{
    shape.layers = fields.whole("num_hidden_layers").value_or(26);
    shape.width = fields.whole("hidden_size").value_or(2304);
    shape.heads = fields.whole("num_attention_heads").value_or(8);
    shape.kv_heads = fields.whole("num_key_value_heads").value_or(4);
    shape.head_dim = fields.whole("head_dim").value_or(256);
    shape.ffn = fields.whole("intermediate_size").value_or(9216);
    shape.norm_eps = fields.real("rms_norm_eps").value_or(1e-6);
    shape.tied = fields.boolean("tie_word_embeddings").value_or(true);
    be_gemma(shape);
    const char* key = fields.has("hidden_activation") ? "hidden_activation" : "hidden_act";
    shape.feed_forward.activation = read_activation(fields, key, "gelu_pytorch_tanh");
    shape.attention.bias = shape.attention.output_bias = fields.boolean("attention_bias").value_or(false);
    if (const double scalar = fields.real("query_pre_attn_scalar").value_or(256.0); scalar > 0.0) {
        shape.attention.scale = 1.0 / std::sqrt(scalar);
    } else {
        fields.complain("query_pre_attn_scalar is " + std::to_string(scalar) + "; a positive number was expected.");
    }
    refuse_unless(fields, "use_bidirectional_attention", false);
}

void gemma2_from_config(ConfigFields& fields, DecoderShape& shape)
{
    read_common(fields, shape);
    shape.vocabulary = fields.whole("vocab_size").value_or(256000);
    shape.context = fields.whole("max_position_embeddings").value_or(8192);
    shape.attention.soft_cap = fields.is_null("attn_logit_softcapping") ? 0.0 : fields.real("attn_logit_softcapping").value_or(50.0);
    shape.logit_cap = fields.is_null("final_logit_softcapping") ? 0.0 : fields.real("final_logit_softcapping").value_or(30.0);
    read_rope(fields, shape);
    std::vector<bool> slides = sliding_layers(fields, shape);
    if (slides.empty()) {
        slides = slides_by(kGemma2Pattern, shape.layers);
    }
    set_windows(shape, fields.whole("sliding_window").value_or(4096), slides);
}

/// rope_parameters with an object for each kind of layer (transformers 5), or rope_theta, rope_scaling and rope_local_base_freq.
void read_two_ropes(ConfigFields& fields, DecoderShape& shape)
{
    const nlohmann::json* both = fields.object("rope_parameters");
    if (both == nullptr || !both->contains("full_attention")) {
        read_rope(fields, shape, 1e6);
        shape.local_rope.theta = fields.real("rope_local_base_freq").value_or(10000.0);
        return;
    }
    ConfigFields pair(*both, fields.origin());
    for (const auto& [key, rope, theta] :
         {std::tuple("full_attention", &shape.rope, 1e6), std::tuple("sliding_attention", &shape.local_rope, 10000.0)}) {
        const nlohmann::json* object = pair.object(key);
        if (object == nullptr) {
            rope->theta = theta;
            continue;
        }
        ConfigFields one(*object, fields.origin());
        *rope = rope_in(one, shape, theta, std::nullopt);
        if (auto result = one.result(); !result) {
            fields.complain(std::move(result.error().message));
        }
    }
}

void turn_sliding_layers_locally(DecoderShape& shape)
{
    for (LayerShape& layer : shape.each_layer) {
        layer.rotation = layer.window > 0 ? LayerShape::Rotation::Local : LayerShape::Rotation::Global;
    }
}

void gemma3_from_config(ConfigFields& fields, DecoderShape& shape)
{
    read_common(fields, shape);
    shape.vocabulary = fields.whole("vocab_size").value_or(262208);
    shape.context = fields.whole("max_position_embeddings").value_or(131072);
    shape.attention.norm = AttentionShape::Norm::Head;
    shape.attention.soft_cap = fields.real("attn_logit_softcapping").value_or(0.0);
    shape.logit_cap = fields.real("final_logit_softcapping").value_or(0.0);
    read_two_ropes(fields, shape);
    std::vector<bool> slides = sliding_layers(fields, shape);
    if (slides.empty()) {
        const std::int64_t pattern = fields.whole("sliding_window_pattern").value_or(kGemma3Pattern);
        slides = slides_by(fields.whole("_sliding_window_pattern").value_or(pattern), shape.layers);
    }
    set_windows(shape, fields.whole("sliding_window").value_or(4096), slides);
    turn_sliding_layers_locally(shape);
}

/// GGUF keeps no query_pre_attn_scalar: llama.cpp knows the two models that have one of their own by their layers.
void read_gguf_common(GgufFields& fields, DecoderShape& shape, std::int64_t layers_of_27b)
{
    read_gguf_sizes(fields, shape, ".attention.layer_norm_rms_epsilon");
    be_gemma(shape);
    const std::int64_t per_head = shape.heads > 0 ? shape.width / shape.heads : 0;
    const std::int64_t scalar = shape.layers == layers_of_27b ? per_head : shape.head_dim;
    shape.attention.scale = 1.0 / std::sqrt(static_cast<double>(std::max<std::int64_t>(scalar, 1)));
    read_gguf_rope(fields, shape);
    shape.logit_cap = fields.real(".final_logit_softcapping").value_or(0.0);
}

void gemma2_from_gguf(GgufFields& fields, DecoderShape& shape)
{
    read_gguf_common(fields, shape, 46);
    shape.attention.soft_cap = fields.real(".attn_logit_softcapping").value_or(50.0);
    shape.logit_cap = fields.real(".final_logit_softcapping").value_or(30.0);
    set_windows(shape, fields.whole(".attention.sliding_window").value_or(4096), slides_by(kGemma2Pattern, shape.layers));
}

void gemma3_from_gguf(GgufFields& fields, DecoderShape& shape)
{
    read_gguf_common(fields, shape, 62);
    shape.attention.norm = AttentionShape::Norm::Head;
    if (!fields.has(".rope.freq_base")) {
        shape.rope.theta = 1e6;
    }
    shape.local_rope.theta = fields.real(".rope.freq_base_swa").value_or(fields.real(".rope.local.freq_base").value_or(10000.0));
    if (const std::int64_t window = fields.whole(".attention.sliding_window").value_or(0); window > 0) {
        set_windows(shape, window, slides_by(kGemma3Pattern, shape.layers));
        turn_sliding_layers_locally(shape);
    }
}

} // namespace

Family gemma2_family()
{
    return {.model_type = "gemma2",
            .architecture = "Gemma2ForCausalLM",
            .gguf_architecture = "gemma2",
            .from_config = gemma2_from_config,
            .from_gguf = gemma2_from_gguf,
            .prefix = "model.",
            .tensors = kGemma2Tensors,
            .gguf_tensors = kGgufTensors,
            .buffers = kRotaryBuffers};
}

Family gemma3_family()
{
    return {.model_type = "gemma3_text",
            .architecture = "Gemma3ForCausalLM",
            .gguf_architecture = "gemma3",
            .from_config = gemma3_from_config,
            .from_gguf = gemma3_from_gguf,
            .prefix = "model.",
            .tensors = kGemma3Tensors,
            .gguf_tensors = kGgufTensors,
            .buffers = kRotaryBuffers};
}

} // namespace retort
