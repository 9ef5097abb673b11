#pragma once
#include "core/model/decoder_shape.h"
#include "core/model/net_cache.h"
#include "core/model/net_layout.h"
#include "core/model/net_weights.h"

#include <cstdint>
#include <vector>

namespace retort {

/// What a decoder does with one position's row between its products, as its shape says: the one place where shapes differ in arithmetic. Decode and
/// prefill share it. Immutable; any thread.
class RowArithmetic {
public:
    explicit RowArithmetic(const DecoderShape& spec) : m_spec(spec), m_layout(spec) {}

    /// `x` normalised (width values), or copied where there is no such norm. `out` may be `x`.
    void normalise(const float* x, const NormWeights& norm, float* out) const;

    /// What a position adds to its embedding, and the embedding's scale: `row` has width values.
    void begin(const PackedWeights& weights, std::int64_t position, float* row) const;

    /// Norms, RoPE and the scale of attention for the queries and keys in a row of q, k and v.
    void place_in_time(const PackedLayer& weights, const LayerShape& layer, const RopeTable& rope, std::int64_t position, float* qkv) const;

    /// What feed-forward's first product gives, whole groups from `group` on, to what its second one takes; gate and up alternate where there is a
    /// gate. Biases are added. `out` (kGroupRows values for each gate or up) may be `values`.
    void activate(const PackedLayer& weights, std::int64_t group, std::int64_t groups, float* values, float* out) const;

    /// Adds a bias to whole groups of a product; nothing where there is none.
    static void add_bias(const std::vector<float>& bias, std::int64_t group, std::int64_t groups, float* values);

    /// Adds what a branch gave to the residual; `count` values of each.
    void add_branch(const float* branch, std::int64_t count, float* residual) const;

    /// Outputs [first, first + count) of the head to logits: bias, scale and cap.
    void finish_logits(const PackedWeights& weights, std::int64_t first, std::int64_t count, float* logits) const;

    /// The first position that one at `position` sees.
    [[nodiscard]] static std::int64_t first_seen(const LayerShape& layer, std::int64_t position)
    {
        return layer.window > 0 ? std::max<std::int64_t>(0, position - layer.window + 1) : 0;
    }

    [[nodiscard]] bool is(ResidualShape::Norms norms) const { return m_spec.residual.norms == norms; }

private:
    void normalise_heads(const NormWeights& norm, std::int64_t heads, float* row) const;

    const DecoderShape& m_spec;
    NetLayout m_layout;
};

} // namespace retort
