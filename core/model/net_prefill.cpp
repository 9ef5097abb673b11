#include "core/model/net_prefill.h"

#include "core/kernels/row_ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace retort {

namespace {

std::int64_t up_to(std::int64_t value, std::int64_t step)
{
    return (value + step - 1) / step * step;
}

} // namespace

PrefillPass::PrefillPass(const ArchSpec& spec, const PackedWeights& weights, const PanelKernels& kernels)
    : m_spec(spec), m_weights(weights), m_kernels(kernels), m_layout(spec), m_head_depth(up_to(spec.head_dim, kTileColumns))
{
}

void PrefillPass::make_room(std::int64_t rows, std::int64_t positions)
{
    const auto floats = [](std::int64_t count) { return AlignedBuffer<float>(static_cast<std::size_t>(count)); };
    const auto elements = [this](std::int64_t count) { return AlignedBuffer<std::byte>(static_cast<std::size_t>(count) * m_kernels.element_bytes); };
    if (m_scratch.size() < static_cast<std::size_t>(team_size())) {
        m_scratch.resize(static_cast<std::size_t>(team_size()));
        for (Scratch& scratch : m_scratch) {
            scratch.panels = elements(2 * kGroupRows * m_layout.widest());
            scratch.tile = floats(kTileRows * kTileColumns);
            scratch.row = floats(m_layout.widest());
        }
        m_positions = 0;
    }
    if (rows > m_rows) {
        m_rows = up_to(rows, kTileRows);
        m_residual = floats(m_rows * m_layout.width);
        m_qkv = floats(m_rows * m_layout.qkv);
        m_normed = elements(m_rows * m_layout.width);
        m_attention = elements(m_rows * m_layout.attention);
        m_ffn = elements(m_rows * m_layout.ffn);
        m_queries = elements(m_spec.heads * m_rows * m_head_depth);
    }
    if (positions > m_positions) {
        m_positions = up_to(std::max(positions, std::min(2 * m_positions, m_spec.context)), kTileRows);
        m_keys = elements(m_spec.kv_heads * m_positions * m_head_depth);
        m_values = elements(m_spec.kv_heads * m_positions * m_head_depth);
        for (Scratch& scratch : m_scratch) {
            scratch.scores = floats(kTileRows * m_positions);
            scratch.probability = elements(kTileRows * m_positions);
        }
    }
}

bool PrefillPass::run(KvStore& cache, const RopeTable& rope, std::span<const TokenId> ids, float* hidden, const std::stop_token& stop)
{
    const auto rows = static_cast<std::int64_t>(ids.size());
    const std::int64_t first = cache.length();
    make_room(rows, first + rows);
    const Chunk chunk{cache, rope, first, rows, up_to(first + rows, kTileRows)};

    for_ranges(rows, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            m_weights.embed(ids[static_cast<std::size_t>(row)], {m_residual.data() + row * m_layout.width, static_cast<std::size_t>(m_spec.width)});
        }
    });
    for (std::int64_t layer = 0; layer < m_spec.layers; ++layer) {
        if (stop.stop_requested()) {
            return false;
        }
        run_layer(layer, chunk);
    }
    for_ranges(rows, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            rms_norm(m_residual.data() + row * m_layout.width, m_weights.final_norm().data(), m_spec.width, m_spec.norm_eps,
                     hidden + row * m_spec.width);
        }
    });
    cache.set_length(chunk.total());
    return true;
}

void PrefillPass::run_layer(std::int64_t layer, const Chunk& chunk)
{
    const PackedLayer& weights = m_weights.layers()[static_cast<std::size_t>(layer)];
    const auto add_to_residual = [this](std::int64_t group, std::int64_t groups, std::int64_t first_row, std::int64_t rows, const float* tile) {
        for (std::int64_t row = 0; row < rows; ++row) {
            add(tile + row * kTileColumns, groups * kGroupRows, m_residual.data() + (first_row + row) * m_layout.width + group * kGroupRows);
        }
    };

    normalise(weights.attention_norm, chunk.rows);
    multiply(weights.qkv, m_normed, chunk.rows,
             [this](std::int64_t group, std::int64_t groups, std::int64_t first_row, std::int64_t rows, const float* tile) {
                 for (std::int64_t row = 0; row < rows; ++row) {
                     std::copy_n(tile + row * kTileColumns, groups * kGroupRows,
                                 m_qkv.data() + (first_row + row) * m_layout.qkv + group * kGroupRows);
                 }
             });
    place_keys_and_values(layer, chunk);
    pack_keys_and_values(layer, chunk);
    attend(chunk);
    multiply(weights.output, m_attention, chunk.rows, add_to_residual);
    normalise(weights.ffn_norm, chunk.rows);
    multiply(weights.gate_up, m_normed, chunk.rows, [this](std::int64_t group, std::int64_t, std::int64_t first_row, std::int64_t rows, float* tile) {
        for (std::int64_t row = 0; row < rows; ++row) {
            float* gate = tile + row * kTileColumns;
            swiglu(gate, gate + kGroupRows, kGroupRows, gate);
            m_kernels.convert(gate, kGroupRows, element(m_ffn, (first_row + row) * m_layout.ffn), group / 2 * kGroupRows);
        }
    });
    multiply(weights.down, m_ffn, chunk.rows, add_to_residual);
}

