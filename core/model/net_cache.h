#pragma once
#include "core/kernels/aligned_buffer.h"
#include "core/model/net.h"

#include <cstdint>
#include <vector>

namespace retort {

/// The KvCache that Net hands out: for each layer and each key-value head, keys and values of all positions one after another, float32. Keys are kept
/// after RoPE. One thread at a time.
class KvStore final : public KvCache {
public:
    explicit KvStore(const ArchSpec& spec);

    [[nodiscard]] std::int64_t length() const override { return m_length; }
    void truncate(std::int64_t length) override;

    /// Makes room for `positions`, by doubling. Throws std::bad_alloc; then the cache is as it was.
    void reserve(std::int64_t positions);
    void set_length(std::int64_t length) { m_length = length; }

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
    AlignedBuffer<float> m_keys;
    AlignedBuffer<float> m_values;
};

/// Cosines and sines of RoPE's angles for positions 0 ..., (positions, head_dim / 2) each; grows by doubling. One thread at a time.
class RopeTable {
public:
    explicit RopeTable(const ArchSpec& spec);

    void reserve(std::int64_t positions);
    [[nodiscard]] const float* cosines(std::int64_t position) const { return m_cosines.data() + position * m_pairs; }
    [[nodiscard]] const float* sines(std::int64_t position) const { return m_sines.data() + position * m_pairs; }

private:
    std::vector<double> m_frequencies;
    std::int64_t m_pairs;
    std::int64_t m_context;
    std::vector<float> m_cosines;
    std::vector<float> m_sines;
};

} // namespace retort
