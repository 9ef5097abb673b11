#include "core/inference/sampler.h"

#include "core/inference/distribution_kernels.h"
#include "core/inference/random.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace retort {

namespace {

std::span<const float> without_padding(std::span<const float> logits, std::int64_t vocabulary_limit)
{
    return logits.first(std::min(logits.size(), static_cast<std::size_t>(std::max<std::int64_t>(vocabulary_limit, 0))));
}

/// CTRL's penalty as transformers applies it: a token met before loses, whatever the sign of its logit.
void penalise(std::span<float> logits, std::span<const TokenId> history, double penalty)
{
    std::vector<TokenId> met(history.begin(), history.end());
    std::sort(met.begin(), met.end());
    met.erase(std::unique(met.begin(), met.end()), met.end());
    const auto factor = static_cast<float>(penalty);
    for (const TokenId id : met) {
        if (id >= 0 && static_cast<std::size_t>(id) < logits.size()) {
            float& logit = logits[static_cast<std::size_t>(id)];
            logit = logit < 0 ? logit * factor : logit / factor;
        }
    }
}

} // namespace

TokenId argmax(std::span<const float> logits)
{
    std::size_t best = 0;
    float largest = -std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < logits.size(); ++i) {
        if (logits[i] > largest) {
            largest = logits[i];
            best = i;
        }
    }
    return static_cast<TokenId>(best);
}

Sampler::Sampler(SamplerSettings settings) : m_settings(settings) {}

TokenId Sampler::choose(std::span<const float> logits, std::span<const TokenId> history, std::int64_t vocabulary_limit)
{
    if (m_settings.greedy || m_settings.temperature <= 0.0) {
        if (m_settings.repeat_penalty == 1.0) {
            return argmax(without_padding(logits, vocabulary_limit));
        }
        const auto kept = without_padding(logits, vocabulary_limit);
        m_penalised.assign(kept.begin(), kept.end());
        penalise(m_penalised, history, m_settings.repeat_penalty);
        return argmax(m_penalised);
    }

    filter(logits, history, vocabulary_limit);
    if (m_candidates.empty()) {
        return argmax(without_padding(logits, vocabulary_limit));
    }
    const double total =
        std::accumulate(m_candidates.begin(), m_candidates.end(), 0.0, [](double sum, const Candidate& c) { return sum + c.weight; });
    const double target = unit_interval(split_mix_64(m_settings.seed, m_draws++)) * total;
    double reached = 0.0;
    for (std::size_t i = 0; i < m_candidates.size(); ++i) {
        sort_to(i + 1);
        reached += m_candidates[i].weight;
        if (reached > target) {
            return m_candidates[i].id;
        }
    }
    return m_candidates.front().id; // rounding left the sum a hair below the target
}

std::vector<Sampler::Option> Sampler::options(std::span<const float> logits, std::span<const TokenId> history, std::int64_t vocabulary_limit)
{
    if (m_settings.greedy || m_settings.temperature <= 0.0) {
        return {{choose(logits, history, vocabulary_limit), 1.0}};
    }
    filter(logits, history, vocabulary_limit);
    sort_to(m_candidates.size());
    const double total =
        std::accumulate(m_candidates.begin(), m_candidates.end(), 0.0, [](double sum, const Candidate& c) { return sum + c.weight; });
    std::vector<Option> options(m_candidates.size());
    std::transform(m_candidates.begin(), m_candidates.end(), options.begin(), [total](const Candidate& c) { return Option{c.id, c.weight / total}; });
    return options;
}

void Sampler::filter(std::span<const float> logits, std::span<const TokenId> history, std::int64_t vocabulary_limit)
{
    collect(logits, history, vocabulary_limit);
    keep_top_k();
    weigh();
    keep_top_p();
    keep_min_p();
}

bool Sampler::before(const Candidate& a, const Candidate& b)
{
    return a.score > b.score || (a.score == b.score && a.id < b.id);
}

