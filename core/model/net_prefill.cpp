#include "core/model/net_prefill.h"

#include "core/kernels/row_ops.h"

#include <algorithm>
#include <cstring>

namespace retort {

namespace {

std::int64_t up_to(std::int64_t value, std::int64_t step)
{
    return (value + step - 1) / step * step;
}

} // namespace

PrefillPass::PrefillPass(const DecoderShape& spec, const PackedWeights& weights, const PanelKernels& kernels)
    : m_spec(spec), m_weights(weights), m_kernels(kernels), m_layout(spec), m_row_arithmetic(spec), m_head_depth(up_to(spec.head_dim, kTileColumns))
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
        m_ffn_input = elements(m_spec.residual.parallel ? m_rows * m_layout.width : 0);
        m_branch = floats(
            m_row_arithmetic.is(ResidualShape::Norms::Around) || m_row_arithmetic.is(ResidualShape::Norms::After) ? m_rows * m_layout.width : 0);
        m_tokens = floats(m_spec.embedding_width > 0 ? m_rows * m_layout.token : 0);
        m_token_elements = elements(m_spec.embedding_width > 0 ? m_rows * m_layout.token : 0);
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

    embed(ids, first);
    for (std::int64_t layer = 0; layer < m_spec.layers; ++layer) {
        if (stop.stop_requested()) {
            return false;
        }
        run_layer(layer, chunk);
    }
    for_ranges(rows, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            m_row_arithmetic.normalise(m_residual.data() + row * m_layout.width, m_weights.final_norm(), hidden + row * m_spec.width);
        }
    });
    cache.set_length(chunk.total());
    return true;
}

/// The residual at its beginning.
void PrefillPass::embed(std::span<const TokenId> ids, std::int64_t first)
{
    const auto rows = static_cast<std::int64_t>(ids.size());
    const bool projects = m_spec.embedding_width > 0;
    AlignedBuffer<float>& place = projects ? m_tokens : m_residual;
    const std::int64_t stride = projects ? m_layout.token : m_layout.width;
    for_ranges(rows, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            m_weights.embed(ids[static_cast<std::size_t>(row)], {place.data() + row * stride, static_cast<std::size_t>(m_spec.token_width())});
        }
    });
    if (projects) {
        convert_rows(m_tokens.data(), stride, m_spec.token_width(), stride, rows, m_token_elements);
        multiply(m_weights.project_in(), m_token_elements, rows,
                 [this](std::int64_t group, std::int64_t groups, std::int64_t first_row, std::int64_t count, const float* tile) {
                     for (std::int64_t row = 0; row < count; ++row) {
                         std::copy_n(tile + row * kTileColumns, groups * kGroupRows,
                                     m_residual.data() + (first_row + row) * m_layout.width + group * kGroupRows);
                     }
                 });
    }
    for (std::int64_t row = 0; row < rows; ++row) {
        m_row_arithmetic.begin(m_weights, first + row, m_residual.data() + row * m_layout.width);
    }
}

void PrefillPass::run_layer(std::int64_t layer, const Chunk& chunk)
{
    const PackedLayer& weights = m_weights.layers()[static_cast<std::size_t>(layer)];
    const ResidualShape& residual = m_spec.residual;
    const bool of_sum = m_row_arithmetic.is(ResidualShape::Norms::OfSum);
    const NormWeights none;
    normalise(of_sum ? none : weights.attention_norm, chunk.rows, m_normed);
    if (residual.parallel) { // before attention changes the residual
        normalise(residual.shared_norm ? weights.attention_norm : weights.ffn_norm, chunk.rows, m_ffn_input);
    }
    multiply(weights.qkv, m_normed, chunk.rows, [&](std::int64_t group, std::int64_t groups, std::int64_t first_row, std::int64_t rows, float* tile) {
        for (std::int64_t row = 0; row < rows; ++row) {
            float* values = tile + row * kTileColumns;
            RowArithmetic::add_bias(weights.qkv_bias, group, groups, values);
            std::copy_n(values, groups * kGroupRows, m_qkv.data() + (first_row + row) * m_layout.qkv + group * kGroupRows);
        }
    });
    place_keys_and_values(layer, chunk);
    pack_keys_and_values(layer, chunk);
    attend(layer, chunk);
    add_branch(weights.output, m_attention, weights.output_bias, weights.after_attention_norm, chunk.rows);
    if (of_sum) {
        normalise_residual(weights.attention_norm, chunk.rows);
    }
    if (!residual.parallel) {
        normalise(of_sum ? none : weights.ffn_norm, chunk.rows, m_normed);
    }
    feed_forward(weights, residual.parallel ? m_ffn_input : m_normed, chunk.rows);
    add_branch(weights.down, m_ffn, weights.down_bias, weights.after_ffn_norm, chunk.rows);
    if (of_sum) {
        normalise_residual(weights.ffn_norm, chunk.rows);
    }
}

