#include "core/kernels/aligned_buffer.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <sys/mman.h>

namespace retort {

namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t(2) << 20;

} // namespace

void* allocate_aligned(std::size_t bytes)
{
    const std::size_t alignment = bytes >= 2 * kHugePage ? kHugePage : kCacheLine;
    const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    if (rounded < bytes) {
        throw std::bad_alloc();
    }
    void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    if (alignment == kHugePage) {
        madvise(memory, rounded, MADV_HUGEPAGE); // a wish: where the system refuses, small pages serve
    }
    std::memset(memory, 0, rounded);
    return memory;
}

void free_aligned(void* memory)
{
    std::free(memory);
}

} // namespace retort
