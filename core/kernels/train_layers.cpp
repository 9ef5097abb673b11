#include "core/kernels/train_layers.h"

#include "core/kernels/team.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/train_layers.cpp"
#include "core/kernels/simd_targets.h"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include "core/kernels/train_simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace retort {
namespace HWY_NAMESPACE {

template <class Act>
void normalise_row(const RmsNormForward<Act>& call, std::int64_t row)
{
    const std::int64_t width = call.width;
    const float* residual = call.residual + row * width;
    FloatVec squares = hn::Zero(FloatTag());
    if (call.add != nullptr) {
        const Act* add = call.add + row * width;
        float* sum = call.sum + row * width;
        for (std::int64_t i = 0; i < width; i += kLanes) {
            const FloatVec x = hn::Add(load(residual + i, width - i), load(add + i, width - i));
            store(x, sum + i, width - i);
            squares = hn::MulAdd(x, x, squares);
        }
        residual = sum;
    } else {
        for (std::int64_t i = 0; i < width; i += kLanes) {
            const FloatVec x = load(residual + i, width - i);
            squares = hn::MulAdd(x, x, squares);
        }
    }
    const float inverse = 1.0f / std::sqrt(sum_of_lanes(squares) / static_cast<float>(width) + call.eps);
    call.inverse_rms[row] = inverse;
    const FloatVec scale = hn::Set(FloatTag(), inverse);
    Act* out = call.normalised + row * width;
    for (std::int64_t i = 0; i < width; i += kLanes) {
        store(hn::Mul(hn::Mul(load(residual + i, width - i), scale), load(call.gain + i, width - i)), out + i, width - i);
    }
}

template <class Act>
void rms_norm_forward_of(const RmsNormForward<Act>& call)
{
    for_ranges(call.rows, 1, [&](std::int64_t begin, std::int64_t end) HWY_ATTR {
        for (std::int64_t row = begin; row < end; ++row) {
            normalise_row(call, row);
        }
    });
}

/// One row of the backward pass; `gain_gradient` is this chunk's own sum.
template <class Act>
void unnormalise_row(const RmsNormBackward<Act>& call, std::int64_t row, float* gain_gradient)
{
    const FloatTag d;
    const std::int64_t width = call.width;
    const Act* gradient = call.gradient + row * width;
    const float* residual = call.residual + row * width;
    float* out = call.residual_gradient + row * width;
    const FloatVec inverse = hn::Set(d, call.inverse_rms[row]);
    FloatVec dot = hn::Zero(d);
    for (std::int64_t i = 0; i < width; i += kLanes) {
        const std::int64_t left = width - i;
        const FloatVec along = hn::Mul(load(gradient + i, left), hn::Mul(load(residual + i, left), inverse));
        store(hn::Add(load(gain_gradient + i, left), along), gain_gradient + i, left);
        dot = hn::MulAdd(along, load(call.gain + i, left), dot);
    }
    const FloatVec pull = hn::Set(d, -sum_of_lanes(dot) / static_cast<float>(width));
    for (std::int64_t i = 0; i < width; i += kLanes) {
        const std::int64_t left = width - i;
        const FloatVec weighted = hn::Mul(load(gradient + i, left), load(call.gain + i, left));
        const FloatVec unit = hn::Mul(load(residual + i, left), inverse);
        FloatVec result = hn::Mul(hn::MulAdd(unit, pull, weighted), inverse);
        if (!call.first) {
            result = hn::Add(result, load(out + i, left));
        }
        store(result, out + i, left);
        store(result, call.copy + row * width + i, left);
    }
}

template <class Act>
void rms_norm_backward_of(const RmsNormBackward<Act>& call)
{
    for_chunks(kGainSums, [&](std::int64_t chunk, int) HWY_ATTR {
        float* own = call.scratch.data() + chunk * call.width;
        std::fill_n(own, call.width, 0.0f);
        const ItemRange rows = share_of(call.rows, 1, chunk, kGainSums);
        for (std::int64_t row = rows.begin; row < rows.end; ++row) {
            unnormalise_row(call, row, own);
        }
    });
    for (std::int64_t chunk = 0; chunk < kGainSums; ++chunk) {
        for (std::int64_t i = 0; i < call.width; ++i) {
            call.gain_gradient[i] += call.scratch[static_cast<std::size_t>(chunk * call.width + i)];
        }
    }
}

template <class Act>
void swiglu_forward_of(const SwiGlu<Act>& call)
{
    for_ranges(call.rows, 1, [&](std::int64_t begin, std::int64_t end) HWY_ATTR {
        for (std::int64_t row = begin; row < end; ++row) {
            const Act* gate = call.gate_up + row * 2 * call.ffn;
            const Act* up = gate + call.ffn;
            Act* out = call.out + row * call.ffn;
            for (std::int64_t i = 0; i < call.ffn; i += kLanes) {
                const std::int64_t left = call.ffn - i;
                const FloatVec x = load(gate + i, left);
                store(hn::Mul(hn::Mul(x, sigmoid(x)), load(up + i, left)), out + i, left);
            }
        }
    });
}

template <class Act>
void swiglu_backward_of(const SwiGlu<Act>& call)
{
    const FloatVec one = hn::Set(FloatTag(), 1.0f);
    for_ranges(call.rows, 1, [&](std::int64_t begin, std::int64_t end) HWY_ATTR {
        for (std::int64_t row = begin; row < end; ++row) {
            const Act* gate = call.gate_up + row * 2 * call.ffn;
            const Act* up = gate + call.ffn;
            const Act* gradient = call.gradient + row * call.ffn;
            Act* gate_out = call.gate_up_gradient + row * 2 * call.ffn;
            Act* up_out = gate_out + call.ffn;
            for (std::int64_t i = 0; i < call.ffn; i += kLanes) {
                const std::int64_t left = call.ffn - i;
                const FloatVec x = load(gate + i, left);
                const FloatVec g = load(gradient + i, left);
                const FloatVec s = sigmoid(x);
                const FloatVec silu = hn::Mul(x, s);
                store(hn::Mul(g, silu), up_out + i, left);
                // silu'(x) = s + x s (1 - s)
                store(hn::Mul(hn::Mul(g, load(up + i, left)), hn::MulAdd(silu, hn::Sub(one, s), s)), gate_out + i, left);
            }
        }
    });
}

template <class Number>
void embed_of(const Number* table, std::span<const std::int32_t> ids, std::int64_t width, float* out)
{
    for_ranges(static_cast<std::int64_t>(ids.size()), 1, [&](std::int64_t begin, std::int64_t end) HWY_ATTR {
        for (std::int64_t row = begin; row < end; ++row) {
            const Number* from = table + ids[row] * width;
            float* to = out + static_cast<std::int64_t>(row) * width;
            for (std::int64_t i = 0; i < width; i += kLanes) {
                store(load(from + i, width - i), to + i, width - i);
            }
        }
    });
}

/// A chunk owns a band of columns, so that a token met twice needs no lock and sums come in one order.
void embed_backward_of(const float* gradient, std::span<const std::int32_t> ids, std::int64_t width, float* table_gradient)
{
    constexpr std::int64_t kBand = 64;
    for_ranges(width, kBand, [&](std::int64_t begin, std::int64_t end) HWY_ATTR {
        for (std::size_t row = 0; row < ids.size(); ++row) {
            const float* from = gradient + static_cast<std::int64_t>(row) * width;
            float* to = table_gradient + ids[row] * width;
            for (std::int64_t i = begin; i < end; i += kLanes) {
                store(hn::Add(load(to + i, end - i), load(from + i, end - i)), to + i, end - i);
            }
        }
    });
}

void round_to_bfloat16_of(std::span<const float> from, BFloat16* to)
{
    const auto count = static_cast<std::int64_t>(from.size());
    for_ranges(count, kElementsAtATime, [&](std::int64_t begin, std::int64_t end) HWY_ATTR {
        for (std::int64_t i = begin; i < end; i += kLanes) {
            store(load(from.data() + i, count - i), to + i, count - i);
        }
    });
}

void add_to_of(std::span<const BFloat16> from, float* to)
{
    const auto count = static_cast<std::int64_t>(from.size());
    for_ranges(count, kElementsAtATime, [&](std::int64_t begin, std::int64_t end) HWY_ATTR {
        for (std::int64_t i = begin; i < end; i += kLanes) {
            store(hn::Add(load(to + i, count - i), load(from.data() + i, count - i)), to + i, count - i);
        }
    });
}

// Highway's tables hold plain functions.
void RmsNormForwardFloat(const RmsNormForward<float>& call)
{
    rms_norm_forward_of(call);
}
void RmsNormForwardBFloat16(const RmsNormForward<BFloat16>& call)
{
    rms_norm_forward_of(call);
}
void RmsNormBackwardFloat(const RmsNormBackward<float>& call)
{
    rms_norm_backward_of(call);
}
void RmsNormBackwardBFloat16(const RmsNormBackward<BFloat16>& call)
{
    rms_norm_backward_of(call);
}
void SwiGluForwardFloat(const SwiGlu<float>& call)
{
    swiglu_forward_of(call);
}
void SwiGluForwardBFloat16(const SwiGlu<BFloat16>& call)
{
    swiglu_forward_of(call);
}
void SwiGluBackwardFloat(const SwiGlu<float>& call)
{
    swiglu_backward_of(call);
}
void SwiGluBackwardBFloat16(const SwiGlu<BFloat16>& call)
{
    swiglu_backward_of(call);
}
void EmbedFloat(const float* table, std::span<const std::int32_t> ids, std::int64_t width, float* out)
{
    embed_of(table, ids, width, out);
}
void EmbedBFloat16(const BFloat16* table, std::span<const std::int32_t> ids, std::int64_t width, float* out)
{
    embed_of(table, ids, width, out);
}

} // namespace HWY_NAMESPACE
} // namespace retort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace retort {

