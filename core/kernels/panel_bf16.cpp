#include "core/kernels/panel_bf16.h"

#if defined(__x86_64__)
#include <algorithm>
#include <cstring>
#include <immintrin.h>

#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")

namespace retort {
namespace {

constexpr std::int64_t kPairBytes = 4 * kGroupRows;   // two columns of a panel
constexpr std::int64_t kPlaneBytes = 16 * kPairBytes; // 32 columns of a panel
constexpr std::int64_t kPlaneColumns = 32;

inline __m512 load_halves(const std::byte* halves)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)));
}

/// The values rounded to bf16, still as floats. Half a unit is added before cutting: ties go away from zero, which costs one instruction less.
inline __m512i round_to_bf16(__m512 values)
{
    return _mm512_and_si512(_mm512_add_epi32(_mm512_castps_si512(values), _mm512_set1_epi32(0x8000)),
                            _mm512_set1_epi32(static_cast<int>(0xFFFF0000u)));
}

/// Two columns of rounded floats as bf16, side by side in each lane.
inline __m512i interleave(__m512i even, __m512i odd)
{
    return _mm512_or_si512(_mm512_srli_epi32(even, 16), odd);
}

/// Each value rounded to one bf16: panels bf16[depth / 2][16][2], rows bf16[columns].
struct OnePart {
    static constexpr std::int64_t kParts = 1;

    static void put_pair(std::byte* panel, std::int64_t pair, __m512 even, __m512 odd)
    {
        _mm512_storeu_si512(panel + pair * kPairBytes, interleave(round_to_bf16(even), round_to_bf16(odd)));
    }
    static void put_values(std::byte* place, __mmask16 mask, __m512 values)
    {
        _mm256_mask_storeu_epi16(place, mask, _mm512_cvtepi32_epi16(_mm512_srli_epi32(round_to_bf16(values), 16)));
    }
};

/// Each value as the sum of two bf16, 16 bits together: for every 32 columns first the upper parts, laid out as OnePart, then the lower ones.
struct TwoParts {
    static constexpr std::int64_t kParts = 2;

    static __m512 rest(__m512 values, __m512i upper) { return _mm512_sub_ps(values, _mm512_castsi512_ps(upper)); }

    static void put_pair(std::byte* panel, std::int64_t pair, __m512 even, __m512 odd)
    {
        std::byte* place = panel + pair / 16 * 2 * kPlaneBytes + pair % 16 * kPairBytes;
        const __m512i upper_even = round_to_bf16(even);
        const __m512i upper_odd = round_to_bf16(odd);
        _mm512_storeu_si512(place, interleave(upper_even, upper_odd));
        _mm512_storeu_si512(place + kPlaneBytes, interleave(round_to_bf16(rest(even, upper_even)), round_to_bf16(rest(odd, upper_odd))));
    }
    static void put_values(std::byte* place, __mmask16 mask, __m512 values)
    {
        const __m512i upper = round_to_bf16(values);
        _mm256_mask_storeu_epi16(place, mask, _mm512_cvtepi32_epi16(_mm512_srli_epi32(upper, 16)));
        OnePart::put_values(place + 2 * kPlaneColumns, mask, rest(values, upper));
    }
};

/// Four columns from the bytes of each lane, times scale, plus shift, as pairs `pair` and `pair` + 1.
template <class Parts>
inline void expand_bytes(__m512i bytes, __m512 scale, __m512 shift, std::byte* panel, std::int64_t pair)
{
    const __m512i mask = _mm512_set1_epi32(255);
    const auto value = [&](__m512i lane) { return _mm512_fmadd_ps(_mm512_cvtepi32_ps(lane), scale, shift); };
    const __m512 first = value(_mm512_and_si512(bytes, mask));
    const __m512 second = value(_mm512_and_si512(_mm512_srli_epi32(bytes, 8), mask));
    const __m512 third = value(_mm512_and_si512(_mm512_srli_epi32(bytes, 16), mask));
    const __m512 fourth = value(_mm512_srli_epi32(bytes, 24));
    Parts::put_pair(panel, pair, first, second);
    Parts::put_pair(panel, pair + 1, third, fourth);
}

