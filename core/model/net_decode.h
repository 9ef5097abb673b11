#pragma once
#include "core/kernels/aligned_buffer.h"
#include "core/kernels/gemv.h"
#include "core/kernels/team.h"
#include "core/model/net_cache.h"
#include "core/model/net_layout.h"
#include "core/model/net_rows.h"
#include "core/model/net_weights.h"

#include <cstdint>
#include <vector>

namespace retort {

/// Runs one position through a net, reading every weight once and in order. The caller does what lies between the products; those and the attention
/// are the team's, five times a layer. Holds the scratch memory. One call at a time.
class DecodePass {
public:
    DecodePass(const DecoderShape& spec, const PackedWeights& weights, MultiplyGroups multiply);

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
    void embed(TokenId id, std::int64_t position);
    void run_layer(std::int64_t layer, KvStore& cache, const RopeTable& rope);
    void take_input(const float* x, const PackedMatrix& matrix);
    void place_keys_and_values(std::int64_t layer, KvStore& cache, const RopeTable& rope);
    void attend(std::int64_t layer, KvStore& cache);
    void feed_forward(const PackedLayer& weights, const float* x);
    /// matrix x + bias, normalised where there is such a norm, to the residual.
    void add_branch(const PackedMatrix& matrix, const float* x, const std::vector<float>& bias, const NormWeights& norm);
    void multiply_head(const float* normed, float* logits);

    /// take(run, values, scratch) for every run of the matrix and its product with the input, chunk by chunk; `values` are of the run.
    template <class Take>
    void multiply_by(const PackedMatrix& matrix, Take&& take);

    const DecoderShape& m_spec;
    const PackedWeights& m_weights;
    MultiplyGroups m_multiply;
    NetLayout m_layout;
    RowArithmetic m_rows;
    std::int64_t m_positions = 0;

    AlignedBuffer<float> m_residual;
    AlignedBuffer<float> m_normed;
    AlignedBuffer<float> m_ffn_input; ///< of a feed-forward beside attention
    AlignedBuffer<float> m_branch;    ///< before its norm
    AlignedBuffer<float> m_token;     ///< an embedding before, and a hidden state after its projection
    QuantisedVector m_input;          ///< of the product under way
    AlignedBuffer<float> m_qkv;
    AlignedBuffer<float> m_attention;
    AlignedBuffer<float> m_ffn;
    std::vector<Scratch> m_scratch; ///< one for each member
};

} // namespace retort
