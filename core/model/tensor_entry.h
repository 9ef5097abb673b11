#pragma once
#include "core/model/weights.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace retort {

/// Where one tensor lies in a file, every number checked against the file's size. Shape rows first, whatever order the file uses.
struct TensorEntry {
    std::string name;
    std::string type_name;      ///< as the format names it: "F32", "I64", "Q6_K"
    std::optional<DType> dtype; ///< empty for a type that no weight of ours can have
    std::vector<std::int64_t> shape;
    std::uint64_t offset = 0; ///< from the start of the file
    std::uint64_t bytes = 0;
};

/// The product of `shape`; empty when a dimension is negative or the product passes 2^63.
[[nodiscard]] std::optional<std::uint64_t> checked_values(const std::vector<std::int64_t>& shape);

/// "(49152, 576)"
[[nodiscard]] std::string shape_text(const std::vector<std::int64_t>& shape);

/// "tensor "model.norm.weight"", fit for a message whatever the name holds.
[[nodiscard]] std::string quoted_tensor(const std::string& name);

} // namespace retort
