#pragma once
#include "core/kernels/packing.h"
#include "core/model/weights.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace retort {

/// How numbers of a type lie in a file and how they are decoded: one row for each type that a weight can be stored in. The one list of block sizes.
struct QuantFormat {
    DType dtype = DType::F32;
    std::string_view name;
    std::int32_t ggml_id = -1; ///< ggml.h, enum ggml_type
    std::size_t values = 1;    ///< of a block
    std::size_t bytes = 4;
    void (*decode)(const std::byte* block, float* out) = nullptr;
    /// Whether the block's scale and minimum, or its number, is finite.
    bool (*finite)(const std::byte* block) = nullptr;
    /// How the kernels hold it, bit for bit; empty for one that becomes another when it is laid out.
    std::optional<PackFormat> packed{};
    /// The block as a SuperBlock, where the kernels hold it as one.
    void (*super)(const std::byte* block, SuperBlock& super) = nullptr;
};

[[nodiscard]] std::span<const QuantFormat> quant_formats();
[[nodiscard]] const QuantFormat& format_of(DType dtype);

/// What the kernels hold a weight of this type as: its own values bit for bit, Q5_0 and IQ4_NL as Q8_0, Q5_1 as float32.
[[nodiscard]] PackFormat packed_format(DType dtype);

/// A weight's rows as pack_group() takes them for that format.
struct PackableWeight {
    std::shared_ptr<const std::byte[]> owner;
    std::span<const std::byte> bytes;
};
[[nodiscard]] PackableWeight as_packable(const Weight& weight);

/// "F32, F16, ... and IQ4_XS", for messages.
[[nodiscard]] std::string readable_types();

} // namespace retort
