#pragma once
#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/kernels/aligned_buffer.h"
#include "core/kernels/packed_matrix.h"
#include "core/model/arch_spec.h"
#include "core/model/weights.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace retort {

/// What one layer multiplies with, packed.
struct PackedLayer {
    std::vector<float> attention_norm;
    std::vector<float> ffn_norm;
    PackedMatrix qkv;     ///< rows of q, then k, then v, each filled up to whole groups
    PackedMatrix output;  ///< attention's way back to the residual
    PackedMatrix gate_up; ///< groups alternate
    PackedMatrix down;
};

/// A llama's weights laid out for running: a contiguous arena for each member of the team, in the order in which a token passes through. Quantised
/// blocks stay quantised and are held once: decode streams them, prefill expands them 32 rows at a time. Immutable; any thread.
class PackedWeights {
public:
    /// Copies what it needs; `weights` may go afterwards. Fails when a weight is missing or has another shape than `spec` asks for, and on cancel.
    [[nodiscard]] static Result<PackedWeights> pack(const ArchSpec& spec, const WeightSet& weights, int parts, const Progress& progress);

    [[nodiscard]] const std::vector<PackedLayer>& layers() const { return m_layers; }
    [[nodiscard]] const std::vector<float>& final_norm() const { return m_final_norm; }
    [[nodiscard]] const PackedMatrix& head() const { return m_head; }

    /// The embedding of `id`, width values.
    void embed(std::int64_t id, std::span<float> out) const;

private:
    PackedWeights() = default;

    std::vector<AlignedBuffer<std::byte>> m_arenas;
    std::vector<PackedLayer> m_layers;
    std::vector<float> m_final_norm;
    PackedMatrix m_head;
    Weight m_embedding; ///< empty when the head is the embedding
};

} // namespace retort
