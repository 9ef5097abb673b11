#pragma once
#include "core/base/error.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

/// How the numbers of a weight are stored; quant_format.h has the facts of each.
enum class DType { F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS };

[[nodiscard]] std::string_view name_of(DType dtype); ///< "F32", "Q4_1"
[[nodiscard]] std::optional<DType> dtype_named(std::string_view name);
[[nodiscard]] std::size_t block_values(DType dtype);                      ///< 1, 32 or 256
[[nodiscard]] std::size_t block_bytes(DType dtype);                       ///< bytes of that many values
[[nodiscard]] std::uint64_t bytes_for(DType dtype, std::uint64_t values); ///< values divisible by block_values

/// One weight: row-major, shape rows first, rows whole blocks. Shares ownership of its bytes; the bytes never change.
struct Weight {
    DType dtype = DType::F32;
    std::vector<std::int64_t> shape;
    std::shared_ptr<const std::byte[]> owner;
    std::span<const std::byte> bytes;

    [[nodiscard]] std::int64_t values() const;
    [[nodiscard]] std::int64_t rows() const { return shape.size() > 1 ? shape[0] : 1; }
    [[nodiscard]] std::int64_t columns() const { return shape.empty() ? 1 : shape.back(); }
};

/// Decodes rows [first, first + count) to float32 into `out` (count * columns values). Works for every DType; the plain reference of the kernels.
void decode_rows(const Weight& weight, std::int64_t first, std::int64_t count, std::span<float> out);

/// The weights of a model by canonical name (weight_table.h), whatever file they came from: q and k rows are in half-split RoPE order, norms' gains
/// are what is multiplied with.
using WeightSet = std::map<std::string, Weight, std::less<>>;

/// A float32 weight of its own. `values` as many as the shape says.
[[nodiscard]] Weight weight_from_floats(std::vector<std::int64_t> shape, std::span<const float> values);

/// Every value of `weight` as float32: decode_rows over all of it.
[[nodiscard]] std::vector<float> decoded(const Weight& weight);

/// Room for a weight's bytes, aligned to a cache line so that kernels may read it with aligned loads; zeros. The system has it again as soon
/// as the last weight that shares it is gone. Throws std::bad_alloc.
[[nodiscard]] std::shared_ptr<std::byte[]> allocate_weight(std::uint64_t bytes);

/// Whether every number, or every block's scale and minimum, is finite.
[[nodiscard]] bool is_finite(const Weight& weight);

} // namespace retort
