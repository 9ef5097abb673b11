// The decode kernels for AVX-512 VNNI (Ice Lake, Zen 4 and later). Not among Highway's targets: version 1.0.3 compiles its AVX3_DL for AVX-VNNI,
// which Zen 4 does not have.
#include "core/kernels/gemv.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>

#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")

namespace retort {
namespace {

inline __m512i four_of(const std::int8_t* x)
{
    std::int32_t bits = 0;
    std::memcpy(&bits, x, sizeof bits);
    return _mm512_set1_epi32(bits);
}

inline __m512 load_halves(const std::byte* halves)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)));
}

template <int Streams>
struct Dots {
    __m512i low[Streams];  ///< offset * sum(x) + sum(w low(x))
    __m512i high[Streams]; ///< sum(w high(x)), which counts 256

    [[nodiscard]] __m512 total(int stream) const { return _mm512_cvtepi32_ps(_mm512_add_epi32(low[stream], _mm512_slli_epi32(high[stream], 8))); }
};

template <int Streams>
inline void begin(Dots<Streams>& dots, std::int32_t start)
{
#pragma GCC unroll 4
    for (int stream = 0; stream < Streams; ++stream) {
        dots.low[stream] = _mm512_set1_epi32(start);
        dots.high[stream] = _mm512_setzero_si512();
    }
}

/// A block of bytes of each stream, w unsigned.
template <int Streams>
inline void add_bytes(const std::byte* payload, std::size_t stride, const std::int8_t* high, const std::int8_t* low, Dots<Streams>& dots)
{
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) {
        const __m512i x_low = four_of(low + j * 4);
        const __m512i x_high = four_of(high + j * 4);
#pragma GCC unroll 4
        for (int stream = 0; stream < Streams; ++stream) {
            const __m512i weights = _mm512_load_si512(payload + static_cast<std::size_t>(stream) * stride + j * 64);
            dots.low[stream] = _mm512_dpbusd_epi32(dots.low[stream], weights, x_low);
            dots.high[stream] = _mm512_dpbusd_epi32(dots.high[stream], weights, x_high);
        }
    }
}

template <int Streams>
inline void add_nibbles(const std::byte* payload, std::size_t stride, const std::int8_t* high, const std::int8_t* low, Dots<Streams>& dots)
{
    const __m512i mask = _mm512_set1_epi8(15);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
        const __m512i first_low = four_of(low + j * 8);
        const __m512i first_high = four_of(high + j * 8);
        const __m512i second_low = four_of(low + j * 8 + 4);
        const __m512i second_high = four_of(high + j * 8 + 4);
#pragma GCC unroll 4
        for (int stream = 0; stream < Streams; ++stream) {
            const __m512i both = _mm512_load_si512(payload + static_cast<std::size_t>(stream) * stride + j * 64);
            const __m512i first = _mm512_and_si512(both, mask);
            const __m512i second = _mm512_and_si512(_mm512_srli_epi16(both, 4), mask);
            dots.low[stream] = _mm512_dpbusd_epi32(dots.low[stream], first, first_low);
            dots.high[stream] = _mm512_dpbusd_epi32(dots.high[stream], first, first_high);
            dots.low[stream] = _mm512_dpbusd_epi32(dots.low[stream], second, second_low);
            dots.high[stream] = _mm512_dpbusd_epi32(dots.high[stream], second, second_high);
        }
    }
}

/// A group of Q8_0 (Bytes) or Q4_0 of each stream: two blocks' scales, then their payloads.
template <bool Bytes, int Streams>
inline void multiply_paired(const std::byte* group, std::size_t stride, std::int64_t columns, const QuantisedVector& x, __m512* sums)
{
    constexpr int kOffset = Bytes ? -128 : -8;
    constexpr int kPayload = Bytes ? 512 : 256;
    const std::int8_t* high = x.high.data();
    const std::int8_t* low = x.low.data();
    for (std::int64_t block = 0; block < columns / kBlock; block += 2, group += 64 + 2 * kPayload) {
#pragma GCC unroll 2
        for (int half = 0; half < 2; ++half, high += kBlock, low += kBlock) {
            Dots<Streams> dots;
            begin(dots, kOffset * x.sum.data()[block + half]);
            const std::byte* payload = group + 64 + half * kPayload;
            Bytes ? add_bytes(payload, stride, high, low, dots) : add_nibbles(payload, stride, high, low, dots);
            const __m512 x_scale = _mm512_set1_ps(x.scale.data()[block + half]);
#pragma GCC unroll 4
            for (int stream = 0; stream < Streams; ++stream) {
                const __m512 scale = _mm512_mul_ps(load_halves(group + static_cast<std::size_t>(stream) * stride + half * 32), x_scale);
                sums[stream] = _mm512_fmadd_ps(dots.total(stream), scale, sums[stream]);
            }
        }
    }
}

