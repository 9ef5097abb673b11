#include "core/model/net_decode.h"

#include "core/kernels/attention.h"
#include "core/kernels/row_ops.h"

#include <algorithm>
#include <cmath>

namespace retort {

namespace {

/// Calls work(run) for every run of the parts that belong to this member.
template <class Work>
void for_runs(const Member& member, const PackedMatrix& matrix, Work&& work)
{
    for (int part = member.index(); part < static_cast<int>(matrix.parts().size()); part += member.count()) {
        for (const GroupRun& run : matrix.parts()[static_cast<std::size_t>(part)]) {
            work(run);
        }
    }
}

} // namespace

DecodePass::DecodePass(const ArchSpec& spec, const PackedWeights& weights, MultiplyGroups multiply)
    : m_spec(spec), m_weights(weights), m_multiply(multiply), m_layout(spec), m_residual(static_cast<std::size_t>(m_layout.width)),
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
    const std::int64_t widest_product = std::max({m_layout.width, m_layout.qkv, 2 * m_layout.ffn, m_layout.vocabulary});
    for (Scratch& scratch : m_scratch) {
        if (scratch.normed.size() == 0) {
            scratch.normed = AlignedBuffer<float>(static_cast<std::size_t>(m_layout.width));
            scratch.input = QuantisedVector(m_layout.widest());
            scratch.out = AlignedBuffer<float>(static_cast<std::size_t>(widest_product));
        }
        scratch.scores = AlignedBuffer<float>(static_cast<std::size_t>(m_positions));
    }
}

void DecodePass::run(KvStore& cache, const RopeTable& rope, TokenId id, float* hidden, float* logits)
{
    make_room(cache.length() + 1);
    m_weights.embed(id, {m_residual.data(), static_cast<std::size_t>(m_spec.width)});
    run_team([&](const Member& member) {
        for (std::int64_t layer = 0; layer < m_spec.layers; ++layer) {
            run_layer(member, layer, cache, rope);
        }
        Scratch& scratch = m_scratch[static_cast<std::size_t>(member.index())];
        rms_norm(m_residual.data(), m_weights.final_norm().data(), m_spec.width, m_spec.norm_eps, scratch.normed.data());
        if (hidden != nullptr && member.is_first()) {
            std::copy_n(scratch.normed.data(), m_spec.width, hidden);
        }
        if (logits != nullptr) {
            multiply_head(member, logits);
        }
    });
    cache.set_length(cache.length() + 1);
}

void DecodePass::head(const float* hidden, float* logits)
{
    make_room(1);
    run_team([&](const Member& member) {
        std::copy_n(hidden, m_spec.width, m_scratch[static_cast<std::size_t>(member.index())].normed.data());
        multiply_head(member, logits);
    });
}

void DecodePass::run_layer(const Member& member, std::int64_t layer, KvStore& cache, const RopeTable& rope)
{
    const PackedLayer& weights = m_weights.layers()[static_cast<std::size_t>(layer)];
    Scratch& scratch = m_scratch[static_cast<std::size_t>(member.index())];

    rms_norm(m_residual.data(), weights.attention_norm.data(), m_spec.width, m_spec.norm_eps, scratch.normed.data());
    take_input(scratch, scratch.normed.data(), weights.qkv);
    for_runs(member, weights.qkv, [&](const GroupRun& run) {
        m_multiply(run.format, run.data, run.groups, weights.qkv.columns(), scratch.input, m_qkv.data() + run.first_group * kGroupRows);
    });
    member.meet();
    place_keys_and_values(member, layer, cache, rope);
    member.meet();
    attend(member, layer, cache);
    member.meet();
    add_product(member, weights.output, m_attention.data());
    member.meet();

    rms_norm(m_residual.data(), weights.ffn_norm.data(), m_spec.width, m_spec.norm_eps, scratch.normed.data());
    take_input(scratch, scratch.normed.data(), weights.gate_up);
    for (int part = member.index(); part < m_weights.parts(); part += member.count()) {
        const auto& runs = weights.gate_up.parts()[static_cast<std::size_t>(part)];
        for (const GroupRun& run : runs) {
            m_multiply(run.format, run.data, run.groups, weights.gate_up.columns(), scratch.input, scratch.out.data() + run.first_group * kGroupRows);
        }
        const std::int64_t first = runs.empty() ? 0 : runs.front().first_group;
        const std::int64_t end = runs.empty() ? 0 : runs.back().first_group + runs.back().groups;
        for (std::int64_t group = first; group < end; group += 2) {
            const float* gate = scratch.out.data() + group * kGroupRows;
            swiglu(gate, gate + kGroupRows, kGroupRows, m_ffn.data() + group / 2 * kGroupRows);
        }
    }
    member.meet();
    add_product(member, weights.down, m_ffn.data());
    member.meet();
}

