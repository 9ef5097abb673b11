#pragma once
#include "core/inference/comparison.h"
#include "core/inference/distribution.h"
#include "ui/plot/candidate_rows.h"
#include "ui/plot/contribution_table.h"
#include "ui/plot/rank_curve.h"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace retort {

/// A piece as a person reads it, and as it is.
struct TokenName {
    TokenName(QString shown, std::string exactly = {}) : label(std::move(shown)), bytes(std::move(exactly)) {} // NOLINT: where bytes are not known
    QString label;
    std::string bytes;
};
using TokenLabel = std::function<TokenName(TokenId)>;

/// The tokenizer's pieces; without one the number, since a session keeps what was said, not what could have been.
[[nodiscard]] TokenLabel labels_of(std::shared_ptr<const Tokenizer> tokenizer);

/// What the Distributions page shows of one position.
struct SoftenedView {
    CandidateRows candidates;
    std::optional<Divergence> divergence; ///< where both models are there
    std::vector<ContributionRow> contributions;
    RankCurve::Curves curves;
    std::optional<double> truth_teacher_kl, truth_student_kl; ///< KL(truth || model), where the truth is known
    std::int64_t vocabulary = 0;                              ///< 0: only the best candidates are known
};

/// A snapshot seen at any temperature: the raw logits are sorted once, and a temperature is then a view of them, since it never changes an order.
class Softening {
public:
    Softening(DistributionSnapshot snapshot, TokenLabel label, std::optional<TokenId> chosen);

    /// The union of both models' `count` best, ordered as at temperature 1, so that rows stay in place while the temperature changes.
    /// The truth is softened like the models, t^(1/T) / sum t^(1/T): the three are compared at one temperature.
    [[nodiscard]] SoftenedView at(double temperature, std::size_t count) const;
    [[nodiscard]] std::int64_t vocabulary() const;

private:
    [[nodiscard]] std::vector<TokenId> shownIds(std::size_t count) const;
    [[nodiscard]] CandidateRows rows(const std::vector<float>& teacher, const std::vector<float>& student, const std::vector<float>& truth,
                                     std::size_t count) const;
    [[nodiscard]] std::vector<float> truthAt(double temperature) const;

    DistributionSnapshot m_snapshot;
    TokenLabel m_label;
    std::optional<TokenId> m_chosen;
    std::vector<TokenId> m_teacher_order, m_student_order, m_truth_order; ///< most probable first
    std::vector<double> m_weight; ///< (V) mean of both models' probabilities at temperature 1: what rows are ordered by
};

/// The same from a stored comparison, which keeps the ten best of each model and the exact divergence.
[[nodiscard]] SoftenedView view_of(const ComparedPosition& position, const TokenLabel& label);

} // namespace retort
