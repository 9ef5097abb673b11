#include "core/model/families/common.h"

#include "core/base/text_format.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace retort {

namespace {

struct ActivationName {
    const char* name;
    Activation activation;
};

/// The first spelling of each is the one that is written.
constexpr std::array kActivations = {
    ActivationName{"silu", Activation::Silu},         ActivationName{"swish", Activation::Silu},
    ActivationName{"gelu", Activation::Gelu},         ActivationName{"gelu_pytorch_tanh", Activation::GeluTanh},
    ActivationName{"gelu_new", Activation::GeluTanh}, ActivationName{"gelu_fast", Activation::GeluTanh},
    ActivationName{"relu", Activation::Relu},
};

void read_llama3(ConfigFields& rope, RopeScaling& scaling)
{
    scaling.factor = rope.required_real("factor");
    scaling.low_freq_factor = rope.required_real("low_freq_factor");
    scaling.high_freq_factor = rope.required_real("high_freq_factor");
}

void read_yarn(ConfigFields& rope, RopeScaling& scaling)
{
    scaling.factor = rope.required_real("factor");
    scaling.beta_fast = rope.real("beta_fast").value_or(32.0);
    scaling.beta_slow = rope.real("beta_slow").value_or(1.0);
    scaling.truncate = rope.boolean("truncate").value_or(true);
    const double mscale = rope.real("mscale").value_or(0.0);
    const double of_all = rope.real("mscale_all_dim").value_or(0.0);
    double factor = default_attention_factor(scaling.kind, scaling.factor, scaling.original_context);
    if (mscale != 0.0 && of_all != 0.0 && scaling.factor > 1.0) { // DeepSeek's two, of which their quotient counts
        factor = (0.1 * mscale * std::log(scaling.factor) + 1.0) / (0.1 * of_all * std::log(scaling.factor) + 1.0);
    }
    scaling.attention_factor = rope.real("attention_factor").value_or(factor);
}

void read_longrope(ConfigFields& rope, const DecoderShape& shape, RopeScaling& scaling)
{
    for (const auto& [key, divisors] : {std::pair("short_factor", &scaling.short_divisors), std::pair("long_factor", &scaling.long_divisors)}) {
        for (const double value : rope.reals(key)) {
            divisors->push_back(static_cast<float>(value));
        }
    }
    const double quotient = static_cast<double>(shape.context) / static_cast<double>(std::max<std::int64_t>(scaling.original_context, 1));
    scaling.factor = rope.real("factor").value_or(quotient);
    scaling.attention_factor =
        rope.real("attention_factor").value_or(default_attention_factor(scaling.kind, scaling.factor, scaling.original_context));
}

void read_gguf_yarn(GgufFields& fields, RopeScaling& scaling)
{
    scaling.original_context = fields.required_whole(".rope.scaling.original_context_length");
    scaling.beta_fast = fields.real(".rope.scaling.yarn_beta_fast").value_or(32.0);
    scaling.beta_slow = fields.real(".rope.scaling.yarn_beta_slow").value_or(1.0);
    scaling.attention_factor =
        default_attention_factor(scaling.kind, scaling.factor, scaling.original_context) * fields.real(".rope.scaling.attn_factor").value_or(1.0);
}

} // namespace

void divide_width(ConfigFields& fields, DecoderShape& shape)
{
    if (const auto head_dim = fields.whole("head_dim")) {
        shape.head_dim = *head_dim;
    } else if (shape.heads > 0 && shape.width % shape.heads == 0) {
        shape.head_dim = shape.width / shape.heads;
    } else {
        fields.complain("hidden_size " + std::to_string(shape.width) + " cannot be divided among " + std::to_string(shape.heads) +
                        " attention heads, and there is no head_dim.");
    }
}

void read_sizes(ConfigFields& fields, DecoderShape& shape, std::int64_t context)
{
    shape.layers = fields.required_whole("num_hidden_layers");
    shape.width = fields.required_whole("hidden_size");
    shape.heads = fields.required_whole("num_attention_heads");
    shape.kv_heads = fields.whole("num_key_value_heads").value_or(shape.heads);
    shape.ffn = fields.required_whole("intermediate_size");
    shape.vocabulary = fields.required_whole("vocab_size");
    shape.context = fields.whole("max_position_embeddings").value_or(context);
    shape.tied = fields.boolean("tie_word_embeddings").value_or(false);
    divide_width(fields, shape);
}

