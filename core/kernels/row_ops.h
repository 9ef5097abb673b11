#pragma once
#include "core/kernels/activation.h"

#include <cstdint>

namespace retort {

// What a layer does between its products, a row of float32 at a time. No alignment or multiple is asked for. Any thread.

/// out[i] = x[i] / sqrt(mean(x^2) + eps) * gain[i] over `width` values (Zhang, Sennrich 2019). `out` may be `x`.
void rms_norm(const float* x, const float* gain, std::int64_t width, double eps, float* out);

/// out[i] = (x[i] - mean) / sqrt(variance + eps) * gain[i] + bias[i] (Ba, Kiros, Hinton 2016); `bias` may be null. `out` may be `x`.
void layer_norm(const float* x, const float* gain, const float* bias, std::int64_t width, double eps, float* out);

/// sum[i] += x[i].
void add(const float* x, std::int64_t count, float* sum);

/// values[i] *= factor.
void scale(float factor, std::int64_t count, float* values);

/// out[i] = silu(gate[i]) up[i], silu(z) = z / (1 + exp(-z)) (Shazeer 2020).
void swiglu(const float* gate, const float* up, std::int64_t count, float* out);

/// out[i] = activation(x[i]), times up[i] unless `up` is null. `out` may be either.
void activate(Activation activation, const float* x, const float* up, std::int64_t count, float* out);

/// values[i] = cap tanh(values[i] / cap), which leaves small values alone and none beyond the cap (Gemma 2, 2024).
void soft_cap(float cap, std::int64_t count, float* values);

/// Turns pair (i, i + head_dim / 2) of one head by the angle whose cosine and sine stand at cosines[i] and sines[i] (Su et al. 2021, half-split).
void rotate_head(float* head, std::int64_t head_dim, const float* cosines, const float* sines);

/// x . y.
[[nodiscard]] float dot(const float* x, const float* y, std::int64_t count);

/// sum[i] += factor x[i].
void add_scaled(const float* x, float factor, std::int64_t count, float* sum);

/// Replaces `scores` by exp(score - largest) and returns the sum of that; `count` at least 1.
float exponentials(float* scores, std::int64_t count);

/// Whether no value is infinite or NaN.
[[nodiscard]] bool all_finite(const float* values, std::int64_t count);

} // namespace retort