void PrefillPass::normalise(const NormWeights& norm, std::int64_t rows, AlignedBuffer<std::byte>& out)
{
    constexpr std::int64_t kRowsAtATime = 16;
    for_chunks(up_to(rows, kRowsAtATime) / kRowsAtATime, [&](std::int64_t chunk, int member) {
        float* const normed = m_scratch[static_cast<std::size_t>(member)].row.data();
        for (std::int64_t row = chunk * kRowsAtATime; row < std::min(rows, (chunk + 1) * kRowsAtATime); ++row) {
            m_row_arithmetic.normalise(m_residual.data() + row * m_layout.width, norm, normed);
            m_kernels.convert(normed, m_spec.width, element(out, row * m_layout.width), 0);
        }
    });
}

void PrefillPass::normalise_residual(const NormWeights& norm, std::int64_t rows)
{
    for (std::int64_t row = 0; row < rows; ++row) {
        float* values = m_residual.data() + row * m_layout.width;
        m_row_arithmetic.normalise(values, norm, values);
    }
}

void PrefillPass::convert_rows(const float* values, std::int64_t stride, std::int64_t width, std::int64_t padded, std::int64_t rows,
                               AlignedBuffer<std::byte>& out)
{
    for (std::int64_t row = 0; row < rows; ++row) {
        m_kernels.convert(values + row * stride, width, element(out, row * padded), 0);
    }
}

void PrefillPass::feed_forward(const PackedLayer& weights, const AlignedBuffer<std::byte>& input, std::int64_t rows)
{
    const bool gated = m_spec.feed_forward.gated;
    multiply(weights.gate_up, input, rows, [&](std::int64_t group, std::int64_t groups, std::int64_t first_row, std::int64_t count, float* tile) {
        const std::int64_t place = (gated ? group / 2 : group) * kGroupRows;
        for (std::int64_t row = 0; row < count; ++row) {
            float* values = tile + row * kTileColumns;
            m_row_arithmetic.activate(weights, group, groups, values, values);
            m_kernels.convert(values, (gated ? groups / 2 : groups) * kGroupRows, element(m_ffn, (first_row + row) * m_layout.ffn), place);
        }
    });
}

void PrefillPass::add_branch(const PackedMatrix& matrix, const AlignedBuffer<std::byte>& x, const std::vector<float>& bias, const NormWeights& norm,
                             std::int64_t rows)
{
    const bool normed = !norm.gain.empty();
    multiply(matrix, x, rows, [&](std::int64_t group, std::int64_t groups, std::int64_t first_row, std::int64_t count, float* tile) {
        for (std::int64_t row = 0; row < count; ++row) {
            float* values = tile + row * kTileColumns;
            RowArithmetic::add_bias(bias, group, groups, values);
            const std::int64_t place = (first_row + row) * m_layout.width + group * kGroupRows;
            if (normed) {
                std::copy_n(values, groups * kGroupRows, m_branch.data() + place);
            } else {
                m_row_arithmetic.add_branch(values, groups * kGroupRows, m_residual.data() + place);
            }
        }
    });
    for (std::int64_t row = 0; normed && row < rows; ++row) {
        float* branch = m_branch.data() + row * m_layout.width;
        m_row_arithmetic.normalise(branch, norm, branch);
        m_row_arithmetic.add_branch(branch, m_spec.width, m_residual.data() + row * m_layout.width);
    }
}

void PrefillPass::place_keys_and_values(std::int64_t layer, const Chunk& chunk)
{
    for_ranges(chunk.rows, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            place_row(layer, chunk, row);
        }
    });
}

