#pragma once
#include "core/text/tokenizer.h"

#include <cstdint>
#include <span>
#include <vector>

namespace retort {

/// How the next token is chosen. Applied in Hugging Face's order: repeat penalty, temperature, top-k, top-p, min-p.
struct SamplerSettings {
    bool greedy = false;
    double temperature = 0.8;
    std::int64_t top_k = 0;      ///< 0: off. Ties at the k-th stay in.
    double top_p = 1.0;          ///< 1: off
    double min_p = 0.0;          ///< 0: off
    double repeat_penalty = 1.0; ///< 1: off. Over prompt and answer, once per distinct token (CTRL, 1909.05858)
    std::uint64_t seed = 7;
};

/// Chooses tokens. Same seed, same settings, same logits: same tokens, on every machine: own counter generator, draws by inverse CDF in double over
/// candidates sorted by probability, then id.
class Sampler {
public:
    explicit Sampler(SamplerSettings settings);

    /// `logits` (V) raw; ids from `vocabulary_limit` on (padding rows) are never chosen. `history`: prompt and answer so far.
    [[nodiscard]] TokenId choose(std::span<const float> logits, std::span<const TokenId> history, std::int64_t vocabulary_limit);

private:
    SamplerSettings m_settings;
    std::uint64_t m_draws = 0;
};

/// Index of the largest value, the lowest index among equals.
[[nodiscard]] TokenId argmax(std::span<const float> logits);

} // namespace retort
