// A small dense product for operands that fit the cache, compiled once for each instruction set.
#if defined(RETORT_TRAIN_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef RETORT_TRAIN_TILE_INL_H
#undef RETORT_TRAIN_TILE_INL_H
#else
#define RETORT_TRAIN_TILE_INL_H
#endif

#include "core/kernels/train_simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace retort {
namespace HWY_NAMESPACE {

/// C (rows, columns) = A B, or C += A B. A's element (r, k) is a[r row_step + k depth_step], one of the two steps 1; B is (depth, columns) with
/// leading dimension b_step; columns a multiple of kLanes.
struct Product {
    const float* a = nullptr;
    std::int64_t row_step = 0, depth_step = 0;
    const float* b = nullptr;
    std::int64_t b_step = 0;
    float* c = nullptr;
    std::int64_t c_step = 0;
    std::int64_t rows = 0, columns = 0, depth = 0;
    bool accumulate = false;
};

// Unrolled by hand of the compiler, or the sums would live on the stack. A step of 1 known at compile time spares a register per row.
template <int kRows, int kVectors, bool kRowsAdjoin>
HWY_INLINE void multiply_tile(const Product& product, std::int64_t row, std::int64_t column)
{
    const FloatTag d;
    const std::int64_t row_step = kRowsAdjoin ? 1 : product.row_step;
    const std::int64_t depth_step = kRowsAdjoin ? product.depth_step : 1;
    const float* a = product.a + row * row_step;
    const float* b = product.b + column;
    float* c = product.c + row * product.c_step + column;
    FloatVec sums[kRows][kVectors];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
            sums[r][v] = product.accumulate ? hn::LoadU(d, c + r * product.c_step + v * kLanes) : hn::Zero(d);
        }
    }
    for (std::int64_t k = 0; k < product.depth; ++k) {
        FloatVec right[kVectors];
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
            right[v] = hn::LoadU(d, b + v * kLanes);
        }
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) {
            const FloatVec left = hn::Set(d, a[r * row_step]);
#pragma GCC unroll 4
            for (int v = 0; v < kVectors; ++v) {
                sums[r][v] = hn::MulAdd(left, right[v], sums[r][v]);
            }
        }
        a += depth_step;
        b += product.b_step;
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
            hn::StoreU(sums[r][v], d, c + r * product.c_step + v * kLanes);
        }
    }
}

template <int kVectors, bool kRowsAdjoin>
HWY_INLINE void multiply_columns(const Product& product, std::int64_t column)
{
    // As many rows as the registers hold beside two vectors of B.
    constexpr int kRows = kLanes >= 16 ? 12 : 4;
    std::int64_t row = 0;
    for (; row + kRows <= product.rows; row += kRows) {
        multiply_tile<kRows, kVectors, kRowsAdjoin>(product, row, column);
    }
    for (; row + 4 <= product.rows; row += 4) {
        multiply_tile<4, kVectors, kRowsAdjoin>(product, row, column);
    }
    for (; row < product.rows; ++row) {
        multiply_tile<1, kVectors, kRowsAdjoin>(product, row, column);
    }
}

template <bool kRowsAdjoin>
void multiply_all(const Product& product)
{
    std::int64_t column = 0;
    for (; column + 2 * kLanes <= product.columns; column += 2 * kLanes) {
        multiply_columns<2, kRowsAdjoin>(product, column);
    }
    for (; column < product.columns; column += kLanes) {
        multiply_columns<1, kRowsAdjoin>(product, column);
    }
}

HWY_INLINE void multiply(const Product& product)
{
    if (product.row_step == 1 && product.depth_step != 1) {
        multiply_all<true>(product);
    } else {
        multiply_all<false>(product);
    }
}

} // namespace HWY_NAMESPACE
} // namespace retort
HWY_AFTER_NAMESPACE();

#endif
