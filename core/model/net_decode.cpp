#include "core/model/net_decode.h"

#include "core/kernels/attention.h"
#include "core/kernels/row_ops.h"

#include <algorithm>
#include <cmath>

namespace retort {

DecodePass::DecodePass(const ArchSpec& spec, const PackedWeights& weights, MultiplyGroups multiply)
    : m_spec(spec), m_weights(weights), m_multiply(multiply), m_layout(spec), m_residual(static_cast<std::size_t>(m_layout.width)),
      m_normed(static_cast<std::size_t>(m_layout.width)), m_input(m_layout.widest()), m_qkv(static_cast<std::size_t>(m_layout.qkv)),
      m_attention(static_cast<std::size_t>(m_layout.attention)), m_ffn(static_cast<std::size_t>(m_layout.ffn))
{
}

void DecodePass::make_room(std::int64_t positions)
{
    const auto threads = static_cast<std::size_t>(team_size());
    if (m_scratch.size() >= threads && positions <= m_positions) {
        return;
    }
    m_positions = std::max(positions, std::min(2 * m_positions, m_spec.context));
    m_scratch.resize(threads);
    for (Scratch& scratch : m_scratch) {
        if (scratch.out.size() == 0) {
            scratch.out =
                AlignedBuffer<float>(static_cast<std::size_t>(std::max({m_layout.width, m_layout.qkv, 2 * m_layout.ffn, m_layout.vocabulary})));
        }
        scratch.scores = AlignedBuffer<float>(static_cast<std::size_t>(m_positions));
    }
}

void DecodePass::run(KvStore& cache, const RopeTable& rope, TokenId id, float* hidden, float* logits)
{
    make_room(cache.length() + 1);
    m_weights.embed(id, {m_residual.data(), static_cast<std::size_t>(m_spec.width)});
    for (std::int64_t layer = 0; layer < m_spec.layers; ++layer) {
        run_layer(layer, cache, rope);
    }
    rms_norm(m_residual.data(), m_weights.final_norm().data(), m_spec.width, m_spec.norm_eps, m_normed.data());
    if (hidden != nullptr) {
        std::copy_n(m_normed.data(), m_spec.width, hidden);
    }
    if (logits != nullptr) {
        multiply_head(m_normed.data(), logits);
    }
    cache.set_length(cache.length() + 1);
}

void DecodePass::head(const float* hidden, float* logits)
{
    make_room(1);
    std::copy_n(hidden, m_spec.width, m_normed.data()); // filled up with zeros, as the products take it
    multiply_head(m_normed.data(), logits);
}

void DecodePass::run_layer(std::int64_t layer, KvStore& cache, const RopeTable& rope)
{
    const PackedLayer& weights = m_weights.layers()[static_cast<std::size_t>(layer)];
    rms_norm(m_residual.data(), weights.attention_norm.data(), m_spec.width, m_spec.norm_eps, m_normed.data());
    take_input(m_normed.data(), weights.qkv);
    multiply_by(weights.qkv, [this](const GroupRun& run, const float* values) {
        std::copy_n(values, run.groups * kGroupRows, m_qkv.data() + run.first_group * kGroupRows);
    });
    place_keys_and_values(layer, cache, rope);
    attend(layer, cache);
    add_product(weights.output, m_attention.data());
    feed_forward(weights);
    add_product(weights.down, m_ffn.data());
}

template <class Take>
void DecodePass::multiply_by(const PackedMatrix& matrix, Take&& take)
{
    for_chunks(static_cast<std::int64_t>(matrix.chunks().size()), [&](std::int64_t chunk, int member) {
        float* const out = m_scratch[static_cast<std::size_t>(member)].out.data();
        for (const GroupRun& run : matrix.chunks()[static_cast<std::size_t>(chunk)]) {
            m_multiply(run.format, run.data, run.groups, matrix.columns(), m_input, out);
            take(run, out);
        }
    });
}

void DecodePass::take_input(const float* x, const PackedMatrix& matrix)
{
    if (matrix.any_quantised()) {
        quantise(x, matrix.columns(), m_input);
    } else {
        take_values(x, matrix.columns(), m_input);
    }
}

void DecodePass::place_keys_and_values(std::int64_t layer, KvStore& cache, const RopeTable& rope)
{
    const std::int64_t position = cache.length();
    const float* cosines = rope.cosines(position);
    const float* sines = rope.sines(position);
    const float attention_scale = 1.0f / std::sqrt(static_cast<float>(m_spec.head_dim));
    for (std::int64_t head = 0; head < m_spec.heads; ++head) {
        float* query = m_qkv.data() + head * m_spec.head_dim;
        rotate_head(query, m_spec.head_dim, cosines, sines);
        scale(attention_scale, m_spec.head_dim, query);
    }
    for (std::int64_t head = 0; head < m_spec.kv_heads; ++head) {
        float* key = m_qkv.data() + m_layout.key + head * m_spec.head_dim;
        rotate_head(key, m_spec.head_dim, cosines, sines);
        std::copy_n(key, m_spec.head_dim, cache.keys(layer, head) + position * m_spec.head_dim);
        std::copy_n(m_qkv.data() + m_layout.value + head * m_spec.head_dim, m_spec.head_dim, cache.values(layer, head) + position * m_spec.head_dim);
    }
}

void DecodePass::attend(std::int64_t layer, KvStore& cache)
{
    const std::int64_t length = cache.length() + 1;
    const std::int64_t queries_per_key = m_spec.heads / m_spec.kv_heads;
    for_chunks(m_spec.heads, [&](std::int64_t head, int member) {
        const std::int64_t kv_head = head / queries_per_key;
        retort::attend(m_qkv.data() + head * m_spec.head_dim, cache.keys(layer, kv_head), cache.values(layer, kv_head), length, m_spec.head_dim,
                       m_scratch[static_cast<std::size_t>(member)].scores.data(), m_attention.data() + head * m_spec.head_dim);
    });
}

/// Normalises the residual and leaves SwiGLU's result in m_ffn.
void DecodePass::feed_forward(const PackedLayer& weights)
{
    rms_norm(m_residual.data(), weights.ffn_norm.data(), m_spec.width, m_spec.norm_eps, m_normed.data());
    take_input(m_normed.data(), weights.gate_up);
    for_chunks(static_cast<std::int64_t>(weights.gate_up.chunks().size()), [&](std::int64_t chunk, int member) {
        float* const out = m_scratch[static_cast<std::size_t>(member)].out.data();
        const auto& runs = weights.gate_up.chunks()[static_cast<std::size_t>(chunk)];
        const std::int64_t first = runs.front().first_group;
        for (const GroupRun& run : runs) { // a gate may be of another type than its up
            m_multiply(run.format, run.data, run.groups, weights.gate_up.columns(), m_input, out + (run.first_group - first) * kGroupRows);
        }
        for (std::int64_t group = first; group < runs.back().first_group + runs.back().groups; group += 2) {
            const float* gate = out + (group - first) * kGroupRows;
            swiglu(gate, gate + kGroupRows, kGroupRows, m_ffn.data() + group / 2 * kGroupRows);
        }
    });
}

void DecodePass::add_product(const PackedMatrix& matrix, const float* x)
{
    take_input(x, matrix);
    multiply_by(matrix, [this](const GroupRun& run, const float* values) {
        add(values, run.groups * kGroupRows, m_residual.data() + run.first_group * kGroupRows);
    });
}

void DecodePass::multiply_head(const float* normed, float* logits)
{
    take_input(normed, m_weights.head());
    multiply_by(m_weights.head(), [&](const GroupRun& run, const float* values) {
        const std::int64_t output = run.first_group * kGroupRows;
        std::copy_n(values, std::min(run.groups * kGroupRows, m_spec.vocabulary - output), logits + output);
    });
}

} // namespace retort
