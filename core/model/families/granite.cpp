// Granite: a llama whose embeddings, branches, attention scores and logits are multiplied by numbers of its configuration.
#include "core/model/families/common.h"

#include <nlohmann/json.hpp>

namespace retort {

namespace {

double inverse_of(double scaling)
{
    return scaling > 0.0 ? 1.0 / scaling : 0.0; // check() refuses 0
}

void from_config(ConfigFields& fields, DecoderShape& shape)
{
    llama_from_config(fields, shape);
    shape.embedding_scale = fields.real("embedding_multiplier").value_or(1.0);
    shape.residual.scale = fields.real("residual_multiplier").value_or(1.0);
    shape.attention.scale = fields.real("attention_multiplier").value_or(1.0);
    shape.logit_scale = inverse_of(fields.real("logits_scaling").value_or(1.0));
}

void from_gguf(GgufFields& fields, DecoderShape& shape)
{
    read_gguf_sizes(fields, shape, ".attention.layer_norm_rms_epsilon");
    read_gguf_rope(fields, shape);
    shape.embedding_scale = fields.real(".embedding_scale").value_or(1.0);
    shape.residual.scale = fields.real(".residual_scale").value_or(1.0);
    shape.attention.scale = fields.real(".attention.scale").value_or(0.0);
    shape.logit_scale = inverse_of(fields.real(".logit_scale").value_or(1.0));
}

void to_config(const DecoderShape& shape, nlohmann::ordered_json& config)
{
    llama_to_config(shape, config);
    config["embedding_multiplier"] = shape.embedding_scale;
    config["residual_multiplier"] = shape.residual.scale;
    config["attention_multiplier"] = shape.attention_scale();
    config["logits_scaling"] = 1.0 / shape.logit_scale;
}

} // namespace

Family granite_family()
{
    return {.model_type = "granite",
            .architecture = "GraniteForCausalLM",
            .gguf_architecture = "granite",
            .from_config = from_config,
            .from_gguf = from_gguf,
            .to_config = to_config,
            .prefix = "model.",
            .tensors = kLlamaTensors,
            .gguf_tensors = kInterleavedGgufTensors,
            .buffers = kRotaryBuffers};
}

} // namespace retort