/// Rows `first` to `end` of a block's payload of bytes, and of one of nibbles.
template <class Parts>
inline void expand_byte_rows(const std::byte* payload, int first, int end, __m512 scale, __m512 shift, std::byte* panel, std::int64_t pair)
{
    for (int j = first; j < end; ++j) {
        expand_bytes<Parts>(_mm512_loadu_si512(payload + j * 64), scale, shift, panel, pair + j * 2);
    }
}

template <class Parts>
inline void expand_nibble_rows(const std::byte* payload, int first, int end, __m512 scale, __m512 shift, std::byte* panel, std::int64_t pair)
{
    const __m512i mask = _mm512_set1_epi8(15);
    for (int j = first; j < end; ++j) {
        const __m512i both = _mm512_loadu_si512(payload + j * 64);
        expand_bytes<Parts>(_mm512_and_si512(both, mask), scale, shift, panel, pair + j * 4);
        expand_bytes<Parts>(_mm512_and_si512(_mm512_srli_epi16(both, 4), mask), scale, shift, panel, pair + j * 4 + 2);
    }
}

template <class Parts>
inline void expand_byte_block(const std::byte* payload, __m512 scale, __m512 shift, std::byte* panel, std::int64_t pair)
{
    expand_byte_rows<Parts>(payload, 0, 8, scale, shift, panel, pair);
}

template <class Parts>
inline void expand_nibble_block(const std::byte* payload, __m512 scale, __m512 shift, std::byte* panel, std::int64_t pair)
{
    expand_nibble_rows<Parts>(payload, 0, 4, scale, shift, panel, pair);
}

inline __m512 load_small(const std::byte* numbers)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(numbers))));
}

/// K4 and K8: each half of a block has its own scale and minimum.
template <class Parts, bool Bytes>
void expand_super(const std::byte* group, std::int64_t columns, std::byte* panel)
{
    constexpr int kRows = Bytes ? 8 : 4;
    for (std::int64_t column = 0; column < columns;) {
        const __m512 scale = _mm512_loadu_ps(group);
        const __m512 minimum = _mm512_sub_ps(_mm512_setzero_ps(), _mm512_loadu_ps(group + 64));
        group += 128;
        for (std::int64_t end = column + SuperBlock::kValues; column < end; column += kBlock, group += 64 + 64 * kRows) {
            for (int half = 0; half < 2; ++half) {
                const __m512 own = _mm512_mul_ps(scale, load_small(group + half * 16));
                const __m512 shift = _mm512_mul_ps(minimum, load_small(group + 32 + half * 16));
                if constexpr (Bytes) {
                    expand_byte_rows<Parts>(group + 64, half * 4, half * 4 + 4, own, shift, panel, column / 2);
                } else {
                    expand_nibble_rows<Parts>(group + 64, half * 2, half * 2 + 2, own, shift, panel, column / 2);
                }
            }
        }
    }
}

template <class Parts, bool Bytes>
void expand_paired(const std::byte* group, std::int64_t columns, std::byte* panel)
{
    constexpr int kPayload = Bytes ? 512 : 256;
    const __m512 centre = _mm512_set1_ps(Bytes ? -128.0f : -8.0f);
    std::int64_t pair = 0;
    for (std::int64_t column = 0; column < columns; column += 2 * kBlock, group += 64 + 2 * kPayload) {
        for (int half = 0; half < 2; ++half, pair += kBlock / 2) {
            const __m512 scale = load_halves(group + half * 32);
            const __m512 shift = _mm512_mul_ps(scale, centre);
            const std::byte* payload = group + 64 + half * kPayload;
            if constexpr (Bytes) {
                expand_byte_block<Parts>(payload, scale, shift, panel, pair);
            } else {
                expand_nibble_block<Parts>(payload, scale, shift, panel, pair);
            }
        }
    }
}

