#include "core/base/stream.h"
#include "core/base/worker.h"

#include <QTest>
#include <atomic>
#include <future>
#include <vector>

using namespace std::chrono_literals;
using retort::Stream;
using retort::Worker;

/// The engine's thread and the log that leads out of it.
class WorkerTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void runsTasksInTheOrderPosted();
    void letsTasksSlipIntoARun();
    void neverNestsARunInARun();
    void sleepsWhilePausedUntilATaskComes();
    void destructionStopsTheRunAndDropsWhatWaits();
    void streamLosesNothingBetweenThreads();
};

void WorkerTest::runsTasksInTheOrderPosted()
{
    std::vector<int> order;
    std::promise<void> done;
    Worker worker;
    for (int i = 0; i < 100; ++i) {
        worker.post([&order, i](std::stop_token) { order.push_back(i); });
    }
    worker.post([&done](std::stop_token) { done.set_value(); });
    QCOMPARE(done.get_future().wait_for(10s), std::future_status::ready);
    QCOMPARE(order.size(), 100u);
    QVERIFY(std::ranges::is_sorted(order));
}

void WorkerTest::letsTasksSlipIntoARun()
{
    std::atomic<int> answered = 0;
    std::promise<int> seen_by_run;
    std::promise<void> started;
    Worker worker;
    worker.post_run([&](std::stop_token) {
        started.set_value();
        while (answered.load() == 0) {
            worker.yield_for(5ms);
        }
        seen_by_run.set_value(answered.load());
    });
    started.get_future().wait();
    worker.post([&](std::stop_token) { ++answered; });
    auto seen = seen_by_run.get_future();
    QCOMPARE(seen.wait_for(10s), std::future_status::ready);
    QCOMPARE(seen.get(), 1);
}

void WorkerTest::neverNestsARunInARun()
{
    std::atomic<int> depth = 0;
    std::atomic<int> deepest = 0;
    std::atomic<int> finished = 0;
    std::promise<void> both_posted;
    std::shared_future<void> posted = both_posted.get_future().share();
    Worker worker;
    for (int i = 0; i < 2; ++i) {
        worker.post_run([&, posted](std::stop_token) {
            deepest = std::max(deepest.load(), ++depth);
            posted.wait();
            for (int step = 0; step < 20; ++step) {
                worker.yield();
            }
            --depth;
            ++finished;
        });
    }
    both_posted.set_value();
    QTRY_COMPARE_WITH_TIMEOUT(finished.load(), 2, 10'000);
    QCOMPARE(deepest.load(), 1);
}

void WorkerTest::sleepsWhilePausedUntilATaskComes()
{
    std::promise<std::chrono::steady_clock::duration> waited;
    std::promise<void> pausing;
    Worker worker;
    worker.post_run([&](std::stop_token) {
        const auto start = std::chrono::steady_clock::now();
        pausing.set_value();
        worker.yield_for(60s);
        waited.set_value(std::chrono::steady_clock::now() - start);
    });
    pausing.get_future().wait();
    worker.post([](std::stop_token) {});
    auto duration = waited.get_future();
    QCOMPARE(duration.wait_for(30s), std::future_status::ready);
    QVERIFY(duration.get() < 30s);
}

void WorkerTest::destructionStopsTheRunAndDropsWhatWaits()
{
    std::atomic<bool> dropped_task_ran = false;
    std::atomic<bool> run_saw_stop = false;
    std::promise<void> running;
    {
        Worker worker;
        worker.post_run([&](std::stop_token stop) {
            running.set_value();
            while (!stop.stop_requested()) {
                std::this_thread::sleep_for(1ms);
            }
            run_saw_stop = true;
        });
        running.get_future().wait();
        worker.post([&](std::stop_token) { dropped_task_ran = true; });
    }
    QVERIFY(run_saw_stop);
    QVERIFY(!dropped_task_ran);
}

void WorkerTest::streamLosesNothingBetweenThreads()
{
    constexpr int kItems = 20'000;
    Stream<int> stream;
    std::atomic<bool> finished = false;
    std::jthread writer([&] {
        for (int i = 0; i < kItems; ++i) {
            stream.append(i);
        }
        finished = true;
    });
    std::vector<int> read;
    std::size_t place = 0;
    for (bool last = false; !last;) {
        last = finished.load(); // state before items: what was appended before the end is still to come
        auto [items, next] = stream.since(place);
        read.insert(read.end(), items.begin(), items.end());
        place = next;
    }
    QCOMPARE(read.size(), static_cast<std::size_t>(kItems));
    QVERIFY(std::ranges::is_sorted(read));
    QVERIFY(stream.since(1'000'000).first.empty());
}

QTEST_APPLESS_MAIN(WorkerTest)
#include "worker_test.moc"
