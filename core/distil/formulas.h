#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace retort {

// The formulas of one position, as plain loops in any float type: what the fused kernels are held against, and what is held against golden values in
// double.

/// log softmax(logits / temperature) into `out`.
template <class Real>
void tempered_log_softmax(std::span<const Real> logits, Real temperature, std::span<Real> out)
{
    const Real most = *std::max_element(logits.begin(), logits.end());
    Real sum = 0;
    for (const Real logit : logits) {
        sum += std::exp((logit - most) / temperature);
    }
    const Real log_sum = std::log(sum);
    for (std::size_t i = 0; i < logits.size(); ++i) {
        out[i] = (logits[i] - most) / temperature - log_sum;
    }
}

/// KL(p || q) with a = log p, b = log q: sum_i p_i (a_i - b_i); d/db_i = -p_i.
template <class Real>
double forward_kl(std::span<const Real> a, std::span<const Real> b, std::span<Real> gradient)
{
    double divergence = 0.0;
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        const Real p = std::exp(a[i]);
        divergence += static_cast<double>(p) * (static_cast<double>(a[i]) - static_cast<double>(b[i]));
        gradient[i] = -p;
    }
    return divergence;
}

/// From d/db of a divergence to its gradient with respect to the raw logits z, b = log softmax(z / T): factor (g_i - q_i sum_j g_j) / T, in place.
template <class Real>
void through_log_softmax(std::span<const Real> b, Real temperature, Real factor, std::span<Real> gradient)
{
    double sum = 0.0;
    for (const Real g : gradient) {
        sum += static_cast<double>(g);
    }
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        gradient[i] = factor * (gradient[i] - std::exp(b[i]) * static_cast<Real>(sum)) / temperature;
    }
}

/// Adds weight (softmax(z) - onehot(label)) to `gradient`; returns -log softmax(z)_label. `b` is log softmax(z) at temperature 1.
template <class Real>
double cross_entropy(std::span<const Real> b, std::size_t label, Real weight, std::span<Real> gradient)
{
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        gradient[i] += weight * std::exp(b[i]);
    }
    gradient[label] -= weight;
    return -static_cast<double>(b[label]);
}

} // namespace retort
