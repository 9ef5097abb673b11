#include "core/model/family_llama.h"

#include "core/base/text_format.h"

#include <algorithm>
#include <array>

namespace retort {

namespace {

/// rope_parameters (transformers 5), or rope_scaling beside a top-level rope_theta (before); the scaling's name under rope_type or type.
void read_rope(ConfigFields& fields, ArchSpec& spec)
{
    spec.rope_theta = fields.real("rope_theta").value_or(10000.0);
    const bool new_spelling = fields.has("rope_parameters");
    const nlohmann::json* object = fields.object(new_spelling ? "rope_parameters" : "rope_scaling");
    if (object == nullptr) {
        return;
    }
    ConfigFields rope(*object, fields.origin());
    const std::string type = rope.text("rope_type").value_or(rope.text("type").value_or("default"));
    spec.rope_theta = rope.real("rope_theta").value_or(spec.rope_theta);
    RopeScaling& scaling = spec.rope_scaling;
    if (type == "linear") {
        scaling.kind = RopeScaling::Kind::Linear;
        scaling.factor = rope.required_real("factor");
    } else if (type == "llama3") {
        scaling.kind = RopeScaling::Kind::Llama3;
        scaling.factor = rope.required_real("factor");
        scaling.low_freq_factor = rope.required_real("low_freq_factor");
        scaling.high_freq_factor = rope.required_real("high_freq_factor");
        scaling.original_context = rope.whole("original_max_position_embeddings").value_or(spec.context);
    } else if (type != "default") {
        rope.complain("the RoPE scaling \"" + printable(type, 40) + "\" is not known; default, linear and llama3 are.");
    }
    if (auto result = rope.result(); !result) {
        fields.complain(std::move(result.error().message));
    }
}

/// What would change the arithmetic if it were overlooked.
void refuse_variants(ConfigFields& fields)
{
    for (const char* key : {"attention_bias", "mlp_bias"}) {
        if (fields.boolean(key).value_or(false)) {
            fields.complain(std::string(key) + " is true; models with these biases are not known here.");
        }
    }
    if (const auto activation = fields.text("hidden_act").value_or("silu"); activation != "silu" && activation != "swish") {
        fields.complain("hidden_act is \"" + printable(activation, 40) + "\"; silu is the one known for this family.");
    }
    if (const double rotary = fields.real("partial_rotary_factor").value_or(1.0); rotary != 1.0) {
        fields.complain("partial_rotary_factor is " + std::to_string(rotary) + "; only whole heads are turned in this family.");
    }
    if (fields.has("quantization_config")) {
        fields.complain("the weights are packed by another program (quantization_config); take the unpacked model, or a GGUF file of it.");
    }
}

struct Spelling {
    std::string_view gguf;
    std::string_view canonical;
};

constexpr std::array kModelNames = {
    Spelling{"token_embd.weight", "model.embed_tokens.weight"},
    Spelling{"output_norm.weight", "model.norm.weight"},
    Spelling{"output.weight", "lm_head.weight"},
};

constexpr std::array kLayerNames = {
    Spelling{"attn_norm.weight", "input_layernorm.weight"},    Spelling{"attn_q.weight", "self_attn.q_proj.weight"},
    Spelling{"attn_k.weight", "self_attn.k_proj.weight"},      Spelling{"attn_v.weight", "self_attn.v_proj.weight"},
    Spelling{"attn_output.weight", "self_attn.o_proj.weight"}, Spelling{"ffn_norm.weight", "post_attention_layernorm.weight"},
    Spelling{"ffn_gate.weight", "mlp.gate_proj.weight"},       Spelling{"ffn_up.weight", "mlp.up_proj.weight"},
    Spelling{"ffn_down.weight", "mlp.down_proj.weight"},
};

std::optional<std::string_view> translate(std::span<const Spelling> spellings, std::string_view gguf_name)
{
    const auto found = std::ranges::find(spellings, gguf_name, &Spelling::gguf);
    return found == spellings.end() ? std::nullopt : std::optional(found->canonical);
}

} // namespace

void llama_from_config(ConfigFields& fields, ArchSpec& spec)
{
    spec.layers = fields.required_whole("num_hidden_layers");
    spec.width = fields.required_whole("hidden_size");
    spec.heads = fields.required_whole("num_attention_heads");
    spec.kv_heads = fields.whole("num_key_value_heads").value_or(spec.heads);
    spec.ffn = fields.required_whole("intermediate_size");
    spec.vocabulary = fields.required_whole("vocab_size");
    spec.context = fields.whole("max_position_embeddings").value_or(2048);
    spec.norm_eps = fields.real("rms_norm_eps").value_or(1e-6);
    spec.tied = fields.boolean("tie_word_embeddings").value_or(false);
    if (const auto head_dim = fields.whole("head_dim")) {
        spec.head_dim = *head_dim;
    } else if (spec.heads > 0 && spec.width % spec.heads == 0) {
        spec.head_dim = spec.width / spec.heads;
    } else {
        fields.complain("hidden_size " + std::to_string(spec.width) + " cannot be divided among " + std::to_string(spec.heads) +
                        " attention heads, and there is no head_dim.");
    }
    read_rope(fields, spec);
    refuse_variants(fields);
}

void mistral_from_config(ConfigFields& fields, ArchSpec& spec)
{
    llama_from_config(fields, spec);
    spec.context = fields.whole("max_position_embeddings").value_or(131072);
    // MistralConfig's default is a window of 4096; null switches it off, and one as long as the context changes nothing.
    const bool says_none = fields.is_null("sliding_window");
    const std::int64_t window = says_none ? spec.context : fields.whole("sliding_window").value_or(4096);
    if (window < spec.context) {
        fields.complain("sliding_window is " + std::to_string(window) + " in a context of " + std::to_string(spec.context) +
                        "; attention that sees only a window is not known here.");
    }
}

void llama_from_gguf(GgufFields& fields, ArchSpec& spec)
{
    spec.layers = fields.required_whole(".block_count");
    spec.width = fields.required_whole(".embedding_length");
    spec.heads = fields.required_whole(".attention.head_count");
    spec.kv_heads = fields.whole(".attention.head_count_kv").value_or(spec.heads);
    spec.ffn = fields.required_whole(".feed_forward_length");
    spec.context = fields.required_whole(".context_length");
    spec.norm_eps = fields.required_real(".attention.layer_norm_rms_epsilon");
    spec.rope_theta = fields.real(".rope.freq_base").value_or(10000.0);
    spec.vocabulary = fields.whole(".vocab_size").value_or(0);
    if (const auto head_dim = fields.whole(".attention.key_length")) {
        spec.head_dim = *head_dim;
    } else {
        spec.head_dim = spec.heads > 0 ? spec.width / spec.heads : 0;
    }
    const std::int64_t turned = fields.whole(".rope.dimension_count").value_or(spec.head_dim);
    const std::int64_t value_length = fields.whole(".attention.value_length").value_or(spec.head_dim);
    if (turned != spec.head_dim || value_length != spec.head_dim) {
        fields.complain("a head has " + std::to_string(spec.head_dim) + " key values, " + std::to_string(value_length) + " values and " +
                        std::to_string(turned) + " turned by RoPE; the three must agree in this family.");
    }
    const std::string scaling = fields.text(".rope.scaling.type").value_or("none");
    const double factor = fields.real(".rope.scaling.factor").value_or(fields.real(".rope.scale_linear").value_or(1.0));
    if (scaling == "linear" || (scaling == "none" && factor != 1.0 && fields.has(".rope.scale_linear"))) {
        spec.rope_scaling.kind = RopeScaling::Kind::Linear;
        spec.rope_scaling.factor = factor;
    } else if (scaling != "none") {
        fields.complain("the RoPE scaling \"" + printable(scaling, 40) + "\" is not known; linear is, and llama3's divisors.");
    }
    if (fields.whole(".expert_count").value_or(0) > 0) {
        fields.complain("the model is a mixture of experts, which is not known here.");
    }
    if (fields.whole(".attention.sliding_window").value_or(0) > 0) {
        fields.complain("attention sees only a window, which is not known here.");
    }
}

std::optional<std::string> llama_canonical_name(std::string_view gguf_name)
{
    if (const auto name = translate(kModelNames, gguf_name)) {
        return std::string(*name);
    }
    constexpr std::string_view kPrefix = "blk.";
    if (!gguf_name.starts_with(kPrefix)) {
        return std::nullopt;
    }
    gguf_name.remove_prefix(kPrefix.size());
    const std::size_t digits = std::min(gguf_name.find_first_not_of("0123456789"), gguf_name.size());
    const std::string_view layer = gguf_name.substr(0, digits);
    gguf_name.remove_prefix(digits);
    if (layer.empty() || !gguf_name.starts_with('.')) {
        return std::nullopt;
    }
    const auto name = translate(kLayerNames, gguf_name.substr(1));
    return name ? std::optional("model.layers." + std::string(layer) + "." + std::string(*name)) : std::nullopt;
}

} // namespace retort
