#include "core/model/weights.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <new>
#include <numeric>

namespace retort {

static_assert(std::endian::native == std::endian::little, "model files are little-endian and are read as they lie");

namespace {

struct DTypeFacts {
    DType dtype;
    std::string_view name;
    std::size_t values;
    std::size_t bytes;
};

constexpr std::array kDTypes = {
    DTypeFacts{DType::F32, "F32", 1, 4},     DTypeFacts{DType::F16, "F16", 1, 2},     DTypeFacts{DType::BF16, "BF16", 1, 2},
    DTypeFacts{DType::Q8_0, "Q8_0", 32, 34}, DTypeFacts{DType::Q4_0, "Q4_0", 32, 18}, DTypeFacts{DType::Q4_1, "Q4_1", 32, 20},
};

const DTypeFacts& facts(DType dtype)
{
    return *std::ranges::find(kDTypes, dtype, &DTypeFacts::dtype);
}

constexpr std::size_t kAlignment = 64;
constexpr int kBlock = 32;
constexpr int kHalfBlock = 16;

template <class T>
T load(const std::byte* at)
{
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

float load_half(const std::byte* at)
{
    return float_from_half(load<std::uint16_t>(at));
}

int low_nibble(std::byte byte)
{
    return std::to_integer<int>(byte & std::byte{15});
}

int high_nibble(std::byte byte)
{
    return std::to_integer<int>(byte >> 4);
}

void decode_q8_0(const std::byte* block, float* out)
{
    const float d = load_half(block);
    for (int i = 0; i < kBlock; ++i) {
        out[i] = static_cast<float>(load<std::int8_t>(block + 2 + i)) * d;
    }
}

void decode_q4_0(const std::byte* block, float* out)
{
    const float d = load_half(block);
    for (int i = 0; i < kHalfBlock; ++i) {
        out[i] = static_cast<float>(low_nibble(block[2 + i]) - 8) * d;
        out[i + kHalfBlock] = static_cast<float>(high_nibble(block[2 + i]) - 8) * d;
    }
}

void decode_q4_1(const std::byte* block, float* out)
{
    const float d = load_half(block);
    const float m = load_half(block + 2);
    for (int i = 0; i < kHalfBlock; ++i) {
        out[i] = static_cast<float>(low_nibble(block[4 + i])) * d + m;
        out[i + kHalfBlock] = static_cast<float>(high_nibble(block[4 + i])) * d + m;
    }
}

void decode_block(DType dtype, const std::byte* block, float* out)
{
    switch (dtype) {
    case DType::F32:
        *out = load<float>(block);
        break;
    case DType::F16:
        *out = load_half(block);
        break;
    case DType::BF16:
        *out = float_from_bfloat16(load<std::uint16_t>(block));
        break;
    case DType::Q8_0:
        decode_q8_0(block, out);
        break;
    case DType::Q4_0:
        decode_q4_0(block, out);
        break;
    case DType::Q4_1:
        decode_q4_1(block, out);
        break;
    }
}

bool finite_half(const std::byte* at)
{
    return (load<std::uint16_t>(at) & 0x7C00) != 0x7C00;
}

} // namespace

std::string_view name_of(DType dtype)
{
    return facts(dtype).name;
}

std::optional<DType> dtype_named(std::string_view name)
{
    const auto* found = std::ranges::find(kDTypes, name, &DTypeFacts::name);
    return found == kDTypes.end() ? std::nullopt : std::optional(found->dtype);
}

std::size_t block_values(DType dtype)
{
    return facts(dtype).values;
}

std::size_t block_bytes(DType dtype)
{
    return facts(dtype).bytes;
}

std::uint64_t bytes_for(DType dtype, std::uint64_t values)
{
    return values / block_values(dtype) * block_bytes(dtype);
}

std::int64_t Weight::values() const
{
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

float float_from_half(std::uint16_t bits)
{
    const std::uint32_t sign = (bits & 0x8000u) << 16;
    const std::uint32_t exponent = (bits >> 10) & 31u;
    const std::uint32_t fraction = bits & 0x3FFu;
    if (exponent == 31) {
        return std::bit_cast<float>(sign | 0x7F800000u | (fraction << 13));
    }
    if (exponent == 0) { // zero and subnormal: fraction * 2^-24, exact in float32
        const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
        return sign != 0 ? -magnitude : magnitude;
    }
    return std::bit_cast<float>(sign | ((exponent + 112u) << 23) | (fraction << 13));
}

float float_from_bfloat16(std::uint16_t bits)
{
    return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

std::uint16_t bfloat16_from_float(float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if (std::isnan(value)) {
        return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
    }
    return static_cast<std::uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

void decode_rows(const Weight& weight, std::int64_t first, std::int64_t count, std::span<float> out)
{
    const std::size_t values = block_values(weight.dtype);
    const std::size_t bytes = block_bytes(weight.dtype);
    const auto columns = static_cast<std::size_t>(weight.columns());
    const std::byte* block = weight.bytes.data() + static_cast<std::size_t>(first) * bytes_for(weight.dtype, columns);
    float* to = out.data();
    for (float* const end = to + static_cast<std::size_t>(count) * columns; to != end; to += values, block += bytes) {
        decode_block(weight.dtype, block, to);
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
    constexpr auto kAlign = std::align_val_t{kAlignment};
    auto* data = static_cast<std::byte*>(::operator new(std::max<std::uint64_t>(bytes, 1), kAlign));
    return {data, [](std::byte* memory) { ::operator delete(memory, std::align_val_t{kAlignment}); }};
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
    const std::size_t step = block_bytes(weight.dtype);
    const std::byte* const begin = weight.bytes.data();
    const std::byte* const end = begin + weight.bytes.size() / step * step;
    bool finite = true;
    for (const std::byte* at = begin; at != end; at += step) {
        switch (weight.dtype) {
        case DType::F32:
            finite &= (load<std::uint32_t>(at) & 0x7F800000u) != 0x7F800000u;
            break;
        case DType::BF16:
            finite &= (load<std::uint16_t>(at) & 0x7F80) != 0x7F80;
            break;
        case DType::Q4_1:
            finite &= finite_half(at) && finite_half(at + 2);
            break;
        case DType::F16:
        case DType::Q8_0:
        case DType::Q4_0:
            finite &= finite_half(at);
            break;
        }
    }
    return finite;
}

} // namespace retort
