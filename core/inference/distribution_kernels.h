#pragma once
#include <limits>
#include <span>

namespace retort {

// The inner loops over a vocabulary, in double, with the widest vectors the processor has (Highway). They decide nothing; distribution.h gives them
// meaning. Entries of -inf are pieces that cannot come: they add 0 to every sum.

/// The largest value; -inf of nothing. NaN is passed over.
[[nodiscard]] float largest(std::span<const float> values);

/// sum exp((x - shift) * scale)
[[nodiscard]] double sum_of_exponentials(std::span<const float> values, double shift, double scale);

/// values[i] = exp((values[i] - shift) * scale)
void exponentials(std::span<double> values, double shift, double scale);

/// out[i] = (values[i] - shift) * scale - offset, the spans of one length
void shift_and_scale(std::span<const float> values, double shift, double scale, double offset, std::span<float> out);

/// - sum exp(a) a
[[nodiscard]] double entropy_sum(std::span<const float> log_probs);

/// The sums over two rows of log-probabilities a and b, p = exp a, q = exp b.
struct PairSums {
    double kl = 0;             ///< sum p (a - b)
    double kl_above_floor = 0; ///< the part of it where a is above `floor`
    double reverse_kl = 0;     ///< sum q (b - a)
    double js = 0;             ///< sum (p (a - log m) + q (b - log m)) / 2, m = (p + q) / 2
    double tv = 0;             ///< sum |p - q| / 2
    double entropy_a = 0;
    double entropy_b = 0;
};
[[nodiscard]] PairSums pair_sums(std::span<const float> a, std::span<const float> b, float floor = -std::numeric_limits<float>::infinity());

/// out[i] = p (a - b), 0 where p is 0; the spans of one length
void kl_terms(std::span<const float> a, std::span<const float> b, std::span<double> out);

} // namespace retort