template <int Streams>
inline void multiply_q4_1(const std::byte* group, std::size_t stride, std::int64_t columns, const QuantisedVector& x, __m512* sums)
{
    const std::int8_t* high = x.high.data();
    const std::int8_t* low = x.low.data();
    for (std::int64_t block = 0; block < columns / kBlock; ++block, group += 320, high += kBlock, low += kBlock) {
        Dots<Streams> dots;
        begin(dots, 0);
        add_nibbles(group + 64, stride, high, low, dots);
        const __m512 x_scale = _mm512_set1_ps(x.scale.data()[block]);
        const __m512 x_sum = _mm512_mul_ps(x_scale, _mm512_set1_ps(static_cast<float>(x.sum.data()[block])));
#pragma GCC unroll 4
        for (int stream = 0; stream < Streams; ++stream) {
            const std::byte* here = group + static_cast<std::size_t>(stream) * stride;
            sums[stream] = _mm512_fmadd_ps(dots.total(stream), _mm512_mul_ps(load_halves(here), x_scale), sums[stream]);
            sums[stream] = _mm512_fmadd_ps(load_halves(here + 32), x_sum, sums[stream]);
        }
    }
}

/// out[out_stride * stream ...] = the products of one group of each stream.
template <PackFormat Format, int Streams>
inline void multiply_streams(const std::byte* group, std::size_t stride, std::int64_t columns, const QuantisedVector& x, float* out,
                             std::int64_t out_stride)
{
    __m512 sums[Streams];
#pragma GCC unroll 4
    for (int stream = 0; stream < Streams; ++stream) {
        sums[stream] = _mm512_setzero_ps();
    }
    if constexpr (Format == PackFormat::Q4_1) {
        multiply_q4_1<Streams>(group, stride, columns, x, sums);
    } else {
        multiply_paired<Format == PackFormat::Q8_0, Streams>(group, stride, columns, x, sums);
    }
#pragma GCC unroll 4
    for (int stream = 0; stream < Streams; ++stream) {
        _mm512_storeu_ps(out + stream * out_stride, sums[stream]);
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
        multiply_streams<Format, Streams>(groups, stride, columns, x, out, length * kGroupRows);
    }
    if constexpr (Streams > 1) {
        const std::int64_t done = (Streams - 1) * length; // beyond the first run, which the loop went through
        multiply_groups_of<Format, Streams / 2>(groups + static_cast<std::size_t>(done) * bytes, count - Streams * length, columns, x,
                                                out + done * kGroupRows);
    }
}

void multiply_with_vnni(PackFormat format, const std::byte* groups, std::int64_t count, std::int64_t columns, const QuantisedVector& x, float* out)
{
    switch (format) {
    case PackFormat::Q8_0:
        return multiply_groups_of<PackFormat::Q8_0>(groups, count, columns, x, out);
    case PackFormat::Q4_0:
        return multiply_groups_of<PackFormat::Q4_0>(groups, count, columns, x, out);
    case PackFormat::Q4_1:
        return multiply_groups_of<PackFormat::Q4_1>(groups, count, columns, x, out);
    default:
        return portable_gemv()(format, groups, count, columns, x, out);
    }
}

} // namespace
} // namespace retort

#pragma GCC pop_options

namespace retort {

MultiplyGroups vnni_gemv()
{
    const bool usable = __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
    return usable ? multiply_with_vnni : nullptr;
}

} // namespace retort
#else

namespace retort {

MultiplyGroups vnni_gemv()
{
    return nullptr;
}

} // namespace retort
#endif
