#include "core/model/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

namespace retort {

namespace {

using Kind = RopeScaling::Kind;

/// Frequencies whose wavelength is beyond the original context are slowed, short ones kept, those between blended.
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

/// The pair that turns `rotations` times within the original context (Peng et al. 2023, YaRN, 3.2).
double pair_of_rotations(double rotations, const Rope& rope, double dims)
{
    const auto original = static_cast<double>(rope.scaling.original_context);
    return dims * std::log(original / (rotations * 2.0 * std::numbers::pi)) / (2.0 * std::log(rope.theta));
}

/// How much of pair `i` is interpolated: 0 for fast pairs, 1 for slow ones, a ramp between.
double yarn_ramp(const Rope& rope, double dims, double i)
{
    double low = pair_of_rotations(rope.scaling.beta_fast, rope, dims);
    double high = pair_of_rotations(rope.scaling.beta_slow, rope, dims);
    if (rope.scaling.truncate) {
        low = std::floor(low);
        high = std::ceil(high);
    }
    low = std::max(low, 0.0);
    high = std::min(high, dims - 1.0);
    if (low == high) {
        high += 0.001;
    }
    return std::clamp((i - low) / (high - low), 0.0, 1.0);
}

bool positive(double value)
{
    return std::isfinite(value) && value > 0.0;
}

Result<void> check_divisors(std::span<const float> divisors, std::int64_t dims, const char* name, const std::string& origin)
{
    if (divisors.size() != static_cast<std::size_t>(dims / 2)) {
        return failure(Error::Kind::BadFile, origin + ": " + name + " has " + std::to_string(divisors.size()) + " values; heads of which " +
                                                 std::to_string(dims) + " values turn need " + std::to_string(dims / 2) + ".");
    }
    for (const float divisor : divisors) {
        if (!positive(static_cast<double>(divisor))) {
            return failure(Error::Kind::BadFile, origin + ": " + name + " holds " + std::to_string(divisor) + "; its values must be positive.");
        }
    }
    return {};
}

} // namespace

std::vector<double> rope_inverse_frequencies(const Rope& rope, std::int64_t dims, std::int64_t length)
{
    const RopeScaling& scaling = rope.scaling;
    const std::vector<float>& long_rope = length > scaling.original_context ? scaling.long_divisors : scaling.short_divisors;
    std::vector<double> frequencies(static_cast<std::size_t>(dims / 2));
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
        double frequency = std::pow(rope.theta, -2.0 * static_cast<double>(i) / static_cast<double>(dims));
        switch (scaling.kind) {
        case Kind::None:
            break;
        case Kind::Linear:
            frequency /= scaling.factor;
            break;
        case Kind::Llama3:
            frequency = scaled_as_llama3(frequency, scaling);
            break;
        case Kind::Yarn: {
            const double slow = yarn_ramp(rope, static_cast<double>(dims), static_cast<double>(i));
            frequency = frequency / scaling.factor * slow + frequency * (1.0 - slow);
            break;
        }
        case Kind::LongRope:
            frequency /= static_cast<double>(long_rope[i]);
            break;
        }
        if (i < rope.divisors.size()) {
            frequency /= static_cast<double>(rope.divisors[i]);
        }
        frequencies[i] = frequency;
    }
    return frequencies;
}

double default_attention_factor(Kind kind, double factor, std::int64_t original_context)
{
    if (factor <= 1.0) {
        return 1.0;
    }
    if (kind == Kind::Yarn) {
        return 0.1 * std::log(factor) + 1.0;
    }
    return kind == Kind::LongRope ? std::sqrt(1.0 + std::log(factor) / std::log(static_cast<double>(original_context))) : 1.0;
}

Result<void> check(const Rope& rope, std::int64_t dims, const std::string& origin)
{
    const RopeScaling& scaling = rope.scaling;
    if (!positive(rope.theta)) {
        return failure(Error::Kind::BadFile, origin + ": rope_theta is " + std::to_string(rope.theta) + "; a positive number was expected.");
    }
    const bool ordered = scaling.low_freq_factor < scaling.high_freq_factor;
    const bool sane = positive(scaling.factor) && positive(scaling.low_freq_factor) && positive(scaling.high_freq_factor) && ordered &&
                      scaling.original_context > 0 && positive(scaling.attention_factor) && positive(scaling.beta_fast) &&
                      positive(scaling.beta_slow);
    if (scaling.kind != Kind::None && !sane) {
        return failure(Error::Kind::BadFile,
                       origin + ": the RoPE scaling's numbers (factor " + std::to_string(scaling.factor) + ", low and high frequency factors " +
                           std::to_string(scaling.low_freq_factor) + " and " + std::to_string(scaling.high_freq_factor) + ", original context " +
                           std::to_string(scaling.original_context) + ") must be positive, the low frequency factor below the high one.");
    }
    if (scaling.kind == Kind::LongRope) {
        for (const auto& [divisors, name] : {std::pair(&scaling.short_divisors, "short_factor"), std::pair(&scaling.long_divisors, "long_factor")}) {
            if (auto checked = check_divisors(*divisors, dims, name, origin); !checked) {
                return checked;
            }
        }
    }
    return rope.divisors.empty() ? Result<void>() : check_divisors(rope.divisors, dims, "rope_freqs.weight", origin);
}

} // namespace retort
