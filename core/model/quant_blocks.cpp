#include "core/model/quant_blocks.h"

#include <array>
#include <cmath>

namespace retort::quant {

namespace {

constexpr int kBlock = 32;
constexpr int kHalfBlock = 16;

/// The values that IQ4's nibbles stand for (ggml-common.h, kvalues_iq4nl).
constexpr std::array<int, 16> kIq4 = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

int low_nibble(std::byte byte)
{
    return std::to_integer<int>(byte & std::byte{15});
}

int high_nibble(std::byte byte)
{
    return std::to_integer<int>(byte >> 4);
}

int bits(std::byte byte, int shift, int mask)
{
    return (std::to_integer<int>(byte) >> shift) & mask;
}

/// The six-bit scale and minimum of sub-block `j` of Q4_K and Q5_K (ggml-quants.c, get_scale_min_k4).
struct ScaleAndMinimum {
    int scale;
    int minimum;
};

ScaleAndMinimum scale_and_minimum(const std::byte* scales, int j)
{
    if (j < 4) {
        return {bits(scales[j], 0, 63), bits(scales[j + 4], 0, 63)};
    }
    return {low_nibble(scales[j + 4]) | bits(scales[j - 4], 6, 3) << 4, high_nibble(scales[j + 4]) | bits(scales[j], 6, 3) << 4};
}

void take_scales_and_minimums(const std::byte* block, SuperBlock& super)
{
    super.scale = load_half(block);
    super.minimum = load_half(block + 2);
    for (int i = 0; i < 16; ++i) {
        const ScaleAndMinimum of = scale_and_minimum(block + 4, i / 2);
        super.scales[i] = static_cast<std::int8_t>(of.scale);
        super.minimums[i] = static_cast<std::int8_t>(of.minimum);
    }
}

/// The sixteen six-bit scales of Q3_K, from their twelve bytes.
std::array<int, 16> q3_k_scales(const std::byte* packed)
{
    std::array<int, 16> scales{};
    for (int i = 0; i < 16; ++i) {
        const int low = i < 8 ? low_nibble(packed[i]) : high_nibble(packed[i - 8]);
        scales[static_cast<std::size_t>(i)] = (low | bits(packed[8 + i % 4], i / 4 * 2, 3) << 4) - 32;
    }
    return scales;
}

} // namespace

void decode_f32(const std::byte* block, float* out)
{
    *out = load<float>(block);
}

void decode_f16(const std::byte* block, float* out)
{
    *out = load_half(block);
}

void decode_bf16(const std::byte* block, float* out)
{
    *out = float_from_bfloat16(load<std::uint16_t>(block));
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

void whole_q5_0(const std::byte* block, std::int8_t* out)
{
    const auto fifth = load<std::uint32_t>(block + 2);
    for (int i = 0; i < kHalfBlock; ++i) {
        const int low = low_nibble(block[6 + i]) | static_cast<int>((fifth >> i) & 1u) << 4;
        const int high = high_nibble(block[6 + i]) | static_cast<int>((fifth >> (i + kHalfBlock)) & 1u) << 4;
        out[i] = static_cast<std::int8_t>(low - 16);
        out[i + kHalfBlock] = static_cast<std::int8_t>(high - 16);
    }
}

void whole_iq4_nl(const std::byte* block, std::int8_t* out)
{
    for (int i = 0; i < kHalfBlock; ++i) {
        out[i] = static_cast<std::int8_t>(kIq4[static_cast<std::size_t>(low_nibble(block[2 + i]))]);
        out[i + kHalfBlock] = static_cast<std::int8_t>(kIq4[static_cast<std::size_t>(high_nibble(block[2 + i]))]);
    }
}

void to_q8_0(void (*whole)(const std::byte* block, std::int8_t* out), const std::byte* block, std::byte* out)
{
    std::array<std::int8_t, kBlock> values{};
    whole(block, values.data());
    std::memcpy(out, block, 2);
    std::memcpy(out + 2, values.data(), values.size());
}

void decode_q5_0(const std::byte* block, float* out)
{
    std::array<std::int8_t, kBlock> values{};
    whole_q5_0(block, values.data());
    const float d = load_half(block);
    for (int i = 0; i < kBlock; ++i) {
        out[i] = static_cast<float>(values[static_cast<std::size_t>(i)]) * d;
    }
}

void decode_q5_1(const std::byte* block, float* out)
{
    const float d = load_half(block);
    const float m = load_half(block + 2);
    const auto fifth = load<std::uint32_t>(block + 4);
    for (int i = 0; i < kHalfBlock; ++i) {
        const int low = low_nibble(block[8 + i]) | static_cast<int>((fifth >> i) & 1u) << 4;
        const int high = high_nibble(block[8 + i]) | static_cast<int>((fifth >> (i + kHalfBlock)) & 1u) << 4;
        out[i] = static_cast<float>(low) * d + m;
        out[i + kHalfBlock] = static_cast<float>(high) * d + m;
    }
}

void super_q2_k(const std::byte* block, SuperBlock& super)
{
    super.scale = load_half(block + 80);
    super.minimum = load_half(block + 82);
    for (int i = 0; i < 16; ++i) {
        super.scales[i] = static_cast<std::int8_t>(low_nibble(block[i]));
        super.minimums[i] = static_cast<std::int8_t>(high_nibble(block[i]));
    }
    for (int i = 0; i < 256; ++i) { // of each 128 values the first 32 have the lowest two bits of 32 bytes
        super.raw[i] = static_cast<std::uint8_t>(bits(block[16 + i / 128 * 32 + i % 32], i % 128 / 32 * 2, 3));
    }
}

void super_q3_k(const std::byte* block, SuperBlock& super)
{
    const std::array<int, 16> scales = q3_k_scales(block + 96);
    super.scale = load_half(block + 108);
    super.minimum = 4.0f * super.scale; // values are raw - 4
    for (std::size_t i = 0; i < 16; ++i) {
        super.scales[i] = super.minimums[i] = static_cast<std::int8_t>(scales[i]);
    }
    for (int i = 0; i < 256; ++i) {
        const int third = bits(block[i % 32], i / 32, 1);
        super.raw[i] = static_cast<std::uint8_t>(bits(block[32 + i / 128 * 32 + i % 32], i % 128 / 32 * 2, 3) | third << 2);
    }
}

void super_q4_k(const std::byte* block, SuperBlock& super)
{
    take_scales_and_minimums(block, super);
    for (int i = 0; i < 256; ++i) {
        super.raw[i] = static_cast<std::uint8_t>(bits(block[16 + i / 64 * 32 + i % 32], i / 32 % 2 * 4, 15));
    }
}

void super_q5_k(const std::byte* block, SuperBlock& super)
{
    take_scales_and_minimums(block, super);
    for (int i = 0; i < 256; ++i) {
        const int four = bits(block[48 + i / 64 * 32 + i % 32], i / 32 % 2 * 4, 15);
        super.raw[i] = static_cast<std::uint8_t>(four | bits(block[16 + i % 32], i / 32, 1) << 4);
    }
}

void super_q6_k(const std::byte* block, SuperBlock& super)
{
    super.scale = load_half(block + 208);
    super.minimum = 32.0f * super.scale; // values are raw - 32
    for (int i = 0; i < 16; ++i) {
        super.scales[i] = super.minimums[i] = load<std::int8_t>(block + 192 + i);
    }
    for (int i = 0; i < 256; ++i) {
        const int half = i / 128;
        const int quarter = i % 128 / 32;
        const int four = bits(block[64 * half + i % 64], quarter / 2 * 4, 15);
        super.raw[i] = static_cast<std::uint8_t>(four | bits(block[128 + 32 * half + i % 32], 2 * quarter, 3) << 4);
    }
}

void super_iq4_xs(const std::byte* block, SuperBlock& super)
{
    const auto upper = load<std::uint16_t>(block + 2);
    super.scale = load_half(block);
    super.minimum = 127.0f * super.scale; // values are raw - 127
    for (int j = 0; j < 8; ++j) {
        const int scale = (bits(block[4 + j / 2], j % 2 * 4, 15) | ((upper >> (2 * j)) & 3) << 4) - 32;
        for (int half = 0; half < 2; ++half) {
            super.scales[2 * j + half] = super.minimums[2 * j + half] = static_cast<std::int8_t>(scale);
        }
    }
    for (int i = 0; i < 256; ++i) {
        const int nibble = bits(block[8 + i / 32 * 16 + i % 16], i / 16 % 2 * 4, 15);
        super.raw[i] = static_cast<std::uint8_t>(kIq4[static_cast<std::size_t>(nibble)] + 127);
    }
}

void decode_super(const SuperBlock& super, float* out)
{
    for (int i = 0; i < 256; ++i) {
        const float scale = super.scale * static_cast<float>(super.scales[i / 16]);
        const float minimum = super.minimum * static_cast<float>(super.minimums[i / 16]);
        out[i] = std::fma(scale, static_cast<float>(super.raw[i]), -minimum); // scale * raw has at most 25 bits: only IQ4_XS's needs the fma
    }
}

void decode_iq4_nl(const std::byte* block, float* out)
{
    std::array<std::int8_t, kBlock> values{};
    whole_iq4_nl(block, values.data());
    const float d = load_half(block);
    for (int i = 0; i < kBlock; ++i) {
        out[i] = d * static_cast<float>(values[static_cast<std::size_t>(i)]);
    }
}

} // namespace retort::quant
