#include "core/distil/run.h"

#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/base/worker.h"
#include "core/data/random.h"
#include "core/distil/catalogues.h"
#include "core/distil/training_checkpoint.h"
#include "core/model/net.h"
#include "core/model/safetensors.h"
#include "tests/core/distil/golden_training.h"
#include "tests/support/ascii_tokenizer.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <fstream>
#include <set>
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

/// Batches of which only those before `from` have something that counts.
class SilentSource final : public DataSource {
public:
    SilentSource(std::uint64_t from, bool held_out_counts) : m_from(from), m_held_out_counts(held_out_counts) {}
    Result<Batch> batch(std::uint64_t index, std::int64_t sequences, std::int64_t length) const override
    {
        return made(index < m_from, sequences, length);
    }
    Result<Batch> held_out(std::uint64_t, std::int64_t sequences, std::int64_t length) const override
    {
        return made(m_held_out_counts, sequences, length);
    }
    std::string description() const override { return "silence"; }
    std::string remark(std::int64_t) const override { return "Most of it is silent."; }

private:
    static Batch made(bool counts, std::int64_t sequences, std::int64_t length)
    {
        const auto size = static_cast<std::size_t>(sequences * length);
        return Batch{sequences, length, std::vector<TokenId>(size, 7), std::vector<std::uint8_t>(size, counts ? 1 : 0)};
    }
    std::uint64_t m_from;
    bool m_held_out_counts;
};

/// Only training batches.
class RecordedSource final : public DataSource {
public:
    Result<Batch> batch(std::uint64_t index, std::int64_t sequences, std::int64_t length) const override
    {
        return SilentSource(1'000'000, true).batch(index, sequences, length);
    }
    bool has_held_out() const override { return false; }
    Result<Batch> held_out(std::uint64_t, std::int64_t, std::int64_t) const override { return failure(Error::Kind::Usage, "nothing"); }
    std::string description() const override { return "a record"; }
};

