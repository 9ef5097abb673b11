#pragma once
#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/kernels/aligned_buffer.h"
#include "core/kernels/packed_matrix.h"
#include "core/model/decoder_shape.h"
#include "core/model/weights.h"

#include <cstdint>
#include <span>
#include <vector>

namespace retort {

/// A norm's gain and bias; both empty where there is no such norm.
struct NormWeights {
    std::vector<float> gain;
    std::vector<float> bias;
};

/// What one layer works with. Biases have one value for each output of their matrix, zeros where it was filled up; empty where there are none.
struct PackedLayer {
    NormWeights attention_norm;
    NormWeights after_attention_norm;
    NormWeights ffn_norm;
    NormWeights after_ffn_norm;
    NormWeights query_norm;
    NormWeights key_norm;
    PackedMatrix qkv;     ///< rows of q, then k, then v, each filled up to whole groups
    PackedMatrix output;  ///< attention's way back to the residual
    PackedMatrix gate_up; ///< groups alternate; up alone where nothing is gated
    PackedMatrix down;
    std::vector<float> qkv_bias;
    std::vector<float> output_bias;
    std::vector<float> gate_up_bias;
    std::vector<float> down_bias;
};

/// A decoder's weights laid out for running: a contiguous arena for each member of the team, in the order in which a token passes through. Quantised
/// blocks that the kernels know stay quantised and are held once: decode streams them, prefill expands them 32 rows at a time. Immutable; any thread.
class PackedWeights {
public:
    /// Takes each weight out of `weights` when it has been packed, so that one which nobody else holds is in memory once. Fails when a weight is
    /// missing or has another shape than `spec` asks for, and on cancel.
    [[nodiscard]] static Result<PackedWeights> pack(const DecoderShape& spec, WeightSet weights, int parts, const Progress& progress);

    [[nodiscard]] const std::vector<PackedLayer>& layers() const { return m_layers; }
    [[nodiscard]] const NormWeights& final_norm() const { return m_final_norm; }
    [[nodiscard]] const PackedMatrix& head() const { return m_head; }
    [[nodiscard]] const std::vector<float>& head_bias() const { return m_head_bias; }
    /// From the embedding's width to the model's and back; no groups where they are the same.
    [[nodiscard]] const PackedMatrix& project_in() const { return m_project_in; }
    [[nodiscard]] const PackedMatrix& project_out() const { return m_project_out; }

    /// The embedding of `id` as it is stored, spec.token_width() values.
    void embed(std::int64_t id, std::span<float> out) const;
    /// The learned position's values; only where the shape has such.
    void position(std::int64_t row, std::span<float> out) const { decode_rows(m_positions, row, 1, out); }

private:
    PackedWeights() = default;
    struct Packing;

    std::vector<AlignedBuffer<std::byte>> m_arenas;
    std::vector<PackedLayer> m_layers;
    NormWeights m_final_norm;
    PackedMatrix m_head;
    std::vector<float> m_head_bias;
    PackedMatrix m_project_in;
    PackedMatrix m_project_out;
    Weight m_embedding; ///< empty when the head is the embedding
    Weight m_positions;
};

} // namespace retort
