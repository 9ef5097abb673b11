#pragma once
#include "core/base/error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace retort {

/// How RoPE's frequencies are stretched beyond the context a model was trained on (transformers, modeling_rope_utils). Dynamic scaling changes
/// nothing within the context a model announces, so it is None here.
struct RopeScaling {
    enum class Kind { None, Linear, Llama3, Yarn, LongRope };
    Kind kind = Kind::None;
    double factor = 1.0;
    double low_freq_factor = 1.0; ///< Llama3
    double high_freq_factor = 4.0;
    std::int64_t original_context = 8192; ///< Llama3, Yarn, LongRope
    double beta_fast = 32.0;              ///< Yarn
    double beta_slow = 1.0;
    bool truncate = true;
    double attention_factor = 1.0;          ///< Yarn, LongRope: multiplies cosines and sines
    std::vector<float> short_divisors = {}; ///< LongRope: of each frequency, for sequences within the original context
    std::vector<float> long_divisors = {};  ///< and beyond it

    friend bool operator==(const RopeScaling&, const RopeScaling&) = default;
};

/// Rotary positions (Su et al. 2021): pair i of a head's first `dims` values turns by position * frequency i. Half-split pairing (i, i + dims / 2).
struct Rope {
    double theta = 10000.0;
    RopeScaling scaling;
    std::vector<float> divisors; ///< GGUF rope_freqs.weight (dims / 2 values); empty when the file has none

    friend bool operator==(const Rope&, const Rope&) = default;
};

/// `dims` / 2 frequencies, every scaling applied, for a sequence of `length` positions (LongRope alone looks at it).
[[nodiscard]] std::vector<double> rope_inverse_frequencies(const Rope& rope, std::int64_t dims, std::int64_t length = 0);

/// The attention factor that Yarn and LongRope take where the file gives none.
[[nodiscard]] double default_attention_factor(RopeScaling::Kind kind, double factor, std::int64_t original_context);

[[nodiscard]] Result<void> check(const Rope& rope, std::int64_t dims, const std::string& origin);

} // namespace retort
