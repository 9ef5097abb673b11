#include "core/model/quant_format.h"

#include "core/model/quant_blocks.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace retort {

namespace {

using namespace quant;

constexpr std::array kFormats = {
    QuantFormat{DType::F32, "F32", 0, 1, 4, decode_f32, finite_f32, PackFormat::F32},
    QuantFormat{DType::F16, "F16", 1, 1, 2, decode_f16, finite_half_at<0>, PackFormat::F16},
    QuantFormat{DType::BF16, "BF16", 30, 1, 2, decode_bf16, finite_bf16, PackFormat::BF16},
    QuantFormat{DType::Q8_0, "Q8_0", 8, 32, 34, decode_q8_0, finite_half_at<0>, PackFormat::Q8_0},
    QuantFormat{DType::Q4_0, "Q4_0", 2, 32, 18, decode_q4_0, finite_half_at<0>, PackFormat::Q4_0},
    QuantFormat{DType::Q4_1, "Q4_1", 3, 32, 20, decode_q4_1, finite_halves_at<0>, PackFormat::Q4_1},
    QuantFormat{DType::Q5_0, "Q5_0", 6, 32, 22, decode_q5_0, finite_half_at<0>},
    QuantFormat{DType::Q5_1, "Q5_1", 7, 32, 24, decode_q5_1, finite_halves_at<0>},
    QuantFormat{DType::Q2_K, "Q2_K", 10, 256, 84, decode_through<super_q2_k>, finite_halves_at<80>, PackFormat::K4, super_q2_k},
    QuantFormat{DType::Q3_K, "Q3_K", 11, 256, 110, decode_through<super_q3_k>, finite_half_at<108>, PackFormat::K4, super_q3_k},
    QuantFormat{DType::Q4_K, "Q4_K", 12, 256, 144, decode_through<super_q4_k>, finite_halves_at<0>, PackFormat::K4, super_q4_k},
    QuantFormat{DType::Q5_K, "Q5_K", 13, 256, 176, decode_through<super_q5_k>, finite_halves_at<0>, PackFormat::K8, super_q5_k},
    QuantFormat{DType::Q6_K, "Q6_K", 14, 256, 210, decode_through<super_q6_k>, finite_half_at<208>, PackFormat::K8, super_q6_k},
    QuantFormat{DType::IQ4_NL, "IQ4_NL", 20, 32, 18, decode_iq4_nl, finite_half_at<0>},
    QuantFormat{DType::IQ4_XS, "IQ4_XS", 23, 256, 136, decode_through<super_iq4_xs>, finite_half_at<0>, PackFormat::K8, super_iq4_xs},
};

} // namespace

std::span<const QuantFormat> quant_formats()
{
    return kFormats;
}

const QuantFormat& format_of(DType dtype)
{
    return *std::ranges::find(kFormats, dtype, &QuantFormat::dtype);
}

PackFormat packed_format(DType dtype)
{
    const bool in_bytes = dtype == DType::Q5_0 || dtype == DType::IQ4_NL; // a half times a whole number below 128
    return format_of(dtype).packed.value_or(in_bytes ? PackFormat::Q8_0 : PackFormat::F32);
}

PackableWeight as_packable(const Weight& weight)
{
    const QuantFormat& from = format_of(weight.dtype);
    if (from.packed && from.super == nullptr) {
        return {weight.owner, weight.bytes};
    }
    if (packed_format(weight.dtype) == PackFormat::F32) {
        const Weight floats = weight_from_floats(weight.shape, decoded(weight));
        return {floats.owner, floats.bytes};
    }
    const std::size_t blocks = weight.bytes.size() / from.bytes;
    const std::size_t each = from.super != nullptr ? sizeof(SuperBlock) : format_of(DType::Q8_0).bytes;
    auto memory = allocate_weight(blocks * each);
    for (std::size_t i = 0; i < blocks; ++i) {
        const std::byte* block = weight.bytes.data() + i * from.bytes;
        std::byte* const place = memory.get() + i * each;
        if (from.super != nullptr) {
            SuperBlock super;
            from.super(block, super);
            std::memcpy(place, &super, sizeof super);
        } else {
            to_q8_0(weight.dtype == DType::Q5_0 ? whole_q5_0 : whole_iq4_nl, block, place);
        }
    }
    const std::span<const std::byte> bytes(memory.get(), blocks * each);
    return {std::move(memory), bytes};
}

std::string readable_types()
{
    std::string list;
    for (std::size_t i = 0; i < kFormats.size(); ++i) {
        list += (i == 0 ? "" : i + 1 == kFormats.size() ? " and " : ", ") + std::string(kFormats[i].name);
    }
    return list;
}

} // namespace retort
