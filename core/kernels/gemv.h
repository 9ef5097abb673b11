#pragma once
#include "core/kernels/packing.h"
#include "core/kernels/quantised_vector.h"

#include <cstddef>
#include <cstdint>

namespace retort {

/// Groups that are read side by side: a core's prefetcher follows each run of addresses only so far ahead, and several runs bring in more at once
/// and share the loading of the activations.
inline constexpr int kDecodeStreams = 4;

/// out[16 g + lane] = row (16 g + lane) . x for `count` groups that lie one after another in memory; `columns` is padded.
using MultiplyGroups = void (*)(PackFormat format, const std::byte* groups, std::int64_t count, std::int64_t columns, const QuantisedVector& x,
                                float* out);

/// Runs everywhere, with the widest vectors the processor has.
[[nodiscard]] MultiplyGroups portable_gemv();
/// Uses AVX-512 VNNI for quantised weights; null where the processor lacks it.
[[nodiscard]] MultiplyGroups vnni_gemv();
[[nodiscard]] MultiplyGroups best_gemv();

} // namespace retort
