#pragma once
#include "core/kernels/packing.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace retort {

/// What a product of matrices is computed in, always summed in float32. Bf16Dot rounds both sides to bfloat16. Bf16Tiles takes both sides as sums of
/// two bfloat16, which is nearly float32: AMX is so fast that three products cost less than float32's one.
enum class Arithmetic { Float32, Bf16Dot, Bf16Tiles };

[[nodiscard]] std::string_view name_of(Arithmetic arithmetic); ///< "float32", "bf16 (AVX-512)", "bf16 in two parts (AMX)"

/// Rows of activations that a product takes at a time; buffers have whole multiples of this many rows.
inline constexpr std::int64_t kTileRows = 32;
/// Outputs of a product: two groups of 16.
inline constexpr std::int64_t kTileColumns = 32;

/// One tile: out[r][c] = sum over k of rows[r][k] panel[c / 16][k][c % 16], for r < row_count and c < 32.
///
/// A panel is 16 columns in the kernel's own layout (f32[depth][16], for instance), depth * 16 elements. `depth` and where rows begin are multiples
/// of 32. Rows beyond row_count, up to kTileRows, must be readable and `out` writable there: some kernels compute them and nobody looks.
struct TileProduct {
    const std::byte* rows = nullptr;
    std::int64_t row_stride = 0; ///< in elements
    std::int64_t row_count = 0;  ///< at most kTileRows
    std::int64_t depth = 0;
    const std::byte* panels[2] = {nullptr, nullptr};
    float* out = nullptr;
    std::int64_t out_stride = 0; ///< in floats
};

/// The functions that work in one kind of arithmetic on one processor. Constant tables; any thread.
struct PanelKernels {
    Arithmetic arithmetic = Arithmetic::Float32;
    std::size_t element_bytes = 4;

    /// Before the first and after the last multiply of a thread: the tile registers are set up and given back.
    void (*begin)() = nullptr;
    void (*end)() = nullptr;
    void (*multiply)(const TileProduct& product) = nullptr;
    /// Decodes a packed group to a panel at `scratch`, or gives the group itself where it already is one.
    const std::byte* (*expand)(PackFormat format, const std::byte* group, std::int64_t columns, std::byte* scratch) = nullptr;
    /// Rounds `count` floats to the elements of `row` from `column` on.
    void (*convert)(const float* values, std::int64_t count, std::byte* row, std::int64_t column) = nullptr;
    /// A panel whose columns are `count` (at most 16) rows of floats, `stride` apart, `width` long: depth is along a row. The rest becomes zeros.
    void (*panel_from_rows)(const float* rows, std::int64_t stride, std::int64_t count, std::int64_t width, std::int64_t depth,
                            std::byte* panel) = nullptr;
    /// A panel whose depth runs over `count` rows of floats, `stride` apart, and whose columns are their first `width` (at most 16) values.
    void (*panel_from_columns)(const float* rows, std::int64_t stride, std::int64_t count, std::int64_t width, std::int64_t depth,
                               std::byte* panel) = nullptr;
};

/// Works on every processor.
[[nodiscard]] const PanelKernels& float32_kernels();
/// Null where the processor lacks the instructions (AVX512-BF16; AMX-BF16, which the system must also grant).
[[nodiscard]] const PanelKernels* bf16_dot_kernels();
[[nodiscard]] const PanelKernels* bf16_tile_kernels();

/// Operations a second of one thread's products in this arithmetic, weights expanded already; the best of a few tries (a tenth of a millisecond).
[[nodiscard]] double product_speed_of(const PanelKernels& kernels);

/// The fastest of those above on this processor, measured at the first call (under a millisecond).
[[nodiscard]] const PanelKernels& fastest_kernels();

} // namespace retort
