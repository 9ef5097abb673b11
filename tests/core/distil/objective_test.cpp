#include "core/distil/catalogues.h"
#include "core/distil/formulas.h"
#include "core/distil/head_loss.h"
#include "tests/core/distil/golden_training.h"

#include <QTest>
#include <cmath>
#include <functional>
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

using OfPieceInDouble = std::function<OfPiece<double>(double, double)>;

/// factor D(softmax(v / T), softmax(z / T)) and its gradient with respect to z, in double.
double tempered(const OfPieceInDouble& of_piece, const std::vector<double>& v, const std::vector<double>& z, double temperature, double factor,
                std::vector<double>& gradient)
{
    std::vector<double> a(v.size());
    std::vector<double> b(z.size());
    tempered_log_softmax<double>(v, temperature, a);
    tempered_log_softmax<double>(z, temperature, b);
    gradient.resize(z.size());
    const double divergence = sum_over_pieces<double>(a, b, gradient, of_piece);
    through_log_softmax<double>(b, temperature, factor, gradient);
    return factor * divergence;
}

double tempered_kl(const std::vector<double>& v, const std::vector<double>& z, double temperature, std::vector<double>& gradient)
{
    return tempered(forward_kl<double>, v, z, temperature, temperature * temperature, gradient);
}

/// The formulas by the names that the golden file gives them.
OfPieceInDouble formula_called(const std::string& loss)
{
    const auto with = [&loss](auto formula) {
        const double share = std::stod(loss.substr(loss.find('=') + 1));
        return [formula, share](double a, double b) { return formula(a, b, share); };
    };
    if (loss == "FKL") {
        return forward_kl<double>;
    }
    if (loss == "RKL") {
        return reverse_kl<double>;
    }
    if (loss == "TVD x T") {
        return total_variation<double>;
    }
    if (loss.starts_with("GJSD")) {
        return with(generalised_jsd<double>);
    }
    if (loss.starts_with("SKL")) {
        return with(skewed_kl<double>);
    }
    return loss.starts_with("SRKL") ? OfPieceInDouble(with(skewed_reverse_kl<double>)) : OfPieceInDouble();
}

std::shared_ptr<const Objective> objective_called(const QString& name, DistilPlan::Objective options = {})
{
    options.name = name.toStdString();
    return built_in_catalogues().objective(options).value();
}

} // namespace

class ObjectiveTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void matchesGoldenValues_data();
    void matchesGoldenValues();
    void softCrossEntropyIsForwardKlAndTheTeachersEntropy();
    void gjsdTendsToForwardAndReverseKl();
    void sayEverythingThatAReaderNeeds_data() { each(); }
    void sayEverythingThatAReaderNeeds();
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
        for (const std::string& name : built_in_catalogues().objectives.names()) {
            QTest::newRow(name.c_str()) << QString::fromStdString(name);
        }
    }
};

void ObjectiveTest::matchesGoldenValues_data()
{
    QTest::addColumn<int>("index");
    const nlohmann::json golden = GoldenTraining::json(QStringLiteral("objectives.json"));
    for (std::size_t i = 0; i < golden.at("cases").size(); ++i) {
        const nlohmann::json& row = golden.at("cases")[i];
        if (formula_called(row.at("loss"))) {
            QTest::addRow("%s, T = %g", row.at("loss").get<std::string>().c_str(), row.at("T").get<double>()) << static_cast<int>(i);
        }
    }
}

void ObjectiveTest::matchesGoldenValues()
{
    QFETCH(int, index);
    const nlohmann::json golden = GoldenTraining::json(QStringLiteral("objectives.json"));
    const nlohmann::json& row = golden.at("cases")[static_cast<std::size_t>(index)];
    const std::string loss = row.at("loss");
    const double temperature = row.at("T");
    const double factor = loss == "TVD x T" ? temperature : temperature * temperature;
    std::vector<double> gradient;
    const double value = tempered(formula_called(loss), golden.at("teacher_logits"), golden.at("student_logits"), temperature, factor, gradient);
    QVERIFY(std::abs(value - row.at("value").get<double>()) < 1e-10);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        QVERIFY(std::abs(gradient[i] - row.at("grad")[i].get<double>()) < 1e-10);
    }
}

void ObjectiveTest::softCrossEntropyIsForwardKlAndTheTeachersEntropy()
{
    const std::vector<double> v = logits(9, 0.3);
    const std::vector<double> z = logits(9, 0.6);
    std::vector<double> of_cross_entropy;
    std::vector<double> of_kl;
    const double cross_entropy = tempered(soft_cross_entropy<double>, v, z, 2.0, 1.0, of_cross_entropy);
    const double kl = tempered(forward_kl<double>, v, z, 2.0, 1.0, of_kl);
    std::vector<double> a(v.size());
    tempered_log_softmax<double>(v, 2.0, a);
    double entropy = 0;
    for (const double log_p : a) {
        entropy -= std::exp(log_p) * log_p;
    }
    QVERIFY(std::abs(cross_entropy - kl - entropy) < 1e-12);
    for (std::size_t i = 0; i < of_kl.size(); ++i) {
        QVERIFY(std::abs(of_cross_entropy[i] - of_kl[i]) < 1e-12);
    }
}

void ObjectiveTest::gjsdTendsToForwardAndReverseKl()
{
    const std::vector<double> v = logits(9, 0.3);
    const std::vector<double> z = logits(9, 0.6);
    std::vector<double> unused;
    for (const double beta : {1e-5, 1 - 1e-5}) {
        const double jsd = tempered([beta](double a, double b) { return generalised_jsd(a, b, beta); }, v, z, 1.0, 1.0, unused);
        const double kl = tempered(beta < 0.5 ? forward_kl<double> : reverse_kl<double>, v, z, 1.0, 1.0, unused);
        QVERIFY(std::abs(jsd / (beta * (1 - beta)) - kl) < 1e-3 * kl);
    }
}

