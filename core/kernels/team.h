#pragma once
#include <atomic>
#include <cstdint>
#include <type_traits>

namespace retort {

/// Where the members of a team meet, many times a token. Spins (a meeting costs some 100 ns), and gives the core away when another process has taken
/// the one that is waited for. For exactly `members` threads, each of which calls meet() equally often.
class SpinBarrier {
public:
    explicit SpinBarrier(int members) : m_members(members) {}

    void meet();

private:
    const int m_members;
    alignas(64) std::atomic<int> m_arrived{0};
    alignas(64) std::atomic<std::uint32_t> m_meeting{0};
};

/// One thread of a team at work: its number, how many there are, and where they meet.
class Member {
public:
    Member(int index, int count, SpinBarrier& barrier) : m_index(index), m_count(count), m_barrier(&barrier) {}

    [[nodiscard]] int index() const { return m_index; }
    [[nodiscard]] int count() const { return m_count; }
    [[nodiscard]] bool is_first() const { return m_index == 0; }

    /// Waits until every member has come here; what they wrote before is visible after.
    void meet() const { m_barrier->meet(); }

    struct Range {
        std::int64_t begin = 0;
        std::int64_t end = 0;
    };
    /// This member's share of 0 ... items - 1, in whole steps of `step`.
    [[nodiscard]] Range share(std::int64_t items, std::int64_t step = 1) const;

private:
    int m_index;
    int m_count;
    SpinBarrier* m_barrier;
};

/// The threads a team has: LibTorch's OpenMP threads, the only pool of the process.
[[nodiscard]] int team_size();

/// The share of 0 ... items - 1 that part `index` of `count` has, in whole steps of `step`.
[[nodiscard]] Member::Range share_of(std::int64_t items, std::int64_t step, int index, int count);

namespace detail {
void run_team(void (*work)(void* context, const Member& member), void* context);
}

/// Runs work(member) once on every thread of the OpenMP pool and returns when all are done. `work` must not throw.
template <class Work>
void run_team(Work&& work)
{
    detail::run_team([](void* context, const Member& member) { (*static_cast<std::remove_reference_t<Work>*>(context))(member); }, &work);
}

} // namespace retort
