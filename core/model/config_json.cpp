#include "core/model/config_json.h"

#include "core/base/text_format.h"
#include "core/model/family.h"
#include "core/model/json_reader.h"

#include <cmath>
#include <limits>

namespace retort {

namespace {

using nlohmann::json;

constexpr double kDivisorTolerance = 1e-4; // float32 rounding of a divisor, and of the formula's float32 arithmetic near a blend's edge

/// The llama3 scaling whose divisors a GGUF file carries instead of its parameters. The converter writes them with low factor 1 and high factor 4,
/// the only ones in use, and the largest divisor is the factor; the original context is a power of two.
std::optional<RopeScaling> scaling_of_divisors(const ArchSpec& spec)
{
    ArchSpec plain = spec;
    plain.rope_freq_divisors.clear();
    const std::vector<double> wanted = rope_inverse_frequencies(spec);
    plain.rope_scaling.kind = RopeScaling::Kind::Llama3;
    plain.rope_scaling.factor = std::round(static_cast<double>(spec.rope_freq_divisors.back()));
    for (std::int64_t original = 16; original <= (1 << 22); original *= 2) {
        plain.rope_scaling.original_context = original;
        const std::vector<double> found = rope_inverse_frequencies(plain);
        bool same = true;
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            same = same && std::abs(found[i] - wanted[i]) <= kDivisorTolerance * wanted[i];
        }
        if (same) {
            return plain.rope_scaling;
        }
    }
    return std::nullopt;
}

json rope_json(const RopeScaling& scaling)
{
    switch (scaling.kind) {
    case RopeScaling::Kind::None:
        return nullptr;
    case RopeScaling::Kind::Linear:
        return {{"rope_type", "linear"}, {"factor", scaling.factor}};
    case RopeScaling::Kind::Llama3:
        return {{"rope_type", "llama3"},
                {"factor", scaling.factor},
                {"low_freq_factor", scaling.low_freq_factor},
                {"high_freq_factor", scaling.high_freq_factor},
                {"original_max_position_embeddings", scaling.original_context}};
    }
    return nullptr;
}

std::string_view torch_name(DType dtype)
{
    return dtype == DType::BF16 ? "bfloat16" : dtype == DType::F16 ? "float16" : "float32";
}

} // namespace

const json* ConfigFields::find(const char* key) const
{
    const auto found = m_object.find(key);
    return found == m_object.end() || found->is_null() ? nullptr : &*found;
}

void ConfigFields::complain(std::string what)
{
    if (m_complaint.empty()) {
        m_complaint = what.starts_with(m_origin + ":") ? std::move(what) : m_origin + ": " + std::move(what);
    }
}

Result<void> ConfigFields::result() const
{
    if (!m_complaint.empty()) {
        return failure(Error::Kind::BadFile, m_complaint);
    }
    return {};
}

std::optional<std::int64_t> ConfigFields::whole(const char* key)
{
    const json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    const bool fits = value->is_number_unsigned()
                          ? value->get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
                          : value->is_number_integer();
    if (!fits) {
        complain(std::string(key) + " is " + printable(value->dump(-1, ' ', false, json::error_handler_t::replace), 40) +
                 "; a whole number was expected.");
        return std::nullopt;
    }
    return value->get<std::int64_t>();
}

std::optional<double> ConfigFields::real(const char* key)
{
    const json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_number()) {
        complain(std::string(key) + " is " + printable(value->dump(-1, ' ', false, json::error_handler_t::replace), 40) + "; a number was expected.");
        return std::nullopt;
    }
    return value->get<double>();
}

std::optional<bool> ConfigFields::boolean(const char* key)
{
    const json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_boolean()) {
        complain(std::string(key) + " is neither true nor false.");
        return std::nullopt;
    }
    return value->get<bool>();
}

std::optional<std::string> ConfigFields::text(const char* key)
{
    const json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_string()) {
        complain(std::string(key) + " is not a text.");
        return std::nullopt;
    }
    return value->get<std::string>();
}

std::int64_t ConfigFields::required_whole(const char* key)
{
    if (!has(key)) {
        complain(std::string(key) + " is missing. The file does not describe a whole model.");
    }
    return whole(key).value_or(0);
}

