#pragma once
#include "core/text/tokenizer.h"

#include <bit>
#include <cstring>
#include <random>

namespace retort {

/// Mixes two words into one (the folded product of wyhash, Wang Yi 2019). Fast, and with a secret seed not to be steered from outside.
[[nodiscard]] inline std::uint64_t mix(std::uint64_t a, std::uint64_t b)
{
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

[[nodiscard]] inline std::uint64_t random_seed()
{
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32 | device()) | 1U;
}

/// Bytes to id. The views that are put in must outlive it. Filled by one thread, then read by any.
///
/// The vocabulary is a stranger's and could be made of colliding strings, so each map has a seed of its own.
class PieceMap {
public:
    void reserve(std::size_t count) { m_slots.assign(std::bit_ceil(std::max<std::size_t>(16, count * 2)), Slot{}); }

    /// False, with nothing changed, when the piece is there already.
    bool insert(std::string_view piece, TokenId id)
    {
        if ((m_count + 1) * 2 > m_slots.size()) {
            grow();
        }
        Slot& slot = m_slots[place(piece)];
        if (slot.id >= 0) {
            return false;
        }
        slot = {piece.data(), static_cast<std::uint32_t>(piece.size()), id};
        ++m_count;
        return true;
    }

    /// -1 when absent.
    [[nodiscard]] TokenId find(std::string_view piece) const { return m_slots.empty() ? -1 : m_slots[place(piece)].id; }

private:
    struct Slot {
        const char* data = nullptr;
        std::uint32_t size = 0;
        TokenId id = -1;
    };

    [[nodiscard]] std::uint64_t hash(std::string_view piece) const
    {
        std::uint64_t state = m_seed ^ piece.size();
        while (piece.size() >= 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, piece.data(), 8);
            state = mix(state ^ word, kOdd);
            piece.remove_prefix(8);
        }
        std::uint64_t word = 0;
        std::memcpy(&word, piece.data(), piece.size());
        return mix(state ^ word, m_seed);
    }

    [[nodiscard]] std::size_t place(std::string_view piece) const
    {
        std::size_t at = hash(piece) & (m_slots.size() - 1);
        while (m_slots[at].id >= 0 && std::string_view(m_slots[at].data, m_slots[at].size) != piece) {
            at = (at + 1) & (m_slots.size() - 1);
        }
        return at;
    }

    void grow()
    {
        std::vector<Slot> old = std::move(m_slots);
        m_slots.assign(std::max<std::size_t>(16, old.size() * 2), Slot{});
        for (const Slot& slot : old) {
            if (slot.id >= 0) {
                m_slots[place({slot.data, slot.size})] = slot;
            }
        }
    }

    static constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15ULL;
    std::uint64_t m_seed = random_seed();
    std::size_t m_count = 0;
    std::vector<Slot> m_slots;
};

} // namespace retort
