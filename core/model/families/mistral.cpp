// Mistral: a llama whose attention sees a window. GGUF files of it call themselves llama.
#include "core/model/families/common.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace retort {

namespace {

constexpr std::int64_t kWindow = 4096; // MistralConfig's own; null switches it off

void from_config(ConfigFields& fields, DecoderShape& shape)
{
    llama_from_config(fields, shape);
    shape.context = fields.whole("max_position_embeddings").value_or(131072);
    const std::int64_t window = fields.is_null("sliding_window") ? shape.context : fields.whole("sliding_window").value_or(kWindow);
    std::vector<bool> slides = sliding_layers(fields, shape);
    if (slides.empty()) {
        slides.assign(static_cast<std::size_t>(std::max<std::int64_t>(shape.layers, 0)), true);
    }
    if (window < shape.context) {
        set_windows(shape, window, slides);
    }
}

void to_config(const DecoderShape& shape, nlohmann::ordered_json& config)
{
    llama_to_config(shape, config);
    const std::int64_t window = shape.layer(0).window;
    config["sliding_window"] = window > 0 ? nlohmann::ordered_json(window) : nlohmann::ordered_json(nullptr);
}

} // namespace

Family mistral_family()
{
    return {.model_type = "mistral",
            .architecture = "MistralForCausalLM",
            .from_config = from_config,
            .to_config = to_config,
            .prefix = "model.",
            .tensors = kLlamaTensors,
            .buffers = kRotaryBuffers};
}

} // namespace retort
