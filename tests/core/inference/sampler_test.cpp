#include "core/inference/random.h"
#include "core/inference/sampler.h"
#include "tests/support/golden.h"

#include <QTest>
#include <array>
#include <cmath>
#include <limits>

namespace retort {
namespace {

SamplerSettings all_off()
{
    SamplerSettings settings;
    settings.temperature = 1.0;
    return settings;
}

std::vector<float> slope(std::size_t n)
{
    std::vector<float> logits(n);
    for (std::size_t i = 0; i < n; ++i) {
        logits[i] = -0.01f * static_cast<float>((i * 7919) % n);
    }
    return logits;
}

} // namespace

class SamplerTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// The first numbers of the sequence of seed 1234567 as its authors' C program gives them.
    void generatorIsSplitMix64()
    {
        const std::array<std::uint64_t, 5> expected = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u,
                                                       16408922859458223821u};
        for (std::size_t i = 0; i < expected.size(); ++i) {
            QCOMPARE(split_mix_64(1234567, i), expected[i]);
        }
        QCOMPARE(unit_interval(0), 0.0);
        QVERIFY(unit_interval(~std::uint64_t{0}) < 1.0);
    }

    void filtersAsTransformersDoes_data()
    {
        QTest::addColumn<int>("index");
        const auto cases = test::golden("inference/sampler.json")["cases"];
        QVERIFY(cases.size() >= 26);
        for (std::size_t i = 0; i < cases.size(); ++i) {
            QTest::newRow((std::to_string(i) + " " + cases[i]["settings"].dump()).c_str()) << static_cast<int>(i);
        }
    }
    void filtersAsTransformersDoes()
    {
        const QFETCH(int, index);
        const auto expected = test::golden("inference/sampler.json")["cases"][static_cast<std::size_t>(index)];
        const auto& given = expected["settings"];
        SamplerSettings settings;
        settings.temperature = given.value("temperature", 1.0);
        settings.top_k = given.value("top_k", 0);
        settings.top_p = given.value("top_p", 1.0);
        settings.min_p = given.value("min_p", 0.0);
        settings.repeat_penalty = given.value("repeat_penalty", 1.0);
        const auto logits = expected["logits"].get<std::vector<float>>();
        const auto history = expected["history"].get<std::vector<TokenId>>();
        const auto options = Sampler(settings).options(logits, history, static_cast<std::int64_t>(logits.size()));

        QCOMPARE(options.size(), expected["kept"].size());
        for (std::size_t i = 0; i < options.size(); ++i) {
            QCOMPARE(options[i].id, expected["kept"][i].get<TokenId>());
            QVERIFY(std::abs(options[i].probability - expected["probabilities"][i].get<double>()) < 2e-6);
        }
    }

    void sameSeedGivesTheSameTokens()
    {
        const auto logits = slope(3000);
        SamplerSettings settings;
        settings.seed = 99;
        Sampler first(settings);
        Sampler second(settings);
        settings.seed = 100;
        Sampler other(settings);
        int differences = 0;
        for (int i = 0; i < 50; ++i) {
            const TokenId id = first.choose(logits, {}, 3000);
            QCOMPARE(second.choose(logits, {}, 3000), id);
            differences += other.choose(logits, {}, 3000) != id ? 1 : 0;
        }
        QVERIFY(differences > 25);
    }

    /// Pearson's chi-squared over 16 pieces, 40,000 draws: 37.7 is passed once in a thousand by a right sampler, and this seed is fixed.
    void drawsFollowTheProbabilities()
    {
        std::vector<float> logits(16);
        for (std::size_t i = 0; i < logits.size(); ++i) {
            logits[i] = std::sin(static_cast<float>(i) * 1.7f);
        }
        Sampler sampler(all_off());
        const auto options = sampler.options(logits, {}, 16);
        std::array<int, 16> counts{};
        constexpr int kDraws = 40'000;
        for (int i = 0; i < kDraws; ++i) {
            ++counts[static_cast<std::size_t>(sampler.choose(logits, {}, 16))];
        }
        double chi_squared = 0.0;
        for (const auto& option : options) {
            const double expected = option.probability * kDraws;
            chi_squared += std::pow(counts[static_cast<std::size_t>(option.id)] - expected, 2) / expected;
        }
        QVERIFY2(chi_squared < 37.7, std::to_string(chi_squared).c_str());
    }

    /// The draw walks a list that is sorted piece by piece; the whole list says what it must give.
    void drawsByInverseCdfOverTheSortedCandidates()
    {
        const auto logits = slope(5000);
        SamplerSettings settings = all_off();
        settings.temperature = 4.0;
        settings.seed = 5;
        Sampler sampler(settings);
        const auto options = sampler.options(logits, {}, 5000);
        for (std::uint64_t draw = 0; draw < 200; ++draw) {
            const double target = unit_interval(split_mix_64(settings.seed, draw));
            double reached = 0.0;
            std::size_t place = 0;
            while ((reached += options[place].probability) <= target) {
                ++place;
            }
            QCOMPARE(sampler.choose(logits, {}, 5000), options[place].id);
        }
    }

    void neverChoosesPaddingOrAnExcludedPiece()
    {
        std::vector<float> logits = {0.0f, 1.0f, -std::numeric_limits<float>::infinity(), 0.5f, 50.0f, 60.0f};
        for (const bool greedy : {true, false}) {
            SamplerSettings settings;
            settings.greedy = greedy;
            settings.temperature = 5.0;
            Sampler sampler(settings);
            for (int i = 0; i < 300; ++i) {
                const TokenId id = sampler.choose(logits, {}, 4);
                QVERIFY(id >= 0 && id < 4 && id != 2);
            }
        }
    }

    void greedyTakesTheLowestIdAmongEquals()
    {
        QCOMPARE(argmax(std::vector<float>{1.0f, 3.0f, 3.0f, 2.0f}), 1);
        QCOMPARE(argmax(std::vector<float>{std::numeric_limits<float>::quiet_NaN(), -5.0f}), 1);
        SamplerSettings settings;
        settings.temperature = 0.0;
        QCOMPARE(Sampler(settings).choose(std::vector<float>{1.0f, 3.0f, 3.0f}, {}, 3), 1);
    }

    void greedyHeedsTheRepeatPenalty()
    {
        SamplerSettings settings;
        settings.greedy = true;
        settings.repeat_penalty = 2.0;
        const std::vector<TokenId> history = {1, 1, 700, -3};
        QCOMPARE(Sampler(settings).choose(std::vector<float>{2.0f, 3.0f, 1.0f}, history, 3), 0);
        QCOMPARE(Sampler(settings).choose(std::vector<float>{-2.0f, -1.5f, -9.0f}, history, 3), 0);
    }
};

} // namespace retort

QTEST_APPLESS_MAIN(retort::SamplerTest)
#include "sampler_test.moc"
