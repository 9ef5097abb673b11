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

// Divergences of one piece, with a = log p of the teacher and b = log q of the student: what the piece adds to the sum, and its derivative d/db up to
// a multiple of q, which through_log_softmax() removes.

template <class Real>
struct OfPiece {
    Real value = 0, slope = 0;
};

/// KL(p || q) = sum p (a - b).
template <class Real>
OfPiece<Real> forward_kl(Real a, Real b)
{
    const Real p = std::exp(a);
    return {p * (a - b), -p};
}

/// -sum p b: forward KL and the teacher's entropy.
template <class Real>
OfPiece<Real> soft_cross_entropy(Real a, Real b)
{
    const Real p = std::exp(a);
    return {-p * b, -p};
}

/// KL(q || p) = sum q (b - a).
template <class Real>
OfPiece<Real> reverse_kl(Real a, Real b)
{
    const Real q = std::exp(b);
    return {q * (b - a), q * (b - a)};
}

/// log(share p + (1 - share) q), from the larger of the two, so that neither overflows nor is lost.
template <class Real>
Real log_mixture(Real a, Real b, Real share)
{
    return b > a ? b + std::log(share * std::exp(a - b) + (1 - share)) : a + std::log(share + (1 - share) * std::exp(b - a));
}

/// beta KL(p || m) + (1 - beta) KL(q || m), m = beta p + (1 - beta) q.
template <class Real>
OfPiece<Real> generalised_jsd(Real a, Real b, Real beta)
{
    const Real m = log_mixture(a, b, beta);
    const Real q = std::exp(b);
    return {beta * std::exp(a) * (a - m) + (1 - beta) * q * (b - m), (1 - beta) * q * (b - m)};
}

/// KL(p || m), m = alpha p + (1 - alpha) q.
template <class Real>
OfPiece<Real> skewed_kl(Real a, Real b, Real alpha)
{
    const Real m = log_mixture(a, b, alpha);
    return {std::exp(a) * (a - m), -(1 - alpha) * std::exp(b) * std::exp(a - m)};
}

/// KL(q || m), m = (1 - alpha) p + alpha q.
template <class Real>
OfPiece<Real> skewed_reverse_kl(Real a, Real b, Real alpha)
{
    const Real m = log_mixture(a, b, 1 - alpha);
    const Real q = std::exp(b);
    return {q * (b - m), q * (b - m - alpha * std::exp(b - m))};
}

/// 1/2 sum |p - q|.
template <class Real>
OfPiece<Real> total_variation(Real a, Real b)
{
    const Real p = std::exp(a);
    const Real q = std::exp(b);
    const Real sign = q > p ? Real(1) : q < p ? Real(-1) : Real(0);
    return {std::abs(p - q) / 2, sign * q / 2};
}

/// Any of them over all pieces; `gradient` gets the slopes.
template <class Real, class Divergence>
double sum_over_pieces(std::span<const Real> a, std::span<const Real> b, std::span<Real> gradient, const Divergence& of_piece)
{
    double sum = 0.0;
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        const OfPiece<double> piece = of_piece(static_cast<double>(a[i]), static_cast<double>(b[i]));
        sum += piece.value;
        gradient[i] = static_cast<Real>(piece.slope);
    }
    return sum;
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
