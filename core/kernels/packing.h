#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace retort {

/// How packed weights are stored: six types as files have them (ggml-common.h for the blocks of 32), and two for everything that files keep in blocks
/// of 256, as SuperBlock, with four or eight bits a value.
enum class PackFormat { F32, F16, BF16, Q8_0, Q4_0, Q4_1, K4, K8 };

[[nodiscard]] std::string_view name_of(PackFormat format);
[[nodiscard]] constexpr bool is_quantised(PackFormat format)
{
    return format == PackFormat::Q8_0 || format == PackFormat::Q4_0 || format == PackFormat::Q4_1 || format == PackFormat::K4 ||
           format == PackFormat::K8;
}

/// Rows that are interleaved, one for each lane of the widest vector.
inline constexpr std::int64_t kGroupRows = 16;
/// Values of a block that share a scale.
inline constexpr std::int64_t kBlock = 32;
/// Columns are filled up with zeros to whole multiples of this, so that no kernel has a tail: two blocks of Q8_0 keep a group on cache lines.
inline constexpr std::int64_t kColumnStep = 64;

[[nodiscard]] constexpr std::int64_t padded_columns(std::int64_t columns)
{
    return (columns + kColumnStep - 1) / kColumnStep * kColumnStep;
}
[[nodiscard]] constexpr std::int64_t padded_rows(std::int64_t rows)
{
    return (rows + kGroupRows - 1) / kGroupRows * kGroupRows;
}

/// 256 values: scale * scales[i / 16] * raw[i] - minimum * minimums[i / 16]. Every type of ggml with blocks of 256 that is known here is of this
/// kind, its values the same bit for bit.
struct SuperBlock {
    static constexpr std::int64_t kValues = 256;
    float scale;
    float minimum;
    std::int8_t scales[16];
    std::int8_t minimums[16];
    std::uint8_t raw[kValues];
};

/// Bytes of one packed group of 16 rows; `columns` is padded.
[[nodiscard]] std::size_t group_bytes(PackFormat format, std::int64_t columns);

/// A matrix as a file has it: rows one after another.
struct RowMajorWeights {
    PackFormat format = PackFormat::F32;
    std::int64_t rows = 0;
    std::int64_t columns = 0; ///< whole blocks where the format has blocks; those of K4 and K8 are SuperBlocks
    const std::byte* bytes = nullptr;
};

/// Writes rows [16 group, 16 group + 16) of `weights` to `out` (group_bytes of the padded columns), in the order that the kernels read them:
///   F32   f32[columns][16]
///   F16   f16[columns][16]
///   BF16  bf16[columns / 2][16][2]
///   Q8_0  for each two blocks: f16 d[2][16]; for each block: u8[8][16][4], value + 128
///   Q4_0  for each two blocks: f16 d[2][16]; for each block: u8[4][16][4], low nibble value 8 j + i, high nibble value 8 j + 4 + i
///   Q4_1  for each block: f16 d[16]; f16 m[16]; u8[4][16][4] as Q4_0
///   K4    for each 256: f32 scale[16]; f32 minimum[16]; for each block: i8 scales[2][16]; i8 minimums[2][16]; u8[4][16][4] as Q4_0
///   K8    the same with u8[8][16][4] as Q8_0, nothing added
/// Rows and columns that the matrix does not have become zeros.
void pack_group(const RowMajorWeights& weights, std::int64_t group, std::span<std::byte> out);

/// The values of one row of a packed group, float32: how an embedding is looked up in a packed head. `out` has padded columns.
void unpack_row(PackFormat format, const std::byte* group, std::int64_t lane, std::span<float> out);

} // namespace retort