void PrefillPass::normalise(const std::vector<float>& gain, std::int64_t rows)
{
    constexpr std::int64_t kRowsAtATime = 16;
    for_chunks(up_to(rows, kRowsAtATime) / kRowsAtATime, [&](std::int64_t chunk, int member) {
        float* const normed = m_scratch[static_cast<std::size_t>(member)].row.data();
        for (std::int64_t row = chunk * kRowsAtATime; row < std::min(rows, (chunk + 1) * kRowsAtATime); ++row) {
            rms_norm(m_residual.data() + row * m_layout.width, gain.data(), m_spec.width, m_spec.norm_eps, normed);
            m_kernels.convert(normed, m_spec.width, element(m_normed, row * m_layout.width), 0);
        }
    });
}

void PrefillPass::place_keys_and_values(std::int64_t layer, const Chunk& chunk)
{
    const float attention_scale = 1.0f / std::sqrt(static_cast<float>(m_spec.head_dim));
    for_ranges(chunk.rows, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            place_row(layer, chunk, row, attention_scale);
        }
    });
}

void PrefillPass::place_row(std::int64_t layer, const Chunk& chunk, std::int64_t row, float attention_scale)
{
    float* qkv = m_qkv.data() + row * m_layout.qkv;
    const std::int64_t position = chunk.first + row;
    const float* cosines = chunk.rope.cosines(position);
    const float* sines = chunk.rope.sines(position);
    scale(attention_scale, m_spec.query_width(), qkv);
    for (std::int64_t head = 0; head < m_spec.heads; ++head) {
        rotate_head(qkv + head * m_spec.head_dim, m_spec.head_dim, cosines, sines);
        m_kernels.convert(qkv + head * m_spec.head_dim, m_spec.head_dim, element(m_queries, (head * m_rows + row) * m_head_depth), 0);
    }
    for (std::int64_t head = 0; head < m_spec.kv_heads; ++head) {
        float* key = qkv + m_layout.key + head * m_spec.head_dim;
        rotate_head(key, m_spec.head_dim, cosines, sines);
        std::copy_n(key, m_spec.head_dim, chunk.cache.keys(layer, head) + position * m_spec.head_dim);
        std::copy_n(qkv + m_layout.value + head * m_spec.head_dim, m_spec.head_dim, chunk.cache.values(layer, head) + position * m_spec.head_dim);
    }
}

void PrefillPass::pack_keys_and_values(std::int64_t layer, const Chunk& chunk)
{
    const std::int64_t head_dim = m_spec.head_dim;
    const std::int64_t panels = chunk.past / kGroupRows;
    for_ranges(m_spec.kv_heads * panels, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t item = begin; item < end; ++item) {
            const std::int64_t head = item / panels;
            const std::int64_t position = item % panels * kGroupRows;
            const std::int64_t count = std::clamp<std::int64_t>(chunk.total() - position, 0, kGroupRows);
            m_kernels.panel_from_rows(chunk.cache.keys(layer, head) + position * head_dim, head_dim, count, head_dim, m_head_depth,
                                      element(m_keys, (head * m_positions + position) * m_head_depth));
        }
    });
    const std::int64_t dim_groups = m_head_depth / kGroupRows;
    for_chunks(m_spec.kv_heads * dim_groups, [&](std::int64_t item, int) {
        const std::int64_t first_dim = item % dim_groups * kGroupRows;
        const std::int64_t width = std::clamp<std::int64_t>(head_dim - first_dim, 0, kGroupRows);
        m_kernels.panel_from_columns(chunk.cache.values(layer, item / dim_groups) + first_dim, head_dim, chunk.total(), width, chunk.past,
                                     element(m_values, item * m_positions * kGroupRows));
    });
}

void PrefillPass::attend(const Chunk& chunk)
{
    const std::int64_t blocks = up_to(chunk.rows, kTileRows) / kTileRows;
    // Later rows see more positions: the longest first, so that the members end together.
    for_chunks(blocks * m_spec.heads, [&](std::int64_t item, int member) {
        m_kernels.begin();
        attend_rows(chunk, item % m_spec.heads, (blocks - 1 - item / m_spec.heads) * kTileRows, m_scratch[static_cast<std::size_t>(member)]);
        m_kernels.end();
    });
}

