#pragma once
#include "core/text/tokenizer.h"

#include <cstdint>
#include <span>
#include <vector>

namespace retort {

/// One model's exact next-token distribution at one position: the raw logits of every piece, so that any temperature is a view, not a re-run.
struct NextTokenLogits {
    std::vector<float> logits; ///< (V) raw, at temperature 1, padding rows cut off
};

/// Natural-log probabilities (V) at `temperature` > 0: log_softmax(logits / temperature), in double inside. A logit of -inf gives -inf; where every
/// logit is -inf, or one is NaN or +inf, there is no distribution and every value is NaN.
[[nodiscard]] std::vector<float> log_probabilities(std::span<const float> logits, double temperature = 1.0);

struct Candidate {
    TokenId id = 0;
    float probability = 0;
    std::int64_t rank = 0; ///< 0 is the most probable
};
/// The `count` most probable pieces, most probable first, ties by lower id; all V when `count` is larger.
[[nodiscard]] std::vector<Candidate> top_candidates(std::span<const float> log_probs, std::size_t count);
/// How many pieces come before `id` in that order.
[[nodiscard]] std::int64_t rank_of(std::span<const float> log_probs, TokenId id);
/// -sum p log p, nats; 0 at least.
[[nodiscard]] double entropy_of(std::span<const float> log_probs);

/// How two distributions over the same pieces differ. All in nats; all exactly 0 when they are equal. A piece that only one of them excludes (-inf)
/// makes the KL from the other infinite, as its definition says; one that both exclude counts for nothing.
struct Divergence {
    double kl = 0;         ///< KL(teacher || student) = sum p (log p - log q)
    double reverse_kl = 0; ///< KL(student || teacher)
    double js = 0;         ///< Jensen-Shannon, (KL(p||m) + KL(q||m)) / 2 with m = (p + q) / 2; at most ln 2
    double tv = 0;         ///< total variation, sum |p - q| / 2
    double teacher_entropy = 0;
    double student_entropy = 0;
    bool same_top = false;
    std::int64_t overlap = 0; ///< common pieces among both top 10
};
/// Both rows have the same length.
[[nodiscard]] Divergence divergence_between(std::span<const float> teacher_log_probs, std::span<const float> student_log_probs);

/// Share of one piece in KL(teacher || student): p (log p - log q). Sums to the KL over the vocabulary.
struct Contribution {
    TokenId id = 0;
    double amount = 0;
    float teacher_probability = 0;
    float student_probability = 0;
};
/// The `count` pieces of largest |amount|, largest first.
[[nodiscard]] std::vector<Contribution> kl_contributions(std::span<const float> teacher_log_probs, std::span<const float> student_log_probs,
                                                         std::size_t count);

/// Both models at one position of one text: what the Distributions page shows.
struct DistributionSnapshot {
    std::int64_t position = 0;        ///< index of the token being predicted
    std::vector<TokenId> context;     ///< the ids before it
    NextTokenLogits teacher, student; ///< either may be empty when only one model is loaded
    std::vector<float> truth;         ///< (V) probabilities in the built-in world; empty elsewhere
};

} // namespace retort