/// A group whose format stores values one by one; load(column) gives 16 of them.
template <class Parts, class Load>
void expand_values(std::int64_t columns, std::byte* panel, Load&& load)
{
    for (std::int64_t column = 0; column < columns; column += 2) {
        Parts::put_pair(panel, column / 2, load(column), load(column + 1));
    }
}

template <class Parts>
void expand_bf16(const std::byte* group, std::int64_t columns, std::byte* panel)
{
    const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xFFFF0000u));
    for (std::int64_t pair = 0; pair < columns / 2; ++pair) {
        const __m512i two = _mm512_loadu_si512(group + pair * kPairBytes);
        Parts::put_pair(panel, pair, _mm512_castsi512_ps(_mm512_slli_epi32(two, 16)), _mm512_castsi512_ps(_mm512_and_si512(two, upper)));
    }
}

template <class Parts>
const std::byte* expand(PackFormat format, const std::byte* group, std::int64_t columns, std::byte* scratch)
{
    switch (format) {
    case PackFormat::BF16:
        if constexpr (Parts::kParts == 1) {
            return group;
        }
        expand_bf16<Parts>(group, columns, scratch);
        break;
    case PackFormat::Q8_0:
        expand_paired<Parts, true>(group, columns, scratch);
        break;
    case PackFormat::Q4_0:
        expand_paired<Parts, false>(group, columns, scratch);
        break;
    case PackFormat::Q4_1:
        for (std::int64_t column = 0; column < columns; column += kBlock, group += 320) {
            expand_nibble_block<Parts>(group + 64, load_halves(group), load_halves(group + 32), scratch, column / 2);
        }
        break;
    case PackFormat::K4:
        expand_super<Parts, false>(group, columns, scratch);
        break;
    case PackFormat::K8:
        expand_super<Parts, true>(group, columns, scratch);
        break;
    case PackFormat::F16:
        expand_values<Parts>(columns, scratch, [group](std::int64_t column) { return load_halves(group + column * 2 * kGroupRows); });
        break;
    case PackFormat::F32:
        expand_values<Parts>(columns, scratch, [group](std::int64_t column) { return _mm512_loadu_ps(group + column * 4 * kGroupRows); });
        break;
    }
    return scratch;
}

template <class Parts>
void convert(const float* values, std::int64_t count, std::byte* row, std::int64_t column)
{
    for (std::int64_t i = 0; i < count;) {
        const std::int64_t place = column + i;
        const std::int64_t here = std::min(count - i, 16 - place % 16); // never across the end of a part's 32
        const auto mask = static_cast<__mmask16>((1u << here) - 1);
        std::byte* to = row + place / kPlaneColumns * kPlaneColumns * 2 * Parts::kParts + place % kPlaneColumns * 2;
        Parts::put_values(to, mask, _mm512_maskz_loadu_ps(mask, values + i));
        i += here;
    }
}

template <class Parts>
void panel_from_rows(const float* rows, std::int64_t stride, std::int64_t count, std::int64_t width, std::int64_t depth, std::byte* panel)
{
    std::memset(panel, 0, static_cast<std::size_t>(depth / 2 * kPairBytes * Parts::kParts));
    for (std::int64_t column = 0; column < count; ++column) {
        for (std::int64_t first = 0; first < width; first += kPlaneColumns) {
            alignas(64) std::uint32_t pairs[16 * Parts::kParts] = {};
            convert<Parts>(rows + column * stride + first, std::min(kPlaneColumns, width - first), reinterpret_cast<std::byte*>(pairs), 0);
            auto* out = reinterpret_cast<std::uint32_t*>(panel + first / kPlaneColumns * kPlaneBytes * Parts::kParts) + column;
            for (const std::uint32_t pair : pairs) {
                *out = pair;
                out += kGroupRows;
            }
        }
    }
}