void PrefillPass::place_row(std::int64_t layer, const Chunk& chunk, std::int64_t row)
{
    float* qkv = m_qkv.data() + row * m_layout.qkv;
    const std::int64_t position = chunk.first + row;
    m_row_arithmetic.place_in_time(m_weights.layers()[static_cast<std::size_t>(layer)], m_spec.layer(layer), chunk.rope, position, qkv);
    for (std::int64_t head = 0; head < m_spec.heads; ++head) {
        m_kernels.convert(qkv + head * m_spec.head_dim, m_spec.head_dim, element(m_queries, (head * m_rows + row) * m_head_depth), 0);
    }
    for (std::int64_t head = 0; head < m_spec.kv_heads; ++head) {
        const std::int64_t place = head * m_spec.head_dim;
        std::copy_n(qkv + m_layout.key + place, m_spec.head_dim, chunk.cache.keys(layer, head) + position * m_spec.head_dim);
        std::copy_n(qkv + m_layout.value + place, m_spec.head_dim, chunk.cache.values(layer, head) + position * m_spec.head_dim);
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

void PrefillPass::attend(std::int64_t layer, const Chunk& chunk)
{
    const std::int64_t blocks = up_to(chunk.rows, kTileRows) / kTileRows;
    const LayerShape shape = m_spec.layer(layer);
    // Later rows see more positions: the longest first, so that the members end together.
    for_chunks(blocks * m_spec.heads, [&](std::int64_t item, int member) {
        m_kernels.begin();
        attend_rows(shape, chunk, item % m_spec.heads, (blocks - 1 - item / m_spec.heads) * kTileRows, m_scratch[static_cast<std::size_t>(member)]);
        m_kernels.end();
    });
}

void PrefillPass::attend_rows(const LayerShape& layer, const Chunk& chunk, std::int64_t head, std::int64_t first_row, Scratch& scratch)
{
    const std::int64_t rows = std::min(kTileRows, chunk.rows - first_row);
    const std::int64_t seen = up_to(chunk.first + first_row + rows, kTileRows);
    // Whole tiles that lie before every row's window are left out.
    const std::int64_t begin = RowArithmetic::first_seen(layer, chunk.first + first_row) / kTileRows * kTileRows;
    const std::int64_t kv_head = head / (m_spec.heads / m_spec.kv_heads);
    float* scores = scratch.scores.data();
    for (std::int64_t position = begin; position < seen; position += kTileColumns) {
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
        const std::int64_t position = chunk.first + first_row + row;
        const std::int64_t first = RowArithmetic::first_seen(layer, position);
        float* row_scores = scores + row * m_positions;
        if (m_spec.attention.soft_cap > 0.0) {
            soft_cap(static_cast<float>(m_spec.attention.soft_cap), position + 1 - first, row_scores + first);
        }
        inverse[row] = 1.0f / exponentials(row_scores + first, position + 1 - first);
        std::fill(row_scores + begin, row_scores + first, 0.0f);
        std::fill(row_scores + position + 1, row_scores + seen, 0.0f);
        m_kernels.convert(row_scores + begin, seen - begin, element(scratch.probability, row * m_positions), 0);
    }
    for (std::int64_t dim = 0; dim < m_spec.head_dim; dim += kTileColumns) {
        const std::int64_t panel = (kv_head * m_head_depth + dim) * m_positions + begin * kGroupRows;
        m_kernels.multiply({.rows = scratch.probability.data(),
                            .row_stride = m_positions,
                            .row_count = rows,
                            .depth = seen - begin,
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
    convert_rows(hidden, m_spec.width, m_spec.width, m_layout.width, rows, m_normed);
    const bool projects = m_spec.embedding_width > 0;
    if (projects) {
        multiply(m_weights.project_out(), m_normed, rows,
                 [this](std::int64_t group, std::int64_t groups, std::int64_t first_row, std::int64_t count, const float* tile) {
                     for (std::int64_t row = 0; row < count; ++row) {
                         std::copy_n(tile + row * kTileColumns, groups * kGroupRows,
                                     m_tokens.data() + (first_row + row) * m_layout.token + group * kGroupRows);
                     }
                 });
        convert_rows(m_tokens.data(), m_layout.token, m_spec.token_width(), m_layout.token, rows, m_token_elements);
    }
    multiply(m_weights.head(), projects ? m_token_elements : m_normed, rows,
             [&](std::int64_t group, std::int64_t groups, std::int64_t first_row, std::int64_t count, const float* tile) {
                 const std::int64_t output = group * kGroupRows;
                 const std::int64_t width = std::min(groups * kGroupRows, m_spec.vocabulary - output);
                 for (std::int64_t row = 0; row < count; ++row) {
                     float* const place = logits + (first_row + row) * m_spec.vocabulary + output;
                     std::copy_n(tile + row * kTileColumns, width, place);
                     m_row_arithmetic.finish_logits(m_weights, output, width, place);
                 }
             });
}

} // namespace retort
