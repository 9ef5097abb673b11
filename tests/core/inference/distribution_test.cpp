#include "core/inference/distribution.h"
#include "tests/support/golden.h"

#include <QTest>
#include <cmath>
#include <limits>
#include <numeric>

namespace retort {
namespace {

constexpr float kExcluded = -std::numeric_limits<float>::infinity();

std::vector<float> row(const nlohmann::json& values)
{
    std::vector<float> result;
    for (const auto& value : values) {
        result.push_back(value.is_null() ? kExcluded : value.get<float>());
    }
    return result;
}

/// A row of `n` logits that no two places share much of.
std::vector<float> wavy(std::size_t n, float phase)
{
    std::vector<float> logits(n);
    for (std::size_t i = 0; i < n; ++i) {
        logits[i] = 4.0f * std::sin(static_cast<float>(i) * 0.37f + phase) + 2.0f * std::cos(static_cast<float>(i * i) * 0.11f);
    }
    return logits;
}

bool close(double found, double expected, double tolerance)
{
    return std::abs(found - expected) <= tolerance * std::max(1.0, std::abs(expected));
}

} // namespace

class DistributionTest : public QObject {
    Q_OBJECT

private:
    nlohmann::json m_pairs;

    /// One row for each pair of the reference file, for the tests that follow it.
    void addPairs()
    {
        QTest::addColumn<int>("pair");
        for (std::size_t i = 0; i < m_pairs.size(); ++i) {
            QTest::addRow("%zu", i) << static_cast<int>(i);
        }
    }
    const nlohmann::json& pair()
    {
        const QFETCH(int, pair);
        return m_pairs[static_cast<std::size_t>(pair)];
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_pairs = test::golden("inference/distribution.json")["pairs"];
        QVERIFY(m_pairs.size() >= 8);
    }

    void logProbabilitiesMatchNumpy_data() { addPairs(); }
    void logProbabilitiesMatchNumpy()
    {
        const auto& expected = pair();
        const auto found = log_probabilities(row(expected["teacher"]), expected["temperature"].get<double>());
        const auto reference = row(expected["teacher_log_probs"]);
        for (std::size_t i = 0; i < reference.size(); ++i) {
            QVERIFY(found[i] == reference[i] || close(found[i], reference[i], 1e-6));
        }
    }

    void divergencesMatchNumpy_data() { addPairs(); }
    void divergencesMatchNumpy()
    {
        const auto& expected = pair();
        const double temperature = expected["temperature"].get<double>();
        const auto found =
            divergence_between(log_probabilities(row(expected["teacher"]), temperature), log_probabilities(row(expected["student"]), temperature));
        QVERIFY(close(found.kl, expected["kl"].get<double>(), 2e-6));
        QVERIFY(close(found.reverse_kl, expected["reverse_kl"].get<double>(), 2e-6));
        QVERIFY(close(found.js, expected["js"].get<double>(), 2e-6));
        QVERIFY(close(found.tv, expected["tv"].get<double>(), 2e-6));
        QVERIFY(close(found.teacher_entropy, expected["teacher_entropy"].get<double>(), 2e-6));
        QVERIFY(close(found.student_entropy, expected["student_entropy"].get<double>(), 2e-6));
        QCOMPARE(found.overlap, expected["overlap"].get<std::int64_t>());
        QCOMPARE(found.same_top, expected["teacher_top"][0] == expected["student_top"][0]);
    }

    void topCandidatesAreSortedAndTiesGoToTheLowerId_data() { addPairs(); }
    void topCandidatesAreSortedAndTiesGoToTheLowerId()
    {
        const auto& expected = pair();
        const auto log_probs = log_probabilities(row(expected["teacher"]));
        const auto found = top_candidates(log_probs, 10);
        QCOMPARE(found.size(), expected["teacher_top"].size());
        for (std::size_t i = 0; i < found.size(); ++i) {
            QCOMPARE(found[i].id, expected["teacher_top"][i].get<TokenId>());
            QCOMPARE(found[i].rank, static_cast<std::int64_t>(i));
            QCOMPARE(rank_of(log_probs, found[i].id), static_cast<std::int64_t>(i));
        }
    }

    void contributionsMatchNumpyAndSumToTheKl_data() { addPairs(); }
    void contributionsMatchNumpyAndSumToTheKl()
    {
        const auto& expected = pair();
        const double temperature = expected["temperature"].get<double>();
        const auto teacher = log_probabilities(row(expected["teacher"]), temperature);
        const auto student = log_probabilities(row(expected["student"]), temperature);
        const auto found = kl_contributions(teacher, student, teacher.size());
        for (std::size_t i = 0; i < expected["contributions"].size(); ++i) {
            QVERIFY(close(found[i].amount, expected["contributions"][i]["amount"].get<double>(), 2e-6));
        }
        const double sum = std::accumulate(found.begin(), found.end(), 0.0, [](double total, const Contribution& c) { return total + c.amount; });
        QVERIFY(close(sum, divergence_between(teacher, student).kl, 1e-6));
    }