void write_sizes(const DecoderShape& shape, nlohmann::ordered_json& config)
{
    config["vocab_size"] = shape.vocabulary;
    config["hidden_size"] = shape.width;
    config["intermediate_size"] = shape.ffn;
    config["num_hidden_layers"] = shape.layers;
    config["num_attention_heads"] = shape.heads;
    config["num_key_value_heads"] = shape.kv_heads;
    config["head_dim"] = shape.head_dim;
    config["max_position_embeddings"] = shape.context;
    config["tie_word_embeddings"] = shape.tied;
}

Rope rope_in(ConfigFields& rope, const DecoderShape& shape, double theta, std::optional<std::int64_t> original_context)
{
    Rope found;
    found.theta = rope.real("rope_theta").value_or(theta);
    RopeScaling& scaling = found.scaling;
    const std::string type = rope.text("rope_type").value_or(rope.text("type").value_or("default"));
    scaling.original_context = original_context.value_or(rope.whole("original_max_position_embeddings").value_or(shape.context));
    if (type == "linear") {
        scaling.kind = RopeScaling::Kind::Linear;
        scaling.factor = rope.required_real("factor");
    } else if (type == "llama3") {
        scaling.kind = RopeScaling::Kind::Llama3;
        read_llama3(rope, scaling);
    } else if (type == "yarn") {
        scaling.kind = RopeScaling::Kind::Yarn;
        read_yarn(rope, scaling);
    } else if (type == "longrope" || type == "su") {
        scaling.kind = RopeScaling::Kind::LongRope;
        read_longrope(rope, shape, scaling);
    } else if (type != "default" && type != "dynamic") { // dynamic begins beyond the context that the model announces
        rope.complain("the RoPE scaling \"" + printable(type, 40) + "\" is not known; default, linear, dynamic, llama3, yarn and longrope are.");
    }
    if (scaling.kind == RopeScaling::Kind::None || scaling.kind == RopeScaling::Kind::Linear) {
        scaling.original_context = RopeScaling().original_context; // says nothing
    }
    return found;
}

void read_rope(ConfigFields& fields, DecoderShape& shape, double theta, double partial)
{
    const double top = fields.real("rope_theta").value_or(theta);
    double rotary = fields.real("partial_rotary_factor").value_or(partial);
    shape.rope.theta = top;
    if (const nlohmann::json* object = fields.object(fields.has("rope_parameters") ? "rope_parameters" : "rope_scaling")) {
        ConfigFields rope(*object, fields.origin());
        shape.rope = rope_in(rope, shape, top, fields.whole("original_max_position_embeddings"));
        rotary = rope.real("partial_rotary_factor").value_or(rotary);
        if (auto result = rope.result(); !result) {
            fields.complain(std::move(result.error().message));
        }
    }
    if (!std::isfinite(rotary) || rotary <= 0.0 || rotary > 1.0) {
        fields.complain("partial_rotary_factor is " + std::to_string(rotary) + "; a share above 0, at most 1, was expected.");
    } else if (rotary < 1.0) {
        shape.rope_dims = static_cast<std::int64_t>(static_cast<double>(shape.head_dim) * rotary);
    }
}

void write_rope(const DecoderShape& shape, nlohmann::ordered_json& config)
{
    const RopeScaling& scaling = shape.rope.scaling;
    nlohmann::ordered_json rope;
    switch (scaling.kind) {
    case RopeScaling::Kind::None:
        break;
    case RopeScaling::Kind::Linear:
        rope = {{"rope_type", "linear"}, {"factor", scaling.factor}};
        break;
    case RopeScaling::Kind::Llama3:
        rope = {{"rope_type", "llama3"},
                {"factor", scaling.factor},
                {"low_freq_factor", scaling.low_freq_factor},
                {"high_freq_factor", scaling.high_freq_factor},
                {"original_max_position_embeddings", scaling.original_context}};
        break;
    case RopeScaling::Kind::Yarn:
        rope = {{"rope_type", "yarn"},
                {"factor", scaling.factor},
                {"beta_fast", scaling.beta_fast},
                {"beta_slow", scaling.beta_slow},
                {"truncate", scaling.truncate},
                {"attention_factor", scaling.attention_factor},
                {"original_max_position_embeddings", scaling.original_context}};
        break;
    case RopeScaling::Kind::LongRope:
        rope = {{"rope_type", "longrope"},
                {"factor", scaling.factor},
                {"attention_factor", scaling.attention_factor},
                {"short_factor", scaling.short_divisors},
                {"long_factor", scaling.long_divisors},
                {"original_max_position_embeddings", scaling.original_context}};
        break;
    }
    config["rope_theta"] = shape.rope.theta;
    config["rope_scaling"] = std::move(rope);
}

