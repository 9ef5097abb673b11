#include "core/kernels/panel.h"

#include <array>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/panel.cpp"
#include "core/kernels/simd_targets.h"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include "core/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace retort {
namespace HWY_NAMESPACE {
namespace {

// Two vectors of outputs for as many rows as the registers hold: 24 sums of 32 registers with AVX-512, 12 of 16 otherwise.
constexpr int kVectors = 2;
constexpr int kRowsAtOnce = kLanes == 16 ? 12 : 6;

template <int Rows>
void multiply_rows(const TileProduct& product, std::int64_t first_row, std::int64_t column)
{
    const float* panels[kVectors];
    for (int v = 0; v < kVectors; ++v) {
        const std::int64_t place = column + v * kLanes;
        panels[v] = reinterpret_cast<const float*>(product.panels[place / kGroupRows]) + place % kGroupRows;
    }
    const float* rows = reinterpret_cast<const float*>(product.rows) + first_row * product.row_stride;
    FloatVec sums[Rows][kVectors];
    for (auto& row : sums) {
        row[0] = hn::Zero(Floats());
        row[1] = hn::Zero(Floats());
    }
    for (std::int64_t k = 0; k < product.depth; ++k) {
        const FloatVec first = hn::LoadU(Floats(), panels[0] + k * kGroupRows);
        const FloatVec second = hn::LoadU(Floats(), panels[1] + k * kGroupRows);
#pragma GCC unroll 12
        for (int r = 0; r < Rows; ++r) {
            const FloatVec x = hn::Set(Floats(), rows[r * product.row_stride + k]);
            sums[r][0] = hn::MulAdd(first, x, sums[r][0]);
            sums[r][1] = hn::MulAdd(second, x, sums[r][1]);
        }
    }
    for (int r = 0; r < Rows; ++r) {
        float* out = product.out + (first_row + r) * product.out_stride + column;
        hn::StoreU(sums[r][0], Floats(), out);
        hn::StoreU(sums[r][1], Floats(), out + kLanes);
    }
}

void multiply_float32(const TileProduct& product)
{
    for (std::int64_t column = 0; column < kTileColumns; column += kVectors * kLanes) {
        std::int64_t row = 0;
        for (; row + kRowsAtOnce <= product.row_count; row += kRowsAtOnce) {
            multiply_rows<kRowsAtOnce>(product, row, column);
        }
        for (; row + 4 <= product.row_count; row += 4) {
            multiply_rows<4>(product, row, column);
        }
        for (; row < product.row_count; ++row) {
            multiply_rows<1>(product, row, column);
        }
    }
}

/// Decodes rows `first` to `end` of a payload of `Bits` rows, which are 32 columns: value * scale + shift, value taken `Bits` bits wide from each
/// 32-bit lane.
template <int Bits>
void expand_rows(const std::byte* payload, std::int64_t first, std::int64_t end, FloatVec scale, FloatVec shift, std::int64_t lane, float* out)
{
    const IntVec mask = hn::Set(Ints(), (1 << Bits) - 1);
    for (std::int64_t j = first; j < end; ++j) {
        IntVec rest = load_ints(payload + j * 64 + lane * 4);
        for (std::int64_t i = 0; i < 32 / Bits; ++i) {
            // A byte of nibbles holds column i and, above it, column i + 4.
            const std::int64_t column = Bits == 8 ? j * 4 + i : j * 8 + i / 2 + i % 2 * 4;
            const FloatVec value = hn::ConvertTo(Floats(), hn::And(rest, mask));
            hn::StoreU(hn::MulAdd(value, scale, shift), Floats(), out + column * kGroupRows + lane);
            rest = hn::ShiftRight<Bits>(rest);
        }
    }
}

template <int Bits>
void expand_block(const std::byte* payload, FloatVec scale, FloatVec shift, std::int64_t lane, float* out)
{
    expand_rows<Bits>(payload, 0, Bits, scale, shift, lane, out);
}

/// K4 and K8: each half of a block has its own scale and minimum.
template <int Bits>
void expand_super(const std::byte* group, std::int64_t columns, std::int64_t lane, float* out)
{
    const hn::Rebind<std::int8_t, Ints> tag;
    const auto small = [&tag](const std::byte* numbers) HWY_ATTR {
        return hn::ConvertTo(Floats(), hn::PromoteTo(Ints(), hn::LoadU(tag, reinterpret_cast<const std::int8_t*>(numbers))));
    };
    for (std::int64_t column = 0; column < columns;) {
        const FloatVec scale = hn::LoadU(Floats(), reinterpret_cast<const float*>(group) + lane);
        const FloatVec minimum = hn::Neg(hn::LoadU(Floats(), reinterpret_cast<const float*>(group) + kGroupRows + lane));
        group += 2 * kGroupRows * sizeof(float);
        for (std::int64_t end = column + SuperBlock::kValues; column < end; column += kBlock, group += 4 * kGroupRows + 64 * Bits) {
            for (std::int64_t half = 0; half < 2; ++half) {
                const FloatVec own = hn::Mul(scale, small(group + half * kGroupRows + lane));
                const FloatVec shift = hn::Mul(minimum, small(group + (2 + half) * kGroupRows + lane));
                expand_rows<Bits>(group + 4 * kGroupRows, half * Bits / 2, (half + 1) * Bits / 2, own, shift, lane, out + column * kGroupRows);
            }
        }
    }
}

template <int Bits>
void expand_paired(const std::byte* group, std::int64_t columns, std::int64_t lane, float* out)
{
    constexpr std::int64_t kPayload = 64 * Bits;
    const FloatVec centre = hn::Set(Floats(), Bits == 8 ? -128.0f : -8.0f);
    for (std::int64_t column = 0; column < columns; column += 2 * kBlock, group += 64 + 2 * kPayload) {
        for (std::int64_t half = 0; half < 2; ++half) {
            const FloatVec scale = load_half(group + half * 32 + lane * 2);
            expand_block<Bits>(group + 64 + half * kPayload, scale, hn::Mul(scale, centre), lane, out + (column + half * kBlock) * kGroupRows);
        }
    }
}

void expand_lanes(PackFormat format, const std::byte* group, std::int64_t columns, std::int64_t lane, float* out)
{
    if (format == PackFormat::Q8_0) {
        expand_paired<8>(group, columns, lane, out);
    } else if (format == PackFormat::Q4_0) {
        expand_paired<4>(group, columns, lane, out);
    } else if (format == PackFormat::Q4_1) {
        for (std::int64_t column = 0; column < columns; column += kBlock, group += 320) {
            expand_block<4>(group + 64, load_half(group + lane * 2), load_half(group + 32 + lane * 2), lane, out + column * kGroupRows);
        }
    } else if (format == PackFormat::K4) {
        expand_super<4>(group, columns, lane, out);
    } else if (format == PackFormat::K8) {
        expand_super<8>(group, columns, lane, out);
    } else if (format == PackFormat::F16) {
        for (std::int64_t column = 0; column < columns; ++column) {
            hn::StoreU(load_half(group + (column * kGroupRows + lane) * 2), Floats(), out + column * kGroupRows + lane);
        }
    } else {
        for (std::int64_t column = 0; column < columns; column += 2) {
            const IntVec pairs = load_ints(group + (column * kGroupRows + 2 * lane) * 2);
            hn::StoreU(first_bfloat16(pairs), Floats(), out + column * kGroupRows + lane);
            hn::StoreU(second_bfloat16(pairs), Floats(), out + (column + 1) * kGroupRows + lane);
        }
    }
}

void expand_float32(PackFormat format, const std::byte* group, std::int64_t columns, float* out)
{
    for (std::int64_t lane = 0; lane < kGroupRows; lane += kLanes) {
        expand_lanes(format, group, columns, lane, out);
    }
}

} // namespace
} // namespace HWY_NAMESPACE
} // namespace retort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace retort {