template <class Parts>
void panel_from_columns(const float* rows, std::int64_t stride, std::int64_t count, std::int64_t width, std::int64_t depth, std::byte* panel)
{
    const auto mask = static_cast<__mmask16>((1u << width) - 1);
    const auto row = [&](std::int64_t k) { return k < count ? _mm512_maskz_loadu_ps(mask, rows + k * stride) : _mm512_setzero_ps(); };
    for (std::int64_t k = 0; k < depth; k += 2) {
        Parts::put_pair(panel, k / 2, row(k), row(k + 1));
    }
}

/// The product of `Rows` rows and one or two panels; each row's pair of values goes to all lanes.
template <int Rows>
inline void multiply_rows(const TileProduct& product, std::int64_t first_row)
{
    const auto* rows = reinterpret_cast<const std::uint16_t*>(product.rows) + first_row * product.row_stride;
    __m512 sums[Rows][2];
    for (auto& sum : sums) {
        sum[0] = _mm512_setzero_ps();
        sum[1] = _mm512_setzero_ps();
    }
    for (std::int64_t pair = 0; pair < product.depth / 2; ++pair) {
        const auto first = reinterpret_cast<__m512bh>(_mm512_loadu_si512(product.panels[0] + pair * kPairBytes));
        const auto second = reinterpret_cast<__m512bh>(_mm512_loadu_si512(product.panels[1] + pair * kPairBytes));
#pragma GCC unroll 12
        for (int r = 0; r < Rows; ++r) {
            std::int32_t two = 0;
            std::memcpy(&two, rows + r * product.row_stride + 2 * pair, sizeof two);
            const auto x = reinterpret_cast<__m512bh>(_mm512_set1_epi32(two));
            sums[r][0] = _mm512_dpbf16_ps(sums[r][0], first, x);
            sums[r][1] = _mm512_dpbf16_ps(sums[r][1], second, x);
        }
    }
    for (int r = 0; r < Rows; ++r) {
        float* out = product.out + (first_row + r) * product.out_stride;
        _mm512_storeu_ps(out, sums[r][0]);
        _mm512_storeu_ps(out + kGroupRows, sums[r][1]);
    }
}

void multiply_dot(const TileProduct& product)
{
    std::int64_t row = 0;
    for (; row + 12 <= product.row_count; row += 12) {
        multiply_rows<12>(product, row);
    }
    for (; row + 8 <= product.row_count; row += 8) {
        multiply_rows<8>(product, row);
    }
    for (; row + 4 <= product.row_count; row += 4) {
        multiply_rows<4>(product, row);
    }
    for (; row < product.row_count; ++row) {
        multiply_rows<1>(product, row);
    }
}

} // namespace

} // namespace retort

#pragma GCC pop_options

namespace retort {

bool has_bf16_vectors()
{
    return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
}

PanelKernels two_part_kernels()
{
    return {.element_bytes = 4,
            .expand = expand<TwoParts>,
            .convert = convert<TwoParts>,
            .panel_from_rows = panel_from_rows<TwoParts>,
            .panel_from_columns = panel_from_columns<TwoParts>};
}

const PanelKernels* bf16_dot_kernels()
{
    static constexpr auto kNothing = [] {};
    static constexpr PanelKernels kKernels = {
        Arithmetic::Bf16Dot,        2, kNothing, kNothing, multiply_dot, expand<OnePart>, convert<OnePart>, panel_from_rows<OnePart>,
        panel_from_columns<OnePart>};
    return has_bf16_vectors() ? &kKernels : nullptr;
}

} // namespace retort
#else

namespace retort {

const PanelKernels* bf16_dot_kernels()
{
    return nullptr;
}

} // namespace retort
#endif
