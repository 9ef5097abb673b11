#pragma once
#include "core/measure/text_score.h"

#include <string>
#include <vector>

namespace retort {

/// A mean with its standard errors. `error` takes positions for independent, as llama-perplexity does; positions of one chunk are not, so
/// `clustered_error` lets whole chunks vary (cluster-robust, with the factor C / (C - 1)): the one to believe. NaN where there is only one chunk.
struct Estimate {
    double value = 0, error = 0, clustered_error = 0;
};

/// Smallest to largest of a figure over all positions. Percentiles are interpolated at f (n - 1).
struct Spread {
    double maximum = 0, p99_9 = 0, p99 = 0, p95 = 0, p90 = 0, p75 = 0, median = 0, p25 = 0, p10 = 0, p5 = 0, p1 = 0, p0_1 = 0, minimum = 0;
};

/// What a text says of two models: llama-perplexity's --kl-divergence table with its names and its arithmetic, and what it leaves out.
/// Logarithms are natural; shares and differences of probability run from 0 to 1.
struct ScoreTable {
    std::int64_t positions = 0, chunks = 0;
    Estimate perplexity, base_perplexity;  ///< exp of the mean negative log-probability
    double correlation = 0;                ///< of the two log-probabilities
    Estimate log_ratio, ratio, difference; ///< of the perplexities: ln(PPL / base PPL), PPL / base PPL, PPL - base PPL
    Estimate kld;                          ///< KL(base || model) over pieces that the base gives more than e^-16
    Spread kld_spread;
    Estimate delta_p; ///< of the token's probability, model less base
    Spread delta_p_spread;
    Estimate rms_delta_p;
    Estimate same_top;
    Estimate kl, reverse_kl, js, tv, base_entropy, entropy; ///< exact, over the whole vocabulary
};

/// From the positions of at least 100; fewer say nothing and are refused.
[[nodiscard]] Result<ScoreTable> table_of(const TextScore& score);

} // namespace retort
