#include "core/distil/step.h"

#include "core/distil/catalogues.h"
#include "tests/core/distil/golden_training.h"

#include <QTest>
#include <cmath>

namespace retort {
namespace {

/// An objective without its kernel, as a plugin's is.
class Plainly final : public Objective {
public:
    explicit Plainly(std::shared_ptr<const Objective> objective) : m_objective(std::move(objective)) {}
    std::string_view name() const override { return m_objective->name(); }
    std::string_view formula() const override { return m_objective->formula(); }
    double evaluate(PositionPair pair, std::span<float> gradient) const override { return m_objective->evaluate(pair, gradient); }

private:
    std::shared_ptr<const Objective> m_objective;
};

std::unique_ptr<TrainableNet> make_net(const DecoderShape& spec, const WeightSet& weights, TrainableNet::Purpose purpose,
                                       TrainableNet::Precision precision = TrainableNet::Precision::Fp32)
{
    return TrainableNet::create(spec, weights, "golden", precision, purpose).value();
}

/// Sequences part/parts ... (part + 1)/parts of a batch.
Batch part_of(const Batch& batch, std::size_t part, std::size_t parts)
{
    Batch result;
    result.sequences = batch.sequences / static_cast<std::int64_t>(parts);
    result.length = batch.length;
    const auto size = static_cast<std::ptrdiff_t>(result.sequences * result.length);
    const auto begin = static_cast<std::ptrdiff_t>(part) * size;
    result.ids.assign(batch.ids.begin() + begin, batch.ids.begin() + begin + size);
    result.mask.assign(batch.mask.begin() + begin, batch.mask.begin() + begin + size);
    return result;
}

double relative(double got, double expected)
{
    return std::abs(got - expected) / std::max(1e-12, std::abs(expected));
}

} // namespace

class StepTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void repeatsPyTorchStepByStep_data();
    void repeatsPyTorchStepByStep();
};

void StepTest::repeatsPyTorchStepByStep_data()
{
    QTest::addColumn<int>("run");
    QTest::addColumn<bool>("fused");
    QTest::newRow("forward KL") << 0 << true;
    QTest::newRow("reverse KL") << 1 << true;
    QTest::newRow("reverse KL, through the plain path") << 1 << false;
    QTest::newRow("generalised JSD, each batch in two parts") << 2 << true;
}

void StepTest::repeatsPyTorchStepByStep()
{
    QFETCH(int, run);
    QFETCH(bool, fused);
    const GoldenTraining golden = GoldenTraining::read();
    const nlohmann::json& record = golden.reference.at("runs").at(static_cast<std::size_t>(run));

    DistilPlan plan;
    plan.steps = 20;
    plan.optimiser.lr = 3e-3;
    plan.schedule.warmup_steps = 4;
    plan.objective.name = run == 0 ? "forward_kl" : run == 1 ? "reverse_kl" : "gjsd";
    plan.objective.beta = record.value("beta", 0.5);
    const auto chosen = built_in_catalogues().objective(plan.objective).value();
    const Plainly plain(chosen);
    const Objective& objective = fused ? *chosen : plain;

    Teacher teacher(make_net(golden.teacher_spec, golden.teacher, TrainableNet::Purpose::Teacher));
    Student student(make_net(golden.student_spec, golden.student, TrainableNet::Purpose::Training), plan.optimiser);
    const std::size_t accumulation = record.at("accumulation");
    for (std::size_t step = 0; step < record.at("steps").size(); ++step) {
        const nlohmann::json& expected = record.at("steps")[step];
        std::vector<Batch> batches;
        for (std::size_t part = 0; part < accumulation; ++part) {
            batches.push_back(part_of(golden.batches[step], part, accumulation));
        }
        const StepReport report = distil_step(&teacher, student, batches, objective,
                                              {.temperature = record.at("temperature"),
                                               .alpha_cross_entropy = record.at("alpha_cross_entropy"),
                                               .clip_norm = 1.0,
                                               .learning_rate = expected.at("lr"),
                                               .vocabulary = 96});
        const auto where = [&](const char* what, double got) {
            return QStringLiteral("step %1: %2 is %3, expected %4")
                .arg(step)
                .arg(QLatin1String(what))
                .arg(got, 0, 'g', 10)
                .arg(expected.at(what).get<double>(), 0, 'g', 10)
                .toUtf8();
        };
        QVERIFY2(relative(report.loss, expected.at("loss")) < 1e-5, where("loss", report.loss).constData());
        QVERIFY2(relative(report.divergence, expected.at("divergence")) < 2e-5, where("divergence", report.divergence).constData());
        QVERIFY2(relative(report.cross_entropy, expected.at("cross_entropy")) < 1e-5, where("cross_entropy", report.cross_entropy).constData());
        QVERIFY2(relative(report.gradient_norm, expected.at("grad_norm")) < 1e-4, where("grad_norm", report.gradient_norm).constData());
    }

    const Batch& batch = golden.batches[0];
    student.net().forward({batch.ids.data(), static_cast<std::size_t>(batch.length)}, 1, batch.length);
    std::vector<std::int64_t> rows(static_cast<std::size_t>(batch.length));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i] = static_cast<std::int64_t>(i);
    }
    student.net().pick(rows);
    const TrainableNet::Logits logits = student.logits(0, batch.length, 96);
    const nlohmann::json& expected = record.at("student_logits_after_batch0_row0");
    for (std::size_t t = 0; t < rows.size(); ++t) {
        for (std::size_t i = 0; i < 96; ++i) {
            QVERIFY(std::abs(static_cast<double>(logits.fp32[t * 96 + i]) - expected[t][i].get<double>()) < 1e-3);
        }
    }
}

} // namespace retort

QTEST_APPLESS_MAIN(retort::StepTest)
#include "step_test.moc"
