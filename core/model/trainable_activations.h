#pragma once
#include "core/kernels/aligned_buffer.h"
#include "core/kernels/train_layers.h"
#include "core/model/decoder_shape.h"

#include <cstdint>
#include <type_traits>

namespace retort {

/// What a layer's forward pass leaves for its backward pass.
template <class Act>
struct LayerActivations {
    AlignedBuffer<float> residual, middle_residual; ///< before the attention's norm, before the feed-forward's
    AlignedBuffer<float> inverse_rms, middle_inverse_rms;
    AlignedBuffer<Act> normalised, query_key_value, attended, middle_normalised, gate_up, hidden;
    AlignedBuffer<float> log_sums;

    LayerActivations(const DecoderShape& spec, std::int64_t rows)
        : residual(size(rows, spec.width)), middle_residual(size(rows, spec.width)), inverse_rms(size(rows, 1)), middle_inverse_rms(size(rows, 1)),
          normalised(size(rows, spec.width)), query_key_value(size(rows, spec.query_width() + 2 * spec.kv_width())),
          attended(size(rows, spec.query_width())), middle_normalised(size(rows, spec.width)), gate_up(size(rows, 2 * spec.ffn)),
          hidden(size(rows, spec.ffn)), log_sums(size(rows, spec.heads))
    {
    }

    static std::size_t size(std::int64_t rows, std::int64_t columns) { return static_cast<std::size_t>(rows * columns); }
};

/// Gradients on their way back through one layer, used again by the next.
template <class Act>
struct BackwardMemory {
    AlignedBuffer<float> residual;
    AlignedBuffer<Act> residual_copy, narrow, query_key_value, attended, gate_up, hidden, weight;
    AlignedBuffer<float> gains;

    BackwardMemory(const DecoderShape& spec, std::int64_t rows, std::int64_t largest_weight)
        : residual(LayerActivations<Act>::size(rows, spec.width)), residual_copy(residual.size()), narrow(residual.size()),
          query_key_value(LayerActivations<Act>::size(rows, spec.query_width() + 2 * spec.kv_width())),
          attended(LayerActivations<Act>::size(rows, spec.query_width())), gate_up(LayerActivations<Act>::size(rows, 2 * spec.ffn)),
          hidden(LayerActivations<Act>::size(rows, spec.ffn)), weight(std::is_same_v<Act, float> ? 0 : static_cast<std::size_t>(largest_weight)),
          gains(LayerActivations<Act>::size(kGainSums, spec.width))
    {
    }
};

} // namespace retort