HWY_EXPORT(RmsNormForwardFloat);
HWY_EXPORT(RmsNormForwardBFloat16);
HWY_EXPORT(RmsNormBackwardFloat);
HWY_EXPORT(RmsNormBackwardBFloat16);
HWY_EXPORT(SwiGluForwardFloat);
HWY_EXPORT(SwiGluForwardBFloat16);
HWY_EXPORT(SwiGluBackwardFloat);
HWY_EXPORT(SwiGluBackwardBFloat16);
HWY_EXPORT(EmbedFloat);
HWY_EXPORT(EmbedBFloat16);
HWY_EXPORT(embed_backward_of);
HWY_EXPORT(round_to_bfloat16_of);
HWY_EXPORT(add_to_of);

void rms_norm_forward(const RmsNormForward<float>& call)
{
    HWY_DYNAMIC_DISPATCH(RmsNormForwardFloat)(call);
}

void rms_norm_forward(const RmsNormForward<BFloat16>& call)
{
    HWY_DYNAMIC_DISPATCH(RmsNormForwardBFloat16)(call);
}

void rms_norm_backward(const RmsNormBackward<float>& call)
{
    HWY_DYNAMIC_DISPATCH(RmsNormBackwardFloat)(call);
}

void rms_norm_backward(const RmsNormBackward<BFloat16>& call)
{
    HWY_DYNAMIC_DISPATCH(RmsNormBackwardBFloat16)(call);
}

