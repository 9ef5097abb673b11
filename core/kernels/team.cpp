#include "core/kernels/team.h"

#include "core/base/cpu.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace retort {

namespace {

constexpr std::uint32_t kMostTickets = 0xFFFF;
constexpr std::uint32_t kClosing = 0x0000FFFF; ///< in place of tickets: go home

std::uint32_t tickets_of(std::uint32_t state)
{
    return state >> 16;
}

std::uint32_t next_of(std::uint32_t state)
{
    return state & 0xFFFF;
}

/// Which team's work this thread is doing, and as which member.
struct Place {
    const Team* team = nullptr;
    int member = 0;
};
thread_local Place t_place;

/// Spins until ready() or for as long as waking a sleeping thread takes, which is when spinning stops to be cheaper. Says whether it is ready.
template <class Ready>
bool spin_until(Ready&& ready)
{
    constexpr auto kPatience = std::chrono::microseconds(20);
    constexpr int kLooks = 8; // between two looks at the clock
    const auto end = std::chrono::steady_clock::now() + kPatience;
    do {
        for (int i = 0; i < kLooks; ++i) {
            if (ready()) {
                return true;
            }
#if defined(__x86_64__)
            _mm_pause();
#endif
        }
    } while (std::chrono::steady_clock::now() < end);
    return false;
}

/// Threads made while it lives leave signals to those that wait for them; what a thread does to itself still ends the process as ever.
class SignalsBlocked {
public:
    SignalsBlocked()
    {
        sigset_t signals;
        sigfillset(&signals);
        for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) {
            sigdelset(&signals, own);
        }
        pthread_sigmask(SIG_BLOCK, &signals, &m_before);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &m_before, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t m_before{};
};

} // namespace

ItemRange share_of(std::int64_t items, std::int64_t step, std::int64_t index, std::int64_t count)
{
    const std::int64_t steps = (items + step - 1) / step;
    return {std::min(items, steps * index / count * step), std::min(items, steps * (index + 1) / count * step)};
}

Team::Team(int members)
{
    const SignalsBlocked blocked;
    for (int member = 1; member < members; ++member) {
        m_threads.emplace_back([this, member] { serve(member); });
    }
}

Team::~Team()
{
    m_tickets.store(kClosing);
    m_tickets.notify_all();
}

void Team::run(Job job)
{
    if (size() == 1 || job.chunks <= 1 || m_taken.exchange(true, std::memory_order_acquire)) {
        run_alone(job);
        return;
    }
    job.chunks_a_ticket = (job.chunks + kMostTickets - 1) / kMostTickets;
    const auto tickets = static_cast<std::uint32_t>((job.chunks + job.chunks_a_ticket - 1) / job.chunks_a_ticket);
    const Place before = std::exchange(t_place, {this, 0});
    m_job = job;
    m_done.store(0, std::memory_order_relaxed);
    m_tickets.store(tickets << 16);
    m_tickets.notify_all(); // costs a system call only where somebody sleeps
    for (int ticket = take_ticket(); ticket >= 0; ticket = take_ticket()) {
        do_ticket(ticket, 0);
    }
    wait_for_others(tickets);
    t_place = before;
    const std::exception_ptr thrown = std::exchange(m_exception, nullptr);
    m_taken.store(false, std::memory_order_release);
    if (thrown) {
        std::rethrow_exception(thrown);
    }
}

void Team::run_alone(const Job& job) const
{
    const int member = t_place.team == this ? t_place.member : 0;
    for (std::int64_t chunk = 0; chunk < job.chunks; ++chunk) {
        job.work(job.context, chunk, member);
    }
}

/// -1 when all are taken.
int Team::take_ticket()
{
    std::uint32_t state = m_tickets.load(std::memory_order_acquire);
    while (next_of(state) < tickets_of(state)) {
        if (m_tickets.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
            return static_cast<int>(next_of(state));
        }
    }
    return -1;
}

void Team::do_ticket(int ticket, int member)
{
    const Job job = m_job;
    const std::int64_t tickets = (job.chunks + job.chunks_a_ticket - 1) / job.chunks_a_ticket;
    const std::int64_t first = ticket * job.chunks_a_ticket;
    for (std::int64_t chunk = first; chunk < std::min(job.chunks, first + job.chunks_a_ticket); ++chunk) {
        try {
            job.work(job.context, chunk, member);
        } catch (...) {
            keep_exception(chunk);
        }
    }
    if (m_done.fetch_add(1, std::memory_order_acq_rel) + 1 == tickets) {
        m_done.notify_one();
    }
}

void Team::keep_exception(std::int64_t chunk)
{
    const std::lock_guard lock(m_exception_mutex);
    if (!m_exception || chunk < m_exception_chunk) {
        m_exception = std::current_exception();
        m_exception_chunk = chunk;
    }
}

void Team::serve(int member)
{
    t_place = {this, member};
    const auto has_news = [](std::uint32_t state) { return state == kClosing || next_of(state) < tickets_of(state); };
    while (true) {
        if (const int ticket = take_ticket(); ticket >= 0) {
            do_ticket(ticket, member);
            continue;
        }
        if (!spin_until([&] { return has_news(m_tickets.load(std::memory_order_relaxed)); })) {
            if (const std::uint32_t seen = m_tickets.load(); !has_news(seen)) {
                m_tickets.wait(seen);
            }
        }
        if (m_tickets.load(std::memory_order_relaxed) == kClosing) {
            return;
        }
    }
}

void Team::wait_for_others(std::uint32_t tickets)
{
    const auto all_done = [&] { return m_done.load(std::memory_order_acquire) == tickets; };
    if (spin_until(all_done)) {
        return;
    }
    for (std::uint32_t done = m_done.load(std::memory_order_acquire); done != tickets; done = m_done.load(std::memory_order_acquire)) {
        m_done.wait(done, std::memory_order_acquire);
    }
}

namespace {

/// Never destroyed: at the end of the process its members sleep, and whoever still computes may ask for it.
std::unique_ptr<Team>& team_slot()
{
    static auto* const slot = new std::unique_ptr<Team>(std::make_unique<Team>(usable_processors()));
    return *slot;
}

} // namespace

Team& shared_team()
{
    return *team_slot();
}

void use_threads(int count)
{
    if (count != team_size()) {
        team_slot() = std::make_unique<Team>(count);
    }
}

int team_size()
{
    return shared_team().size();
}

} // namespace retort
