#include "core/kernels/packing.h"

#include "core/kernels/half.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace retort {

namespace {

constexpr std::size_t kScales = 2 * kGroupRows;                  // bytes of one f16 for each row
constexpr std::size_t kBytePayload = kBlock * kGroupRows;        // a block of bytes for each row
constexpr std::size_t kNibblePayload = kBlock * kGroupRows / 2;  // a block of nibbles for each row
constexpr std::size_t kQ80Pair = 2 * (kScales + kBytePayload);   // 1,088
constexpr std::size_t kQ40Pair = 2 * (kScales + kNibblePayload); // 576
constexpr std::size_t kQ41Block = 2 * kScales + kNibblePayload;  // 320
constexpr std::size_t kSuperScales = 2 * kGroupRows * sizeof(float);
constexpr std::size_t kSubScales = 4 * kGroupRows; // two scales and two minimums of a block for each row
constexpr std::int64_t kBlocksOfSuper = SuperBlock::kValues / kBlock;

constexpr std::size_t super_payload(PackFormat format)
{
    return format == PackFormat::K8 ? kBytePayload : kNibblePayload;
}

constexpr std::size_t super_bytes(PackFormat format)
{
    return kSuperScales + static_cast<std::size_t>(kBlocksOfSuper) * (kSubScales + super_payload(format));
}

constexpr bool is_super(PackFormat format)
{
    return format == PackFormat::K4 || format == PackFormat::K8;
}

/// Where the parts of block `block` are in a packed group.
struct BlockPlace {
    std::size_t scale = 0;
    std::size_t minimum = 0; // Q4_1 only
    std::size_t payload = 0;
};

BlockPlace place_of_block(PackFormat format, std::int64_t block)
{
    const auto index = static_cast<std::size_t>(block);
    const std::size_t pair = index / 2;
    const std::size_t half = index % 2;
    switch (format) {
    case PackFormat::Q8_0:
        return {pair * kQ80Pair + half * kScales, 0, pair * kQ80Pair + 2 * kScales + half * kBytePayload};
    case PackFormat::Q4_0:
        return {pair * kQ40Pair + half * kScales, 0, pair * kQ40Pair + 2 * kScales + half * kNibblePayload};
    default:
        return {index * kQ41Block, index * kQ41Block + kScales, index * kQ41Block + 2 * kScales};
    }
}

std::size_t file_block_bytes(PackFormat format)
{
    switch (format) {
    case PackFormat::F32:
        return 4;
    case PackFormat::F16:
    case PackFormat::BF16:
        return 2;
    case PackFormat::Q8_0:
        return 34;
    case PackFormat::Q4_0:
        return 18;
    case PackFormat::Q4_1:
        return 20;
    case PackFormat::K4:
    case PackFormat::K8:
        return sizeof(SuperBlock);
    }
    return 0;
}

std::size_t place_of_value(PackFormat format, std::int64_t column, std::int64_t lane)
{
    if (format == PackFormat::BF16) {
        return static_cast<std::size_t>((column / 2 * kGroupRows + lane) * 2 + column % 2) * 2;
    }
    return static_cast<std::size_t>(column * kGroupRows + lane) * file_block_bytes(format);
}

void pack_values(const RowMajorWeights& weights, const std::byte* row, std::int64_t lane, std::byte* out)
{
    const std::size_t size = file_block_bytes(weights.format);
    for (std::int64_t column = 0; column < weights.columns; ++column) {
        std::memcpy(out + place_of_value(weights.format, column, lane), row + static_cast<std::size_t>(column) * size, size);
    }
}

void pack_byte_block(const std::byte* values, std::int64_t lane, std::byte* payload)
{
    for (std::int64_t i = 0; i < kBlock; ++i) {
        payload[i / 4 * 4 * kGroupRows + lane * 4 + i % 4] = static_cast<std::byte>(static_cast<unsigned>(values[i]) ^ 0x80u); // + 128
    }
}

/// value(i) gives nibble i of a block.
template <class Value>
void put_nibbles(std::int64_t lane, std::byte* payload, Value&& value)
{
    for (std::int64_t i = 0; i < kBlock / 2; ++i) {
        const std::int64_t low = i / 4 * 8 + i % 4;
        payload[i / 4 * 4 * kGroupRows + lane * 4 + i % 4] = static_cast<std::byte>(value(low) | value(low + 4) << 4);
    }
}

void pack_nibble_block(const std::byte* nibbles, std::int64_t lane, std::byte* payload)
{
    put_nibbles(lane, payload, [nibbles](std::int64_t i) {
        const auto both = static_cast<unsigned>(nibbles[i % 16]);
        return i < 16 ? both & 15u : both >> 4;
    });
}

/// Where the parts of block `block` are in a packed group of superblocks.
struct SuperPlace {
    std::size_t scale;  ///< of the whole superblock, its minimum kGroupRows floats further
    std::size_t scales; ///< [2][16], the minimums after them
    std::size_t payload;
};

SuperPlace super_place(PackFormat format, std::int64_t block)
{
    const std::size_t super = static_cast<std::size_t>(block / kBlocksOfSuper) * super_bytes(format);
    const std::size_t own = super + kSuperScales + static_cast<std::size_t>(block % kBlocksOfSuper) * (kSubScales + super_payload(format));
    return {super, own, own + kSubScales};
}

void pack_super_block(PackFormat format, const SuperBlock& super, std::int64_t first_block, std::int64_t lane, std::byte* out)
{
    const auto at = static_cast<std::size_t>(lane);
    const SuperPlace begin = super_place(format, first_block);
    std::memcpy(out + begin.scale + at * sizeof(float), &super.scale, sizeof(float));
    std::memcpy(out + begin.scale + (kGroupRows + at) * sizeof(float), &super.minimum, sizeof(float));
    for (std::int64_t block = 0; block < kBlocksOfSuper; ++block) {
        const SuperPlace place = super_place(format, first_block + block);
        for (std::int64_t half = 0; half < 2; ++half) {
            const auto h = static_cast<std::size_t>(half);
            out[place.scales + h * kGroupRows + at] = static_cast<std::byte>(super.scales[block * 2 + half]);
            out[place.scales + (2 + h) * kGroupRows + at] = static_cast<std::byte>(super.minimums[block * 2 + half]);
        }
        const std::uint8_t* raw = super.raw + block * kBlock;
        std::byte* payload = out + place.payload;
        if (format == PackFormat::K4) {
            put_nibbles(lane, payload, [raw](std::int64_t i) { return static_cast<unsigned>(raw[i]); });
            continue;
        }
        for (std::int64_t i = 0; i < kBlock; ++i) {
            payload[i / 4 * 4 * kGroupRows + lane * 4 + i % 4] = static_cast<std::byte>(raw[i]);
        }
    }
}

void pack_super_blocks(const RowMajorWeights& weights, const std::byte* row, std::int64_t lane, std::byte* out)
{
    for (std::int64_t i = 0; i < weights.columns / SuperBlock::kValues; ++i, row += sizeof(SuperBlock)) {
        SuperBlock super;
        std::memcpy(&super, row, sizeof super);
        pack_super_block(weights.format, super, i * kBlocksOfSuper, lane, out);
    }
}

void pack_blocks(const RowMajorWeights& weights, const std::byte* row, std::int64_t lane, std::byte* out)
{
    const std::size_t size = file_block_bytes(weights.format);
    for (std::int64_t block = 0; block < weights.columns / kBlock; ++block, row += size) {
        const BlockPlace place = place_of_block(weights.format, block);
        const auto at_lane = static_cast<std::size_t>(2 * lane);
        std::memcpy(out + place.scale + at_lane, row, 2);
        if (weights.format == PackFormat::Q8_0) {
            pack_byte_block(row + 2, lane, out + place.payload);
        } else if (weights.format == PackFormat::Q4_0) {
            pack_nibble_block(row + 2, lane, out + place.payload);
        } else {
            std::memcpy(out + place.minimum + at_lane, row + 2, 2);
            pack_nibble_block(row + 4, lane, out + place.payload);
        }
    }
}

float half_at(const std::byte* bytes)
{
    std::uint16_t half = 0;
    std::memcpy(&half, bytes, 2);
    return float_from_half(half);
}

float value_at(PackFormat format, const std::byte* bytes)
{
    if (format == PackFormat::F16) {
        return half_at(bytes);
    }
    std::uint32_t bits = 0;
    if (format == PackFormat::BF16) {
        std::memcpy(reinterpret_cast<std::byte*>(&bits) + 2, bytes, 2);
    } else {
        std::memcpy(&bits, bytes, 4);
    }
    return std::bit_cast<float>(bits);
}

float block_value(PackFormat format, const std::byte* group, std::int64_t lane, std::int64_t column)
{
    const BlockPlace place = place_of_block(format, column / kBlock);
    const std::int64_t i = column % kBlock;
    const float scale = half_at(group + place.scale + 2 * lane);
    if (format == PackFormat::Q8_0) {
        const auto raw = static_cast<int>(group[place.payload + static_cast<std::size_t>(i / 4 * 4 * kGroupRows + lane * 4 + i % 4)]);
        return scale * static_cast<float>(raw - 128);
    }
    const auto both = static_cast<unsigned>(group[place.payload + static_cast<std::size_t>(i / 8 * 4 * kGroupRows + lane * 4 + i % 4)]);
    const auto raw = static_cast<int>(i % 8 < 4 ? both & 15u : both >> 4);
    if (format == PackFormat::Q4_0) {
        return scale * static_cast<float>(raw - 8);
    }
    return scale * static_cast<float>(raw) + half_at(group + place.minimum + 2 * lane);
}

float super_value(PackFormat format, const std::byte* group, std::int64_t lane, std::int64_t column)
{
    const SuperPlace place = super_place(format, column / kBlock);
    const std::int64_t i = column % kBlock;
    const std::size_t half = static_cast<std::size_t>(i / 16) * kGroupRows + static_cast<std::size_t>(lane);
    float scales[2];
    for (int k = 0; k < 2; ++k) {
        std::memcpy(&scales[k], group + place.scale + static_cast<std::size_t>(k * kGroupRows + lane) * sizeof(float), sizeof(float));
    }
    const auto small = [&](std::size_t at) { return static_cast<float>(static_cast<std::int8_t>(group[at])); };
    const std::int64_t four = format == PackFormat::K8 ? i / 4 * 4 : i / 8 * 4;
    const auto both = static_cast<unsigned>(group[place.payload + static_cast<std::size_t>(four * kGroupRows + lane * 4 + i % 4)]);
    const unsigned raw = format == PackFormat::K8 ? both : i % 8 < 4 ? both & 15u : both >> 4;
    return std::fma(scales[0] * small(place.scales + half), static_cast<float>(raw), -(scales[1] * small(place.scales + 2 * kGroupRows + half)));
}

} // namespace

