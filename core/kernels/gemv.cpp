#include "core/kernels/gemv.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/gemv.cpp"
#include "core/kernels/simd_targets.h"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include "core/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace retort {
namespace HWY_NAMESPACE {
namespace {

// The dot products of a block, or of half of one: w unsigned, x the block's integers; returns start + sum(w x) for each lane. First and Count are the
// rows of 64 bytes of the payload.
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

using Shorts = hn::Repartition<std::int16_t, Ints>;

HWY_INLINE hn::Vec<Shorts> two_of(const std::int16_t* x)
{
    std::int32_t bits = 0;
    std::memcpy(&bits, x, sizeof bits);
    return hn::BitCast(Shorts(), hn::Set(Ints(), bits));
}

/// pmaddwd and an addition: on x86 this function of Highway adds neighbours, so that a lane stays a row.
HWY_INLINE IntVec add_products(IntVec weights, const std::int16_t* x, IntVec sum)
{
    IntVec unused = hn::Zero(Ints());
    return hn::ReorderWidenMulAccumulate(Ints(), hn::BitCast(Shorts(), weights), two_of(x), sum, unused);
}

template <int First, int Count>
HWY_INLINE IntVec dot_bytes(const std::byte* payload, const QuantisedVector& x, std::int64_t block, std::int64_t lane, int start)
{
    const std::int16_t* paired = x.paired.data() + block * kBlock;
    const IntVec mask = hn::Set(Ints(), 0x00FF00FF);
    IntVec even = hn::Set(Ints(), start);
    IntVec odd = hn::Zero(Ints());
    for (int j = First; j < First + Count; ++j) {
        const IntVec four = load_ints(payload + j * 64 + lane * 4);
        even = add_products(hn::And(four, mask), paired + j * 4, even);
        odd = add_products(hn::And(hn::ShiftRight<8>(four), mask), paired + j * 4 + 2, odd);
    }
    return hn::Add(even, odd);
}

template <int First, int Count>
HWY_INLINE IntVec dot_nibbles(const std::byte* payload, const QuantisedVector& x, std::int64_t block, std::int64_t lane, int start)
{
    const std::int16_t* paired = x.paired.data() + block * kBlock;
    const IntVec mask = hn::Set(Ints(), 0x000F000F);
    IntVec even = hn::Set(Ints(), start);
    IntVec odd = hn::Zero(Ints());
    for (int j = First; j < First + Count; ++j) {
        const IntVec eight = load_ints(payload + j * 64 + lane * 4);
        even = add_products(hn::And(eight, mask), paired + j * 8, even);
        odd = add_products(hn::And(hn::ShiftRight<8>(eight), mask), paired + j * 8 + 2, odd);
        even = add_products(hn::And(hn::ShiftRight<4>(eight), mask), paired + j * 8 + 4, even);
        odd = add_products(hn::And(hn::ShiftRight<12>(eight), mask), paired + j * 8 + 6, odd);
    }
    return hn::Add(even, odd);
}

#else

HWY_INLINE std::int32_t integer_at(const QuantisedVector& x, std::int64_t place)
{
    return x.high.data()[place] * 256 + x.low.data()[place];
}

template <int First, int Count>
HWY_INLINE IntVec dot_bytes(const std::byte* payload, const QuantisedVector& x, std::int64_t block, std::int64_t lane, int start)
{
    const IntVec mask = hn::Set(Ints(), 0xFF);
    IntVec sum = hn::Set(Ints(), start);
    for (int j = First; j < First + Count; ++j) {
        IntVec four = load_ints(payload + j * 64 + lane * 4);
        for (int i = 0; i < 4; ++i) {
            sum = hn::Add(sum, hn::Mul(hn::And(four, mask), hn::Set(Ints(), integer_at(x, block * kBlock + j * 4 + i))));
            four = hn::ShiftRight<8>(four);
        }
    }
    return sum;
}

template <int First, int Count>
HWY_INLINE IntVec dot_nibbles(const std::byte* payload, const QuantisedVector& x, std::int64_t block, std::int64_t lane, int start)
{
    const IntVec mask = hn::Set(Ints(), 15);
    IntVec sum = hn::Set(Ints(), start);
    for (int j = First; j < First + Count; ++j) {
        IntVec eight = load_ints(payload + j * 64 + lane * 4);
        for (int i = 0; i < 4; ++i) {
            sum = hn::Add(sum, hn::Mul(hn::And(eight, mask), hn::Set(Ints(), integer_at(x, block * kBlock + j * 8 + i))));
            eight = hn::ShiftRight<4>(eight);
            sum = hn::Add(sum, hn::Mul(hn::And(eight, mask), hn::Set(Ints(), integer_at(x, block * kBlock + j * 8 + 4 + i))));
            eight = hn::ShiftRight<4>(eight);
        }
    }
    return sum;
}

#endif

HWY_INLINE FloatVec add_scaled(IntVec dot, const std::byte* scales, float x_scale, FloatVec sum)
{
    return hn::MulAdd(hn::ConvertTo(Floats(), dot), hn::Mul(load_half(scales), hn::Set(Floats(), x_scale)), sum);
}

/// Two blocks of Q8_0 or Q4_0: their scales, then their payloads.
template <PackFormat Format, int Streams>
HWY_INLINE void multiply_paired(const std::byte* group, std::size_t stride, std::int64_t columns, const QuantisedVector& x, std::int64_t lane,
                                FloatVec* sums)
{
    constexpr bool kBytes = Format == PackFormat::Q8_0;
    constexpr std::int64_t kPayload = kBytes ? 512 : 256;
    for (std::int64_t block = 0; block < columns / kBlock; block += 2, group += 64 + 2 * kPayload) {
#pragma GCC unroll 2
        for (int half = 0; half < 2; ++half) {
#pragma GCC unroll 4
            for (int stream = 0; stream < Streams; ++stream) {
                const std::byte* here = group + static_cast<std::size_t>(stream) * stride;
                const std::byte* payload = here + 64 + half * kPayload;
                const int start = (kBytes ? -128 : -8) * x.sum.data()[block + half];
                const IntVec dot =
                    kBytes ? dot_bytes<0, 8>(payload, x, block + half, lane, start) : dot_nibbles<0, 4>(payload, x, block + half, lane, start);
                sums[stream] = add_scaled(dot, here + half * 32 + lane * 2, x.scale.data()[block + half], sums[stream]);
            }
        }
    }
}

template <int Streams>
HWY_INLINE void multiply_q4_1(const std::byte* group, std::size_t stride, std::int64_t columns, const QuantisedVector& x, std::int64_t lane,
                              FloatVec* sums)
{
    for (std::int64_t block = 0; block < columns / kBlock; ++block, group += 320) {
        const float scale = x.scale.data()[block];
        const FloatVec x_sum = hn::Set(Floats(), scale * static_cast<float>(x.sum.data()[block]));
#pragma GCC unroll 4
        for (int stream = 0; stream < Streams; ++stream) {
            const std::byte* here = group + static_cast<std::size_t>(stream) * stride;
            sums[stream] = add_scaled(dot_nibbles<0, 4>(here + 64, x, block, lane, 0), here + lane * 2, scale, sums[stream]);
            sums[stream] = hn::MulAdd(load_half(here + 32 + lane * 2), x_sum, sums[stream]);
        }
    }
}

HWY_INLINE FloatVec load_small(const std::byte* numbers)
{
    const hn::Rebind<std::int8_t, Ints> tag;
    return hn::ConvertTo(Floats(), hn::PromoteTo(Ints(), hn::LoadU(tag, reinterpret_cast<const std::int8_t*>(numbers))));
}

/// Half `Half` of a block of K4 or K8, times x: scale * scales * (raw . x) - minimum * minimums * (sum of x).
template <bool Bytes, int Half>
HWY_INLINE FloatVec add_half(const std::byte* block, FloatVec scale, FloatVec minimum, const QuantisedVector& x, std::int64_t index,
                             std::int64_t lane, FloatVec sum)
{
    const std::byte* payload = block + 4 * kGroupRows;
    const IntVec dot = Bytes ? dot_bytes<4 * Half, 4>(payload, x, index, lane, 0) : dot_nibbles<2 * Half, 2>(payload, x, index, lane, 0);
    const FloatVec x_scale = hn::Set(Floats(), x.scale.data()[index]);
    const FloatVec x_sum = hn::ConvertTo(Floats(), hn::Set(Ints(), x.half_sums.data()[2 * index + Half]));
    const FloatVec own = hn::Mul(scale, load_small(block + Half * kGroupRows + lane));
    const FloatVec least = hn::Mul(minimum, load_small(block + (2 + Half) * kGroupRows + lane));
    return hn::MulAdd(hn::NegMulAdd(least, x_sum, hn::Mul(own, hn::ConvertTo(Floats(), dot))), x_scale, sum);
}

template <bool Bytes, int Streams>
HWY_INLINE void multiply_super(const std::byte* group, std::size_t stride, std::int64_t columns, const QuantisedVector& x, std::int64_t lane,
                               FloatVec* sums)
{
    constexpr std::int64_t kBlocks = SuperBlock::kValues / kBlock;
    constexpr std::int64_t kStep = 4 * kGroupRows + (Bytes ? 512 : 256);
    constexpr std::int64_t kScales = 2 * kGroupRows * static_cast<std::int64_t>(sizeof(float));
    for (std::int64_t first = 0; first < columns / kBlock; first += kBlocks, group += kScales + kBlocks * kStep) {
#pragma GCC unroll 4
        for (int stream = 0; stream < Streams; ++stream) {
            const std::byte* here = group + static_cast<std::size_t>(stream) * stride;
            const FloatVec scale = hn::LoadU(Floats(), reinterpret_cast<const float*>(here) + lane);
            const FloatVec minimum = hn::LoadU(Floats(), reinterpret_cast<const float*>(here) + kGroupRows + lane);
            for (std::int64_t block = 0; block < kBlocks; ++block) {
                const std::byte* place = here + kScales + block * kStep;
                sums[stream] = add_half<Bytes, 0>(place, scale, minimum, x, first + block, lane, sums[stream]);
                sums[stream] = add_half<Bytes, 1>(place, scale, minimum, x, first + block, lane, sums[stream]);
            }
        }
    }
}

constexpr int kChainsEach = 2; // of a row; with kDecodeStreams groups side by side enough to hide the latency of a multiply-add

/// Weights that are no blocks. A row's sum comes in the same order whatever is read beside it. load(group, column) gives the weights of two
/// neighbouring columns.
template <int Streams, class Load>
HWY_INLINE void multiply_columns(const std::byte* group, std::size_t stride, std::int64_t columns, const float* x, FloatVec* sums, Load&& load)
{
    FloatVec chains[Streams][kChainsEach];
    for (auto& of_stream : chains) {
        for (FloatVec& chain : of_stream) {
            chain = hn::Zero(Floats());
        }
    }
    for (std::int64_t column = 0; column < columns; column += kChainsEach) {
        const FloatVec x_first = hn::Set(Floats(), x[column]);
        const FloatVec x_second = hn::Set(Floats(), x[column + 1]);
#pragma GCC unroll 4
        for (int stream = 0; stream < Streams; ++stream) {
            const auto [first, second] = load(group + static_cast<std::size_t>(stream) * stride, column);
            chains[stream][0] = hn::MulAdd(first, x_first, chains[stream][0]);
            chains[stream][1] = hn::MulAdd(second, x_second, chains[stream][1]);
        }
    }
    for (int stream = 0; stream < Streams; ++stream) {
        sums[stream] = hn::Add(chains[stream][0], chains[stream][1]);
    }
}

struct TwoColumns {
    FloatVec first, second;
};

template <PackFormat Format>
HWY_INLINE TwoColumns load_columns(const std::byte* group, std::int64_t column, std::int64_t lane)
{
    if constexpr (Format == PackFormat::F32) {
        const float* values = reinterpret_cast<const float*>(group) + column * kGroupRows + lane;
        return {hn::LoadU(Floats(), values), hn::LoadU(Floats(), values + kGroupRows)};
    } else if constexpr (Format == PackFormat::F16) {
        const std::byte* values = group + (column * kGroupRows + lane) * 2;
        return {load_half(values), load_half(values + 2 * kGroupRows)};
    } else {
        const IntVec pairs = load_ints(group + column * 32 + lane * 4);
        return {first_bfloat16(pairs), second_bfloat16(pairs)};
    }
}

template <PackFormat Format, int Streams>
HWY_INLINE void multiply_streams(const std::byte* group, std::size_t stride, std::int64_t columns, const QuantisedVector& x, std::int64_t lane,
                                 float* out, std::int64_t out_stride)
{
    FloatVec sums[Streams];
    for (FloatVec& sum : sums) {
        sum = hn::Zero(Floats());
    }
    if constexpr (!is_quantised(Format)) {
        multiply_columns<Streams>(group, stride, columns, x.values.data(), sums,
                                  [lane](const std::byte* here, std::int64_t column) HWY_ATTR { return load_columns<Format>(here, column, lane); });
    } else if constexpr (Format == PackFormat::Q4_1) {
        multiply_q4_1<Streams>(group, stride, columns, x, lane, sums);
    } else if constexpr (Format == PackFormat::K4 || Format == PackFormat::K8) {
        multiply_super<Format == PackFormat::K8, Streams>(group, stride, columns, x, lane, sums);
    } else {
        multiply_paired<Format, Streams>(group, stride, columns, x, lane, sums);
    }
    for (int stream = 0; stream < Streams; ++stream) {
        hn::StoreU(sums[stream], Floats(), out + stream * out_stride);
    }
}

/// The groups in Streams runs of equal length, side by side; what is left over in fewer. Long runs: next-door groups would each run into the start of
/// the other.
template <PackFormat Format, int Streams = kDecodeStreams>
void multiply_groups_of(const std::byte* groups, std::int64_t count, std::int64_t columns, const QuantisedVector& x, float* out)
{
    const std::size_t bytes = group_bytes(Format, columns);
    const std::int64_t length = count / Streams;
    const std::size_t stride = static_cast<std::size_t>(length) * bytes;
    for (std::int64_t i = 0; i < length; ++i, groups += bytes, out += kGroupRows) {
        for (std::int64_t lane = 0; lane < kGroupRows; lane += kLanes) {
            multiply_streams<Format, Streams>(groups, stride, columns, x, lane, out + lane, length * kGroupRows);
        }
    }
    if constexpr (Streams > 1) {
        const std::int64_t done = (Streams - 1) * length; // beyond the first run, which the loop went through
        multiply_groups_of<Format, Streams / 2>(groups + static_cast<std::size_t>(done) * bytes, count - Streams * length, columns, x,
                                                out + done * kGroupRows);
    }
}

void multiply_any(PackFormat format, const std::byte* groups, std::int64_t count, std::int64_t columns, const QuantisedVector& x, float* out)
{
    switch (format) {
    case PackFormat::F32:
        return multiply_groups_of<PackFormat::F32>(groups, count, columns, x, out);
    case PackFormat::F16:
        return multiply_groups_of<PackFormat::F16>(groups, count, columns, x, out);
    case PackFormat::BF16:
        return multiply_groups_of<PackFormat::BF16>(groups, count, columns, x, out);
    case PackFormat::Q8_0:
        return multiply_groups_of<PackFormat::Q8_0>(groups, count, columns, x, out);
    case PackFormat::Q4_0:
        return multiply_groups_of<PackFormat::Q4_0>(groups, count, columns, x, out);
    case PackFormat::Q4_1:
        return multiply_groups_of<PackFormat::Q4_1>(groups, count, columns, x, out);
    case PackFormat::K4:
        return multiply_groups_of<PackFormat::K4>(groups, count, columns, x, out);
    case PackFormat::K8:
        return multiply_groups_of<PackFormat::K8>(groups, count, columns, x, out);
    }
}

} // namespace
} // namespace HWY_NAMESPACE
} // namespace retort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace retort {

HWY_EXPORT(multiply_any);

namespace {

void multiply_dispatched(PackFormat format, const std::byte* groups, std::int64_t count, std::int64_t columns, const QuantisedVector& x, float* out)
{
    HWY_DYNAMIC_DISPATCH(multiply_any)(format, groups, count, columns, x, out);
}

} // namespace

MultiplyGroups portable_gemv()
{
    return multiply_dispatched;
}

MultiplyGroups best_gemv()
{
    const MultiplyGroups vnni = vnni_gemv();
    return vnni != nullptr ? vnni : portable_gemv();
}

} // namespace retort
#endif
