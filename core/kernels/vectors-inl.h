// The vectors that Net's kernels work in, at most one float for each of a packed group's 16 rows, for the files that Highway compiles once for each
// instruction set. Included after foreach_target.h.
#if defined(RETORT_VECTORS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef RETORT_VECTORS_INL_H
#undef RETORT_VECTORS_INL_H
#else
#define RETORT_VECTORS_INL_H
#endif

#include "core/kernels/packing.h"

#include <cstddef>
#include <cstdint>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace retort {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kGroupRows>;
using Ints = hn::RebindToSigned<Floats>;
using FloatVec = hn::Vec<Floats>;
using IntVec = hn::Vec<Ints>;
constexpr std::int64_t kLanes = hn::MaxLanes(Floats());

HWY_INLINE FloatVec load_half(const std::byte* halves)
{
    const hn::Rebind<hwy::float16_t, Floats> tag;
    return hn::PromoteTo(Floats(), hn::LoadU(tag, reinterpret_cast<const hwy::float16_t*>(halves)));
}

HWY_INLINE IntVec load_ints(const std::byte* bytes)
{
    return hn::LoadU(Ints(), reinterpret_cast<const std::int32_t*>(bytes));
}

/// A vector of pairs of bfloat16, each the upper half of a float: the first of each pair.
HWY_INLINE FloatVec first_bfloat16(IntVec pairs)
{
    return hn::BitCast(Floats(), hn::ShiftLeft<16>(pairs));
}

HWY_INLINE FloatVec second_bfloat16(IntVec pairs)
{
    return hn::BitCast(Floats(), hn::And(pairs, hn::Set(Ints(), static_cast<std::int32_t>(0xFFFF0000u))));
}

} // namespace HWY_NAMESPACE
} // namespace retort
HWY_AFTER_NAMESPACE();

#endif