Activation read_activation(ConfigFields& fields, const char* key, const char* otherwise)
{
    const std::string name = fields.text(key).value_or(otherwise);
    const auto* found = std::ranges::find(kActivations, name, &ActivationName::name);
    if (found == kActivations.end()) {
        fields.complain(std::string(key) + " is \"" + printable(name, 40) + "\"; silu, gelu, gelu_pytorch_tanh, gelu_new and relu are known.");
        return Activation::Silu;
    }
    return found->activation;
}

const char* name_of(Activation activation)
{
    return std::ranges::find(kActivations, activation, &ActivationName::activation)->name;
}

std::vector<bool> sliding_layers(ConfigFields& fields, const DecoderShape& shape)
{
    std::vector<bool> slides;
    for (const std::string& type : fields.texts("layer_types")) {
        if (type != "full_attention" && type != "sliding_attention") {
            fields.complain("layer_types holds \"" + printable(type, 40) + "\"; full_attention and sliding_attention are known.");
        }
        slides.push_back(type == "sliding_attention");
    }
    if (!slides.empty() && slides.size() != static_cast<std::size_t>(std::max<std::int64_t>(shape.layers, 0))) {
        fields.complain("layer_types names " + std::to_string(slides.size()) + " layers; the model has " + std::to_string(shape.layers) + ".");
        return {};
    }
    return slides;
}

void set_windows(DecoderShape& shape, std::int64_t window, const std::vector<bool>& slides)
{
    if (std::ranges::none_of(slides, std::identity())) {
        return;
    }
    shape.each_layer.resize(slides.size());
    for (std::size_t i = 0; i < slides.size(); ++i) {
        shape.each_layer[i].window = slides[i] ? window : 0;
    }
}

void refuse_unless(ConfigFields& fields, const char* key, bool expected)
{
    if (fields.boolean(key).value_or(expected) != expected) {
        fields.complain(std::string(key) + " is " + (expected ? "false" : "true") + ", which is not known here.");
    }
}

void read_gguf_sizes(GgufFields& fields, DecoderShape& shape, const char* eps)
{
    shape.layers = fields.required_whole(".block_count");
    shape.width = fields.required_whole(".embedding_length");
    shape.heads = fields.required_whole(".attention.head_count");
    shape.kv_heads = fields.whole(".attention.head_count_kv").value_or(shape.heads);
    shape.ffn = fields.required_whole(".feed_forward_length");
    shape.context = fields.required_whole(".context_length");
    shape.norm_eps = fields.required_real(eps);
    shape.vocabulary = fields.whole(".vocab_size").value_or(0);
    if (const auto head_dim = fields.whole(".attention.key_length")) {
        shape.head_dim = *head_dim;
    } else {
        shape.head_dim = shape.heads > 0 ? shape.width / shape.heads : 0;
    }
    if (const std::int64_t values = fields.whole(".attention.value_length").value_or(shape.head_dim); values != shape.head_dim) {
        fields.complain("a head has " + std::to_string(shape.head_dim) + " key values and " + std::to_string(values) +
                        " values; the two must agree.");
    }
    if (fields.whole(".expert_count").value_or(0) > 0) {
        fields.complain("the model is a mixture of experts, which is not known here.");
    }
}

void read_gguf_rope(GgufFields& fields, DecoderShape& shape)
{
    shape.rope.theta = fields.real(".rope.freq_base").value_or(10000.0);
    if (const std::int64_t turned = fields.whole(".rope.dimension_count").value_or(shape.head_dim); turned != shape.head_dim) {
        shape.rope_dims = turned;
    }
    RopeScaling& scaling = shape.rope.scaling;
    const std::string type = fields.text(".rope.scaling.type").value_or("none");
    const double factor = fields.real(".rope.scaling.factor").value_or(fields.real(".rope.scale_linear").value_or(1.0));
    if (type == "linear" || (type == "none" && factor != 1.0 && fields.has(".rope.scale_linear"))) {
        scaling.kind = RopeScaling::Kind::Linear;
        scaling.factor = factor;
    } else if (type == "yarn") {
        scaling.kind = RopeScaling::Kind::Yarn;
        scaling.factor = factor;
        read_gguf_yarn(fields, scaling);
    } else if (type != "none" && type != "longrope") {
        fields.complain("the RoPE scaling \"" + printable(type, 40) + "\" is not known; linear, yarn, longrope and llama3's divisors are.");
    }
}

} // namespace retort
