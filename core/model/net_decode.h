#pragma once
#include "core/kernels/aligned_buffer.h"
#include "core/kernels/gemv.h"
#include "core/kernels/team.h"
#include "core/model/net_cache.h"
#include "core/model/net_layout.h"
#include "core/model/net_weights.h"

#include <cstdint>
#include <vector>

namespace retort {

/// Runs one position through a net, reading every weight once and in order. The caller does what lies between the products; those and the attention
/// are the team's, five times a layer. Holds the scratch memory. One call at a time.
class DecodePass {
public:
    DecodePass(const ArchSpec& spec, const PackedWeights& weights, MultiplyGroups multiply);

    /// Runs `id` at position cache.length() and appends it. `hidden` (width values, may be null) gets the normalised hidden state, `logits`
    /// (vocabulary values, may be null) the logits.
    void run(KvStore& cache, const RopeTable& rope, TokenId id, float* hidden, float* logits);

    /// Logits (vocabulary values) of one normalised hidden state.
    void head(const float* hidden, float* logits);

private:
    /// What one member needs for itself.
    struct Scratch {
        AlignedBuffer<float> scores;
        AlignedBuffer<float> out; ///< of a chunk of a matrix
    };

    void make_room(std::int64_t positions);
    void run_layer(std::int64_t layer, KvStore& cache, const RopeTable& rope);
    void take_input(const float* x, const PackedMatrix& matrix);
    void place_keys_and_values(std::int64_t layer, KvStore& cache, const RopeTable& rope);
    void attend(std::int64_t layer, KvStore& cache);
    void feed_forward(const PackedLayer& weights);
    void add_product(const PackedMatrix& matrix, const float* x);
    void multiply_head(const float* normed, float* logits);

    /// take(run, values, scratch) for every run of the matrix and its product with the input, chunk by chunk; `values` are of the run.
    template <class Take>
    void multiply_by(const PackedMatrix& matrix, Take&& take);

    const ArchSpec& m_spec;
    const PackedWeights& m_weights;
    MultiplyGroups m_multiply;
    NetLayout m_layout;
    std::int64_t m_positions = 0;

    AlignedBuffer<float> m_residual;
    AlignedBuffer<float> m_normed;
    QuantisedVector m_input; ///< of the product under way
    AlignedBuffer<float> m_qkv;
    AlignedBuffer<float> m_attention;
    AlignedBuffer<float> m_ffn;
    std::vector<Scratch> m_scratch; ///< one for each member
};

} // namespace retort
