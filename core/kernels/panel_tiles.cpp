// Products on the tile registers of AMX: a tile holds 16 rows of 32 bf16 values, an instruction multiplies two of them into 16 x 16 sums.
#include "core/kernels/panel_bf16.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#pragma GCC push_options
#pragma GCC target("amx-tile,amx-bf16")

namespace retort {
namespace {

/// The operand of LDTILECFG (Intel's Software Developer's Manual, volume 1, chapter 18): eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileConfiguration {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

void begin_tiles()
{
    // Static, because GCC 12 takes the instruction to read only the first eight bytes and drops the writing of the others.
    static const TileConfiguration configuration;
    _tile_loadconfig(&configuration);
}

void end_tiles()
{
    _tile_release();
}

constexpr std::int64_t kRowPart = 64;     // bytes of 32 upper or lower parts of a row
constexpr std::int64_t kPanelPart = 1024; // and of a panel

/// Adds upper * upper + lower * upper + upper * lower of 16 rows; what is left out, lower * lower, is below the rounding of float32.
void multiply_half(const TileProduct& product)
{
    const auto stride = static_cast<std::size_t>(product.row_stride) * 4;
    _tile_zero(0);
    _tile_zero(1);
    for (std::int64_t k = 0; k < product.depth; k += 32) {
        const std::byte* rows = product.rows + k * 4;
        const std::byte* first = product.panels[0] + k * 64;
        const std::byte* second = product.panels[1] + k * 64;
        _tile_loadd(4, rows, stride);
        _tile_loadd(5, rows + kRowPart, stride);
        _tile_loadd(6, first, 64);
        _tile_loadd(7, second, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(0, 5, 6);
        _tile_dpbf16ps(1, 5, 7);
        _tile_loadd(6, first + kPanelPart, 64);
        _tile_loadd(7, second + kPanelPart, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
    }
    const auto out_stride = static_cast<std::size_t>(product.out_stride) * sizeof(float);
    _tile_stored(0, product.out, out_stride);
    _tile_stored(1, product.out + kGroupRows, out_stride);
}

/// The same for 32 rows: eight loads for twelve products, each operand brought once.
void multiply_tiles(const TileProduct& product)
{
    if (product.row_count <= kTileRows / 2) {
        multiply_half(product);
        return;
    }
    const auto stride = static_cast<std::size_t>(product.row_stride) * 4;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (std::int64_t k = 0; k < product.depth; k += 32) {
        const std::byte* rows = product.rows + k * 4;
        const std::byte* lower_rows = rows + 16 * stride;
        const std::byte* first = product.panels[0] + k * 64;
        const std::byte* second = product.panels[1] + k * 64;
        _tile_loadd(4, rows + kRowPart, stride);
        _tile_loadd(6, first, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, second, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, lower_rows + kRowPart, stride);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
        _tile_loadd(4, lower_rows, stride);
        _tile_dpbf16ps(2, 4, 6);
        _tile_dpbf16ps(3, 4, 7);
        _tile_loadd(5, rows, stride);
        _tile_dpbf16ps(0, 5, 6);
        _tile_dpbf16ps(1, 5, 7);
        _tile_loadd(6, first + kPanelPart, 64);
        _tile_dpbf16ps(0, 5, 6);
        _tile_dpbf16ps(2, 4, 6);
        _tile_loadd(7, second + kPanelPart, 64);
        _tile_dpbf16ps(1, 5, 7);
        _tile_dpbf16ps(3, 4, 7);
    }
    const auto out_stride = static_cast<std::size_t>(product.out_stride) * sizeof(float);
    float* lower_out = product.out + 16 * product.out_stride;
    _tile_stored(0, product.out, out_stride);
    _tile_stored(1, product.out + kGroupRows, out_stride);
    _tile_stored(2, lower_out, out_stride);
    _tile_stored(3, lower_out + kGroupRows, out_stride);
}

} // namespace
} // namespace retort

#pragma GCC pop_options

namespace retort {

namespace {

/// Whether the processor has tiles for bf16 and the system lets this process use them (Documentation/arch/x86/xstate.rst of the kernel).
bool are_tiles_granted()
{
    constexpr unsigned kBf16 = 1u << 22;
    constexpr unsigned kTile = 1u << 24;
    constexpr long kRequestPermission = 0x1023; // ARCH_REQ_XCOMP_PERM
    constexpr long kTileData = 18;              // XFEATURE_XTILEDATA
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kBf16) != 0 && (d & kTile) != 0 && has_bf16_vectors() &&
           syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

} // namespace

const PanelKernels* bf16_tile_kernels()
{
    static const bool granted = are_tiles_granted();
    static const PanelKernels kernels = [] {
        PanelKernels made = two_part_kernels();
        made.arithmetic = Arithmetic::Bf16Tiles;
        made.begin = begin_tiles;
        made.end = end_tiles;
        made.multiply = multiply_tiles;
        return made;
    }();
    return granted ? &kernels : nullptr;
}

} // namespace retort
#else

namespace retort {

const PanelKernels* bf16_tile_kernels()
{
    return nullptr;
}

} // namespace retort
#endif
