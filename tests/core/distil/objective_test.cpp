#include "core/distil/formulas.h"
#include "core/distil/head_loss.h"
#include "core/plugin/registry.h"
#include "tests/core/distil/golden_training.h"

#include <QTest>
#include <cmath>
#include <numeric>

namespace retort {
namespace {

std::vector<double> logits(std::size_t count, double seed)
{
    std::vector<double> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = 3.0 * std::sin(seed + 1.7 * static_cast<double>(i) * (1 + seed / 10));
    }
    return values;
}

std::vector<float> narrowed(const std::vector<double>& values)
{
    return {values.begin(), values.end()};
}

/// T^2 KL(softmax(v / T) || softmax(z / T)) and its gradient with respect to z, in double.
double tempered_kl(const std::vector<double>& v, const std::vector<double>& z, double temperature, std::vector<double>& gradient)
{
    std::vector<double> a(v.size());
    std::vector<double> b(z.size());
    tempered_log_softmax<double>(v, temperature, a);
    tempered_log_softmax<double>(z, temperature, b);
    gradient.resize(z.size());
    const double divergence = forward_kl<double>(a, b, gradient);
    through_log_softmax<double>(b, temperature, temperature * temperature, gradient);
    return temperature * temperature * divergence;
}

} // namespace

class ObjectiveTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void matchesGoldenForwardKl_data();
    void matchesGoldenForwardKl();
    void crossEntropyMatchesItsFiniteDifferences();
    void isZeroWhenStudentAgrees_data() { each(); }
    void isZeroWhenStudentAgrees();
    void gradientMatchesFiniteDifferences_data() { each(); }
    void gradientMatchesFiniteDifferences();
    void gradientOfRawLogitsSumsToZero_data() { each(); }
    void gradientOfRawLogitsSumsToZero();
    void tendsToMeanSquareAsTemperatureGrows();
    void fusedKernelEqualsPlainFormula_data();
    void fusedKernelEqualsPlainFormula();
    void fusedKernelIsExactlyZeroWhenStudentAgrees();
    void aNaNInTheLogitsReachesTheLoss();

private:
    static void each()
    {
        QTest::addColumn<QString>("name");
        for (const std::string& name : Registry::with_built_ins().objective_names()) {
            QTest::newRow(name.c_str()) << QString::fromStdString(name);
        }
    }
};

void ObjectiveTest::matchesGoldenForwardKl_data()
{
    QTest::addColumn<int>("index");
    const nlohmann::json golden = GoldenTraining::json(QStringLiteral("objectives.json"));
    for (std::size_t i = 0; i < golden.at("cases").size(); ++i) {
        const nlohmann::json& row = golden.at("cases")[i];
        if (row.at("loss") == "FKL") {
            QTest::addRow("T = %g", row.at("T").get<double>()) << static_cast<int>(i);
        }
    }
}

void ObjectiveTest::matchesGoldenForwardKl()
{
    QFETCH(int, index);
    const nlohmann::json golden = GoldenTraining::json(QStringLiteral("objectives.json"));
    const nlohmann::json& row = golden.at("cases")[static_cast<std::size_t>(index)];
    std::vector<double> gradient;
    const double value = tempered_kl(golden.at("teacher_logits"), golden.at("student_logits"), row.at("T"), gradient);
    QVERIFY(std::abs(value - row.at("value").get<double>()) < 1e-10);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        QVERIFY(std::abs(gradient[i] - row.at("grad")[i].get<double>()) < 1e-10);
    }
}

void ObjectiveTest::crossEntropyMatchesItsFiniteDifferences()
{
    const std::vector<double> z = logits(9, 0.4);
    std::vector<double> b(z.size());
    std::vector<double> gradient(z.size());
    tempered_log_softmax<double>(z, 1.0, b);
    (void)cross_entropy<double>(b, 3, 1.0, gradient);
    for (std::size_t i = 0; i < z.size(); ++i) {
        const auto value_at = [&](double shift) {
            std::vector<double> moved = z;
            moved[i] += shift;
            std::vector<double> unused(z.size());
            tempered_log_softmax<double>(moved, 1.0, b);
            return cross_entropy<double>(b, 3, 1.0, unused);
        };
        QVERIFY(std::abs(gradient[i] - (value_at(1e-5) - value_at(-1e-5)) / 2e-5) < 1e-9);
    }
}

void ObjectiveTest::isZeroWhenStudentAgrees()
{
    QFETCH(QString, name);
    const Registry registry = Registry::with_built_ins();
    std::vector<float> a(33);
    tempered_log_softmax<float>(narrowed(logits(33, 0.7)), 2.0f, a);
    std::vector<float> gradient(a.size());
    QCOMPARE(registry.objective(name.toStdString())->evaluate({a, a}, gradient), 0.0);
    through_log_softmax<float>(a, 2.0f, 1.0f, gradient);
    for (const float g : gradient) {
        QVERIFY(std::abs(g) < 1e-7f);
    }
}

void ObjectiveTest::gradientMatchesFiniteDifferences()
{
    QFETCH(QString, name);
    const Registry registry = Registry::with_built_ins();
    const auto objective = registry.objective(name.toStdString());
    std::vector<float> a(9);
    tempered_log_softmax<float>(narrowed(logits(9, 0.1)), 2.0f, a);
    const std::vector<float> z = narrowed(logits(9, 0.9));
    std::vector<float> b(9);
    std::vector<float> gradient(9);
    tempered_log_softmax<float>(z, 2.0f, b);
    (void)objective->evaluate({a, b}, gradient);
    through_log_softmax<float>(b, 2.0f, 1.0f, gradient);
    std::vector<float> unused(9);
    for (std::size_t i = 0; i < z.size(); ++i) {
        const auto value_at = [&](float shift) {
            std::vector<float> moved = z;
            moved[i] += shift;
            tempered_log_softmax<float>(moved, 2.0f, b);
            return objective->evaluate({a, b}, unused);
        };
        QVERIFY(std::abs(static_cast<double>(gradient[i]) - (value_at(0.01f) - value_at(-0.01f)) / 0.02) < 1e-4);
    }
}

