#pragma once
#include "core/kernels/half.h"
#include "core/kernels/packing.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

// The blocks of ggml's types (ggml-common.h), decoded as ggml-quants.c does, operation for operation, so that the values are its own bit for bit.
namespace retort::quant {

template <class T>
[[nodiscard]] T load(const std::byte* at)
{
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

[[nodiscard]] inline float load_half(const std::byte* at)
{
    return float_from_half(load<std::uint16_t>(at));
}

[[nodiscard]] inline bool finite_half(const std::byte* at)
{
    return (load<std::uint16_t>(at) & 0x7C00) != 0x7C00;
}

template <std::size_t Place>
[[nodiscard]] bool finite_half_at(const std::byte* block)
{
    return finite_half(block + Place);
}

template <std::size_t Place>
[[nodiscard]] bool finite_halves_at(const std::byte* block)
{
    return finite_half(block + Place) && finite_half(block + Place + 2);
}

[[nodiscard]] inline bool finite_f32(const std::byte* at)
{
    return (load<std::uint32_t>(at) & 0x7F800000u) != 0x7F800000u;
}

[[nodiscard]] inline bool finite_bf16(const std::byte* at)
{
    return (load<std::uint16_t>(at) & 0x7F80) != 0x7F80;
}

/// The whole numbers of a block that its scale, its first half, multiplies.
void whole_q5_0(const std::byte* block, std::int8_t* out);
void whole_iq4_nl(const std::byte* block, std::int8_t* out);
/// The Q8_0 block with the same values.
void to_q8_0(void (*whole)(const std::byte* block, std::int8_t* out), const std::byte* block, std::byte* out);

void decode_f32(const std::byte* block, float* out);
void decode_f16(const std::byte* block, float* out);
void decode_bf16(const std::byte* block, float* out);
void decode_q8_0(const std::byte* block, float* out);
void decode_q4_0(const std::byte* block, float* out);
void decode_q4_1(const std::byte* block, float* out);
void decode_q5_0(const std::byte* block, float* out);
void decode_q5_1(const std::byte* block, float* out);
void decode_iq4_nl(const std::byte* block, float* out);

/// The types with blocks of 256 in the one form that they have in common.
void super_q2_k(const std::byte* block, SuperBlock& super);
void super_q3_k(const std::byte* block, SuperBlock& super);
void super_q4_k(const std::byte* block, SuperBlock& super);
void super_q5_k(const std::byte* block, SuperBlock& super);
void super_q6_k(const std::byte* block, SuperBlock& super);
void super_iq4_xs(const std::byte* block, SuperBlock& super);
void decode_super(const SuperBlock& super, float* out);

template <void (*Super)(const std::byte* block, SuperBlock& super)>
void decode_through(const std::byte* block, float* out)
{
    SuperBlock super;
    Super(block, super);
    decode_super(super, out);
}

} // namespace retort::quant