/// The example of plugins/README.md.
class Jeffreys final : public Objective {
public:
    std::string_view name() const override { return "jeffreys"; }
    std::string_view formula() const override { return "J(teacher, student)"; }
    double evaluate(PositionPair pair, std::span<float> gradient) const override
    {
        double divergence = 0.0;
        for (std::size_t i = 0; i < gradient.size(); ++i) {
            const float p = std::exp(pair.teacher[i]);
            const float q = std::exp(pair.student[i]);
            const float gap = pair.student[i] - pair.teacher[i];
            divergence += static_cast<double>((q - p) * gap) / 2;
            gradient[i] = (q * gap - p) / 2;
        }
        return divergence;
    }
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

/// The same with a tokenizer, so that it can answer probes.
Model golden_teacher_that_reads()
{
    const Model teacher = golden_teacher();
    ModelInfo info = teacher.info();
    info.stop_tokens = {95};
    return {info, teacher.shared_weights(), Tokenizer::from_json(test::ascii_tokenizer_json(), "tokenizer.json").value(), nullptr};
}

RunRequest request_for(DistilPlan plan)
{
    return {.plan = std::move(plan), .teacher = golden_teacher(), .data = std::make_shared<ChainSource>()};
}

/// log softmax of a row in double.
std::vector<double> log_probabilities_of(std::span<const float> logits)
{
    const double most = static_cast<double>(*std::ranges::max_element(logits));
    double sum = 0;
    for (const float logit : logits) {
        sum += std::exp(static_cast<double>(logit) - most);
    }
    std::vector<double> result;
    for (const float logit : logits) {
        result.push_back(static_cast<double>(logit) - most - std::log(sum));
    }
    return result;
}

/// What an evaluation should say, by way of the nets that answer (which share no code with those that train) and the plain formulas in double.
EvaluationPoint evaluated_apart(const Model& teacher, const Model& student, std::span<const Batch> batches)
{
    const auto logits_of = [](Net& net, std::span<const TokenId> ids) {
        const auto cache = net.new_cache();
        std::vector<float> logits;
        if (!net.forward(*cache, ids, Net::Rows::All, logits)) {
            logits.clear();
        }
        return logits;
    };
    const auto a = Net::create(teacher, Net::Precision::Exact).value();
    const auto b = Net::create(student, Net::Precision::Exact).value();
    const auto size = static_cast<std::size_t>(teacher.spec().vocabulary);
    EvaluationPoint point;
    for (const Batch& batch : batches) {
        for (std::int64_t sequence = 0; sequence < batch.sequences; ++sequence) {
            const auto length = static_cast<std::size_t>(batch.length);
            const auto ids = std::span(batch.ids).subspan(static_cast<std::size_t>(sequence) * length, length);
            const std::vector<float> theirs = logits_of(*a, ids);
            const std::vector<float> ours = logits_of(*b, ids);
            for (std::size_t j = 0; j + 1 < length; ++j) {
                if (batch.mask[static_cast<std::size_t>(sequence) * length + j + 1] == 0) {
                    continue;
                }
                const auto p = log_probabilities_of(std::span(theirs).subspan(j * size, size));
                const auto q = log_probabilities_of(std::span(ours).subspan(j * size, size));
                for (std::size_t i = 0; i < size; ++i) {
                    point.kl += std::exp(p[i]) * (p[i] - q[i]);
                }
                point.cross_entropy -= q[static_cast<std::size_t>(ids[j + 1])];
                point.same_top += std::ranges::max_element(p) - p.begin() == std::ranges::max_element(q) - q.begin() ? 1 : 0;
                ++point.targets;
            }
        }
    }
    const auto targets = static_cast<double>(point.targets);
    point.kl /= targets;
    point.cross_entropy /= targets;
    point.same_top /= targets;
    return point;
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
    void evaluatesAsTheNetsThatAnswerWould();
    void answersProbesAsTheStudentThatItIs();
    void endsWhereTheLossNoLongerFalls();
    void fifteenAndFifteenStepsAreThirty();
    void asksTheTeacherNothingWithoutObjective();
    void pausesWhenACheckpointCannotBeWritten();
    void failsAtAStepInWhichNothingCounts();
    void refusesToEvaluateOverNothing();
    void tellsBeforehandWhatItLeavesOut();
    void keepsTheCheckpointsOfOtherRuns();
    void writesOverTheTailThatAResumeGaveUp();
    void keepsItsNameThroughAResume();
    void keepsMomentsByTheNamesOfTheirWeights();
    void refusesMomentsOfAnotherShape();
    void tellsTheSizeOfTheWeightsApart();
    void learnsByWhatAPluginAdds();
    void saysWhatItDoesBetweenSteps();
    void writesItsFirstCheckpointEarly();
    void keepsNobodyWaitingWhenTheProgramEnds();
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
    request.uuid = "0123";
    QVERIFY(QDir(folder.path()).mkdir(QStringLiteral("step-000001.0123.part"))); // as a kill leaves it
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

void RunTest::saysWhatItDoesBetweenSteps()
{
    const QTemporaryDir folder;
    DistilPlan plan = small_plan(30);
    plan.evaluate = {.every = 1, .sequences = 64};
    plan.probes = {"one", "two"};
    plan.probe_every = 1;
    RunRequest request = request_for(plan);
    request.teacher = golden_teacher_that_reads();
    request.checkpoints = folder.path().toStdString();
    const auto run = make_run(std::move(request)).value();
    QCOMPARE(run->stage(), RunStage{});
    std::set<std::string> seen;
    std::atomic<bool> over = false;
    std::thread watcher([&] {
        while (!over) {
            const RunStage stage = run->stage();
            seen.insert(stage.fraction >= 0 && stage.fraction < 1 ? stage.name : "out of bounds");
        }
    });
    run->execute({}, {});
    over = true;
    watcher.join();
    QCOMPARE(run->state(), RunState::Finished);
    QVERIFY(seen.contains("Evaluating") && seen.contains("Answering the probes") && seen.contains("Writing a checkpoint"));
    QVERIFY(!seen.contains("out of bounds"));
    QCOMPARE(run->stage(), RunStage{});
}

void RunTest::writesItsFirstCheckpointEarly()
{
    const QTemporaryDir folder;
    for (const double first_s : {0.0, 3600.0}) {
        DistilPlan plan = small_plan(3);
        plan.checkpoint.every_s = 7200;
        RunRequest request = request_for(plan);
        request.checkpoints = folder.filePath(first_s == 0.0 ? "early" : "late").toStdString();
        request.first_checkpoint_s = first_s;
        const auto run = make_run(std::move(request)).value();
        run->execute({}, {});
        QCOMPARE(run->checkpoints().since(0).first.front().step, std::int64_t{first_s == 0.0 ? 1 : 3});
    }
}

/// The checkpoint is written; the evaluation and the answers that would come before it are not waited for.
void RunTest::keepsNobodyWaitingWhenTheProgramEnds()
{
    const QTemporaryDir folder;
    DistilPlan plan = small_plan(1000);
    plan.evaluate = {.every = 1000, .sequences = 6};
    RunRequest request = request_for(plan);
    request.checkpoints = folder.path().toStdString();
    const auto run = make_run(std::move(request)).value();
    std::stop_source program;
    run->execute(
        [&](std::chrono::milliseconds) {
            if (run->steps_done() == 3) {
                program.request_stop();
            }
        },
        program.get_token());
    QCOMPARE(run->state(), RunState::Stopped);
    QCOMPARE(run->checkpoints().since(0).first.back().step, std::int64_t{3});
    QCOMPARE(run->evaluations().since(0).first.back().step, std::int64_t{0});
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

void RunTest::evaluatesAsTheNetsThatAnswerWould()
{
    DistilPlan plan = small_plan(12);
    plan.evaluate = {.every = 12, .sequences = 6};
    const RunRequest request = request_for(plan);
    const auto run = make_run(request).value();
    run->execute({}, {});
    const std::vector<Batch> held_out{request.data->held_out(0, 4, 16).value(), request.data->held_out(1, 2, 16).value()};
    const EvaluationPoint expected = evaluated_apart(request.teacher, run->student_now().value(), held_out);
    const EvaluationPoint point = run->evaluations().since(0).first.back();
    QCOMPARE(point.step, std::int64_t{12});
    QCOMPARE(point.targets, expected.targets);
    QVERIFY2(std::abs(point.kl - expected.kl) < 1e-5, QByteArray::number(point.kl - expected.kl));
    QVERIFY2(std::abs(point.cross_entropy - expected.cross_entropy) < 1e-5, QByteArray::number(point.cross_entropy - expected.cross_entropy));
    QCOMPARE(point.same_top, expected.same_top);
    const EvaluationPoint first = run->evaluations().since(0).first.front();
    const EvaluationPoint untrained = evaluated_apart(request.teacher, make_student(plan, request.teacher, std::nullopt).value(), held_out);
    QVERIFY2(std::abs(first.kl - untrained.kl) < 1e-5, QByteArray::number(first.kl - untrained.kl));
}

void RunTest::answersProbesAsTheStudentThatItIs()
{
    DistilPlan plan = small_plan(8);
    plan.probes = {"ab", "Some"};
    plan.probe_every = 3;
    RunRequest request = request_for(plan);
    request.teacher = golden_teacher_that_reads();
    const auto run = make_run(request).value();
    run->execute({}, {});
    QVERIFY2(run->state() == RunState::Finished, run->error().message.c_str());
    const auto samples = run->probes().since(0).first;
    std::vector<std::pair<std::int64_t, std::size_t>> places;
    for (const ProbeSample& sample : samples) {
        places.emplace_back(sample.step, sample.probe);
    }
    QCOMPARE(places, (std::vector<std::pair<std::int64_t, std::size_t>>{{0, 0}, {0, 1}, {3, 0}, {3, 1}, {6, 0}, {6, 1}, {8, 0}, {8, 1}}));
    // The last ones, again and token by token: the likeliest piece of exact logits, until the end or 48 of them.
    const Model student = run->student_now().value();
    const auto net = Net::create(student, Net::Precision::Exact).value();
    for (std::size_t probe = 0; probe < 2; ++probe) {
        std::vector<TokenId> ids = student.tokenizer().encode(plan.probes[probe]);
        const std::size_t prompt = ids.size();
        while (ids.size() < prompt + 48 && static_cast<std::int64_t>(ids.size()) < student.spec().context) {
            const auto cache = net->new_cache();
            std::vector<float> logits;
            QVERIFY(net->forward(*cache, ids, Net::Rows::Last, logits).has_value());
            const auto best = static_cast<TokenId>(std::ranges::max_element(logits) - logits.begin());
            if (best == 95) {
                break;
            }
            ids.push_back(best);
        }
        QCOMPARE(samples[6 + probe].text, student.tokenizer().decode(std::span(ids).subspan(prompt)));
    }
}

void RunTest::endsWhereTheLossNoLongerFalls()
{
    DistilPlan plan = small_plan(400);
    plan.optimiser.lr = 1e-7; // learns next to nothing, so the best is soon behind
    plan.stop.plateau_steps = 6;
    plan.evaluate.every = 0;
    const auto run = make_run(request_for(plan)).value();
    run->execute({}, {});
    QCOMPARE(run->state(), RunState::Finished);
    const auto points = run->metrics().since(0).first;
    QVERIFY(points.size() < 400);
    double smoothed = 0, best = 0;
    std::size_t best_step = 0;
    for (std::size_t step = 0; step < points.size(); ++step) {
        QVERIFY2(step <= best_step + 6, "it went on though six steps had brought nothing");
        smoothed = step == 0 ? points[0].loss : 0.9 * smoothed + 0.1 * points[step].loss;
        if (step == 0 || smoothed < best) {
            best = smoothed;
            best_step = step;
        }
    }
    QCOMPARE(points.size(), best_step + 7);
}

void RunTest::fifteenAndFifteenStepsAreThirty()
{
    const DistilPlan plan = small_plan(30); // the cosine spans all thirty, so the second half must know the whole
    const auto whole = make_run(request_for(plan)).value();
    whole->execute({}, {});

    const QTemporaryDir folder;
    RunRequest first = request_for(plan);
    first.checkpoints = folder.path().toStdString();
    const auto half = make_run(first).value();
    half->execute(
        [&](std::chrono::milliseconds) {
            if (half->steps_done() == 15) {
                half->request_stop();
            }
        },
        {});
    QCOMPARE(half->steps_done(), std::int64_t{15});
    RunRequest second = request_for(plan);
    second.resume_from = half->checkpoints().since(0).first.back().path;
    const auto rest = make_run(second).value();
    rest->execute({}, {});
    QCOMPARE(rest->state(), RunState::Finished);
    QVERIFY(same_bits(flat(whole->student_now().value()), flat(rest->student_now().value())));
    std::vector<MetricPoint> points = half->metrics().since(0).first;
    const auto tail = rest->metrics().since(0).first;
    points.insert(points.end(), tail.begin(), tail.end());
    const auto expected = whole->metrics().since(0).first;
    QCOMPARE(points.size(), expected.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
        QCOMPARE(points[i].step, static_cast<std::int64_t>(i));
        QCOMPARE(points[i].loss, expected[i].loss);
        QCOMPARE(points[i].lr, expected[i].lr);
        QCOMPARE(points[i].tokens, expected[i].tokens);
    }

    // Another total would be another cosine, so another run: refused, not bent.
    RunRequest longer = request_for(small_plan(31));
    longer.resume_from = second.resume_from;
    const auto other = make_run(longer);
    QVERIFY(!other.has_value());
    QVERIFY2(other.error().message.find("another plan, which differs in steps") != std::string::npos, other.error().message.c_str());
}

void RunTest::asksTheTeacherNothingWithoutObjective()
{
    DistilPlan plan = small_plan(5);
    plan.objective.name = "none";
    const RunRequest request = request_for(plan);
    const auto run = make_run(request).value();
    run->execute({}, {});
    const EvaluationPoint point = run->evaluations().since(0).first.back();
    QCOMPARE(point.kl, 0.0);
    QCOMPARE(point.same_top, 0.0);
    const std::vector<Batch> held_out{request.data->held_out(0, 4, 16).value(), request.data->held_out(1, 2, 16).value()};
    QVERIFY(std::abs(point.cross_entropy - evaluated_apart(request.teacher, run->student_now().value(), held_out).cross_entropy) < 1e-5);
    for (const MetricPoint& step : run->metrics().since(0).first) {
        QCOMPARE(step.teacher_entropy, 0.0);
        QCOMPARE(step.loss, step.cross_entropy);
    }
}

void RunTest::pausesWhenACheckpointCannotBeWritten()
{
    const QTemporaryDir folder;
    const QString place = folder.filePath(QStringLiteral("checkpoints"));
    QFile obstacle(place); // a file where the folder should be stands for a disk that takes nothing
    QVERIFY(obstacle.open(QIODevice::WriteOnly));
    obstacle.close();
    DistilPlan plan = small_plan(6);
    plan.checkpoint.every_s = 0;
    RunRequest request = request_for(plan);
    request.checkpoints = place.toStdString();
    const auto run = make_run(request).value();
    int pauses = 0;
    run->execute(
        [&](std::chrono::milliseconds) {
            if (run->state() != RunState::Paused) {
                return;
            }
            ++pauses;
            QCOMPARE(run->steps_done(), std::int64_t{pauses});
            QVERIFY(run->error().message.find("checkpoints") != std::string::npos);
            if (pauses == 2) { // tried again after the next step, in vain
                obstacle.remove();
            }
            run->request_pause(false);
        },
        {});
    QCOMPARE(pauses, 2);
    QVERIFY2(run->state() == RunState::Finished, run->error().message.c_str());
    QCOMPARE(run->steps_done(), std::int64_t{6});
    QVERIFY(run->error().message.empty());
    QVERIFY(load_model(run->checkpoints().since(0).first.back().path).has_value());

    QVERIFY(QDir(place).removeRecursively());
    QVERIFY(obstacle.open(QIODevice::WriteOnly));
    obstacle.close();
    const auto stopped = make_run(request).value();
    stopped->execute([&](std::chrono::milliseconds) { stopped->state() == RunState::Paused ? stopped->request_stop() : void(); }, {});
    QCOMPARE(stopped->state(), RunState::Failed);
    QVERIFY(stopped->error().message.find("checkpoints") != std::string::npos);
    QCOMPARE(stopped->steps_done(), std::int64_t{1});
    QVERIFY(!same_bits(flat(stopped->student_now().value()), flat(make_student(plan, request.teacher, std::nullopt).value()))); // kept
}

void RunTest::failsAtAStepInWhichNothingCounts()
{
    RunRequest request = request_for(small_plan(5));
    request.plan.evaluate.every = 0;
    request.plan.optimiser.weight_decay = 0.5;
    request.data = std::make_shared<SilentSource>(0, true);
    const auto run = make_run(request).value();
    const auto before = flat(run->student_now().value());
    run->execute({}, {});
    QCOMPARE(run->state(), RunState::Failed);
    QVERIFY2(run->error().message.find("Step 0: no token of its batch counts") == 0, run->error().message.c_str());
    QVERIFY(run->metrics().since(0).first.empty());
    QVERIFY(same_bits(before, flat(run->student_now().value())));

    request.data = std::make_shared<SilentSource>(5, true); // the third step's second half is silent: it has targets yet
    const auto longer = make_run(request).value();
    longer->execute({}, {});
    QCOMPARE(longer->state(), RunState::Failed);
    QVERIFY2(longer->error().message.find("Step 3: ") == 0, longer->error().message.c_str());
    QCOMPARE(longer->metrics().since(0).first.size(), std::size_t{3});
}

void RunTest::refusesToEvaluateOverNothing()
{
    RunRequest request = request_for(small_plan(5));
    request.data = std::make_shared<SilentSource>(1'000, false);
    const auto run = make_run(request).value();
    run->execute({}, {});
    QCOMPARE(run->state(), RunState::Failed);
    QVERIFY2(run->error().message.find("cannot be evaluated") != std::string::npos, run->error().message.c_str());
    QVERIFY(run->evaluations().since(0).first.empty());
}

void RunTest::tellsBeforehandWhatItLeavesOut()
{
    QVERIFY(make_run(request_for(small_plan(5))).value()->remarks().empty());
    RunRequest request = request_for(small_plan(5));
    request.data = std::make_shared<SilentSource>(1'000, true);
    QCOMPARE(make_run(request).value()->remarks(), std::vector<std::string>{"Most of it is silent."});
    request.data = std::make_shared<RecordedSource>();
    const auto recorded = make_run(request).value();
    QVERIFY(recorded->remarks().at(0).find("not evaluated") != std::string::npos);
    recorded->execute({}, {});
    QCOMPARE(recorded->state(), RunState::Finished);
    QVERIFY(recorded->evaluations().since(0).first.empty());
}

void RunTest::keepsTheCheckpointsOfOtherRuns()
{
    const QTemporaryDir folder;
    const auto finish = [&](std::int64_t steps) {
        RunRequest request = request_for(small_plan(steps));
        request.plan.checkpoint.every_s = 0;
        request.checkpoints = folder.path().toStdString();
        const auto run = make_run(request).value();
        run->execute({}, {});
        return run;
    };
    const auto first = finish(6);
    const auto second = finish(3);
    const auto third = finish(6);
    QCOMPARE(QDir(folder.path()).entryList(QDir::Dirs | QDir::NoDotAndDotDot),
             (QStringList{QStringLiteral("step-000002"), QStringLiteral("step-000003"), QStringLiteral("step-000005"),
                          QStringLiteral("step-000005-2"), QStringLiteral("step-000006"), QStringLiteral("step-000006-2")}));
    for (const auto& run : {first, second, third}) {
        const CheckpointNote last = run->checkpoints().since(0).first.back();
        QCOMPARE(read_training_state(last.path).value().run, run->uuid());
        QVERIFY(same_bits(flat(load_model(last.path).value()), flat(run->student_now().value())));
    }
    QVERIFY(third->remarks().back().find("4 checkpoints of other runs") != std::string::npos);
}

void RunTest::writesOverTheTailThatAResumeGaveUp()
{
    const QTemporaryDir folder;
    RunRequest request = request_for(small_plan(8));
    request.plan.checkpoint = {.every_s = 0, .keep = 6};
    request.checkpoints = folder.path().toStdString();
    const auto run = make_run(request).value();
    run->execute({}, {});
    request.resume_from = request.checkpoints / "step-000004";
    const auto rest = make_run(request).value();
    rest->execute(
        [&](std::chrono::milliseconds) {
            if (rest->steps_done() == 5) {
                rest->request_stop();
            }
        },
        {});
    const CheckpointNote last = rest->checkpoints().since(0).first.back();
    QCOMPARE(last.step, std::int64_t{5});
    QVERIFY(std::filesystem::exists(last.path)); // though four of the tail given up have higher numbers
    QCOMPARE(read_training_state(last.path).value().segment, std::int64_t{1});
}

void RunTest::keepsItsNameThroughAResume()
{
    const QTemporaryDir folder;
    RunRequest request = request_for(small_plan(3));
    request.checkpoints = folder.path().toStdString();
    request.uuid = "f81d4fae-7dec-41d0-8765-00a0c91e6bf6";
    const auto run = make_run(request).value();
    QCOMPARE(run->uuid(), request.uuid);
    run->execute({}, {});
    RunRequest again = request_for(small_plan(3));
    again.resume_from = run->checkpoints().since(0).first.back().path;
    QCOMPARE(make_run(again).value()->uuid(), request.uuid);
    QVERIFY(make_run(request_for(small_plan(3))).value()->uuid() != make_run(request_for(small_plan(3))).value()->uuid());
}

void RunTest::keepsMomentsByTheNamesOfTheirWeights()
{
    const QTemporaryDir folder;
    RunRequest request = request_for(small_plan(3));
    request.checkpoints = folder.path().toStdString();
    const auto run = make_run(request).value();
    run->execute({}, {});
    const std::filesystem::path place = run->checkpoints().since(0).first.back().path;
    const auto moments = read_safetensors(place / "training.safetensors").value().tensors;
    const Model student = run->student_now().value();
    QCOMPARE(moments.size(), 2 * student.weights().size());
    for (const auto& [name, weight] : student.weights()) {
        QCOMPARE(moments.at("exp_avg." + name).shape, weight.shape);
        const std::vector<float> squares = decoded(moments.at("exp_avg_sq." + name));
        QVERIFY(std::ranges::any_of(squares, [](float value) { return value > 0; }));
        QVERIFY(std::ranges::all_of(squares, [](float value) { return value >= 0; }));
    }
}

void RunTest::refusesMomentsOfAnotherShape()
{
    const QTemporaryDir folder;
    RunRequest request = request_for(small_plan(3));
    request.checkpoints = folder.path().toStdString();
    make_run(request).value()->execute({}, {});
    request.resume_from = request.checkpoints / "step-000003";
    const std::filesystem::path file = request.resume_from / "training.safetensors";
    auto moments = read_safetensors(file).value().tensors;
    const auto expect = [&](const char* words) {
        QVERIFY(write_safetensors(file, moments).has_value());
        auto json = nlohmann::json::parse(std::ifstream(request.resume_from / "training.json"));
        json["moments_sha256"] = sha256_of_file(file).value();
        QVERIFY(write_file_atomically(request.resume_from / "training.json", json.dump()).has_value());
        const auto run = make_run(request).value();
        run->execute({}, {});
        QCOMPARE(run->state(), RunState::Failed);
        QVERIFY2(run->error().message.find(words) != std::string::npos, run->error().message.c_str());
    };
    const Weight norm = moments.at("exp_avg.model.norm.weight");
    moments["exp_avg.model.norm.weight"] = weight_from_floats({16, 2}, decoded(norm));
    expect("another shape has exp_avg.model.norm.weight");
    moments.erase("exp_avg.model.norm.weight");
    expect("there is no exp_avg.model.norm.weight");
    moments = {{"exp_avg", norm}, {"exp_avg_sq", norm}};
    expect("without the names of their weights");
}

void RunTest::tellsTheSizeOfTheWeightsApart()
{
    const QTemporaryDir folder;
    RunRequest request = request_for(small_plan(2));
    request.checkpoints = folder.path().toStdString();
    const auto run = make_run(request).value();
    run->execute({}, {});
    const CheckpointNote note = run->checkpoints().since(0).first.back();
    QCOMPARE(note.weights_bytes, inspect_model(note.path).value().file_bytes);
    QVERIFY(note.bytes > 3 * note.weights_bytes); // with two moments for each weight
}

void RunTest::learnsByWhatAPluginAdds()
{
    Catalogues known = Catalogues::with_built_ins();
    known.objectives.add({.name = "jeffreys",
                          .summary = "(KL(teacher || student) + KL(student || teacher)) / 2",
                          .when = "",
                          .trap = "",
                          .source = "Jeffreys 1946.",
                          .make = [](const DistilPlan::Objective&) { return std::make_shared<const Jeffreys>(); }});
    known.schedules.add({"half", "half the rate", [](const DistilPlan::Schedule&, double) { return 0.5; }});
    const std::string text =
        R"({"teacher": "t", "student": {"from": "s"}, "data": {}, "objective": {"name": "jeffreys"}, "schedule": {"kind": "half"}})";
    QVERIFY(parse_plan(text, "plan.json", known).has_value());
    QVERIFY(parse_plan(text, "plan.json").error().message.find("known are") != std::string::npos);

    const auto figures = [&](const std::string& objective) {
        RunRequest request = request_for(small_plan(30));
        request.plan.objective = {.name = objective, .temperature = 1, .alpha_cross_entropy = 0};
        request.plan.optimiser.lr = 1e-2;
        request.plan.schedule = {.kind = "half", .warmup_steps = 0};
        request.known = &known;
        const auto run = make_run(request).value();
        run->execute({}, {});
        return run->metrics().since(0).first;
    };
    const auto jeffreys = figures("jeffreys");
    QCOMPARE(jeffreys.size(), std::size_t{30});
    QCOMPARE(jeffreys.front().lr, 5e-3);
    QVERIFY(jeffreys.back().divergence < 0.97 * jeffreys.front().divergence);
    const double forward = figures("forward_kl").front().divergence;
    const double reverse = figures("reverse_kl").front().divergence;
    QVERIFY(std::abs(jeffreys.front().divergence - (forward + reverse) / 2) < 1e-5 * forward);
    RunRequest unknown = request_for(small_plan(3));
    unknown.plan.objective.name = "jeffreys";
    QVERIFY(make_run(unknown).error().message.find("objective.name is \"jeffreys\"; known are") != std::string::npos);
}

} // namespace retort

QTEST_GUILESS_MAIN(retort::RunTest)
#include "run_test.moc"
