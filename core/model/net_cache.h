#pragma once
#include "core/kernels/aligned_buffer.h"
#include "core/model/net.h"

#include <array>
#include <cstdint>
#include <vector>

namespace retort {

/// The KvCache that Net hands out: for each layer and each key-value head, keys and values of all positions one after another, float32. Keys are kept
/// after RoPE. One thread at a time.
class KvStore final : public KvCache {
public:
    explicit KvStore(const DecoderShape& spec);

    [[nodiscard]] std::int64_t length() const override { return m_length; }
    void truncate(std::int64_t length) override;

    /// Makes room for `positions`, by doubling. Throws std::bad_alloc; then the cache is as it was.
    void reserve(std::int64_t positions);
    void set_length(std::int64_t length) { m_length = length; }

    /// The ids at the positions, where RopeTable::is_long_rope() makes them needed again.
    [[nodiscard]] std::vector<TokenId>& ids() { return m_ids; }
    [[nodiscard]] bool is_long() const { return m_long; }
    void set_long(bool is_long) { m_long = is_long; }

    [[nodiscard]] std::int64_t capacity() const { return m_capacity; }
    /// (capacity, head_dim) of one head.
    [[nodiscard]] float* keys(std::int64_t layer, std::int64_t kv_head) { return m_keys.data() + place_of(layer, kv_head); }
    [[nodiscard]] float* values(std::int64_t layer, std::int64_t kv_head) { return m_values.data() + place_of(layer, kv_head); }

private:
    [[nodiscard]] std::int64_t place_of(std::int64_t layer, std::int64_t kv_head) const
    {
        return (layer * m_kv_heads + kv_head) * m_capacity * m_head_dim;
    }

    std::int64_t m_layers;
    std::int64_t m_kv_heads;
    std::int64_t m_head_dim;
    std::int64_t m_context;
    std::int64_t m_capacity = 0;
    std::int64_t m_length = 0;
    std::vector<TokenId> m_ids;
    bool m_long = false; ///< turned as LongRope turns sequences beyond the original context
    AlignedBuffer<float> m_keys;
    AlignedBuffer<float> m_values;
};

/// Cosines and sines of RoPE's angles for positions 0 ..., (positions, turning dims / 2) each, of the shape's rope and, where layers turn by it, of
/// its local one; grows by doubling. One thread at a time.
class RopeTable {
public:
    explicit RopeTable(const DecoderShape& spec);

    void reserve(std::int64_t positions);
    [[nodiscard]] const float* cosines(std::int64_t position, bool local = false) const
    {
        return m_tables[local ? 1 : 0].cosines.data() + position * m_pairs;
    }
    [[nodiscard]] const float* sines(std::int64_t position, bool local = false) const
    {
        return m_tables[local ? 1 : 0].sines.data() + position * m_pairs;
    }

    /// LongRope turns every position of a sequence otherwise once it is longer than the original context. Whether `length` positions are in the
    /// other case than those of the latest change_to(); false for every other scaling.
    [[nodiscard]] bool changes_at(std::int64_t length) const { return m_long_rope && (length > m_spec.rope.scaling.original_context) != m_long; }
    void change_to(std::int64_t length);
    [[nodiscard]] bool is_long_rope() const { return m_long_rope; }

private:
    struct Table {
        std::vector<double> frequencies;
        double factor = 1.0; ///< of cosines and sines
        std::vector<float> cosines;
        std::vector<float> sines;
    };

    const DecoderShape& m_spec;
    bool m_long_rope;
    bool m_long = false;
    std::int64_t m_pairs;
    std::array<Table, 2> m_tables; ///< global, local; without frequencies where nothing turns by it
};

} // namespace retort
