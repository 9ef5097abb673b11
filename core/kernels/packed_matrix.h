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
/// Outputs are counted in groups of 16; a matrix whose rows are no multiple of 16 ends in outputs that are zero. The bytes
/// belong to whoever packed. Immutable; any thread.
class PackedMatrix {
public:
    PackedMatrix() = default;
    /// `parts`: each lies in one piece of memory; together they are all groups in order.
    PackedMatrix(std::int64_t columns, const std::vector<std::vector<GroupRun>>& parts);

    [[nodiscard]] std::int64_t columns() const { return m_columns; } ///< padded
    [[nodiscard]] std::int64_t groups() const { return m_groups; }
    [[nodiscard]] std::int64_t outputs() const { return m_groups * kGroupRows; }
    /// What a member of the team multiplies at a time: long stretches of a part, an even number of groups, so that a gate and its up stay together.
    /// Those of all parts take turns: as long as every member comes, each reads its own part in order.
    [[nodiscard]] const std::vector<std::vector<GroupRun>>& chunks() const { return m_chunks; }

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
    std::vector<std::vector<GroupRun>> m_chunks;
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
