#include "core/model/weights.h"

#include "core/kernels/aligned_buffer.h"
#include "core/model/quant_format.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <numeric>

namespace retort {

static_assert(std::endian::native == std::endian::little, "model files are little-endian and are read as they lie");

std::string_view name_of(DType dtype)
{
    return format_of(dtype).name;
}

std::optional<DType> dtype_named(std::string_view name)
{
    const auto formats = quant_formats();
    const auto found = std::ranges::find(formats, name, &QuantFormat::name);
    return found == formats.end() ? std::nullopt : std::optional(found->dtype);
}

std::size_t block_values(DType dtype)
{
    return format_of(dtype).values;
}

std::size_t block_bytes(DType dtype)
{
    return format_of(dtype).bytes;
}

std::uint64_t bytes_for(DType dtype, std::uint64_t values)
{
    return values / block_values(dtype) * block_bytes(dtype);
}

std::int64_t Weight::values() const
{
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

void decode_rows(const Weight& weight, std::int64_t first, std::int64_t count, std::span<float> out)
{
    const QuantFormat& format = format_of(weight.dtype);
    const std::size_t values = format.values;
    const std::size_t bytes = format.bytes;
    const auto columns = static_cast<std::size_t>(weight.columns());
    const std::byte* block = weight.bytes.data() + static_cast<std::size_t>(first) * bytes_for(weight.dtype, columns);
    float* to = out.data();
    for (float* const end = to + static_cast<std::size_t>(count) * columns; to != end; to += values, block += bytes) {
        format.decode(block, to);
    }
}

std::vector<float> decoded(const Weight& weight)
{
    std::vector<float> values(static_cast<std::size_t>(weight.values()));
    Weight flat = weight; // a weight of three dimensions has more rows than rows() counts
    flat.shape = {weight.values()};
    decode_rows(flat, 0, 1, values);
    return values;
}

std::shared_ptr<std::byte[]> allocate_weight(std::uint64_t bytes)
{
    return {static_cast<std::byte*>(allocate_aligned(bytes)), [](std::byte* memory) { free_aligned(memory); }};
}

Weight weight_from_floats(std::vector<std::int64_t> shape, std::span<const float> values)
{
    const auto bytes = std::as_bytes(values);
    auto memory = allocate_weight(bytes.size());
    std::ranges::copy(bytes, memory.get());
    Weight weight;
    weight.shape = std::move(shape);
    weight.bytes = {memory.get(), bytes.size()};
    weight.owner = std::move(memory);
    return weight;
}

bool is_finite(const Weight& weight)
{
    const QuantFormat& format = format_of(weight.dtype);
    const std::byte* const begin = weight.bytes.data();
    const std::byte* const end = begin + weight.bytes.size() / format.bytes * format.bytes;
    bool finite = true;
    for (const std::byte* at = begin; at != end; at += format.bytes) {
        finite &= format.finite(at);
    }
    return finite;
}

} // namespace retort
