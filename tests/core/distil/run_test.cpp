#include "core/distil/run.h"

#include "core/base/worker.h"
#include "core/data/random.h"
#include "tests/core/distil/golden_training.h"

#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <thread>

namespace retort {
namespace {

/// Documents whose next token mostly follows from the one before: something that can be learnt.
class ChainSource final : public DataSource {
public:
    Result<Batch> batch(std::uint64_t index, std::int64_t sequences, std::int64_t length) const override { return draw(0, index, sequences, length); }
    Result<Batch> held_out(std::uint64_t index, std::int64_t sequences, std::int64_t length) const override
    {
        return draw(1, index, sequences, length);
    }
    std::string description() const override { return "a chain"; }

private:
    static Batch draw(std::uint64_t stream, std::uint64_t index, std::int64_t sequences, std::int64_t length)
    {
        Batch batch{sequences, length, {}, {}};
        Random random(5, stream, index);
        for (std::int64_t i = 0; i < sequences; ++i) {
            auto id = static_cast<TokenId>(random.below(96));
            for (std::int64_t j = 0; j < length; ++j) {
                batch.ids.push_back(id);
                batch.mask.push_back(1);
                id = random.uniform() < 0.8 ? (id * 5 + 7) % 96 : static_cast<TokenId>(random.below(96));
            }
        }
        return batch;
    }
};

/// Ids that lie just outside the pieces of the models.
class ForeignSource final : public DataSource {
public:
    Result<Batch> batch(std::uint64_t, std::int64_t sequences, std::int64_t length) const override
    {
        const auto size = static_cast<std::size_t>(sequences * length);
        return Batch{sequences, length, std::vector<TokenId>(size, 96), std::vector<std::uint8_t>(size, 1)};
    }
    Result<Batch> held_out(std::uint64_t index, std::int64_t sequences, std::int64_t length) const override
    {
        return batch(index, sequences, length);
    }
    std::string description() const override { return "foreign.txt"; }
};

Model golden_teacher()
{
    const GoldenTraining golden = GoldenTraining::read();
    ModelInfo info;
    info.name = "golden teacher";
    info.spec = golden.teacher_spec;
    info.dtype = "F32";
    return {info, std::make_shared<const WeightSet>(golden.teacher), nullptr, nullptr};
}

DistilPlan small_plan(std::int64_t steps)
{
    DistilPlan plan;
    plan.teacher = "golden";
    plan.student.fresh = DistilPlan::Student::Fresh{.layers = 2, .width = 32, .heads = 4, .kv_heads = 2, .ffn = 64};
    plan.steps = steps;
    plan.optimiser.lr = 3e-3;
    plan.schedule.warmup_steps = 4;
    plan.batch = {.sequences = 4, .length = 16, .accumulate = 2};
    plan.evaluate = {.every = 10, .sequences = 6};
    plan.precision = "fp32";
    plan.checkpoint = {.every_s = 1e9, .keep = 2};
    return plan;
}

RunRequest request_for(DistilPlan plan)
{
    return {.plan = std::move(plan), .teacher = golden_teacher(), .data = std::make_shared<ChainSource>()};
}

std::vector<float> flat(const Model& model)
{
    std::vector<float> all;
    for (const auto& [name, weight] : model.weights()) {
        const std::vector<float> values = decoded(weight);
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b)
{
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

} // namespace

class RunTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void comesCloserToItsTeacher();
    void twoHalvesGiveTheBitsOfTheWhole_data();
    void twoHalvesGiveTheBitsOfTheWhole();
    void keepsTheNewestCheckpointsOnly();
    void refusesACheckpointWithOneByteChanged();
    void stopsAtTheStepWhoseNumbersAreNotFinite();
    void refusesTokensThatTheModelsDoNotKnow();
    void pausesStepsAndGoesOn();
    void endsAfterTheStepWhenAsked();
    void answersTasksBetweenSteps();
    void endsBelowALossThatWasAskedFor();
    void learnsFromTheTextAloneWithoutObjective();
    void cutsEveryOtherLayerOfTheTeacher();
};

void RunTest::comesCloserToItsTeacher()
{
    DistilPlan plan = small_plan(30);
    plan.objective.alpha_cross_entropy = 0;
    plan.optimiser.lr = 1e-2;
    const auto run = make_run(request_for(plan)).value();
    QCOMPARE(run->state(), RunState::Waiting);
    run->execute({}, {});
    QCOMPARE(run->state(), RunState::Finished);
    const auto metrics = run->metrics().since(0).first;
    QCOMPARE(metrics.size(), std::size_t{30});
    QCOMPARE(metrics[7].step, std::int64_t{7});
    QCOMPARE(metrics[7].tokens, std::int64_t{8 * 8 * 15});
    const auto looks = run->evaluations().since(0).first;
    QCOMPARE(looks.size(), std::size_t{4});
    QCOMPARE(looks.front().step, std::int64_t{0});
    QCOMPARE(looks.back().step, std::int64_t{30});
    QCOMPARE(looks.back().targets, std::int64_t{6 * 15});
    QVERIFY2(looks.back().kl < 0.97 * looks.front().kl, QByteArray::number(looks.back().kl / looks.front().kl));
}

void RunTest::twoHalvesGiveTheBitsOfTheWhole_data()
{
    QTest::addColumn<QString>("precision");
    QTest::newRow("float32") << QStringLiteral("fp32");
    QTest::newRow("bfloat16") << QStringLiteral("bf16");
}

void RunTest::twoHalvesGiveTheBitsOfTheWhole()
{
    QFETCH(QString, precision);
    DistilPlan plan = small_plan(10);
    plan.precision = precision.toStdString();
    const auto whole = make_run(request_for(plan)).value();
    whole->execute({}, {});

    const QTemporaryDir folder;
    RunRequest first = request_for(plan);
    first.checkpoints = folder.path().toStdString();
    const auto half = make_run(first).value();
    half->execute(
        [&](std::chrono::milliseconds) {
            if (half->steps_done() == 5) {
                half->request_stop();
            }
        },
        {});
    QCOMPARE(half->state(), RunState::Stopped);
    QCOMPARE(half->steps_done(), std::int64_t{5});

    RunRequest second = request_for(plan);
    second.resume_from = half->checkpoints().since(0).first.back().path;
    const auto rest = make_run(second).value();
    rest->execute({}, {});
    QCOMPARE(rest->state(), RunState::Finished);
    QVERIFY(same_bits(flat(whole->student_now().value()), flat(rest->student_now().value())));
    const auto points = rest->metrics().since(0).first;
    QCOMPARE(points.size(), std::size_t{5});
    QCOMPARE(points.front().segment, std::int64_t{1});
    QCOMPARE(points.back().tokens, whole->metrics().since(0).first.back().tokens);
    QCOMPARE(points.back().loss, whole->metrics().since(0).first.back().loss);
}

void RunTest::keepsTheNewestCheckpointsOnly()
{
    const QTemporaryDir folder;
    DistilPlan plan = small_plan(6);
    plan.checkpoint.every_s = 0;
    RunRequest request = request_for(plan);
    request.checkpoints = folder.path().toStdString();
    QVERIFY(QDir(folder.path()).mkdir(QStringLiteral("step-000001.part")));
    const auto run = make_run(request).value();
    run->execute({}, {});
    QCOMPARE(QDir(folder.path()).entryList(QDir::Dirs | QDir::NoDotAndDotDot),
             (QStringList{QStringLiteral("step-000005"), QStringLiteral("step-000006")}));
    const auto notes = run->checkpoints().since(0).first;
    QVERIFY(notes.back().final);
    QCOMPARE(notes.back().sha256.size(), std::size_t{64});
    // A checkpoint is a model folder like any other.
    const auto loaded = load_model(notes.back().path);
    QVERIFY(loaded.has_value());
    QVERIFY(same_bits(flat(*loaded), flat(run->student_now().value())));
}

void RunTest::refusesACheckpointWithOneByteChanged()
{
    const QTemporaryDir folder;
    RunRequest request = request_for(small_plan(3));
    request.checkpoints = folder.path().toStdString();
    make_run(request).value()->execute({}, {});
    QFile moments(folder.path() + QStringLiteral("/step-000003/training.safetensors"));
    QVERIFY(moments.open(QIODevice::ReadWrite));
    moments.seek(moments.size() - 5);
    moments.write("x");
    moments.close();

    request.resume_from = (folder.path() + QStringLiteral("/step-000003")).toStdString();
    const auto run = make_run(request).value();
    run->execute({}, {});
    QCOMPARE(run->state(), RunState::Failed);
    QVERIFY(run->error().message.find("training.safetensors") != std::string::npos);
}

void RunTest::stopsAtTheStepWhoseNumbersAreNotFinite()
{
    const QTemporaryDir folder;
    DistilPlan plan = small_plan(50);
    plan.optimiser.clip_norm = 0;
    plan.optimiser.lr = 1e20;
    plan.schedule.warmup_steps = 0;
    plan.checkpoint.every_s = 0;
    RunRequest request = request_for(plan);
    request.checkpoints = folder.path().toStdString();
    const auto run = make_run(request).value();
    run->execute({}, {});
    QCOMPARE(run->state(), RunState::Failed);
    QVERIFY(run->steps_done() < 50);
    QVERIFY(run->error().message.find("A lower learning rate usually helps.") != std::string::npos);
    std::vector<Model> kept{run->student_now().value()};
    for (const CheckpointNote& note : run->checkpoints().since(0).first) {
        kept.push_back(load_model(note.path).value());
    }
    for (const Model& model : kept) {
        QVERIFY(std::ranges::all_of(flat(model), [](float value) { return std::isfinite(value); }));
    }
}

void RunTest::refusesTokensThatTheModelsDoNotKnow()
{
    RunRequest request = request_for(small_plan(3));
    request.data = std::make_shared<ForeignSource>();
    const auto run = make_run(request).value();
    run->execute({}, {});
    QCOMPARE(run->state(), RunState::Failed);
    QVERIFY(run->error().message.find("foreign.txt: token 96") == 0);
}

void RunTest::pausesStepsAndGoesOn()
{
    Worker worker;
    const auto run = make_run(request_for(small_plan(2000))).value();
    run->request_pause(true);
    start_run(worker, run);
    QTRY_COMPARE(run->state(), RunState::Paused);
    QCOMPARE(run->steps_done(), std::int64_t{0});
    run->request_step();
    run->request_step();
    QTRY_COMPARE(run->steps_done(), std::int64_t{2});
    QTest::qWait(120);
    QCOMPARE(run->steps_done(), std::int64_t{2});
    run->request_pause(false);
    QTRY_VERIFY(run->steps_done() > 4);
    run->request_stop();
    QTRY_COMPARE(run->state(), RunState::Stopped);
}

void RunTest::endsAfterTheStepWhenAsked()
{
    const auto run = make_run(request_for(small_plan(1000))).value();
    {
        Worker worker;
        start_run(worker, run);
        QTRY_VERIFY(run->steps_done() > 0);
    }
    QCOMPARE(run->state(), RunState::Stopped);
    QCOMPARE(static_cast<std::int64_t>(run->metrics().since(0).first.size()), run->steps_done());
}

void RunTest::answersTasksBetweenSteps()
{
    Worker worker;
    const auto run = make_run(request_for(small_plan(2000))).value();
    start_run(worker, run);
    QTRY_VERIFY(run->steps_done() > 0);
    std::atomic<bool> answered = false;
    worker.post([&](std::stop_token) { answered = run->student_now().has_value(); });
    QTRY_VERIFY(answered);
    QCOMPARE(run->state(), RunState::Running);
    run->request_stop();
    QTRY_COMPARE(run->state(), RunState::Stopped);
}

void RunTest::endsBelowALossThatWasAskedFor()
{
    DistilPlan plan = small_plan(500);
    plan.stop.loss_below = 100.0;
    const auto run = make_run(request_for(plan)).value();
    run->execute({}, {});
    QCOMPARE(run->state(), RunState::Finished);
    QCOMPARE(run->steps_done(), std::int64_t{1});
}

void RunTest::learnsFromTheTextAloneWithoutObjective()
{
    DistilPlan plan = small_plan(40);
    plan.objective.name = "none";
    const auto run = make_run(request_for(plan)).value();
    run->execute({}, {});
    QCOMPARE(run->state(), RunState::Finished);
    const auto metrics = run->metrics().since(0).first;
    QCOMPARE(metrics.back().loss, metrics.back().cross_entropy);
    QCOMPARE(metrics.back().divergence, 0.0);
    QVERIFY(metrics.back().cross_entropy < metrics.front().cross_entropy - 0.5);
}

void RunTest::cutsEveryOtherLayerOfTheTeacher()
{
    DistilPlan plan = small_plan(1);
    plan.student = {.layers = "every 2"};
    const Model teacher = golden_teacher();
    const Model student = make_student(plan, teacher, std::nullopt).value();
    QCOMPARE(student.spec().layers, std::int64_t{2});
    QCOMPARE(decoded(student.weights().at("model.layers.1.mlp.up_proj.weight")), decoded(teacher.weights().at("model.layers.2.mlp.up_proj.weight")));
    QCOMPARE(student.weights().count("model.layers.2.mlp.up_proj.weight"), std::size_t{0});
    plan.student = {.layer_list = {0, 3}};
    QVERIFY(make_student(plan, teacher, std::nullopt).error().message.find("layers 0 to 2") != std::string::npos);
}

} // namespace retort

QTEST_GUILESS_MAIN(retort::RunTest)
#include "run_test.moc"
