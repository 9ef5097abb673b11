#include "core/measure/score_table.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace retort {

namespace {

constexpr std::size_t kFewest = 100;

/// Sample covariance of the means of two figures: (E[xy] - E[x] E[y]) / (n - 1). Of one with itself it is the square of its standard error.
double covariance_of_means(std::span<const double> x, std::span<const double> y, double mean_x, double mean_y)
{
    double sum = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        sum += (x[i] - mean_x) * (y[i] - mean_y);
    }
    const auto n = static_cast<double>(x.size());
    return sum / n / (n - 1.0);
}

double mean_of(std::span<const double> x)
{
    double sum = 0.0;
    for (const double value : x) {
        sum += value;
    }
    return sum / static_cast<double>(x.size());
}

/// Liang and Zeger 1986, for a mean: the clusters' sums of deviations, squared.
double clustered_error(std::span<const double> x, double mean, std::size_t per_chunk)
{
    const std::size_t chunks = x.size() / per_chunk;
    if (chunks < 2) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    double squares = 0.0;
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
        double sum = 0.0;
        for (const double value : x.subspan(chunk * per_chunk, per_chunk)) {
            sum += value - mean;
        }
        squares += sum * sum;
    }
    const auto c = static_cast<double>(chunks);
    return std::sqrt(squares * c / (c - 1.0)) / static_cast<double>(x.size());
}

Spread spread_of(std::vector<double> values)
{
    std::ranges::sort(values);
    const auto at = [&values](double fraction) {
        const double place = fraction * static_cast<double>(values.size() - 1);
        const auto low = static_cast<std::size_t>(place);
        const std::size_t high = std::min(low + 1, values.size() - 1);
        const double part = place - static_cast<double>(low);
        return (1.0 - part) * values[low] + part * values[high];
    };
    return {at(1.0), at(0.999), at(0.99), at(0.95), at(0.9), at(0.75), at(0.5), at(0.25), at(0.1), at(0.05), at(0.01), at(0.001), at(0.0)};
}

/// Means over the positions of one score.
class Means {
public:
    explicit Means(const TextScore& score) : m_score(score) {}

    template <class Figure>
    [[nodiscard]] std::vector<double> values(const Figure& figure) const
    {
        std::vector<double> result;
        result.reserve(m_score.positions.size());
        for (const ScoredPosition& position : m_score.positions) {
            result.push_back(figure(position));
        }
        return result;
    }

    [[nodiscard]] Estimate of(std::span<const double> values) const
    {
        const double mean = mean_of(values);
        return {mean, std::sqrt(covariance_of_means(values, values, mean, mean)), clustered_error(values, mean, per_chunk())};
    }

    template <class Figure>
        requires std::is_invocable_v<Figure, const ScoredPosition&>
    [[nodiscard]] Estimate of(const Figure& figure) const
    {
        return of(values(figure));
    }

private:
    [[nodiscard]] std::size_t per_chunk() const { return static_cast<std::size_t>(m_score.rows_per_chunk); }

    const TextScore& m_score;
};

/// exp of an estimate, its errors by the delta method.
Estimate exponential(const Estimate& x)
{
    const double value = std::exp(x.value);
    return {value, value * x.error, value * x.clustered_error};
}

void add_perplexities(const Means& means, ScoreTable& table)
{
    const auto nll = means.values([](const ScoredPosition& p) { return -p.log_probability; });
    const auto base_nll = means.values([](const ScoredPosition& p) { return -p.base_log_probability; });
    std::vector<double> log_ratio(nll.size());
    std::ranges::transform(nll, base_nll, log_ratio.begin(), std::minus<>());
    const Estimate own = means.of(nll);
    const Estimate base = means.of(base_nll);
    table.perplexity = exponential(own);
    table.base_perplexity = exponential(base);
    table.correlation = covariance_of_means(nll, base_nll, own.value, base.value) / (own.error * base.error);
    table.log_ratio = means.of(log_ratio);
    table.ratio = exponential(table.log_ratio);
    // PPL - base PPL by the delta method: its gradient in the two log-perplexities is (PPL, -base PPL).
    std::vector<double> difference(nll.size());
    for (std::size_t i = 0; i < nll.size(); ++i) {
        difference[i] = table.perplexity.value * nll[i] - table.base_perplexity.value * base_nll[i];
    }
    const Estimate spread = means.of(difference);
    table.difference = {table.perplexity.value - table.base_perplexity.value, spread.error, spread.clustered_error};
}

} // namespace

Result<ScoreTable> table_of(const TextScore& score)
{
    if (score.positions.size() < kFewest) {
        return failure(Error::Kind::Usage, "Only " + std::to_string(score.positions.size()) + " positions were scored; figures need at least " +
                                               std::to_string(kFewest) + ". Give a longer text.");
    }
    const Means means(score);
    ScoreTable table;
    table.positions = static_cast<std::int64_t>(score.positions.size());
    table.chunks = score.chunks();
    add_perplexities(means, table);

    const auto kld = means.values([](const ScoredPosition& p) { return p.kl_of_head; });
    table.kld = means.of(kld);
    table.kld_spread = spread_of(kld);
    const auto delta_p = means.values([](const ScoredPosition& p) { return std::exp(p.log_probability) - std::exp(p.base_log_probability); });
    table.delta_p = means.of(delta_p);
    table.delta_p_spread = spread_of(delta_p);
    const Estimate squares = means.of([](const ScoredPosition& p) {
        const double d = std::exp(p.log_probability) - std::exp(p.base_log_probability);
        return d * d;
    });
    const double rms = std::sqrt(squares.value);
    table.rms_delta_p = {rms, rms > 0 ? 0.5 / rms * squares.error : 0.0, rms > 0 ? 0.5 / rms * squares.clustered_error : 0.0};
    table.same_top = means.of([](const ScoredPosition& p) { return p.same_top ? 1.0 : 0.0; });

    table.kl = means.of([](const ScoredPosition& p) { return p.kl; });
    table.reverse_kl = means.of([](const ScoredPosition& p) { return p.reverse_kl; });
    table.js = means.of([](const ScoredPosition& p) { return p.js; });
    table.tv = means.of([](const ScoredPosition& p) { return p.tv; });
    table.base_entropy = means.of([](const ScoredPosition& p) { return p.base_entropy; });
    table.entropy = means.of([](const ScoredPosition& p) { return p.entropy; });
    return table;
}

} // namespace retort