double ConfigFields::required_real(const char* key)
{
    if (!has(key)) {
        complain(std::string(key) + " is missing. The file does not describe a whole model.");
    }
    return real(key).value_or(0.0);
}

const json* ConfigFields::object(const char* key)
{
    const json* value = find(key);
    if (value != nullptr && !value->is_object()) {
        complain(std::string(key) + " is not an object.");
        return nullptr;
    }
    return value;
}

std::vector<TokenId> ConfigFields::token_ids(const char* key)
{
    std::vector<TokenId> ids;
    const json* value = find(key);
    if (value == nullptr) {
        return ids;
    }
    const json list = value->is_array() ? *value : json::array({*value});
    for (const json& id : list) {
        if (!id.is_number_unsigned() || id.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<TokenId>::max())) {
            complain(std::string(key) + " holds something that is no token id.");
            return {};
        }
        ids.push_back(id.get<TokenId>());
    }
    return ids;
}

Result<ModelConfig> parse_config(std::string_view text, const std::string& origin)
{
    auto document = parse_json(without_non_finite(text), origin);
    if (!document) {
        return failure(std::move(document.error()));
    }
    if (!document->is_object()) {
        return failure(Error::Kind::BadFile, origin + ": an object of settings was expected.");
    }
    ConfigFields fields(*document, origin);
    ModelConfig config;
    config.spec.family = fields.text("model_type").value_or("");
    const Family* family = family_of_model_type(config.spec.family);
    if (family == nullptr) {
        return failure(Error::Kind::Mismatch,
                       origin + ": model_type is \"" + printable(config.spec.family, 40) + "\"; known are " + known_model_types() + ".");
    }
    family->fill_from_config(fields, config.spec);
    config.eos = fields.token_ids("eos_token_id");
    if (const auto bos = fields.token_ids("bos_token_id"); !bos.empty()) {
        config.bos = bos.front();
    }
    if (auto result = fields.result(); !result) {
        return failure(std::move(result.error()));
    }
    if (auto sane = check(config.spec, origin); !sane) {
        return failure(std::move(sane.error()));
    }
    return config;
}

Result<std::string> write_config(const ModelConfig& config, DType dtype)
{
    const ArchSpec& spec = config.spec;
    RopeScaling scaling = spec.rope_scaling;
    if (!spec.rope_freq_divisors.empty()) {
        const auto explained = scaling_of_divisors(spec);
        if (!explained || scaling.kind != RopeScaling::Kind::None) {
            return failure(
                Error::Kind::Mismatch,
                "The model's rope_freqs.weight is no llama3 scaling, so config.json cannot describe it. Save from the Hugging Face folder instead.");
        }
        scaling = *explained;
    }
    nlohmann::ordered_json object = {
        {"architectures", {spec.family == "mistral" ? "MistralForCausalLM" : "LlamaForCausalLM"}},
        {"model_type", spec.family},
        {"vocab_size", spec.vocabulary},
        {"hidden_size", spec.width},
        {"intermediate_size", spec.ffn},
        {"num_hidden_layers", spec.layers},
        {"num_attention_heads", spec.heads},
        {"num_key_value_heads", spec.kv_heads},
        {"head_dim", spec.head_dim},
        {"hidden_act", "silu"},
        {"max_position_embeddings", spec.context},
        {"rms_norm_eps", spec.norm_eps},
        {"rope_theta", spec.rope_theta},
        {"rope_scaling", rope_json(scaling)},
        {"tie_word_embeddings", spec.tied},
        {"attention_bias", false},
        {"mlp_bias", false},
        {"torch_dtype", torch_name(dtype)},
    };
    if (spec.family == "mistral") {
        object["sliding_window"] = nullptr;
    }
    object["bos_token_id"] = config.bos ? nlohmann::ordered_json(*config.bos) : nlohmann::ordered_json(nullptr);
    if (config.eos.size() == 1) {
        object["eos_token_id"] = config.eos.front();
    } else {
        object["eos_token_id"] = config.eos.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(config.eos);
    }
    return object.dump(2) + "\n";
}

} // namespace retort
