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

/// Runs one position through a net, reading every weight once and in order: one function for all threads, meeting six times a layer.
/// Holds the scratch memory. One call at a time; each uses the whole team.
class DecodePass {
public:
    DecodePass(const ArchSpec& spec, const PackedWeights& weights, MultiplyGroups multiply);

    /// Runs `id` at position cache.length() and appends it. `hidden` (width values, may be null) gets the normalised hidden state, `logits`
    /// (vocabulary values, may be null) the logits.
    void run(KvStore& cache, const RopeTable& rope, TokenId id, float* hidden, float* logits);

    /// Logits (vocabulary values) of one normalised hidden state.
    void head(const float* hidden, float* logits);

private:
    /// What one thread needs for itself.
    struct Scratch {
        AlignedBuffer<float> normed;
        AlignedBuffer<float> scores;
        QuantisedVector input;
        AlignedBuffer<float> out; ///< of this thread's share of a matrix
    };

    void make_room(std::int64_t positions);
    void run_layer(const Member& member, std::int64_t layer, KvStore& cache, const RopeTable& rope);
    void take_input(Scratch& scratch, const float* x, const PackedMatrix& matrix) const;
    void place_keys_and_values(const Member& member, std::int64_t layer, KvStore& cache, const RopeTable& rope);
    void attend(const Member& member, std::int64_t layer, KvStore& cache);
    void add_product(const Member& member, const PackedMatrix& matrix, const float* x);
    void multiply_head(const Member& member, float* logits);

    const ArchSpec& m_spec;
    const PackedWeights& m_weights;
    MultiplyGroups m_multiply;
    NetLayout m_layout;
    std::int64_t m_positions = 0;

    AlignedBuffer<float> m_residual;
    AlignedBuffer<float> m_qkv;
    AlignedBuffer<float> m_attention;
    AlignedBuffer<float> m_ffn;
    std::vector<Scratch> m_scratch; ///< one for each thread
};

} // namespace retort
