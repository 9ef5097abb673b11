#include "core/model/arch_spec.h"

#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>

namespace retort {

namespace {

/// transformers, modeling_rope_utils: frequencies whose wavelength is beyond the original context are slowed, short ones kept, those between blended.
double scaled_as_llama3(double frequency, const RopeScaling& scaling)
{
    const double wavelength = 2.0 * std::numbers::pi / frequency;
    const auto original = static_cast<double>(scaling.original_context);
    if (wavelength > original / scaling.low_freq_factor) {
        return frequency / scaling.factor;
    }
    if (wavelength < original / scaling.high_freq_factor) {
        return frequency;
    }
    const double smooth = (original / wavelength - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor);
    return (1.0 - smooth) * frequency / scaling.factor + smooth * frequency;
}

struct Bound {
    const char* what;
    std::int64_t value;
    std::int64_t most;
};

Result<void> check_sizes(const ArchSpec& spec, const std::string& origin)
{
    const Bound bounds[] = {
        {"layers", spec.layers, 1024},
        {"width", spec.width, 65536},
        {"attention heads", spec.heads, 1024},
        {"key-value heads", spec.kv_heads, 1024},
        {"values per head", spec.head_dim, 1024},
        {"feed-forward width", spec.ffn, 1 << 20},
        {"vocabulary", spec.vocabulary, 1 << 21},
        {"context", spec.context, 1 << 24},
    };
    for (const Bound& bound : bounds) {
        if (bound.value < 1 || bound.value > bound.most) {
            return failure(Error::Kind::BadFile, origin + ": " + bound.what + " is " + std::to_string(bound.value) + "; from 1 to " +
                                                     std::to_string(bound.most) + " is possible.");
        }
    }
    if (spec.head_dim % 2 != 0) {
        return failure(Error::Kind::BadFile, origin + ": a head has " + std::to_string(spec.head_dim) +
                                                 " values; rotary positions turn pairs, so the number must be even.");
    }
    if (spec.heads % spec.kv_heads != 0) {
        return failure(Error::Kind::BadFile, origin + ": " + std::to_string(spec.heads) + " attention heads cannot share " +
                                                 std::to_string(spec.kv_heads) + " key-value heads evenly.");
    }
    return {};
}

bool positive(double value)
{
    return std::isfinite(value) && value > 0.0;
}

Result<void> check_rope(const ArchSpec& spec, const std::string& origin)
{
    const RopeScaling& scaling = spec.rope_scaling;
    if (!positive(spec.rope_theta)) {
        return failure(Error::Kind::BadFile, origin + ": rope_theta is " + std::to_string(spec.rope_theta) + "; a positive number was expected.");
    }
    const bool ordered = scaling.low_freq_factor < scaling.high_freq_factor;
    const bool sane = positive(scaling.factor) && positive(scaling.low_freq_factor) && positive(scaling.high_freq_factor) && ordered &&
                      scaling.original_context > 0;
    if (scaling.kind != RopeScaling::Kind::None && !sane) {
        return failure(Error::Kind::BadFile,
                       origin + ": the RoPE scaling's numbers (factor " + std::to_string(scaling.factor) + ", low and high frequency factors " +
                           std::to_string(scaling.low_freq_factor) + " and " + std::to_string(scaling.high_freq_factor) + ", original context " +
                           std::to_string(scaling.original_context) + ") must be positive, the low frequency factor below the high one.");
    }
    const std::size_t divisors = spec.rope_freq_divisors.size();
    if (divisors != 0 && divisors != static_cast<std::size_t>(spec.head_dim / 2)) {
        return failure(Error::Kind::BadFile, origin + ": rope_freqs.weight has " + std::to_string(divisors) + " values; heads of " +
                                                 std::to_string(spec.head_dim) + " need " + std::to_string(spec.head_dim / 2) + ".");
    }
    for (const float divisor : spec.rope_freq_divisors) {
        if (!positive(static_cast<double>(divisor))) {
            return failure(Error::Kind::BadFile, origin + ": rope_freqs.weight holds " + std::to_string(divisor) + "; its values must be positive.");
        }
    }
    return {};
}

} // namespace

std::uint64_t ArchSpec::parameters() const
{
    std::uint64_t total = 0;
    for (const WeightShape& weight : expected_weights(*this)) {
        total += static_cast<std::uint64_t>(std::accumulate(weight.shape.begin(), weight.shape.end(), std::int64_t{1}, std::multiplies<>()));
    }
    return total;
}

std::vector<double> rope_inverse_frequencies(const ArchSpec& spec)
{
    std::vector<double> frequencies(static_cast<std::size_t>(spec.head_dim / 2));
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
        double frequency = std::pow(spec.rope_theta, -2.0 * static_cast<double>(i) / static_cast<double>(spec.head_dim));
        if (spec.rope_scaling.kind == RopeScaling::Kind::Linear) {
            frequency /= spec.rope_scaling.factor;
        } else if (spec.rope_scaling.kind == RopeScaling::Kind::Llama3) {
            frequency = scaled_as_llama3(frequency, spec.rope_scaling);
        }
        if (i < spec.rope_freq_divisors.size()) {
            frequency /= static_cast<double>(spec.rope_freq_divisors[i]);
        }
        frequencies[i] = frequency;
    }
    return frequencies;
}

Result<void> check(const ArchSpec& spec, const std::string& origin)
{
    if (auto sizes = check_sizes(spec, origin); !sizes) {
        return sizes;
    }
    if (!positive(spec.norm_eps) || spec.norm_eps >= 1.0) {
        return failure(Error::Kind::BadFile,
                       origin + ": the normalisation's epsilon is " + std::to_string(spec.norm_eps) + "; a small positive number was expected.");
    }
    return check_rope(spec, origin);
}

std::vector<WeightShape> expected_weights(const ArchSpec& spec)
{
    std::vector<WeightShape> weights;
    weights.push_back({"model.embed_tokens.weight", {spec.vocabulary, spec.width}});
    for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
        const std::string prefix = "model.layers." + std::to_string(layer) + ".";
        weights.push_back({prefix + "input_layernorm.weight", {spec.width}});
        weights.push_back({prefix + "self_attn.q_proj.weight", {spec.query_width(), spec.width}});
        weights.push_back({prefix + "self_attn.k_proj.weight", {spec.kv_width(), spec.width}});
        weights.push_back({prefix + "self_attn.v_proj.weight", {spec.kv_width(), spec.width}});
        weights.push_back({prefix + "self_attn.o_proj.weight", {spec.width, spec.query_width()}});
        weights.push_back({prefix + "post_attention_layernorm.weight", {spec.width}});
        weights.push_back({prefix + "mlp.gate_proj.weight", {spec.ffn, spec.width}});
        weights.push_back({prefix + "mlp.up_proj.weight", {spec.ffn, spec.width}});
        weights.push_back({prefix + "mlp.down_proj.weight", {spec.width, spec.ffn}});
    }
    weights.push_back({"model.norm.weight", {spec.width}});
    if (!spec.tied) {
        weights.push_back({"lm_head.weight", {spec.vocabulary, spec.width}});
    }
    return weights;
}

} // namespace retort
