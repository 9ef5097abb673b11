#pragma once
#include "core/kernels/train_types.h"

#include <cstdint>

namespace retort {

/// Causal attention with rotary positions (half-split pairs) and grouped keys, forward and backward, for whole batches of training.
///
/// A row of qkv is q (heads x head_dim), k (kv_heads x head_dim), v (kv_heads x head_dim). The forward pass rotates q and k in place: the backward
/// pass expects them so. Scores exist for one block of queries at a time, never as (T, T). `Act` is float or BFloat16; arithmetic is float. Uses the
/// team; the same bits for the same shapes. One call at a time.
template <class Act>
struct CausalAttention {
    Act* qkv = nullptr;             ///< (sequences x length, (heads + 2 kv_heads) head_dim)
    Act* out = nullptr;             ///< (sequences x length, heads x head_dim)
    float* log_sums = nullptr;      ///< (sequences, heads, length): base-2 logarithm of the sum of 2^(score log2(e)), what the backward pass needs
    const float* cosines = nullptr; ///< (length, head_dim / 2)
    const float* sines = nullptr;
    const Act* out_gradient = nullptr; ///< backward: shape of out
    Act* qkv_gradient = nullptr;       ///< backward: shape of qkv, of the values before rotation
    std::int64_t sequences = 0, length = 0, heads = 0, kv_heads = 0, head_dim = 0;
};

void attention_forward(const CausalAttention<float>& call);
void attention_forward(const CausalAttention<BFloat16>& call);
void attention_backward(const CausalAttention<float>& call);
void attention_backward(const CausalAttention<BFloat16>& call);

} // namespace retort
