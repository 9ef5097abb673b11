#pragma once
#include "core/kernels/train_types.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace retort {

// The parts of a transformer layer that are not matrix products, forward and backward, over rows = sequences x length. `Act` is how activations are
// kept: float or BFloat16; arithmetic is float. The residual stream and its gradient are always float. All matrices are row-major and dense.
// Each call uses the team and gives the same bits for any number of members. One call at a time.

/// residual += add (when there is one); normalised = residual / rms(residual) * gain. RMSNorm, Zhang and Sennrich 2019.
template <class Act>
struct RmsNormForward {
    const float* residual = nullptr; ///< (rows, width)
    const Act* add = nullptr;        ///< (rows, width) or null
    float* sum = nullptr;            ///< (rows, width): residual + add; may be `residual`; unused when add is null
    const float* gain = nullptr;     ///< (width)
    Act* normalised = nullptr;       ///< (rows, width)
    float* inverse_rms = nullptr;    ///< (rows): 1 / sqrt(mean(x^2) + eps)
    std::int64_t rows = 0, width = 0;
    float eps = 0;
};
void rms_norm_forward(const RmsNormForward<float>& call);
void rms_norm_forward(const RmsNormForward<BFloat16>& call);

/// The rows' sums for a norm's gain come in this many parts, each added up by one chunk of work.
inline constexpr std::int64_t kGainSums = 16;

/// With y = x r g: dg += sum over rows of dy x r; dx = r (dy g - x r mean(dy g x r)), added to what `residual_gradient` holds unless `first`.
template <class Act>
struct RmsNormBackward {
    const Act* gradient = nullptr;      ///< (rows, width), of the normalised values
    const float* residual = nullptr;    ///< (rows, width), what was normalised
    const float* inverse_rms = nullptr; ///< (rows)
    const float* gain = nullptr;        ///< (width)
    float* residual_gradient = nullptr; ///< (rows, width)
    Act* copy = nullptr;                ///< (rows, width): residual_gradient once more, for the products that come next
    float* gain_gradient = nullptr;     ///< (width), added to
    std::span<float> scratch;           ///< kGainSums x width
    std::int64_t rows = 0, width = 0;
    bool first = false;
};
void rms_norm_backward(const RmsNormBackward<float>& call);
void rms_norm_backward(const RmsNormBackward<BFloat16>& call);

/// out = silu(gate) up, where a row of gate_up is gate (ffn) then up (ffn). SwiGLU, Shazeer 2020.
template <class Act>
struct SwiGlu {
    const Act* gate_up = nullptr;    ///< (rows, 2 ffn)
    Act* out = nullptr;              ///< (rows, ffn), forward
    const Act* gradient = nullptr;   ///< (rows, ffn), backward: of out
    Act* gate_up_gradient = nullptr; ///< (rows, 2 ffn), backward
    std::int64_t rows = 0, ffn = 0;
};
void swiglu_forward(const SwiGlu<float>& call);
void swiglu_forward(const SwiGlu<BFloat16>& call);
void swiglu_backward(const SwiGlu<float>& call);
void swiglu_backward(const SwiGlu<BFloat16>& call);

/// out (ids.size(), width) = rows `ids` of table. Ids within the table.
void embed(const float* table, std::span<const std::int32_t> ids, std::int64_t width, float* out);
void embed(const BFloat16* table, std::span<const std::int32_t> ids, std::int64_t width, float* out);
/// table_gradient's rows `ids` += gradient (ids.size(), width).
void embed_backward(const float* gradient, std::span<const std::int32_t> ids, std::int64_t width, float* table_gradient);

/// out (picked.size(), width) = rows `picked` of from; and the way back: `to` (rows, width) is zero but for rows `picked`.
void gather_rows(const float* from, std::span<const std::int64_t> picked, std::int64_t width, float* out);
void gather_rows(const BFloat16* from, std::span<const std::int64_t> picked, std::int64_t width, BFloat16* out);
void scatter_rows(const float* from, std::span<const std::int64_t> picked, std::int64_t width, float* to, std::int64_t rows);
void scatter_rows(const BFloat16* from, std::span<const std::int64_t> picked, std::int64_t width, BFloat16* to, std::int64_t rows);

void round_to_bfloat16(std::span<const float> from, BFloat16* to);
/// to += from
void add_to(std::span<const BFloat16> from, float* to);

} // namespace retort
