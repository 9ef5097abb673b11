#include "core/measure/speed.h"

#include "core/kernels/read_speed.h"
#include "core/measure/distil_speed.h"

#include <QTest>
#include <chrono>
#include <thread>

namespace retort {

class SpeedTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void givesTheMedianAndTheSpread();
    void stopsAtTheFirstFailure();
    void stepsOfAPracticeRunAreCounted();
    void readsAsFastAsMemoryAllows();
};

void SpeedTest::givesTheMedianAndTheSpread()
{
    constexpr int kMilliseconds[] = {50, 8, 2, 20}; // the first is not counted
    int calls = 0;
    const auto speed = time_tokens(3, [&]() -> Result<std::int64_t> {
        std::this_thread::sleep_for(std::chrono::milliseconds(kMilliseconds[calls++]));
        return 16;
    });
    QVERIFY(speed);
    QCOMPARE(calls, 4);
    QCOMPARE(speed->n, 3);
    QVERIFY(speed->low < speed->tokens_per_s && speed->tokens_per_s < speed->high);
    QVERIFY(speed->high <= 16 / 0.002 && speed->tokens_per_s <= 16 / 0.008 && speed->low <= 16 / 0.020);
}

void SpeedTest::stopsAtTheFirstFailure()
{
    int calls = 0;
    const auto speed = time_tokens(
        5, [&]() -> Result<std::int64_t> { return ++calls < 3 ? Result<std::int64_t>(1) : failure(Error::Kind::Usage, "There is no more."); });
    QVERIFY(!speed);
    QCOMPARE(calls, 3);
}

void SpeedTest::stepsOfAPracticeRunAreCounted()
{
    const auto model = demo_shaped_model(1);
    QVERIFY(model);
    auto run = PracticeRun::create(*model, *model, TrainableNet::Precision::Fp32, 2, 16);
    QVERIFY(run);
    const auto tokens = run->step();
    QVERIFY(tokens);
    QCOMPARE(*tokens, 32);
    // Forward by the teacher, forward and twice as much back by the student: eight for each number, if the embedding were not looked up.
    const double numbers = static_cast<double>(model->spec().parameters());
    QVERIFY(run->operations_per_token() > 0.5 * 8 * numbers && run->operations_per_token() <= 8 * numbers);
}

void SpeedTest::readsAsFastAsMemoryAllows()
{
    const double speed = measure_read_speed(std::size_t{8} << 20);
    QVERIFY(speed > 1e8 && speed < 1e13);
}

} // namespace retort

QTEST_APPLESS_MAIN(retort::SpeedTest)
#include "speed_test.moc"
