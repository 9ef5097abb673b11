#include "core/kernels/team.h"

#include <QTest>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <latch>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using retort::ItemRange;
using retort::Team;

namespace {

std::chrono::nanoseconds processor_time()
{
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// A sum whose bits depend on the order of adding, in the way the kernels sum: a part for each chunk, added in the chunks' order.
float sum_by_chunks(Team& team, const std::vector<float>& values, std::chrono::microseconds delay)
{
    constexpr std::int64_t kChunks = 37;
    std::vector<float> parts(kChunks);
    team.run(kChunks, [&](std::int64_t chunk, int member) {
        if (delay > 0us && member != 0) {
            std::this_thread::sleep_for(delay);
        }
        const ItemRange range = retort::share_of(static_cast<std::int64_t>(values.size()), 1, chunk, kChunks);
        parts[static_cast<std::size_t>(chunk)] = std::accumulate(values.begin() + range.begin, values.begin() + range.end, 0.0f);
    });
    return std::accumulate(parts.begin(), parts.end(), 0.0f);
}

} // namespace

/// Threads that take chunks of one thing.
class TeamTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void cutsItemsIntoSharesThatFollowEachOther();
    void runsEveryChunkOnce_data();
    void runsEveryChunkOnce();
    void neverGivesTwoThreadsTheSameMembersMemory();
    void goesOnWithoutAMemberThatIsHeldUp();
    void addsUpToTheSameBitsWithAnyNumberOfMembers();
    void wakesMembersThatSleep();
    void costsNothingWhileItWaits();
    void bringsTheEarliestExceptionToTheCaller();
    void runsFromInsideAChunk();
    void servesSeveralCallersAtOnce();
    void endsWithMembersAsleepOrSpinning();
    void theSharedTeamHasTheSizeAskedFor();
};

void TeamTest::cutsItemsIntoSharesThatFollowEachOther()
{
    for (const std::int64_t items : {0, 1, 15, 16, 17, 1000}) {
        for (const std::int64_t step : {1, 16}) {
            std::int64_t end = 0;
            for (int part = 0; part < 7; ++part) {
                const ItemRange range = retort::share_of(items, step, part, 7);
                QCOMPARE(range.begin, end);
                QVERIFY(range.end == items || range.end % step == 0);
                end = range.end;
            }
            QCOMPARE(end, items);
        }
    }
}

