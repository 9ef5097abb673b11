// A small dense product for operands that fit the cache, compiled once for each instruction set.
#if defined(RETORT_TRAIN_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef RETORT_TRAIN_TILE_INL_H
#undef RETORT_TRAIN_TILE_INL_H
#else
#define RETORT_TRAIN_TILE_INL_H
#endif

#include "core/kernels/train_simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace retort
{
namespace HWY_NAMESPACE
{

/// C (rows, columns) = A B, or C += A B. A's element (r, k) is a[r row_step + k depth_step]; B is (depth, columns) with leading dimension b_step;
/// columns a multiple of kLanes.
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

template <int kRows, int kVectors>
HWY_INLINE void multiply_tile(const Product& product, std::int64_t row, std::int64_t column)
{
    const FloatTag d;
    const float* a = product.a + row * product.row_step;
    const float* b = product.b + column;
    float* c = product.c + row * product.c_step + column;
    FloatVec sums[kRows][kVectors];
    for (int r = 0; r < kRows; ++r) {
        for (int v = 0; v < kVectors; ++v) {
            sums[r][v] = product.accumulate ? hn::LoadU(d, c + r * product.c_step + v * kLanes) : hn::Zero(d);
        }
    }
    for (std::int64_t k = 0; k < product.depth; ++k) {
        FloatVec right[kVectors];
        for (int v = 0; v < kVectors; ++v) {
            right[v] = hn::LoadU(d, b + k * product.b_step + v * kLanes);
        }
        for (int r = 0; r < kRows; ++r) {
            const FloatVec left = hn::Set(d, a[r * product.row_step + k * product.depth_step]);
            for (int v = 0; v < kVectors; ++v) {
                sums[r][v] = hn::MulAdd(left, right[v], sums[r][v]);
            }
        }
    }
    for (int r = 0; r < kRows; ++r) {
        for (int v = 0; v < kVectors; ++v) {
            hn::StoreU(sums[r][v], d, c + r * product.c_step + v * kLanes);
        }
    }
}

template <int kVectors>
HWY_INLINE void multiply_columns(const Product& product, std::int64_t column)
{
    // As many rows as the registers hold beside two vectors of B.
    constexpr int kRows = kLanes >= 16 ? 12 : 4;
    std::int64_t row = 0;
    for (; row + kRows <= product.rows; row += kRows) {
        multiply_tile<kRows, kVectors>(product, row, column);
    }
    for (; row + 4 <= product.rows; row += 4) {
        multiply_tile<4, kVectors>(product, row, column);
    }
    for (; row < product.rows; ++row) {
        multiply_tile<1, kVectors>(product, row, column);
    }
}

HWY_INLINE void multiply(const Product& product)
{
    std::int64_t column = 0;
    for (; column + 2 * kLanes <= product.columns; column += 2 * kLanes) {
        multiply_columns<2>(product, column);
    }
    for (; column < product.columns; column += kLanes) {
        multiply_columns<1>(product, column);
    }
}

} // namespace HWY_NAMESPACE
} // namespace retort
HWY_AFTER_NAMESPACE();

#endif