HWY_EXPORT(multiply_float32);
HWY_EXPORT(expand_float32);

namespace {

void multiply_tile(const TileProduct& product)
{
    HWY_DYNAMIC_DISPATCH(multiply_float32)(product);
}

const std::byte* expand_group(PackFormat format, const std::byte* group, std::int64_t columns, std::byte* scratch)
{
    if (format == PackFormat::F32) {
        return group;
    }
    HWY_DYNAMIC_DISPATCH(expand_float32)(format, group, columns, reinterpret_cast<float*>(scratch));
    return scratch;
}

void copy_floats(const float* values, std::int64_t count, std::byte* row, std::int64_t column)
{
    std::memcpy(row + static_cast<std::size_t>(column) * sizeof(float), values, static_cast<std::size_t>(count) * sizeof(float));
}

void take_rows(const float* rows, std::int64_t stride, std::int64_t count, std::int64_t width, std::int64_t depth, std::byte* panel)
{
    auto* out = reinterpret_cast<float*>(panel);
    std::memset(panel, 0, static_cast<std::size_t>(depth * kGroupRows) * sizeof(float));
    for (std::int64_t column = 0; column < count; ++column) {
        for (std::int64_t k = 0; k < width; ++k) {
            out[k * kGroupRows + column] = rows[column * stride + k];
        }
    }
}

void take_columns(const float* rows, std::int64_t stride, std::int64_t count, std::int64_t width, std::int64_t depth, std::byte* panel)
{
    auto* out = reinterpret_cast<float*>(panel);
    std::memset(panel, 0, static_cast<std::size_t>(depth * kGroupRows) * sizeof(float));
    for (std::int64_t k = 0; k < count; ++k) {
        std::memcpy(out + k * kGroupRows, rows + k * stride, static_cast<std::size_t>(width) * sizeof(float));
    }
}

void do_nothing() {}

} // namespace

std::string_view name_of(Arithmetic arithmetic)
{
    constexpr std::array<std::string_view, 3> kNames = {"float32", "bf16 (AVX-512)", "bf16 in two parts (AMX)"};
    return kNames.at(static_cast<std::size_t>(arithmetic));
}

const PanelKernels& float32_kernels()
{
    static constexpr PanelKernels kKernels = {Arithmetic::Float32, sizeof(float), do_nothing, do_nothing,  multiply_tile,
                                              expand_group,        copy_floats,   take_rows,  take_columns};
    return kKernels;
}

} // namespace retort
#endif
