#include "core/inference/distribution.h"

#include "core/inference/distribution_kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace retort {

namespace {

/// Keeps the `count` first of the ids 0 ... n-1 in the order of `before`, sorted. A heap of that size: one comparison for most ids.
template <class Before>
std::vector<TokenId> first_in_order(std::size_t n, std::size_t count, const Before& before)
{
    std::vector<TokenId> kept;
    count = std::min(count, n);
    if (count == 0) {
        return kept;
    }
    kept.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        kept.push_back(static_cast<TokenId>(i));
    }
    std::make_heap(kept.begin(), kept.end(), before); // its front is the last in order
    for (std::size_t i = count; i < n; ++i) {
        const auto id = static_cast<TokenId>(i);
        if (before(id, kept.front())) {
            std::pop_heap(kept.begin(), kept.end(), before);
            kept.back() = id;
            std::push_heap(kept.begin(), kept.end(), before);
        }
    }
    std::sort_heap(kept.begin(), kept.end(), before);
    return kept;
}

/// Most probable first, then by id. NaN stands last, so that the order stays one whatever a model says.
auto by_probability(std::span<const float> log_probs)
{
    return [log_probs](TokenId a, TokenId b) {
        const auto value = [log_probs](TokenId id) {
            const float x = log_probs[static_cast<std::size_t>(id)];
            return std::isnan(x) ? -std::numeric_limits<float>::infinity() : x;
        };
        const float x = value(a);
        const float y = value(b);
        return x > y || (x == y && a < b);
    };
}

/// The inputs are rounded to float, so a divergence of nothing can come out a hair below it.
double not_negative(double value)
{
    return value < 0.0 ? 0.0 : value;
}

} // namespace

std::vector<float> log_probabilities(std::span<const float> logits, double temperature)
{
    std::vector<float> result(logits.size());
    const double shift = largest(logits);
    const double scale = 1.0 / temperature;
    const double sum = sum_of_exponentials(logits, shift, scale);
    const bool has_nan = std::any_of(logits.begin(), logits.end(), [](float x) { return std::isnan(x); });
    if (!std::isfinite(shift) || has_nan) {
        std::fill(result.begin(), result.end(), std::numeric_limits<float>::quiet_NaN());
        return result;
    }
    shift_and_scale(logits, shift, scale, std::log(sum), result);
    return result;
}

std::vector<Candidate> top_candidates(std::span<const float> log_probs, std::size_t count)
{
    const auto ids = first_in_order(log_probs.size(), count, by_probability(log_probs));
    std::vector<Candidate> top;
    top.reserve(ids.size());
    for (const TokenId id : ids) {
        top.push_back({id, std::exp(log_probs[static_cast<std::size_t>(id)]), static_cast<std::int64_t>(top.size())});
    }
    return top;
}

std::int64_t rank_of(std::span<const float> log_probs, TokenId id)
{
    const auto place = static_cast<std::size_t>(id);
    const float own = log_probs[place];
    std::int64_t rank = 0;
    for (std::size_t i = 0; i < place; ++i) {
        rank += log_probs[i] >= own ? 1 : 0;
    }
    for (std::size_t i = place + 1; i < log_probs.size(); ++i) {
        rank += log_probs[i] > own ? 1 : 0;
    }
    return rank;
}

double entropy_of(std::span<const float> log_probs)
{
    return not_negative(entropy_sum(log_probs));
}

Divergence divergence_between(std::span<const float> teacher_log_probs, std::span<const float> student_log_probs)
{
    constexpr std::size_t kOverlap = 10;
    const PairSums sums = pair_sums(teacher_log_probs, student_log_probs);
    Divergence result;
    result.kl = not_negative(sums.kl);
    result.reverse_kl = not_negative(sums.reverse_kl);
    result.js = std::min(not_negative(sums.js), std::numbers::ln2);
    result.tv = std::min(sums.tv, 1.0);
    result.teacher_entropy = not_negative(sums.entropy_a);
    result.student_entropy = not_negative(sums.entropy_b);

    const auto teacher_top = first_in_order(teacher_log_probs.size(), kOverlap, by_probability(teacher_log_probs));
    const auto student_top = first_in_order(student_log_probs.size(), kOverlap, by_probability(student_log_probs));
    result.same_top = !teacher_top.empty() && teacher_top.front() == student_top.front();
    result.overlap = std::count_if(teacher_top.begin(), teacher_top.end(),
                                   [&](TokenId id) { return std::find(student_top.begin(), student_top.end(), id) != student_top.end(); });
    return result;
}

std::vector<Contribution> kl_contributions(std::span<const float> teacher_log_probs, std::span<const float> student_log_probs, std::size_t count)
{
    std::vector<double> terms(teacher_log_probs.size());
    kl_terms(teacher_log_probs, student_log_probs, terms);
    const auto larger = [&terms](TokenId a, TokenId b) {
        const auto size = [&terms](TokenId id) {
            const double term = std::abs(terms[static_cast<std::size_t>(id)]);
            return std::isnan(term) ? -1.0 : term;
        };
        const double x = size(a);
        const double y = size(b);
        return x > y || (x == y && a < b);
    };
    std::vector<Contribution> result;
    for (const TokenId id : first_in_order(terms.size(), count, larger)) {
        const auto i = static_cast<std::size_t>(id);
        result.push_back({id, terms[i], std::exp(teacher_log_probs[i]), std::exp(student_log_probs[i])});
    }
    return result;
}

} // namespace retort
