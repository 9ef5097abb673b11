// Qwen 2 and 2.5 (and R1-Distill-Qwen): a llama with biases on q, k and v. Qwen 3: no biases, but norms of queries and keys. Both may have layers
// with a sliding window, which use_sliding_window switches on.
#include "core/model/families/common.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace retort {

namespace {

constexpr std::array kQwen3Tensors = joined(
    kLlamaTensors, std::array{TensorRule("layers.N.self_attn.q_norm", Part::QueryNorm), TensorRule("layers.N.self_attn.k_norm", Part::KeyNorm)});

void read_windows(ConfigFields& fields, DecoderShape& shape)
{
    if (!fields.boolean("use_sliding_window").value_or(false)) {
        return;
    }
    const std::int64_t window = fields.whole("sliding_window").value_or(4096);
    std::vector<bool> slides = sliding_layers(fields, shape);
    if (slides.empty()) {
        const std::int64_t whole = fields.whole("max_window_layers").value_or(28);
        for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
            slides.push_back(layer >= whole);
        }
    }
    set_windows(shape, window, slides);
}

void write_windows(const DecoderShape& shape, nlohmann::ordered_json& config)
{
    const auto slides = [](const LayerShape& layer) { return layer.window > 0; };
    const auto first = std::ranges::find_if(shape.each_layer, slides);
    config["use_sliding_window"] = first != shape.each_layer.end();
    if (first == shape.each_layer.end()) {
        return;
    }
    config["sliding_window"] = first->window;
    config["max_window_layers"] = first - shape.each_layer.begin();
    for (const LayerShape& layer : shape.each_layer) {
        config["layer_types"].push_back(slides(layer) ? "sliding_attention" : "full_attention");
    }
}

void qwen2_from_config(ConfigFields& fields, DecoderShape& shape)
{
    read_sizes(fields, shape, 32768);
    shape.norm_eps = fields.real("rms_norm_eps").value_or(1e-6);
    shape.feed_forward.activation = read_activation(fields, "hidden_act", "silu");
    shape.attention.bias = true;
    read_rope(fields, shape);
    read_windows(fields, shape);
}

void qwen3_from_config(ConfigFields& fields, DecoderShape& shape)
{
    qwen2_from_config(fields, shape);
    if (!fields.has("head_dim")) {
        shape.head_dim = 128;
    }
    shape.attention.norm = AttentionShape::Norm::Head;
    shape.attention.bias = shape.attention.output_bias = fields.boolean("attention_bias").value_or(false);
}

void to_config(const DecoderShape& shape, nlohmann::ordered_json& config)
{
    llama_to_config(shape, config);
    config.erase("mlp_bias");
    write_windows(shape, config);
}

void qwen2_from_gguf(GgufFields& fields, DecoderShape& shape)
{
    read_gguf_sizes(fields, shape, ".attention.layer_norm_rms_epsilon");
    read_gguf_rope(fields, shape);
    shape.attention.bias = true;
}

void qwen3_from_gguf(GgufFields& fields, DecoderShape& shape)
{
    qwen2_from_gguf(fields, shape);
    shape.attention.bias = false;
    shape.attention.norm = AttentionShape::Norm::Head;
}

} // namespace

Family qwen2_family()
{
    return {.model_type = "qwen2",
            .architecture = "Qwen2ForCausalLM",
            .gguf_architecture = "qwen2",
            .from_config = qwen2_from_config,
            .from_gguf = qwen2_from_gguf,
            .to_config =
                [](const DecoderShape& shape, nlohmann::ordered_json& config) {
                    to_config(shape, config);
                    config.erase("attention_bias"); // they are always there
                    config.erase("head_dim");
                },
            .prefix = "model.",
            .tensors = kLlamaTensors,
            .gguf_tensors = kGgufTensors,
            .buffers = kRotaryBuffers};
}

Family qwen3_family()
{
    return {.model_type = "qwen3",
            .architecture = "Qwen3ForCausalLM",
            .gguf_architecture = "qwen3",
            .from_config = qwen3_from_config,
            .from_gguf = qwen3_from_gguf,
            .to_config = to_config,
            .prefix = "model.",
            .tensors = kQwen3Tensors,
            .gguf_tensors = kGgufTensors,
            .buffers = kRotaryBuffers};
}

} // namespace retort