std::string_view name_of(PackFormat format)
{
    constexpr std::array<std::string_view, 8> kNames = {"F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "K4", "K8"};
    return kNames.at(static_cast<std::size_t>(format));
}

std::size_t group_bytes(PackFormat format, std::int64_t columns)
{
    const auto count = static_cast<std::size_t>(columns);
    switch (format) {
    case PackFormat::Q8_0:
        return count / kColumnStep * kQ80Pair;
    case PackFormat::Q4_0:
        return count / kColumnStep * kQ40Pair;
    case PackFormat::Q4_1:
        return count / kBlock * kQ41Block;
    case PackFormat::K4:
    case PackFormat::K8:
        return count / SuperBlock::kValues * super_bytes(format);
    default:
        return count * kGroupRows * file_block_bytes(format);
    }
}

void pack_group(const RowMajorWeights& weights, std::int64_t group, std::span<std::byte> out)
{
    std::memset(out.data(), 0, out.size());
    const std::int64_t columns_per_block = is_super(weights.format) ? SuperBlock::kValues : is_quantised(weights.format) ? kBlock : 1;
    const std::size_t row_bytes = static_cast<std::size_t>(weights.columns / columns_per_block) * file_block_bytes(weights.format);
    for (std::int64_t lane = 0; lane < kGroupRows && group * kGroupRows + lane < weights.rows; ++lane) {
        const std::byte* row = weights.bytes + static_cast<std::size_t>(group * kGroupRows + lane) * row_bytes;
        if (is_super(weights.format)) {
            pack_super_blocks(weights, row, lane, out.data());
        } else if (is_quantised(weights.format)) {
            pack_blocks(weights, row, lane, out.data());
        } else {
            pack_values(weights, row, lane, out.data());
        }
    }
}

void unpack_row(PackFormat format, const std::byte* group, std::int64_t lane, std::span<float> out)
{
    for (std::int64_t column = 0; column < static_cast<std::int64_t>(out.size()); ++column) {
        out[static_cast<std::size_t>(column)] = is_super(format)       ? super_value(format, group, lane, column)
                                                : is_quantised(format) ? block_value(format, group, lane, column)
                                                                       : value_at(format, group + place_of_value(format, column, lane));
    }
}

} // namespace retort