void TeamTest::runsEveryChunkOnce_data()
{
    QTest::addColumn<int>("members");
    QTest::addColumn<int>("chunks");
    for (const int members : {1, 2, 5}) {
        for (const int chunks : {0, 1, 2, 17, 200'000}) {
            QTest::addRow("%d members, %d chunks", members, chunks) << members << chunks;
        }
    }
}

void TeamTest::runsEveryChunkOnce()
{
    QFETCH(int, members);
    QFETCH(int, chunks);
    Team team(members);
    QCOMPARE(team.size(), members);
    std::vector<int> times(static_cast<std::size_t>(chunks));
    for (int again = 1; again <= 3; ++again) {
        team.run(chunks, [&](std::int64_t chunk, int) { ++times[static_cast<std::size_t>(chunk)]; });
        QVERIFY(std::ranges::all_of(times, [again](int n) { return n == again; }));
    }
}

void TeamTest::neverGivesTwoThreadsTheSameMembersMemory()
{
    Team team(4);
    std::vector<std::int64_t> sums(4); // not atomic: the sanitizer would see two threads at one place
    for (int again = 0; again < 200; ++again) {
        team.run(64, [&](std::int64_t chunk, int member) { sums[static_cast<std::size_t>(member)] += chunk; });
    }
    QCOMPARE(std::accumulate(sums.begin(), sums.end(), std::int64_t{0}), 200 * 64 * 63 / 2);
}

/// With fixed shares the chunks of the member that is held up would never be done.
void TeamTest::goesOnWithoutAMemberThatIsHeldUp()
{
    constexpr int kChunks = 32;
    Team team(2);
    std::latch others(kChunks - 1);
    team.run(kChunks, [&](std::int64_t chunk, int) {
        if (chunk == 0) {
            others.wait();
        } else {
            others.count_down();
        }
    });
    QVERIFY(others.try_wait());
}

void TeamTest::addsUpToTheSameBitsWithAnyNumberOfMembers()
{
    std::vector<float> values(100'003);
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = 1.0f / static_cast<float>(i + 1);
    }
    Team alone(1);
    const float expected = sum_by_chunks(alone, values, 0us);
    for (const int members : {2, 3, 4}) {
        Team team(members);
        for (const auto delay : {0us, 50us, 2000us}) {
            QCOMPARE(sum_by_chunks(team, values, delay), expected);
        }
    }
}

void TeamTest::wakesMembersThatSleep()
{
    Team team(2);
    for (int again = 0; again < 20; ++again) {
        std::this_thread::sleep_for(2ms); // far longer than a member spins
        std::latch both(2);
        team.run(2, [&](std::int64_t, int) { both.arrive_and_wait(); }); // ends only if the other member comes
    }
}

void TeamTest::costsNothingWhileItWaits()
{
    Team team(4);
    team.run(16, [](std::int64_t, int) {});
    std::this_thread::sleep_for(20ms);
    const auto before = processor_time();
    std::this_thread::sleep_for(300ms);
    QVERIFY(processor_time() - before < 30ms);
}

void TeamTest::bringsTheEarliestExceptionToTheCaller()
{
    for (const int members : {1, 2, 4}) {
        Team team(members);
        for (int again = 0; again < 50; ++again) {
            int thrown = -1;
            try {
                team.run(40, [](std::int64_t chunk, int) {
                    if (chunk % 7 == 5) {
                        throw std::runtime_error(std::to_string(chunk));
                    }
                });
            } catch (const std::runtime_error& error) {
                thrown = std::atoi(error.what());
            }
            QCOMPARE(thrown, 5);
        }
        std::atomic<int> ran = 0;
        team.run(40, [&](std::int64_t, int) { ++ran; });
        QCOMPARE(ran.load(), 40);
    }
}

void TeamTest::runsFromInsideAChunk()
{
    Team team(3);
    std::vector<std::int64_t> sums(3); // by member: a nested chunk uses the memory of the member that it runs on
    team.run(8, [&](std::int64_t, int member) {
        team.run(10, [&](std::int64_t chunk, int inner) {
            QCOMPARE(inner, member);
            sums[static_cast<std::size_t>(inner)] += chunk;
        });
    });
    QCOMPARE(std::accumulate(sums.begin(), sums.end(), std::int64_t{0}), 8 * 45);
}

void TeamTest::servesSeveralCallersAtOnce()
{
    Team team(3);
    std::vector<std::int64_t> sums(4);
    {
        std::vector<std::jthread> callers;
        for (std::int64_t& sum : sums) {
            callers.emplace_back([&team, &sum] {
                for (int again = 0; again < 100; ++again) {
                    std::vector<std::int64_t> squares(50);
                    team.run(50, [&](std::int64_t chunk, int) { squares[static_cast<std::size_t>(chunk)] = chunk * chunk; });
                    sum += std::accumulate(squares.begin(), squares.end(), std::int64_t{0});
                }
            });
        }
    }
    for (const std::int64_t sum : sums) {
        QCOMPARE(sum, 100 * 40'425);
    }
}

void TeamTest::endsWithMembersAsleepOrSpinning()
{
    for (int again = 0; again < 100; ++again) {
        Team team(3);
        if (again % 2 == 0) {
            team.run(8, [](std::int64_t, int) {});
        }
        if (again % 10 == 0) {
            std::this_thread::sleep_for(1ms);
        }
    }
}

void TeamTest::theSharedTeamHasTheSizeAskedFor()
{
    const int before = retort::team_size();
    retort::use_threads(3);
    QCOMPARE(retort::team_size(), 3);
    std::atomic<int> items = 0;
    retort::for_ranges(1000, 16, [&](std::int64_t begin, std::int64_t end) { items += static_cast<int>(end - begin); });
    QCOMPARE(items.load(), 1000);
    retort::use_threads(before);
    QCOMPARE(retort::team_size(), before);
}

QTEST_APPLESS_MAIN(TeamTest)
#include "team_test.moc"