void Sampler::collect(std::span<const float> logits, std::span<const TokenId> history, std::int64_t vocabulary_limit)
{
    auto kept = without_padding(logits, vocabulary_limit);
    if (m_settings.repeat_penalty != 1.0) {
        m_penalised.assign(kept.begin(), kept.end());
        penalise(m_penalised, history, m_settings.repeat_penalty);
        kept = m_penalised;
    }
    m_candidates.clear();
    m_sorted = 0;
    for (std::size_t i = 0; i < kept.size(); ++i) {
        if (std::isfinite(kept[i])) {
            m_candidates.push_back({kept[i], 0.0, static_cast<TokenId>(i)});
        }
    }
}

void Sampler::keep_top_k()
{
    const auto k = static_cast<std::size_t>(std::max<std::int64_t>(m_settings.top_k, 0));
    if (k == 0 || k >= m_candidates.size()) {
        return;
    }
    const auto kth = m_candidates.begin() + static_cast<std::ptrdiff_t>(k) - 1;
    std::nth_element(m_candidates.begin(), kth, m_candidates.end(), before);
    const double least = kth->score;
    const auto end = std::partition(kth + 1, m_candidates.end(), [least](const Candidate& c) { return c.score == least; });
    m_candidates.erase(end, m_candidates.end());
}

void Sampler::weigh()
{
    double best = -std::numeric_limits<double>::infinity();
    m_numbers.resize(m_candidates.size());
    for (std::size_t i = 0; i < m_candidates.size(); ++i) {
        m_numbers[i] = m_candidates[i].score;
        best = std::max(best, m_numbers[i]);
    }
    exponentials(m_numbers, best, 1.0 / m_settings.temperature);
    for (std::size_t i = 0; i < m_candidates.size(); ++i) {
        m_candidates[i].weight = m_numbers[i];
    }
}

/// Puts the `count` largest candidates in their final order. Most draws end within the first few, and sorting a whole vocabulary for each token would
/// cost half as much as a small model's forward pass, so it sorts in growing pieces.
void Sampler::sort_to(std::size_t count)
{
    while (m_sorted < count) {
        const std::size_t next = std::min(m_candidates.size(), std::max<std::size_t>(256, m_sorted * 4));
        const auto at = [this](std::size_t i) { return m_candidates.begin() + static_cast<std::ptrdiff_t>(i); };
        if (next < m_candidates.size()) {
            std::nth_element(at(m_sorted), at(next), m_candidates.end(), before);
        }
        std::sort(at(m_sorted), at(next), before);
        m_sorted = next;
    }
}

void Sampler::keep_top_p()
{
    if (m_settings.top_p >= 1.0 || m_candidates.empty()) {
        return;
    }
    const double total =
        std::accumulate(m_candidates.begin(), m_candidates.end(), 0.0, [](double sum, const Candidate& c) { return sum + c.weight; });
    double mass = 0.0;
    std::size_t kept = 0;
    while (kept < m_candidates.size() && (kept == 0 || mass < m_settings.top_p * total)) {
        sort_to(kept + 1);
        mass += m_candidates[kept].weight;
        ++kept;
    }
    m_candidates.resize(kept);
    m_sorted = std::min(m_sorted, kept);
}

void Sampler::keep_min_p()
{
    if (m_settings.min_p <= 0.0) {
        return;
    }
    const double least = std::min(m_settings.min_p, 1.0); // the best candidate's weight is 1
    const auto end = std::stable_partition(m_candidates.begin(), m_candidates.end(), [least](const Candidate& c) { return c.weight >= least; });
    const auto kept = static_cast<std::size_t>(end - m_candidates.begin());
    m_candidates.erase(end, m_candidates.end());
    m_sorted = std::min(m_sorted, kept); // dropping from a sorted front keeps it sorted: what was dropped there was its tail
}

} // namespace retort
