#include "core/kernels/aligned_buffer.h"
#include "core/kernels/panel.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>

namespace retort {

namespace {

constexpr std::int64_t kDepth = 512;
constexpr int kProducts = 8;

/// Seconds for kProducts products of a 32 x 512 tile, the best of several tries so that an interruption does not decide.
double seconds_for(const PanelKernels& kernels)
{
    constexpr int kTries = 8;
    const AlignedBuffer<std::byte> rows(kTileRows * kDepth * kernels.element_bytes);
    const AlignedBuffer<std::byte> panels(kTileColumns * kDepth * kernels.element_bytes);
    AlignedBuffer<float> out(kTileRows * kTileColumns);
    const TileProduct product = {.rows = rows.data(),
                                 .row_stride = kDepth,
                                 .row_count = kTileRows,
                                 .depth = kDepth,
                                 .panels = {panels.data(), panels.data() + panels.size() / 2},
                                 .out = out.data(),
                                 .out_stride = kTileColumns};
    double best = std::numeric_limits<double>::infinity();
    kernels.begin();
    for (int i = 0; i < kTries; ++i) {
        const auto start = std::chrono::steady_clock::now();
        for (int j = 0; j < kProducts; ++j) {
            kernels.multiply(product);
        }
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    kernels.end();
    return best;
}

const PanelKernels& measure_fastest()
{
    const std::array<const PanelKernels*, 3> candidates = {&float32_kernels(), bf16_dot_kernels(), bf16_tile_kernels()};
    const PanelKernels* fastest = candidates[0];
    double least = seconds_for(*fastest);
    for (const PanelKernels* kernels : candidates) {
        if (kernels == nullptr || kernels->arithmetic == Arithmetic::Float32) {
            continue;
        }
        const double seconds = seconds_for(*kernels);
        if (seconds < least) {
            least = seconds;
            fastest = kernels;
        }
    }
    return *fastest;
}

} // namespace

double product_speed_of(const PanelKernels& kernels)
{
    return 2.0 * kProducts * static_cast<double>(kTileRows * kTileColumns * kDepth) / seconds_for(kernels);
}

const PanelKernels& fastest_kernels()
{
    static const PanelKernels& fastest = measure_fastest();
    return fastest;
}

} // namespace retort