void ObjectiveTest::gradientOfRawLogitsSumsToZero()
{
    QFETCH(QString, name);
    const Registry registry = Registry::with_built_ins();
    std::vector<float> a(50);
    std::vector<float> b(50);
    std::vector<float> gradient(50);
    tempered_log_softmax<float>(narrowed(logits(50, 0.2)), 3.0f, a);
    tempered_log_softmax<float>(narrowed(logits(50, 0.8)), 3.0f, b);
    (void)registry.objective(name.toStdString())->evaluate({a, b}, gradient);
    through_log_softmax<float>(b, 3.0f, 1.0f, gradient);
    double sum = 0;
    for (const float g : gradient) {
        sum += static_cast<double>(g);
    }
    QVERIFY(std::abs(sum) < 1e-6);
}

void ObjectiveTest::tendsToMeanSquareAsTemperatureGrows()
{
    const std::vector<double> v = logits(9, 0.3);
    const std::vector<double> z = logits(9, 0.6);
    const auto mean = [](const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size()); };
    std::vector<double> errors;
    for (const double temperature : {100.0, 1000.0}) {
        std::vector<double> gradient;
        (void)tempered_kl(v, z, temperature, gradient);
        double error = 0;
        for (std::size_t i = 0; i < z.size(); ++i) {
            error += std::abs(gradient[i] - ((z[i] - mean(z)) - (v[i] - mean(v))) / 9.0);
        }
        errors.push_back(error);
    }
    QVERIFY(errors[1] > 0.08 * errors[0] && errors[1] < 0.12 * errors[0]); // falls as 1 / T
}

void ObjectiveTest::fusedKernelEqualsPlainFormula_data()
{
    QTest::addColumn<int>("vocabulary");
    QTest::addColumn<double>("temperature");
    for (const int vocabulary : {2, 15, 16, 17, 100, 1031}) {
        for (const double temperature : {0.5, 1.0, 2.0, 3.0}) {
            QTest::addRow("%d pieces, T = %g", vocabulary, temperature) << vocabulary << temperature;
        }
    }
}

void ObjectiveTest::fusedKernelEqualsPlainFormula()
{
    QFETCH(int, vocabulary);
    QFETCH(double, temperature);
    constexpr std::size_t kRows = 3;
    const auto size = static_cast<std::size_t>(vocabulary);
    std::vector<float> fused = narrowed(logits(kRows * size, 0.5));
    std::vector<float> plain = fused;
    std::vector<float> teacher = narrowed(logits(kRows * size, 0.1));
    const std::vector<std::int32_t> labels{0, vocabulary - 1, vocabulary / 2};
    const LossWeights weights{.temperature = temperature, .cross_entropy = 0.1, .divergence = 0.7};
    const TrainableNet::Logits theirs{.fp32 = teacher.data(), .rows = kRows, .vocabulary = vocabulary};
    const LossSums a = compare_rows({.fp32 = fused.data(), .rows = kRows, .vocabulary = vocabulary}, &theirs, labels, ForwardKl(), weights);
    const LossSums b = compare_rows_plainly({.fp32 = plain.data(), .rows = kRows, .vocabulary = vocabulary}, theirs, labels, ForwardKl(), weights);
    QVERIFY(std::abs(a.divergence - b.divergence) < 1e-5 * std::max(1.0, b.divergence));
    QVERIFY(std::abs(a.cross_entropy - b.cross_entropy) < 1e-5 * b.cross_entropy);
    QVERIFY(std::abs(a.teacher_entropy - b.teacher_entropy) < 2e-5 * std::max(1.0, b.teacher_entropy));
    for (std::size_t i = 0; i < fused.size(); ++i) {
        QVERIFY(std::abs(fused[i] - plain[i]) < 1e-6f);
    }
}

void ObjectiveTest::fusedKernelIsExactlyZeroWhenStudentAgrees()
{
    std::vector<float> student = narrowed(logits(200, 0.5));
    std::vector<float> teacher = student;
    const std::vector<std::int32_t> labels{7, 50};
    const TrainableNet::Logits theirs{.fp32 = teacher.data(), .rows = 2, .vocabulary = 100};
    const LossSums sums =
        compare_rows({.fp32 = student.data(), .rows = 2, .vocabulary = 100}, &theirs, labels, ForwardKl(), {.temperature = 2, .divergence = 1});
    QCOMPARE(sums.divergence, 0.0);
    for (const float g : student) {
        QCOMPARE(g, 0.0f);
    }
}

void ObjectiveTest::aNaNInTheLogitsReachesTheLoss()
{
    std::vector<float> student = narrowed(logits(100, 0.5));
    student[42] = std::nanf("");
    const std::vector<std::int32_t> labels{7};
    const LossSums sums = compare_rows({.fp32 = student.data(), .rows = 1, .vocabulary = 100}, nullptr, labels, ForwardKl(), {.cross_entropy = 1});
    QVERIFY(std::isnan(sums.cross_entropy));
}

} // namespace retort

QTEST_APPLESS_MAIN(retort::ObjectiveTest)
#include "objective_test.moc"
