#pragma once
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

namespace retort {

/// An append-only log that one thread writes and any thread reads at its own pace.
///
/// The writer never waits for a reader and a reader never misses an item: each keeps its own place and asks for what came after it.
/// That bounds the window's work (it asks 30 times a second) however fast the training runs.
template <class Item>
class Stream {
public:
    void append(Item item)
    {
        const std::lock_guard lock(m_mutex);
        m_items.push_back(std::move(item));
    }

    /// The items from `place` on, and the place to ask from next time.
    [[nodiscard]] std::pair<std::vector<Item>, std::size_t> since(std::size_t place) const
    {
        const std::lock_guard lock(m_mutex);
        if (place > m_items.size()) {
            place = m_items.size();
        }
        return {{m_items.begin() + static_cast<std::ptrdiff_t>(place), m_items.end()}, m_items.size()};
    }

private:
    mutable std::mutex m_mutex;
    std::vector<Item> m_items;
};

} // namespace retort
