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

/// offset * sum(x) + sum(w x) of a block of bytes, w unsigned; the low bytes of x start at `start`, the high ones count 256.
inline __m512i dot_bytes(const std::byte* payload, const std::int8_t* high, const std::int8_t* low, __m512i start)
{
    __m512i sum_high = _mm512_setzero_si512();
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) {
        const __m512i weights = _mm512_load_si512(payload + j * 64);
        start = _mm512_dpbusd_epi32(start, weights, four_of(low + j * 4));
        sum_high = _mm512_dpbusd_epi32(sum_high, weights, four_of(high + j * 4));
    }
    return _mm512_add_epi32(start, _mm512_slli_epi32(sum_high, 8));
}

inline __m512i dot_nibbles(const std::byte* payload, const std::int8_t* high, const std::int8_t* low, __m512i start)
{
    const __m512i mask = _mm512_set1_epi8(15);
    __m512i sum_high = _mm512_setzero_si512();
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
        const __m512i both = _mm512_load_si512(payload + j * 64);
        const __m512i first = _mm512_and_si512(both, mask);
        const __m512i second = _mm512_and_si512(_mm512_srli_epi16(both, 4), mask);
        start = _mm512_dpbusd_epi32(start, first, four_of(low + j * 8));
        sum_high = _mm512_dpbusd_epi32(sum_high, first, four_of(high + j * 8));
        start = _mm512_dpbusd_epi32(start, second, four_of(low + j * 8 + 4));
        sum_high = _mm512_dpbusd_epi32(sum_high, second, four_of(high + j * 8 + 4));
    }
    return _mm512_add_epi32(start, _mm512_slli_epi32(sum_high, 8));
}

/// A group of Q8_0 (Bytes) or Q4_0: two blocks' scales, then their payloads.
template <bool Bytes>
inline __m512 multiply_paired(const std::byte* group, std::int64_t columns, const QuantisedVector& x)
{
    constexpr int kOffset = Bytes ? -128 : -8;
    constexpr int kPayload = Bytes ? 512 : 256;
    const std::int8_t* high = x.high.data();
    const std::int8_t* low = x.low.data();
    __m512 sum = _mm512_setzero_ps();
    for (std::int64_t block = 0; block < columns / kBlock; block += 2, group += 64 + 2 * kPayload) {
#pragma GCC unroll 2
        for (int half = 0; half < 2; ++half, high += kBlock, low += kBlock) {
            const __m512i start = _mm512_set1_epi32(kOffset * x.sum.data()[block + half]);
            const std::byte* payload = group + 64 + half * kPayload;
            const __m512i dot = Bytes ? dot_bytes(payload, high, low, start) : dot_nibbles(payload, high, low, start);
            const __m512 scale = _mm512_mul_ps(load_halves(group + half * 32), _mm512_set1_ps(x.scale.data()[block + half]));
            sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), scale, sum);
        }
    }
    return sum;
}

inline __m512 multiply_q4_1(const std::byte* group, std::int64_t columns, const QuantisedVector& x)
{
    const std::int8_t* high = x.high.data();
    const std::int8_t* low = x.low.data();
    __m512 sum = _mm512_setzero_ps();
    __m512 minima = _mm512_setzero_ps();
    for (std::int64_t block = 0; block < columns / kBlock; ++block, group += 320, high += kBlock, low += kBlock) {
        const __m512i dot = dot_nibbles(group + 64, high, low, _mm512_setzero_si512());
        const __m512 x_scale = _mm512_set1_ps(x.scale.data()[block]);
        sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), _mm512_mul_ps(load_halves(group), x_scale), sum);
        const __m512 x_sum = _mm512_mul_ps(x_scale, _mm512_set1_ps(static_cast<float>(x.sum.data()[block])));
        minima = _mm512_fmadd_ps(load_halves(group + 32), x_sum, minima);
    }
    return _mm512_add_ps(sum, minima);
}

template <PackFormat Format>
void multiply_groups_of(const std::byte* groups, std::int64_t count, std::int64_t columns, const QuantisedVector& x, float* out)
{
    const std::size_t bytes = group_bytes(Format, columns);
    for (std::int64_t group = 0; group < count; ++group, groups += bytes, out += kGroupRows) {
        if constexpr (Format == PackFormat::Q4_1) {
            _mm512_storeu_ps(out, multiply_q4_1(groups, columns, x));
        } else {
            _mm512_storeu_ps(out, multiply_paired<Format == PackFormat::Q8_0>(groups, columns, x));
        }
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