void DecodePass::take_input(Scratch& scratch, const float* x, const PackedMatrix& matrix) const
{
    if (matrix.any_quantised()) {
        quantise(x, matrix.columns(), scratch.input);
    } else {
        take_values(x, matrix.columns(), scratch.input);
    }
}

void DecodePass::place_keys_and_values(const Member& member, std::int64_t layer, KvStore& cache, const RopeTable& rope)
{
    const std::int64_t position = cache.length();
    const float* cosines = rope.cosines(position);
    const float* sines = rope.sines(position);
    const float attention_scale = 1.0f / std::sqrt(static_cast<float>(m_spec.head_dim));
    const Member::Range share = member.share(m_spec.heads + m_spec.kv_heads);
    for (std::int64_t item = share.begin; item < share.end; ++item) {
        if (item < m_spec.heads) {
            float* query = m_qkv.data() + item * m_spec.head_dim;
            rotate_head(query, m_spec.head_dim, cosines, sines);
            scale(attention_scale, m_spec.head_dim, query);
        } else {
            const std::int64_t head = item - m_spec.heads;
            float* key = m_qkv.data() + m_layout.key + head * m_spec.head_dim;
            rotate_head(key, m_spec.head_dim, cosines, sines);
            std::copy_n(key, m_spec.head_dim, cache.keys(layer, head) + position * m_spec.head_dim);
            std::copy_n(m_qkv.data() + m_layout.value + head * m_spec.head_dim, m_spec.head_dim,
                        cache.values(layer, head) + position * m_spec.head_dim);
        }
    }
}

void DecodePass::attend(const Member& member, std::int64_t layer, KvStore& cache)
{
    const std::int64_t length = cache.length() + 1;
    const std::int64_t queries_per_key = m_spec.heads / m_spec.kv_heads;
    Scratch& scratch = m_scratch[static_cast<std::size_t>(member.index())];
    const Member::Range share = member.share(m_spec.heads);
    for (std::int64_t head = share.begin; head < share.end; ++head) {
        const std::int64_t kv_head = head / queries_per_key;
        retort::attend(m_qkv.data() + head * m_spec.head_dim, cache.keys(layer, kv_head), cache.values(layer, kv_head), length, m_spec.head_dim,
                       scratch.scores.data(), m_attention.data() + head * m_spec.head_dim);
    }
}

void DecodePass::add_product(const Member& member, const PackedMatrix& matrix, const float* x)
{
    Scratch& scratch = m_scratch[static_cast<std::size_t>(member.index())];
    take_input(scratch, x, matrix);
    for_runs(member, matrix, [&](const GroupRun& run) {
        m_multiply(run.format, run.data, run.groups, matrix.columns(), scratch.input, scratch.out.data());
        add(scratch.out.data(), run.groups * kGroupRows, m_residual.data() + run.first_group * kGroupRows);
    });
}

void DecodePass::multiply_head(const Member& member, float* logits)
{
    const PackedMatrix& head = m_weights.head();
    Scratch& scratch = m_scratch[static_cast<std::size_t>(member.index())];
    take_input(scratch, scratch.normed.data(), head);
    for_runs(member, head, [&](const GroupRun& run) {
        const std::int64_t output = run.first_group * kGroupRows;
        m_multiply(run.format, run.data, run.groups, head.columns(), scratch.input, scratch.out.data());
        std::copy_n(scratch.out.data(), std::min(run.groups * kGroupRows, m_spec.vocabulary - output), logits + output);
    });
}

} // namespace retort
