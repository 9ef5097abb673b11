#include "core/kernels/packed_matrix.h"

#include "core/kernels/team.h"

#include <algorithm>

namespace retort {

namespace {

constexpr std::int64_t kChunkGroups = 64; ///< what a chunk has at the least where a part has more: short stretches are read slower
constexpr std::int64_t kMostChunks = 8;   ///< of a part

/// Groups begin ... end - 1 of runs that follow each other.
std::vector<GroupRun> cut(const std::vector<GroupRun>& runs, std::int64_t begin, std::int64_t end, std::int64_t columns)
{
    std::vector<GroupRun> piece;
    for (const GroupRun& run : runs) {
        const std::int64_t first = std::max(begin, run.first_group);
        const std::int64_t last = std::min(end, run.first_group + run.groups);
        if (first < last) {
            piece.push_back({run.format, first, last - first, run.group(first, columns)});
        }
    }
    return piece;
}

} // namespace

PackedMatrix::PackedMatrix(std::int64_t columns, const std::vector<std::vector<GroupRun>>& parts) : m_columns(columns)
{
    for (std::int64_t piece = 0; piece < kMostChunks; ++piece) {
        for (const auto& part : parts) {
            const std::int64_t first = part.empty() ? 0 : part.front().first_group;
            const std::int64_t groups = part.empty() ? 0 : part.back().first_group + part.back().groups - first;
            const std::int64_t pieces = std::clamp<std::int64_t>(groups / kChunkGroups, 1, kMostChunks);
            if (piece < pieces && groups > 0) {
                const ItemRange range = share_of(groups, 2, piece, pieces);
                m_chunks.push_back(cut(part, first + range.begin, first + range.end, columns));
                m_groups += range.end - range.begin;
            }
        }
    }
}

bool PackedMatrix::any_quantised() const
{
    return std::ranges::any_of(
        m_chunks, [](const auto& chunk) { return std::ranges::any_of(chunk, [](const GroupRun& run) { return is_quantised(run.format); }); });
}

PackedMatrix::Place PackedMatrix::place_of(std::int64_t group) const
{
    for (const auto& chunk : m_chunks) {
        for (const GroupRun& run : chunk) {
            if (group >= run.first_group && group < run.first_group + run.groups) {
                return {run.format, run.group(group, m_columns)};
            }
        }
    }
    return {};
}

std::int64_t PackingPlan::groups() const
{
    std::int64_t total = 0;
    for (const RowMajorWeights& matrix : matrices) {
        total += padded_rows(matrix.rows) / kGroupRows;
    }
    return total;
}

PackingPlan::Source PackingPlan::source_of(std::int64_t group) const
{
    if (order == GroupOrder::Alternating) {
        const auto count = static_cast<std::int64_t>(matrices.size());
        return {static_cast<std::size_t>(group % count), group / count};
    }
    std::size_t matrix = 0;
    for (; matrix + 1 < matrices.size(); ++matrix) {
        const std::int64_t here = padded_rows(matrices[matrix].rows) / kGroupRows;
        if (group < here) {
            break;
        }
        group -= here;
    }
    return {matrix, group};
}

std::pair<std::int64_t, std::int64_t> PackingPlan::range_of(int part, int parts) const
{
    const std::int64_t step = order == GroupOrder::Alternating ? static_cast<std::int64_t>(matrices.size()) : 1;
    const ItemRange range = share_of(groups(), step, part, parts);
    return {range.begin, range.end};
}

std::size_t PackingPlan::bytes_of(int part, int parts) const
{
    const auto [begin, end] = range_of(part, parts);
    std::size_t bytes = 0;
    for (std::int64_t group = begin; group < end; ++group) {
        bytes += group_bytes(matrices[source_of(group).matrix].format, columns());
    }
    return bytes;
}

std::vector<GroupRun> PackingPlan::pack(int part, int parts, std::byte* out) const
{
    std::vector<GroupRun> runs;
    const auto [begin, end] = range_of(part, parts);
    for (std::int64_t group = begin; group < end; ++group) {
        const Source source = source_of(group);
        const RowMajorWeights& matrix = matrices[source.matrix];
        const std::size_t bytes = group_bytes(matrix.format, columns());
        pack_group(matrix, source.group, {out, bytes});
        if (runs.empty() || runs.back().format != matrix.format) {
            runs.push_back({matrix.format, group, 0, out});
        }
        ++runs.back().groups;
        out += bytes;
    }
    return runs;
}

} // namespace retort