    void isExactlyZeroWhenBothAgree_data()
    {
        QTest::addColumn<int>("size");
        QTest::addColumn<double>("temperature");
        for (const int size : {1, 2, 7, 512, 49152}) {
            for (const double temperature : {0.05, 1.0, 3.7}) {
                QTest::addRow("%d pieces at %g", size, temperature) << size << temperature;
            }
        }
    }
    void isExactlyZeroWhenBothAgree()
    {
        const QFETCH(int, size);
        const QFETCH(double, temperature);
        auto logits = wavy(static_cast<std::size_t>(size), 0.0f);
        if (size > 10) {
            logits[3] = kExcluded;
        }
        const auto log_probs = log_probabilities(logits, temperature);
        const auto found = divergence_between(log_probs, log_probs);
        QCOMPARE(found.kl, 0.0);
        QCOMPARE(found.reverse_kl, 0.0);
        QCOMPARE(found.js, 0.0);
        QCOMPARE(found.tv, 0.0);
        QCOMPARE(found.teacher_entropy, found.student_entropy);
        QVERIFY(found.same_top);
        QCOMPARE(found.overlap, std::min<std::int64_t>(10, size));
        for (const auto& contribution : kl_contributions(log_probs, log_probs, 5)) {
            QCOMPARE(contribution.amount, 0.0);
        }
    }

    void probabilitiesSumToOneWhateverTheLength()
    {
        for (std::size_t n = 1; n < 70; ++n) {
            double sum = 0.0;
            for (const float x : log_probabilities(wavy(n, 1.0f), 0.7)) {
                sum += std::exp(static_cast<double>(x));
            }
            QVERIFY(std::abs(sum - 1.0) < 1e-6);
        }
    }

    void jensenShannonIsSymmetricAndAtMostLn2()
    {
        const std::vector<float> left = {0.0f, -200.0f, -200.0f};
        const std::vector<float> right = {-200.0f, 0.0f, -200.0f};
        const auto apart = divergence_between(log_probabilities(left), log_probabilities(right));
        QVERIFY(close(apart.js, std::log(2.0), 1e-12));
        QVERIFY(apart.js <= std::log(2.0));
        QVERIFY(close(apart.tv, 1.0, 1e-12));
        const auto a = log_probabilities(wavy(333, 0.0f));
        const auto b = log_probabilities(wavy(333, 2.0f));
        QVERIFY(close(divergence_between(a, b).js, divergence_between(b, a).js, 1e-12));
        QCOMPARE(divergence_between(a, b).kl, divergence_between(b, a).reverse_kl);
    }

    void pieceThatOnlyTheStudentExcludesMakesTheKlInfinite()
    {
        const auto teacher = log_probabilities(std::vector<float>{1.0f, 2.0f, 0.5f});
        const auto student = log_probabilities(std::vector<float>{1.0f, kExcluded, 0.5f});
        const auto found = divergence_between(teacher, student);
        QVERIFY(std::isinf(found.kl) && found.kl > 0);
        QVERIFY(std::isfinite(found.reverse_kl) && found.reverse_kl > 0);
        QVERIFY(std::isfinite(found.js));
        QVERIFY(std::isfinite(found.tv));
    }

    void logitsThatAreNoNumbersGiveNoDistribution_data()
    {
        QTest::addColumn<float>("bad");
        QTest::newRow("NaN") << std::numeric_limits<float>::quiet_NaN();
        QTest::newRow("infinity") << std::numeric_limits<float>::infinity();
    }
    void logitsThatAreNoNumbersGiveNoDistribution()
    {
        const QFETCH(float, bad);
        auto logits = wavy(40, 0.0f);
        logits[17] = bad;
        for (const float x : log_probabilities(logits)) {
            QVERIFY(std::isnan(x));
        }
        QVERIFY(std::isnan(log_probabilities(std::vector<float>(4, kExcluded)).front()));
        QCOMPARE(top_candidates(logits, 50).size(), std::size_t{40}); // an order for every row, however damaged
    }

    void largeLogitsDoNotOverflow()
    {
        auto logits = wavy(64, 0.0f);
        const auto plain = log_probabilities(logits);
        for (float& x : logits) {
            x += 30000.0f;
        }
        const auto shifted = log_probabilities(logits);
        for (std::size_t i = 0; i < plain.size(); ++i) {
            QVERIFY(std::abs(plain[i] - shifted[i]) < 0.01f); // 30000 + x keeps three decimals of x
        }
    }
};

} // namespace retort

QTEST_APPLESS_MAIN(retort::DistributionTest)
#include "distribution_test.moc"
