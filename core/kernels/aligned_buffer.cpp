#include "core/kernels/aligned_buffer.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <sys/mman.h>

namespace retort {

namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kMapped = std::size_t{256} << 10; ///< from here on memory is the system's again as soon as it is freed

/// Stands right before the memory that is handed out.
struct alignas(kCacheLine) Header {
    void* mapping = nullptr; ///< null: from the heap
    std::size_t length = 0;  ///< of the mapping
};
static_assert(sizeof(Header) == kCacheLine);

std::size_t up_to(std::size_t value, std::size_t step)
{
    return (value + step - 1) / step * step;
}

/// Fresh pages are zero. The header takes a page of its own, so that the memory begins on one.
void* map(std::size_t bytes)
{
    const std::size_t alignment = bytes >= 2 * kHugePage ? kHugePage : kPage;
    if (bytes > std::numeric_limits<std::size_t>::max() / 2) {
        throw std::bad_alloc();
    }
    const std::size_t length = up_to(bytes, kPage) + kPage + alignment;
    void* const mapping = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) {
        throw std::bad_alloc();
    }
    const auto begin = reinterpret_cast<std::uintptr_t>(mapping);
    auto* const memory = reinterpret_cast<std::byte*>(up_to(begin + kPage, alignment));
    if (alignment == kHugePage) {
        madvise(memory, bytes, MADV_HUGEPAGE); // a wish: where the system refuses, small pages serve
    }
    new (memory - sizeof(Header)) Header{mapping, length};
    return memory;
}

} // namespace

void* allocate_aligned(std::size_t bytes)
{
    if (bytes >= kMapped) {
        return map(bytes);
    }
    const std::size_t length = up_to(bytes + sizeof(Header), kCacheLine);
    auto* const begin = static_cast<std::byte*>(std::aligned_alloc(kCacheLine, length));
    if (begin == nullptr) {
        throw std::bad_alloc();
    }
    std::memset(begin, 0, length);
    new (begin) Header;
    return begin + sizeof(Header);
}

void free_aligned(void* memory)
{
    if (memory == nullptr) {
        return;
    }
    auto* const header = reinterpret_cast<Header*>(static_cast<std::byte*>(memory) - sizeof(Header));
    if (header->mapping != nullptr) {
        munmap(header->mapping, header->length);
    } else {
        std::free(header);
    }
}

} // namespace retort
