#include "core/model/net_decode.h"

#include "core/kernels/attention.h"

#include <algorithm>

namespace retort {

DecodePass::DecodePass(const DecoderShape& spec, const PackedWeights& weights, MultiplyGroups multiply)
    : m_spec(spec), m_weights(weights), m_multiply(multiply), m_layout(spec), m_rows(spec), m_residual(static_cast<std::size_t>(m_layout.width)),
      m_normed(static_cast<std::size_t>(m_layout.width)), m_ffn_input(static_cast<std::size_t>(m_layout.width)),
      m_branch(static_cast<std::size_t>(m_layout.width)), m_token(static_cast<std::size_t>(m_layout.token)), m_input(m_layout.widest()),
      m_qkv(static_cast<std::size_t>(m_layout.qkv)), m_attention(static_cast<std::size_t>(m_layout.attention)),
      m_ffn(static_cast<std::size_t>(m_layout.ffn))
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
            scratch.out = AlignedBuffer<float>(
                static_cast<std::size_t>(std::max({m_layout.width, m_layout.token, m_layout.qkv, 2 * m_layout.ffn, m_layout.vocabulary})));
        }
        scratch.scores = AlignedBuffer<float>(static_cast<std::size_t>(m_positions));
    }
}

void DecodePass::run(KvStore& cache, const RopeTable& rope, TokenId id, float* hidden, float* logits)
{
    make_room(cache.length() + 1);
    embed(id, cache.length());
    for (std::int64_t layer = 0; layer < m_spec.layers; ++layer) {
        run_layer(layer, cache, rope);
    }
    m_rows.normalise(m_residual.data(), m_weights.final_norm(), m_normed.data());
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

/// The residual at its beginning.
void DecodePass::embed(TokenId id, std::int64_t position)
{
    if (m_spec.embedding_width > 0) {
        m_weights.embed(id, {m_token.data(), static_cast<std::size_t>(m_spec.token_width())});
        take_input(m_token.data(), m_weights.project_in());
        multiply_by(m_weights.project_in(), [this](const GroupRun& run, const float* values) {
            std::copy_n(values, run.groups * kGroupRows, m_residual.data() + run.first_group * kGroupRows);
        });
    } else {
        m_weights.embed(id, {m_residual.data(), static_cast<std::size_t>(m_spec.width)});
    }
    m_rows.begin(m_weights, position, m_residual.data());
}

void DecodePass::run_layer(std::int64_t layer, KvStore& cache, const RopeTable& rope)
{
    const PackedLayer& weights = m_weights.layers()[static_cast<std::size_t>(layer)];
    const bool of_sum = m_rows.is(ResidualShape::Norms::OfSum);
    const NormWeights none;
    m_rows.normalise(m_residual.data(), of_sum ? none : weights.attention_norm, m_normed.data());
    if (m_spec.residual.parallel) { // before attention changes the residual
        m_rows.normalise(m_residual.data(), m_spec.residual.shared_norm ? weights.attention_norm : weights.ffn_norm, m_ffn_input.data());
    }
    take_input(m_normed.data(), weights.qkv);
    multiply_by(weights.qkv, [&](const GroupRun& run, float* values) {
        RowArithmetic::add_bias(weights.qkv_bias, run.first_group, run.groups, values);
        std::copy_n(values, run.groups * kGroupRows, m_qkv.data() + run.first_group * kGroupRows);
    });
    place_keys_and_values(layer, cache, rope);
    attend(layer, cache);
    add_branch(weights.output, m_attention.data(), weights.output_bias, weights.after_attention_norm);
    if (of_sum) {
        m_rows.normalise(m_residual.data(), weights.attention_norm, m_residual.data());
    }
    if (!m_spec.residual.parallel) {
        m_rows.normalise(m_residual.data(), of_sum ? none : weights.ffn_norm, m_ffn_input.data());
    }
    feed_forward(weights, m_ffn_input.data());
    add_branch(weights.down, m_ffn.data(), weights.down_bias, weights.after_ffn_norm);
    if (of_sum) {
        m_rows.normalise(m_residual.data(), weights.ffn_norm, m_residual.data());
    }
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
    m_rows.place_in_time(m_weights.layers()[static_cast<std::size_t>(layer)], m_spec.layer(layer), rope, position, m_qkv.data());
    for (std::int64_t head = 0; head < m_spec.kv_heads; ++head) {
        const std::int64_t place = head * m_spec.head_dim;
        std::copy_n(m_qkv.data() + m_layout.key + place, m_spec.head_dim, cache.keys(layer, head) + position * m_spec.head_dim);
        std::copy_n(m_qkv.data() + m_layout.value + place, m_spec.head_dim, cache.values(layer, head) + position * m_spec.head_dim);
    }
}

void DecodePass::attend(std::int64_t layer, KvStore& cache)
{
    const std::int64_t first = RowArithmetic::first_seen(m_spec.layer(layer), cache.length());
    const std::int64_t length = cache.length() + 1 - first;
    const std::int64_t queries_per_key = m_spec.heads / m_spec.kv_heads;
    const std::int64_t start = first * m_spec.head_dim;
    for_chunks(m_spec.heads, [&](std::int64_t head, int member) {
        const std::int64_t kv_head = head / queries_per_key;
        retort::attend(m_qkv.data() + head * m_spec.head_dim, cache.keys(layer, kv_head) + start, cache.values(layer, kv_head) + start, length,
                       m_spec.head_dim, static_cast<float>(m_spec.attention.soft_cap), m_scratch[static_cast<std::size_t>(member)].scores.data(),
                       m_attention.data() + head * m_spec.head_dim);
    });
}

/// Leaves in m_ffn what the second product takes.
void DecodePass::feed_forward(const PackedLayer& weights, const float* x)
{
    take_input(x, weights.gate_up);
    for_chunks(static_cast<std::int64_t>(weights.gate_up.chunks().size()), [&](std::int64_t chunk, int member) {
        float* const out = m_scratch[static_cast<std::size_t>(member)].out.data();
        const auto& runs = weights.gate_up.chunks()[static_cast<std::size_t>(chunk)];
        const std::int64_t first = runs.front().first_group;
        for (const GroupRun& run : runs) { // a gate may be of another type than its up
            m_multiply(run.format, run.data, run.groups, weights.gate_up.columns(), m_input, out + (run.first_group - first) * kGroupRows);
        }
        const std::int64_t groups = runs.back().first_group + runs.back().groups - first;
        m_rows.activate(weights, first, groups, out, m_ffn.data() + (m_spec.feed_forward.gated ? first / 2 : first) * kGroupRows);
    });
}

void DecodePass::add_branch(const PackedMatrix& matrix, const float* x, const std::vector<float>& bias, const NormWeights& norm)
{
    take_input(x, matrix);
    const bool normed = !norm.gain.empty();
    multiply_by(matrix, [&](const GroupRun& run, float* values) {
        RowArithmetic::add_bias(bias, run.first_group, run.groups, values);
        const std::int64_t place = run.first_group * kGroupRows;
        if (normed) {
            std::copy_n(values, run.groups * kGroupRows, m_branch.data() + place);
        } else {
            m_rows.add_branch(values, run.groups * kGroupRows, m_residual.data() + place);
        }
    });
    if (normed) {
        m_rows.normalise(m_branch.data(), norm, m_branch.data());
        m_rows.add_branch(m_branch.data(), m_spec.width, m_residual.data());
    }
}

void DecodePass::multiply_head(const float* normed, float* logits)
{
    if (m_spec.embedding_width > 0) {
        take_input(normed, m_weights.project_out());
        multiply_by(m_weights.project_out(), [this](const GroupRun& run, const float* values) {
            std::copy_n(values, run.groups * kGroupRows, m_token.data() + run.first_group * kGroupRows);
        });
        normed = m_token.data();
    }
    take_input(normed, m_weights.head());
    multiply_by(m_weights.head(), [&](const GroupRun& run, const float* values) {
        const std::int64_t output = run.first_group * kGroupRows;
        const std::int64_t count = std::min(run.groups * kGroupRows, m_spec.vocabulary - output);
        std::copy_n(values, count, logits + output);
        m_rows.finish_logits(m_weights, output, count, logits + output);
    });
}

} // namespace retort
