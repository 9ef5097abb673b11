#pragma once
#include "core/text/tokenizer.h"

#include <cstdint>
#include <span>
#include <vector>

namespace retort {

/// How the next token is chosen. Applied in Hugging Face's order: repeat penalty, temperature, top-k, top-p, min-p (transformers,
/// generation/utils.py).
struct SamplerSettings {
    bool greedy = false; ///< the largest logit after the repeat penalty; also what a temperature of 0 means
    double temperature = 0.8;
    std::int64_t top_k = 0;      ///< 0: off. Ties at the k-th stay in.
    double top_p = 1.0;          ///< 1: off. Pieces in falling order until their mass reaches it; at least one stays.
    double min_p = 0.0;          ///< 0: off. Drops what is less probable than this share of the most probable piece.
    double repeat_penalty = 1.0; ///< 1: off. Over prompt and answer, once per distinct token (CTRL, 1909.05858)
    std::uint64_t seed = 7;
};

/// Chooses tokens. Same seed, same settings, same logits: same tokens, on every machine: own counter generator, draws by inverse CDF in double over
/// candidates sorted by probability, then id. One thread at a time.
class Sampler {
public:
    explicit Sampler(SamplerSettings settings);

    /// `logits` (V) raw; ids from `vocabulary_limit` on (padding rows) are never chosen, nor is a piece whose logit is -inf or NaN. `history`: prompt
    /// and answer so far. Takes one number of the generator unless the choice is greedy.
    [[nodiscard]] TokenId choose(std::span<const float> logits, std::span<const TokenId> history, std::int64_t vocabulary_limit);

    /// A piece that may be drawn, and with what probability.
    struct Option {
        TokenId id = 0;
        double probability = 0;
    };
    /// What choose() would draw from: the pieces that pass every filter, most probable first, their probabilities summing to 1. Draws nothing.
    [[nodiscard]] std::vector<Option> options(std::span<const float> logits, std::span<const TokenId> history, std::int64_t vocabulary_limit);

private:
    struct Candidate {
        double score = 0;  // logit after the repeat penalty: what is sorted by, because equal weights can come from different scores
        double weight = 0; // exp((score - best) / temperature)
        TokenId id = 0;
    };
    static bool before(const Candidate& a, const Candidate& b);

    void collect(std::span<const float> logits, std::span<const TokenId> history, std::int64_t vocabulary_limit);
    void keep_top_k();
    void weigh();
    void sort_to(std::size_t count);
    void keep_top_p();
    void keep_min_p();
    void filter(std::span<const float> logits, std::span<const TokenId> history, std::int64_t vocabulary_limit);

    SamplerSettings m_settings;
    std::uint64_t m_draws = 0;
    std::vector<Candidate> m_candidates;
    std::size_t m_sorted = 0; // how many of the candidates, from the first, are the largest in their final order
    std::vector<float> m_penalised;
    std::vector<double> m_numbers;
};

/// Index of the largest value, the lowest index among equals; NaN is never the largest.
[[nodiscard]] TokenId argmax(std::span<const float> logits);

} // namespace retort
