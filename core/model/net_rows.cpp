#include "core/model/net_rows.h"

#include "core/kernels/row_ops.h"

#include <algorithm>

namespace retort {

void RowArithmetic::normalise(const float* x, const NormWeights& norm, float* out) const
{
    if (norm.gain.empty()) {
        if (x != out) {
            std::copy_n(x, m_spec.width, out);
        }
    } else if (m_spec.norm == DecoderShape::Norm::Layer) {
        layer_norm(x, norm.gain.data(), norm.bias.empty() ? nullptr : norm.bias.data(), m_spec.width, m_spec.norm_eps, out);
    } else {
        rms_norm(x, norm.gain.data(), m_spec.width, m_spec.norm_eps, out);
    }
}

void RowArithmetic::begin(const PackedWeights& weights, std::int64_t position, float* row) const
{
    if (m_spec.embedding_scale != 1.0) {
        scale(static_cast<float>(m_spec.embedding_scale), m_spec.width, row);
    }
    if (m_spec.positions == DecoderShape::Positions::Learned) {
        std::vector<float> learned(static_cast<std::size_t>(m_spec.width));
        weights.position(position + m_spec.position_offset, learned);
        add(learned.data(), m_spec.width, row);
    }
}

void RowArithmetic::normalise_heads(const NormWeights& norm, std::int64_t heads, float* row) const
{
    if (m_spec.attention.norm == AttentionShape::Norm::Row) {
        rms_norm(row, norm.gain.data(), heads * m_spec.head_dim, m_spec.norm_eps, row);
        return;
    }
    for (std::int64_t head = 0; head < heads; ++head) {
        float* values = row + head * m_spec.head_dim;
        rms_norm(values, norm.gain.data(), m_spec.head_dim, m_spec.norm_eps, values);
    }
}

void RowArithmetic::place_in_time(const PackedLayer& weights, const LayerShape& layer, const RopeTable& rope, std::int64_t position, float* qkv) const
{
    float* keys = qkv + m_layout.key;
    if (m_spec.attention.norm != AttentionShape::Norm::None) {
        normalise_heads(weights.query_norm, m_spec.heads, qkv);
        normalise_heads(weights.key_norm, m_spec.kv_heads, keys);
    }
    if (m_spec.positions == DecoderShape::Positions::Rope && layer.rotation != LayerShape::Rotation::None) {
        const bool local = layer.rotation == LayerShape::Rotation::Local;
        const float* cosines = rope.cosines(position, local);
        const float* sines = rope.sines(position, local);
        for (std::int64_t head = 0; head < m_spec.heads; ++head) {
            rotate_head(qkv + head * m_spec.head_dim, m_spec.turning_dims(), cosines, sines);
        }
        for (std::int64_t head = 0; head < m_spec.kv_heads; ++head) {
            rotate_head(keys + head * m_spec.head_dim, m_spec.turning_dims(), cosines, sines);
        }
    }
    scale(static_cast<float>(m_spec.attention_scale()), m_spec.query_width(), qkv);
}

void RowArithmetic::activate(const PackedLayer& weights, std::int64_t group, std::int64_t groups, float* values, float* out) const
{
    add_bias(weights.gate_up_bias, group, groups, values);
    if (!m_spec.feed_forward.gated) {
        retort::activate(m_spec.feed_forward.activation, values, nullptr, groups * kGroupRows, out);
        return;
    }
    for (std::int64_t pair = 0; pair < groups / 2; ++pair) {
        const float* gate = values + 2 * pair * kGroupRows;
        retort::activate(m_spec.feed_forward.activation, gate, gate + kGroupRows, kGroupRows, out + pair * kGroupRows);
    }
}

void RowArithmetic::add_bias(const std::vector<float>& bias, std::int64_t group, std::int64_t groups, float* values)
{
    if (!bias.empty()) {
        add(bias.data() + group * kGroupRows, groups * kGroupRows, values);
    }
}

void RowArithmetic::add_branch(const float* branch, std::int64_t count, float* residual) const
{
    add_scaled(branch, static_cast<float>(m_spec.residual.scale), count, residual);
}

void RowArithmetic::finish_logits(const PackedWeights& weights, std::int64_t first, std::int64_t count, float* logits) const
{
    if (!weights.head_bias().empty()) {
        add(weights.head_bias().data() + first, count, logits);
    }
    if (m_spec.logit_scale != 1.0) {
        scale(static_cast<float>(m_spec.logit_scale), count, logits);
    }
    if (m_spec.logit_cap > 0.0) {
        soft_cap(static_cast<float>(m_spec.logit_cap), count, logits);
    }
}

} // namespace retort
