#pragma once
#include "core/kernels/aligned_buffer.h"
#include "core/kernels/panel.h"
#include "core/kernels/team.h"
#include "core/model/net_cache.h"
#include "core/model/net_layout.h"
#include "core/model/net_rows.h"
#include "core/model/net_weights.h"

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

namespace retort {

/// Runs many positions at once through a net: each 32 rows of weights are expanded to a panel in the cache and multiplied with all positions.
/// Holds the scratch memory. One call at a time; each uses the team.
class PrefillPass {
public:
    /// Positions that a call takes at most.
    static constexpr std::int64_t kChunk = 512;

    PrefillPass(const DecoderShape& spec, const PackedWeights& weights, const PanelKernels& kernels);

    /// Runs `ids` at positions from cache.length() on and appends them, giving the normalised hidden states (ids.size(), width) to `hidden`. The
    /// cache's length changes only when all went well. False when `stop` was requested, looked at before each layer. At most kChunk ids.
    [[nodiscard]] bool run(KvStore& cache, const RopeTable& rope, std::span<const TokenId> ids, float* hidden, const std::stop_token& stop);

    /// Logits (rows, vocabulary) of normalised hidden states (rows, width); at most kChunk rows.
    void head(const float* hidden, std::int64_t rows, float* logits);

    [[nodiscard]] const PanelKernels& kernels() const { return m_kernels; }

private:
    /// What one member needs for itself.
    struct Scratch {
        AlignedBuffer<std::byte> panels; ///< two expanded groups
        AlignedBuffer<float> tile;       ///< (kTileRows, kTileColumns)
        AlignedBuffer<float> row;
        AlignedBuffer<float> scores;          ///< (kTileRows, positions)
        AlignedBuffer<std::byte> probability; ///< the same in elements
    };

    /// The positions under way.
    struct Chunk {
        KvStore& cache;
        const RopeTable& rope;
        std::int64_t first; ///< position of row 0
        std::int64_t rows;
        std::int64_t past; ///< positions with the chunk's, a multiple of kTileRows

        [[nodiscard]] std::int64_t total() const { return first + rows; }
    };

    void make_room(std::int64_t rows, std::int64_t positions);
    void embed(std::span<const TokenId> ids, std::int64_t first);
    void run_layer(std::int64_t layer, const Chunk& chunk);
    /// The residual's rows, normalised, to `out`.
    void normalise(const NormWeights& norm, std::int64_t rows, AlignedBuffer<std::byte>& out);
    /// The residual's rows replaced by themselves, normalised.
    void normalise_residual(const NormWeights& norm, std::int64_t rows);
    void place_keys_and_values(std::int64_t layer, const Chunk& chunk);
    void place_row(std::int64_t layer, const Chunk& chunk, std::int64_t row);
    void pack_keys_and_values(std::int64_t layer, const Chunk& chunk);
    void attend(std::int64_t layer, const Chunk& chunk);
    void attend_rows(const LayerShape& layer, const Chunk& chunk, std::int64_t head, std::int64_t first_row, Scratch& scratch);
    void feed_forward(const PackedLayer& weights, const AlignedBuffer<std::byte>& input, std::int64_t rows);
    /// matrix x + bias, normalised where there is such a norm, to the residual.
    void add_branch(const PackedMatrix& matrix, const AlignedBuffer<std::byte>& x, const std::vector<float>& bias, const NormWeights& norm,
                    std::int64_t rows);
    void convert_rows(const float* values, std::int64_t stride, std::int64_t width, std::int64_t padded, std::int64_t rows,
                      AlignedBuffer<std::byte>& out);

    /// epilogue(first group, groups, first row, rows, tile) for every tile of matrix * activations.
    template <class Epilogue>
    void multiply(const PackedMatrix& matrix, const AlignedBuffer<std::byte>& activations, std::int64_t rows, Epilogue&& epilogue);

    [[nodiscard]] std::byte* element(AlignedBuffer<std::byte>& buffer, std::int64_t index) const
    {
        return buffer.data() + static_cast<std::size_t>(index) * m_kernels.element_bytes;
    }

    const DecoderShape& m_spec;
    const PackedWeights& m_weights;
    const PanelKernels& m_kernels;
    NetLayout m_layout;
    RowArithmetic m_row_arithmetic;
    std::int64_t m_head_depth; ///< head_dim up to a multiple of 32
    std::int64_t m_rows = 0;
    std::int64_t m_positions = 0;

    AlignedBuffer<float> m_residual;      ///< (rows, width)
    AlignedBuffer<float> m_qkv;           ///< (rows, qkv)
    AlignedBuffer<std::byte> m_normed;    ///< (rows, width) elements
    AlignedBuffer<std::byte> m_ffn_input; ///< (rows, width), of a feed-forward beside attention
    AlignedBuffer<float> m_branch;        ///< (rows, width), where branches have norms
    AlignedBuffer<float> m_tokens;        ///< (rows, token), where embeddings are projected
    AlignedBuffer<std::byte> m_token_elements;
    AlignedBuffer<std::byte> m_attention; ///< (rows, attention)
    AlignedBuffer<std::byte> m_ffn;       ///< (rows, ffn)
    AlignedBuffer<std::byte> m_queries;   ///< (heads, rows, head depth)
    AlignedBuffer<std::byte> m_keys;      ///< (kv heads, positions / 16) panels of (head depth, 16)
    AlignedBuffer<std::byte> m_values;    ///< (kv heads, head depth / 16) panels of (positions, 16)
    std::vector<Scratch> m_scratch;       ///< one for each member
};

} // namespace retort
