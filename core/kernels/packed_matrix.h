#pragma once
#include "core/kernels/packing.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace retort {

/// Groups of 16 outputs that lie one after another in memory and in the matrix.
struct GroupRun {
    PackFormat format = PackFormat::F32;
    std::int64_t first_group = 0;
    std::int64_t groups = 0;
    const std::byte* data = nullptr;

    [[nodiscard]] const std::byte* group(std::int64_t index, std::int64_t columns) const
    {
        return data + static_cast<std::size_t>(index - first_group) * group_bytes(format, columns);
    }
};

/// Several matrices with the same input, packed as one whose outputs follow each other (q, k, v) or alternate by groups (gate, up).
///
/// Outputs are counted in groups of 16; a matrix whose rows are no multiple of 16 ends in outputs that are zero. Each part belongs to one thread of
/// the team, which streams through it in order. The bytes belong to whoever packed. Immutable; any thread.
class PackedMatrix {
public:
    PackedMatrix() = default;
    PackedMatrix(std::int64_t columns, std::vector<std::vector<GroupRun>> parts);

    [[nodiscard]] std::int64_t columns() const { return m_columns; } ///< padded
    [[nodiscard]] std::int64_t groups() const { return m_groups; }
    [[nodiscard]] std::int64_t outputs() const { return m_groups * kGroupRows; }
    [[nodiscard]] const std::vector<std::vector<GroupRun>>& parts() const { return m_parts; }

    [[nodiscard]] bool any_quantised() const;

    /// Where a group is.
    struct Place {
        PackFormat format = PackFormat::F32;
        const std::byte* data = nullptr;
    };
    [[nodiscard]] Place place_of(std::int64_t group) const;

private:
    std::int64_t m_columns = 0;
    std::int64_t m_groups = 0;
    std::vector<std::vector<GroupRun>> m_parts;
};

/// Goes through the groups of one part in order.
class GroupCursor {
public:
    GroupCursor(const PackedMatrix& matrix, int part) : m_columns(matrix.columns()), m_runs(&matrix.parts()[static_cast<std::size_t>(part)]) {}

    [[nodiscard]] bool done() const { return m_run == m_runs->size(); }
    [[nodiscard]] std::int64_t group() const { return run().first_group + m_place; }
    [[nodiscard]] PackFormat format() const { return run().format; }
    [[nodiscard]] const std::byte* data() const { return run().group(group(), m_columns); }

    void next()
    {
        if (++m_place == run().groups) {
            ++m_run;
            m_place = 0;
        }
    }

private:
    [[nodiscard]] const GroupRun& run() const { return (*m_runs)[m_run]; }

    std::int64_t m_columns;
    const std::vector<GroupRun>* m_runs;
    std::size_t m_run = 0;
    std::int64_t m_place = 0;
};

/// How the groups of several matrices are put in order.
enum class GroupOrder { Following, Alternating };

/// What is to be packed as one matrix. Alternating matrices have equally many rows.
struct PackingPlan {
    std::vector<RowMajorWeights> matrices;
    GroupOrder order = GroupOrder::Following;

    [[nodiscard]] std::int64_t columns() const { return padded_columns(matrices.front().columns); }
    [[nodiscard]] std::int64_t groups() const;

    struct Source {
        std::size_t matrix = 0;
        std::int64_t group = 0;
    };
    /// Which group of which matrix comes at `group` of the whole.
    [[nodiscard]] Source source_of(std::int64_t group) const;

    /// The groups that part `part` of `parts` has; an even number where groups alternate, so that a gate and its up are never torn apart.
    [[nodiscard]] std::pair<std::int64_t, std::int64_t> range_of(int part, int parts) const;

    /// Bytes that part takes.
    [[nodiscard]] std::size_t bytes_of(int part, int parts) const;

    /// Packs that part to `out` and gives its runs.
    [[nodiscard]] std::vector<GroupRun> pack(int part, int parts, std::byte* out) const;
};

} // namespace retort
