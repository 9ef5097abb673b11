#pragma once
#include "core/base/error.h"
#include "core/inference/distribution.h"
#include "core/model/net.h"

#include <stop_token>
#include <vector>

namespace retort {

/// One position of a text that both models read: what each expected there.
struct ComparedPosition {
    TokenId token = 0; ///< the token that stands there
    Divergence divergence;
    float teacher_log_probability = 0, student_log_probability = 0; ///< of `token`
    std::int64_t teacher_rank = 0, student_rank = 0;
    std::vector<Candidate> teacher_top, student_top; ///< 10 each
};

struct Comparison {
    std::size_t prompt_tokens = 0;               ///< positions before the answer, which are not in `positions`
    std::vector<ComparedPosition> positions;     ///< one for each scored token
    [[nodiscard]] double mean_kl() const;        ///< nats; 0 when no position was scored
    [[nodiscard]] double same_top_share() const; ///< 0 to 1; 0 when no position was scored
};

/// Both models read `ids`; positions from `first` (at least 1) on are compared, each the exact full-vocabulary distributions of what comes next given
/// all before. One pass of each model, the head in chunks of rows: no (T, V) matrix. Needs the same tokenizer; the vocabularies are cut to the
/// smaller of the two and `vocabulary_limit` (the tokenizer's size). The two may be the same Net.
[[nodiscard]] Result<Comparison> compare_on_text(Net& teacher, Net& student, std::span<const TokenId> ids, std::size_t first,
                                                 std::int64_t vocabulary_limit, std::stop_token stop = {});

/// The exact distributions of both models for what follows `context`, which is not empty. Either net may be null.
[[nodiscard]] Result<DistributionSnapshot> snapshot_at(Net* teacher, Net* student, std::span<const TokenId> context, std::int64_t vocabulary_limit,
                                                       std::stop_token stop = {});

} // namespace retort