void swiglu_forward(const SwiGlu<float>& call)
{
    HWY_DYNAMIC_DISPATCH(SwiGluForwardFloat)(call);
}

void swiglu_forward(const SwiGlu<BFloat16>& call)
{
    HWY_DYNAMIC_DISPATCH(SwiGluForwardBFloat16)(call);
}

void swiglu_backward(const SwiGlu<float>& call)
{
    HWY_DYNAMIC_DISPATCH(SwiGluBackwardFloat)(call);
}

void swiglu_backward(const SwiGlu<BFloat16>& call)
{
    HWY_DYNAMIC_DISPATCH(SwiGluBackwardBFloat16)(call);
}

void embed(const float* table, std::span<const std::int32_t> ids, std::int64_t width, float* out)
{
    HWY_DYNAMIC_DISPATCH(EmbedFloat)(table, ids, width, out);
}

void embed(const BFloat16* table, std::span<const std::int32_t> ids, std::int64_t width, float* out)
{
    HWY_DYNAMIC_DISPATCH(EmbedBFloat16)(table, ids, width, out);
}

void embed_backward(const float* gradient, std::span<const std::int32_t> ids, std::int64_t width, float* table_gradient)
{
    HWY_DYNAMIC_DISPATCH(embed_backward_of)(gradient, ids, width, table_gradient);
}

void round_to_bfloat16(std::span<const float> from, BFloat16* to)
{
    HWY_DYNAMIC_DISPATCH(round_to_bfloat16_of)(from, to);
}

void add_to(std::span<const BFloat16> from, float* to)
{
    HWY_DYNAMIC_DISPATCH(add_to_of)(from, to);
}

namespace {

template <class Number>
void gather(const Number* from, std::span<const std::int64_t> picked, std::int64_t width, Number* out)
{
    for_ranges(static_cast<std::int64_t>(picked.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            std::copy_n(from + picked[row] * width, width, out + static_cast<std::int64_t>(row) * width);
        }
    });
}

template <class Number>
void scatter(const Number* from, std::span<const std::int64_t> picked, std::int64_t width, Number* to, std::int64_t rows)
{
    std::fill_n(to, rows * width, Number{});
    for_ranges(static_cast<std::int64_t>(picked.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            std::copy_n(from + static_cast<std::int64_t>(row) * width, width, to + picked[row] * width);
        }
    });
}

} // namespace

void gather_rows(const float* from, std::span<const std::int64_t> picked, std::int64_t width, float* out)
{
    gather(from, picked, width, out);
}

void gather_rows(const BFloat16* from, std::span<const std::int64_t> picked, std::int64_t width, BFloat16* out)
{
    gather(from, picked, width, out);
}

void scatter_rows(const float* from, std::span<const std::int64_t> picked, std::int64_t width, float* to, std::int64_t rows)
{
    scatter(from, picked, width, to, rows);
}

void scatter_rows(const BFloat16* from, std::span<const std::int64_t> picked, std::int64_t width, BFloat16* to, std::int64_t rows)
{
    scatter(from, picked, width, to, rows);
}

} // namespace retort
#endif
