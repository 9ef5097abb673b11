#include "core/model/config_json.h"

#include "core/base/text_format.h"
#include "core/model/family.h"
#include "core/model/json_reader.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace retort {

namespace {

using nlohmann::json;

constexpr double kDivisorTolerance = 1e-4; // float32 rounding of a divisor, and of the formula's float32 arithmetic near a blend's edge

/// The llama3 scaling whose divisors a GGUF file carries instead of its parameters. The converter writes them with low factor 1 and high factor 4,
/// the only ones in use, and the largest divisor is the factor; the original context is a power of two.
std::optional<RopeScaling> scaling_of_divisors(const DecoderShape& shape)
{
    Rope plain = shape.rope;
    plain.divisors.clear();
    const std::vector<double> wanted = rope_inverse_frequencies(shape.rope, shape.turning_dims());
    plain.scaling.kind = RopeScaling::Kind::Llama3;
    plain.scaling.factor = std::round(static_cast<double>(shape.rope.divisors.back()));
    for (std::int64_t original = 16; original <= (1 << 22); original *= 2) {
        plain.scaling.original_context = original;
        const std::vector<double> found = rope_inverse_frequencies(plain, shape.turning_dims());
        bool same = true;
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            same = same && std::abs(found[i] - wanted[i]) <= kDivisorTolerance * wanted[i];
        }
        if (same) {
            return plain.scaling;
        }
    }
    return std::nullopt;
}

/// The shape in words that a configuration has: divisors as the scaling that they come from.
Result<DecoderShape> shape_to_write(DecoderShape shape)
{
    if (!shape.rope.divisors.empty()) {
        const auto explained = scaling_of_divisors(shape);
        if (!explained || shape.rope.scaling.kind != RopeScaling::Kind::None) {
            return failure(
                Error::Kind::Mismatch,
                "The model's rope_freqs.weight is no llama3 scaling, so config.json cannot describe it. Save from the Hugging Face folder instead.");
        }
        shape.rope.scaling = *explained;
        shape.rope.divisors.clear();
    }
    return shape;
}

std::string_view torch_name(DType dtype)
{
    return dtype == DType::BF16 ? "bfloat16" : dtype == DType::F16 ? "float16" : "float32";
}

/// Of a model that also sees or hears, the object that describes its language model; else `document` itself.
const json& language_model_of(const json& document)
{
    const auto part = document.find("text_config");
    return part != document.end() && part->is_object() && !document.contains("hidden_size") ? *part : document;
}

Result<const Family*> family_named(ConfigFields& fields, const std::string& origin)
{
    const std::string name = fields.text("model_type").value_or("");
    const Family* family = family_of_model_type(name);
    if (family == nullptr) {
        return failure(Error::Kind::Mismatch, origin + ": model_type is \"" + printable(name, 40) + "\"; known are " + known_model_types() + ".");
    }
    return family;
}

} // namespace

Result<ModelConfig> parse_config(std::string_view text, const std::string& origin)
{
    auto document = parse_json(without_non_finite(text), origin);
    if (!document) {
        return failure(std::move(document.error()));
    }
    if (!document->is_object()) {
        return failure(Error::Kind::BadFile, origin + ": an object of settings was expected.");
    }
    const json& described = language_model_of(*document);
    ConfigFields whole(*document, origin);
    ConfigFields fields(described, origin);
    const auto family = family_named(fields, origin);
    if (!family) {
        return failure(family.error());
    }
    ModelConfig config;
    config.spec.family = (*family)->model_type;
    (*family)->from_config(fields, config.spec);
    config.says_tied = fields.boolean("tie_word_embeddings");
    if (whole.has("quantization_config") || fields.has("quantization_config")) {
        fields.complain("the weights are packed by another program (quantization_config); take the unpacked model, or a GGUF file of it.");
    }
    collect_ends(*document, config.ends);
    if (&described != &*document) {
        collect_ends(described, config.ends);
    }
    config.eos = config.ends.ids;
    for (const ConfigFields* place : {&whole, &fields}) {
        if (auto result = place->result(); !result) {
            return failure(std::move(result.error()));
        }
    }
    if (auto sane = check(config.spec, origin); !sane) {
        return failure(std::move(sane.error()));
    }
    return config;
}

Result<std::string> write_config(const ModelConfig& config, DType dtype)
{
    const Family* family = family_of_model_type(config.spec.family);
    if (family == nullptr || family->to_config == nullptr) {
        return failure(Error::Kind::Mismatch, "A model of the family \"" + printable(config.spec.family, 40) + "\" cannot be saved yet.");
    }
    const auto shape = shape_to_write(config.spec);
    if (!shape) {
        return failure(shape.error());
    }
    nlohmann::ordered_json object = {{"architectures", {family->architecture}}, {"model_type", family->model_type}};
    family->to_config(*shape, object);
    object["torch_dtype"] = torch_name(dtype);
    object["bos_token_id"] = config.bos ? nlohmann::ordered_json(*config.bos) : nlohmann::ordered_json(nullptr);
    if (config.eos.size() == 1) {
        object["eos_token_id"] = config.eos.front();
    } else {
        object["eos_token_id"] = config.eos.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(config.eos);
    }
    return object.dump(2) + "\n";
}

} // namespace retort