void ObjectiveTest::sayEverythingThatAReaderNeeds()
{
    QFETCH(QString, name);
    const ObjectiveKind& kind = *built_in_catalogues().objectives.find(name.toStdString());
    for (const std::string* text : {&kind.summary, &kind.when, &kind.trap, &kind.source}) {
        QVERIFY(!text->empty());
    }
    QCOMPARE(objective_called(name)->name(), std::string_view(kind.name));
    QVERIFY(!objective_called(name)->formula().empty());
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
    std::vector<float> a(33);
    tempered_log_softmax<float>(narrowed(logits(33, 0.7)), 2.0f, a);
    std::vector<float> gradient(a.size());
    double floor = 0; // of soft cross-entropy it is the teacher's entropy
    for (const float log_p : a) {
        floor -= name == QLatin1String("soft_cross_entropy") ? std::exp(static_cast<double>(log_p)) * static_cast<double>(log_p) : 0.0;
    }
    QVERIFY(std::abs(objective_called(name)->evaluate({a, a}, gradient) - floor) < 1e-14);
    through_log_softmax<float>(a, 2.0f, 1.0f, gradient);
    for (const float g : gradient) {
        QVERIFY(std::abs(g) < 1e-7f);
    }
}

void ObjectiveTest::gradientMatchesFiniteDifferences()
{
    QFETCH(QString, name);
    const auto objective = objective_called(name);
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
    std::vector<float> a(50);
    std::vector<float> b(50);
    std::vector<float> gradient(50);
    tempered_log_softmax<float>(narrowed(logits(50, 0.2)), 3.0f, a);
    tempered_log_softmax<float>(narrowed(logits(50, 0.8)), 3.0f, b);
    (void)objective_called(name)->evaluate({a, b}, gradient);
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
    QTest::addColumn<QString>("name");
    QTest::addColumn<int>("vocabulary");
    QTest::addColumn<double>("temperature");
    for (const std::string& name : built_in_catalogues().objectives.names()) {
        for (const int vocabulary : {2, 15, 16, 17, 100, 1031}) {
            for (const double temperature : {0.5, 1.0, 2.0, 3.0}) {
                QTest::addRow("%s, %d pieces, T = %g", name.c_str(), vocabulary, temperature)
                    << QString::fromStdString(name) << vocabulary << temperature;
            }
        }
    }
}

void ObjectiveTest::fusedKernelEqualsPlainFormula()
{
    QFETCH(QString, name);
    QFETCH(int, vocabulary);
    QFETCH(double, temperature);
    const auto objective = objective_called(name, {.beta = 0.3, .alpha = 0.2});
    QVERIFY(objective->fused().has_value());
    constexpr std::size_t kRows = 3;
    const auto size = static_cast<std::size_t>(vocabulary);
    std::vector<float> fused = narrowed(logits(kRows * size, 0.5));
    std::vector<float> plain = fused;
    std::vector<float> teacher = narrowed(logits(kRows * size, 0.1));
    const std::vector<std::int32_t> labels{0, vocabulary - 1, vocabulary / 2};
    const LossWeights weights{.temperature = temperature, .cross_entropy = 0.1, .divergence = 0.7};
    const TrainableNet::Logits theirs{.fp32 = teacher.data(), .rows = kRows, .vocabulary = vocabulary};
    const LossSums a = compare_rows({.fp32 = fused.data(), .rows = kRows, .vocabulary = vocabulary}, &theirs, labels, *objective, weights);
    const LossSums b = compare_rows_plainly({.fp32 = plain.data(), .rows = kRows, .vocabulary = vocabulary}, theirs, labels, *objective, weights);
    QVERIFY(std::abs(a.divergence - b.divergence) < 1e-5 * std::max(1.0, b.divergence));
    QVERIFY(std::abs(a.cross_entropy - b.cross_entropy) < 1e-5 * b.cross_entropy);
    QVERIFY(std::abs(a.teacher_entropy - b.teacher_entropy) < 2e-5 * std::max(1.0, b.teacher_entropy));
    const float bearable = name == QLatin1String("forward_kl") ? 1e-6f : 5e-6f; // at T = 1/2 gaps of log-probabilities reach 24, rounded to 2e-6
    for (std::size_t i = 0; i < fused.size(); ++i) {
        QVERIFY(std::abs(fused[i] - plain[i]) < bearable);
    }
}

void ObjectiveTest::fusedKernelIsExactlyZeroWhenStudentAgrees()
{
    std::vector<float> student = narrowed(logits(200, 0.5));
    std::vector<float> teacher = student;
    const std::vector<std::int32_t> labels{7, 50};
    const TrainableNet::Logits theirs{.fp32 = teacher.data(), .rows = 2, .vocabulary = 100};
    const LossSums sums = compare_rows({.fp32 = student.data(), .rows = 2, .vocabulary = 100}, &theirs, labels,
                                       *objective_called(QStringLiteral("forward_kl")), {.temperature = 2, .divergence = 1});
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
    const LossSums sums = compare_rows({.fp32 = student.data(), .rows = 1, .vocabulary = 100}, nullptr, labels,
                                       *objective_called(QStringLiteral("forward_kl")), {.cross_entropy = 1});
    QVERIFY(std::isnan(sums.cross_entropy));
}

} // namespace retort

QTEST_APPLESS_MAIN(retort::ObjectiveTest)
#include "objective_test.moc"