void PrefillPass::attend_rows(const Chunk& chunk, std::int64_t head, std::int64_t first_row, Scratch& scratch)
{
    const std::int64_t rows = std::min(kTileRows, chunk.rows - first_row);
    const std::int64_t seen = up_to(chunk.first + first_row + rows, kTileRows);
    const std::int64_t kv_head = head / (m_spec.heads / m_spec.kv_heads);
    float* scores = scratch.scores.data();
    for (std::int64_t position = 0; position < seen; position += kTileColumns) {
        const std::int64_t panel = (kv_head * m_positions + position) * m_head_depth;
        m_kernels.multiply({.rows = element(m_queries, (head * m_rows + first_row) * m_head_depth),
                            .row_stride = m_head_depth,
                            .row_count = rows,
                            .depth = m_head_depth,
                            .panels = {element(m_keys, panel), element(m_keys, panel + kGroupRows * m_head_depth)},
                            .out = scores + position,
                            .out_stride = m_positions});
    }
    float inverse[kTileRows];
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t visible = chunk.first + first_row + row + 1;
        float* row_scores = scores + row * m_positions;
        inverse[row] = 1.0f / exponentials(row_scores, visible);
        std::fill(row_scores + visible, row_scores + seen, 0.0f);
        m_kernels.convert(row_scores, seen, element(scratch.probability, row * m_positions), 0);
    }
    for (std::int64_t dim = 0; dim < m_spec.head_dim; dim += kTileColumns) {
        const std::int64_t panel = (kv_head * m_head_depth + dim) * m_positions;
        m_kernels.multiply({.rows = scratch.probability.data(),
                            .row_stride = m_positions,
                            .row_count = rows,
                            .depth = seen,
                            .panels = {element(m_values, panel), element(m_values, panel + kGroupRows * m_positions)},
                            .out = scratch.tile.data(),
                            .out_stride = kTileColumns});
        const std::int64_t width = std::min(kTileColumns, m_spec.head_dim - dim);
        for (std::int64_t row = 0; row < rows; ++row) {
            float* values = scratch.tile.data() + row * kTileColumns;
            scale(inverse[row], width, values);
            m_kernels.convert(values, width, element(m_attention, (first_row + row) * m_layout.attention), head * m_spec.head_dim + dim);
        }
    }
}

template <class Epilogue>
void PrefillPass::multiply(const PackedMatrix& matrix, const AlignedBuffer<std::byte>& activations, std::int64_t rows, Epilogue&& epilogue)
{
    const std::int64_t columns = matrix.columns();
    const std::size_t panel_bytes = static_cast<std::size_t>(columns * kGroupRows) * m_kernels.element_bytes;
    for_chunks((matrix.groups() + 1) / 2, [&](std::int64_t pair, int member) {
        Scratch& scratch = m_scratch[static_cast<std::size_t>(member)];
        const std::int64_t group = 2 * pair;
        const std::int64_t groups = std::min<std::int64_t>(2, matrix.groups() - group);
        const auto expand = [&](std::int64_t index) {
            const PackedMatrix::Place place = matrix.place_of(group + index);
            return m_kernels.expand(place.format, place.data, columns, scratch.panels.data() + static_cast<std::size_t>(index) * panel_bytes);
        };
        const std::byte* const first = expand(0);
        const std::byte* const second = groups == 2 ? expand(1) : first; // beside a last odd group stands the group itself, and is not looked at
        m_kernels.begin();
        for (std::int64_t row = 0; row < rows; row += kTileRows) {
            const std::int64_t count = std::min(kTileRows, rows - row);
            m_kernels.multiply({.rows = activations.data() + static_cast<std::size_t>(row * columns) * m_kernels.element_bytes,
                                .row_stride = columns,
                                .row_count = count,
                                .depth = columns,
                                .panels = {first, second},
                                .out = scratch.tile.data(),
                                .out_stride = kTileColumns});
            epilogue(group, groups, row, count, scratch.tile.data());
        }
        m_kernels.end();
    });
}

void PrefillPass::head(const float* hidden, std::int64_t rows, float* logits)
{
    make_room(rows, 0);
    for (std::int64_t row = 0; row < rows; ++row) {
        m_kernels.convert(hidden + row * m_spec.width, m_spec.width, element(m_normed, row * m_layout.width), 0);
    }
    multiply(m_weights.head(), m_normed, rows,
             [&](std::int64_t group, std::int64_t groups, std::int64_t first_row, std::int64_t count, const float* tile) {
                 const std::int64_t output = group * kGroupRows;
                 const std::int64_t width = std::min(groups * kGroupRows, m_spec.vocabulary - output);
                 for (std::int64_t row = 0; row < count; ++row) {
                     std::copy_n(tile + row * kTileColumns, width, logits + (first_row + row) * m_spec.vocabulary + output);
                 }
             });
}

} // namespace retort
