#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

namespace retort {

/// Zeroed memory that starts on a cache line and, when it is large, on huge pages (the system is asked; it may refuse): streaming weights through
/// 4 KiB pages costs 10 to 20 % of a decode step. Plain ownership; the bytes may be used by any thread.
template <class T>
class AlignedBuffer {
public:
    AlignedBuffer() = default;
    /// Throws std::bad_alloc, as operator new does.
    explicit AlignedBuffer(std::size_t count);

    [[nodiscard]] T* data() { return m_data.get(); }
    [[nodiscard]] const T* data() const { return m_data.get(); }
    [[nodiscard]] std::size_t size() const { return m_count; }
    [[nodiscard]] T& operator[](std::size_t place) { return m_data.get()[place]; }
    [[nodiscard]] const T& operator[](std::size_t place) const { return m_data.get()[place]; }
    [[nodiscard]] std::span<T> span() { return {data(), m_count}; }
    [[nodiscard]] std::span<const T> span() const { return {data(), m_count}; }

private:
    struct Free {
        void operator()(T* memory) const;
    };

    std::unique_ptr<T, Free> m_data;
    std::size_t m_count = 0;
};

/// `bytes` zeroed bytes for AlignedBuffer; given back with free_aligned. Throws std::bad_alloc.
[[nodiscard]] void* allocate_aligned(std::size_t bytes);
void free_aligned(void* memory);

template <class T>
AlignedBuffer<T>::AlignedBuffer(std::size_t count) : m_data(static_cast<T*>(allocate_aligned(count * sizeof(T)))), m_count(count)
{
    static_assert(std::is_trivially_destructible_v<T>);
}

template <class T>
void AlignedBuffer<T>::Free::operator()(T* memory) const
{
    free_aligned(memory);
}

} // namespace retort
