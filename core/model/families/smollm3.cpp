// SmolLM 3: a llama of which every fourth layer has no positions.
#include "core/model/families/common.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace retort {

namespace {

constexpr std::int64_t kInterval = 4;

void leave_out_positions(DecoderShape& shape, const std::vector<std::int64_t>& turns)
{
    shape.each_layer.resize(static_cast<std::size_t>(std::max<std::int64_t>(shape.layers, 0)));
    for (std::size_t i = 0; i < shape.each_layer.size(); ++i) {
        if (i < turns.size() && turns[i] == 0) {
            shape.each_layer[i].rotation = LayerShape::Rotation::None;
        }
    }
}

std::vector<std::int64_t> turns_but_every(std::int64_t interval, std::int64_t layers)
{
    std::vector<std::int64_t> turns;
    for (std::int64_t layer = 0; layer < layers; ++layer) {
        turns.push_back((layer + 1) % std::max<std::int64_t>(interval, 1) != 0 ? 1 : 0);
    }
    return turns;
}

void from_config(ConfigFields& fields, DecoderShape& shape)
{
    llama_from_config(fields, shape);
    read_rope(fields, shape, 2e6);
    shape.context = fields.whole("max_position_embeddings").value_or(32768);
    shape.tied = fields.boolean("tie_word_embeddings").value_or(true);
    std::vector<std::int64_t> turns = fields.wholes("no_rope_layers"); // 1: turns, 0: does not
    if (turns.empty()) {
        turns = turns_but_every(fields.whole("no_rope_layer_interval").value_or(kInterval), shape.layers);
    }
    leave_out_positions(shape, turns);
    if (fields.boolean("use_sliding_window").value_or(false)) {
        set_windows(shape, fields.whole("sliding_window").value_or(0), sliding_layers(fields, shape));
    }
}

void from_gguf(GgufFields& fields, DecoderShape& shape)
{
    read_gguf_sizes(fields, shape, ".attention.layer_norm_rms_epsilon");
    read_gguf_rope(fields, shape);
    leave_out_positions(shape, turns_but_every(kInterval, shape.layers));
}

void to_config(const DecoderShape& shape, nlohmann::ordered_json& config)
{
    llama_to_config(shape, config);
    config["use_sliding_window"] = false;
    for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
        config["no_rope_layers"].push_back(shape.layer(layer).rotation == LayerShape::Rotation::None ? 0 : 1);
    }
}

} // namespace

Family smollm3_family()
{
    return {.model_type = "smollm3",
            .architecture = "SmolLM3ForCausalLM",
            .gguf_architecture = "smollm3",
            .from_config = from_config,
            .from_gguf = from_gguf,
            .to_config = to_config,
            .prefix = "model.",
            .tensors = kLlamaTensors,
            .gguf_tensors = kInterleavedGgufTensors,
            .buffers = kRotaryBuffers};
}

} // namespace retort
