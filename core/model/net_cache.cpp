#include "core/model/net_cache.h"

#include <algorithm>
#include <cmath>

namespace retort {

namespace {

constexpr std::int64_t kFirstCapacity = 256;

std::int64_t grown(std::int64_t capacity, std::int64_t needed, std::int64_t limit)
{
    return std::min(std::max({needed, 2 * capacity, kFirstCapacity}), std::max(limit, needed));
}

} // namespace

KvStore::KvStore(const DecoderShape& spec) : m_layers(spec.layers), m_kv_heads(spec.kv_heads), m_head_dim(spec.head_dim), m_context(spec.context) {}

void KvStore::truncate(std::int64_t length)
{
    m_length = std::clamp<std::int64_t>(length, 0, m_length);
}

void KvStore::reserve(std::int64_t positions)
{
    if (positions <= m_capacity) {
        return;
    }
    const std::int64_t capacity = grown(m_capacity, positions, m_context);
    const auto count = static_cast<std::size_t>(m_layers * m_kv_heads * capacity * m_head_dim);
    AlignedBuffer<float> keys(count);
    AlignedBuffer<float> values(count);
    for (std::int64_t row = 0; row < m_layers * m_kv_heads; ++row) {
        const std::int64_t from = row * m_capacity * m_head_dim;
        const std::int64_t to = row * capacity * m_head_dim;
        std::copy_n(m_keys.data() + from, m_length * m_head_dim, keys.data() + to);
        std::copy_n(m_values.data() + from, m_length * m_head_dim, values.data() + to);
    }
    m_keys = std::move(keys);
    m_values = std::move(values);
    m_capacity = capacity;
}

RopeTable::RopeTable(const DecoderShape& spec)
    : m_spec(spec), m_long_rope(spec.rope.scaling.kind == RopeScaling::Kind::LongRope), m_pairs(std::max<std::int64_t>(1, spec.turning_dims() / 2))
{
    if (spec.positions == DecoderShape::Positions::Rope) {
        change_to(0);
    }
}

void RopeTable::change_to(std::int64_t length)
{
    m_long = length > m_spec.rope.scaling.original_context;
    m_tables[0] = {rope_inverse_frequencies(m_spec.rope, m_spec.turning_dims(), length), m_spec.rope.scaling.attention_factor, {}, {}};
    const auto local = [](const LayerShape& layer) { return layer.rotation == LayerShape::Rotation::Local; };
    if (std::ranges::any_of(m_spec.each_layer, local)) {
        m_tables[1] = {
            rope_inverse_frequencies(m_spec.local_rope, m_spec.turning_dims(), length), m_spec.local_rope.scaling.attention_factor, {}, {}};
    }
}

void RopeTable::reserve(std::int64_t positions)
{
    for (Table& table : m_tables) {
        const auto have = static_cast<std::int64_t>(table.cosines.size()) / m_pairs;
        if (table.frequencies.empty() || positions <= have) {
            continue;
        }
        const std::int64_t want = grown(have, positions, m_spec.context);
        table.cosines.resize(static_cast<std::size_t>(want * m_pairs));
        table.sines.resize(static_cast<std::size_t>(want * m_pairs));
        for (std::int64_t position = have; position < want; ++position) {
            for (std::int64_t i = 0; i < m_pairs; ++i) {
                const double angle = static_cast<double>(position) * table.frequencies[static_cast<std::size_t>(i)];
                table.cosines[static_cast<std::size_t>(position * m_pairs + i)] = static_cast<float>(table.factor * std::cos(angle));
                table.sines[static_cast<std::size_t>(position * m_pairs + i)] = static_cast<float>(table.factor * std::sin(angle));
            }
        }
    }
}

} // namespace retort
