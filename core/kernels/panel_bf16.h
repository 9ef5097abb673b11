#pragma once
#include "core/kernels/panel.h"

namespace retort {

/// Whether the processor has AVX-512 with BF16.
[[nodiscard]] bool has_bf16_vectors();

/// The functions that make rows and panels of values in two bf16 parts (upper and lower, 16 bits of the number together); without begin, end and
/// multiply, which the tiles add. For every 32 columns: a row has 32 upper parts, then 32 lower ones; a panel has bf16[16][16][2] upper, then the
/// same lower. Only where has_bf16_vectors().
[[nodiscard]] PanelKernels two_part_kernels();

} // namespace retort
