#include "core/kernels/team.h"

#include <algorithm>
#include <omp.h>
#include <sched.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace retort {

namespace {

void pause_briefly()
{
#if defined(__x86_64__)
    _mm_pause();
#endif
}

} // namespace

void SpinBarrier::meet()
{
    // A member's longest share of a layer is well under a millisecond: who waits longer than this waits for a thread that has lost its core.
    constexpr int kSpins = 2'000; // a pause takes up to 140 cycles
    const std::uint32_t meeting = m_meeting.load(std::memory_order_relaxed);
    if (m_arrived.fetch_add(1, std::memory_order_acq_rel) == m_members - 1) {
        m_arrived.store(0, std::memory_order_relaxed);
        m_meeting.store(meeting + 1, std::memory_order_release);
        return;
    }
    for (int spins = 0; m_meeting.load(std::memory_order_acquire) == meeting;) {
        if (spins < kSpins) {
            ++spins;
            pause_briefly();
        } else {
            sched_yield();
        }
    }
}

Member::Range Member::share(std::int64_t items, std::int64_t step) const
{
    return share_of(items, step, m_index, m_count);
}

Member::Range share_of(std::int64_t items, std::int64_t step, int index, int count)
{
    const std::int64_t steps = (items + step - 1) / step;
    return {std::min(items, steps * index / count * step), std::min(items, steps * (index + 1) / count * step)};
}

int team_size()
{
    return omp_get_max_threads();
}

void detail::run_team(void (*work)(void* context, const Member& member), void* context)
{
    // The runtime may give fewer threads than asked for, so the barrier is made for those that came.
    SpinBarrier* shared = nullptr;
#pragma omp parallel default(none) shared(work, context, shared)
    {
#pragma omp single
        shared = new SpinBarrier(omp_get_num_threads());
        work(context, Member(omp_get_thread_num(), omp_get_num_threads(), *shared));
    }
    delete shared;
}

} // namespace retort
