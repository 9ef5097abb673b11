#pragma once
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace retort {

/// Items begin ... end - 1.
struct ItemRange {
    std::int64_t begin = 0;
    std::int64_t end = 0;
};

/// The share of 0 ... items - 1 that part `index` of `count` has, in whole steps of `step`.
[[nodiscard]] ItemRange share_of(std::int64_t items, std::int64_t step, std::int64_t index, std::int64_t count);

/// Threads that do one thing together: it is cut into chunks, and whoever is running takes the next one. The caller is member 0 and would do all of
/// it if nobody came, so a member that another program keeps off its processor holds up one chunk at most.
///
/// Without work a member spins for some microseconds, then sleeps until there is more: a team costs nothing while it waits.
///
/// The result must not depend on who took which chunk. So chunks are cut by the shape of the work, never by the number of members, and sums belong to
/// chunks and are added in the chunks' order: the same bits with one member, with two, and with one that came late.
///
/// run() may be called from any thread, also from inside a chunk; while the team is at work for somebody, the caller does its chunks alone.
class Team {
public:
    /// `members` - 1 threads beside those that call run(); at least 1.
    explicit Team(int members);
    /// Nobody may be in run().
    ~Team();
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;

    [[nodiscard]] int size() const { return static_cast<int>(m_threads.size()) + 1; }

    /// work(chunk, member) once for each chunk of 0 ... chunks - 1; all are done when this returns. `member`, below size(), names the memory a chunk
    /// may use for itself. Of what chunks throw, the earliest chunk's arrives here, when all have ended.
    template <class Work>
    void run(std::int64_t chunks, Work&& work)
    {
        run({[](void* context, std::int64_t chunk, int member) { (*static_cast<std::remove_reference_t<Work>*>(context))(chunk, member); },
             const_cast<void*>(static_cast<const void*>(&work)), chunks});
    }

private:
    struct Job {
        void (*work)(void* context, std::int64_t chunk, int member) = nullptr;
        void* context = nullptr;
        std::int64_t chunks = 0;
        std::int64_t chunks_a_ticket = 1;
    };

    void run(Job job);
    void run_alone(const Job& job) const;
    [[nodiscard]] int take_ticket();
    void do_ticket(int ticket, int member);
    void keep_exception(std::int64_t chunk);
    void serve(int member);
    void wait_for_others(std::uint32_t tickets);

    // A member that holds a ticket of the job keeps the job from ending, so it may read m_job; nobody else may.
    Job m_job;
    alignas(64) std::atomic<std::uint32_t> m_tickets{0}; ///< how many there are (upper half), and the next to be taken
    alignas(64) std::atomic<std::uint32_t> m_done{0};
    alignas(64) std::atomic<bool> m_taken{false}; ///< the team is at work for somebody
    std::mutex m_exception_mutex;
    std::exception_ptr m_exception;
    std::int64_t m_exception_chunk = 0;
    std::vector<std::jthread> m_threads; // last, so that they start with everything above in place
};

/// The one team of the process, which all arithmetic shares: a second one would fight it for the processors. It has as many members as the process
/// may use processors, until use_threads() says otherwise.
[[nodiscard]] Team& shared_team();

/// Nobody may be at work.
void use_threads(int count);
[[nodiscard]] int team_size();

/// Team::run of the shared team.
template <class Work>
void for_chunks(std::int64_t chunks, Work&& work)
{
    shared_team().run(chunks, work);
}

/// work(begin, end) over 0 ... items - 1, in whole steps of `step` and in some pieces, for items that have nothing to do with each other.
template <class Work>
void for_ranges(std::int64_t items, std::int64_t step, Work&& work)
{
    const std::int64_t most = team_size() == 1 ? 1 : std::int64_t{8} * team_size();
    const std::int64_t steps = (items + step - 1) / step;
    const std::int64_t pieces = steps < most ? steps : most;
    for_chunks(pieces, [&](std::int64_t piece, int) {
        const ItemRange range = share_of(items, step, piece, pieces);
        work(range.begin, range.end);
    });
}

} // namespace retort
