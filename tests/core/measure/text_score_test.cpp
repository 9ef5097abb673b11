#include "core/inference/distribution.h"
#include "core/measure/text_score.h"
#include "tests/support/byte_model.h"
#include "tests/support/scripted_net.h"

#include <QTest>
#include <cmath>

using namespace retort;

namespace {

constexpr std::int64_t kVocabulary = 50;

test::ScriptedNet net_of(float phase)
{
    std::vector<float> table(static_cast<std::size_t>(kVocabulary * kVocabulary));
    for (std::size_t i = 0; i < table.size(); ++i) {
        table[i] = 3.0F * std::sin(static_cast<float>(i / kVocabulary * 13 + i % kVocabulary * 7) + phase);
    }
    return {kVocabulary, 1000, std::move(table)};
}

ScoringText text_of(std::int64_t context, std::int64_t chunks)
{
    ScoringText text;
    text.context = context;
    for (std::int64_t i = 0; i < context * chunks; ++i) {
        text.ids.push_back(static_cast<TokenId>((i * i + 3 * i) % kVocabulary));
    }
    return text;
}

} // namespace

class TextScoreTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void modelAgainstItselfIsExactlyZero()
    {
        auto net = net_of(0.0F);
        const auto score = score_text(text_of(20, 3), *rows_of(net, "teacher"), *rows_of(net, "student"), kVocabulary);
        QVERIFY(score.has_value());
        QCOMPARE(score->positions.size(), std::size_t{27});
        for (const ScoredPosition& p : score->positions) {
            QVERIFY(p.kl == 0.0 && p.kl_of_head == 0.0 && p.reverse_kl == 0.0 && p.js == 0.0 && p.tv == 0.0 && p.same_top);
            QCOMPARE(p.log_probability, p.base_log_probability);
        }
    }

    /// Rows context / 2 ... context - 2 of each chunk, each for the token after it.
    void scoresTheSecondHalfOfEachChunk()
    {
        auto base = net_of(0.0F);
        auto model = net_of(0.7F);
        for (const std::int64_t context : {8, 9}) {
            const ScoringText text = text_of(context, 2);
            const auto score = score_text(text, *rows_of(base, "teacher"), *rows_of(model, "student"), kVocabulary).value();
            QCOMPARE(score.rows_per_chunk, context - 1 - context / 2);
            QCOMPARE(score.chunks(), std::int64_t{2});
            std::size_t at = 0;
            for (std::int64_t chunk = 0; chunk < 2; ++chunk) {
                for (std::int64_t row = context / 2; row <= context - 2; ++row, ++at) {
                    const TokenId before = text.chunk(chunk)[static_cast<std::size_t>(row)];
                    const TokenId token = text.chunk(chunk)[static_cast<std::size_t>(row) + 1];
                    std::vector<float> a, b;
                    base.head(std::vector<float>{static_cast<float>(before)}, 1, a);
                    model.head(std::vector<float>{static_cast<float>(before)}, 1, b);
                    const auto log_p = log_probabilities(a);
                    const auto log_q = log_probabilities(b);
                    QCOMPARE(score.positions[at].token, token);
                    QCOMPARE(score.positions[at].base_log_probability, static_cast<double>(log_p[static_cast<std::size_t>(token)]));
                    QCOMPARE(score.positions[at].log_probability, static_cast<double>(log_q[static_cast<std::size_t>(token)]));
                    QCOMPARE(score.positions[at].kl, divergence_between(log_p, log_q).kl);
                }
            }
        }
    }

    void beginningStandsForTheFirstTokenOfEachChunk()
    {
        auto net = net_of(0.0F);
        ScoringText text = text_of(8, 2);
        text.bos = 3;
        QCOMPARE(text.to_read(1).front(), TokenId{3});
        QCOMPARE(text.to_read(1)[1], text.chunk(1)[1]);
        QVERIFY(text.chunk(1)[0] != 3);
    }

    void theHeadLeavesOutWhatTheBaseGivesLessThanSixteenNats()
    {
        std::vector<float> row = {0.0F, -1.0F, -20.0F};
        std::vector<float> other = {0.0F, -2.0F, -12.0F};
        const auto table = [](const std::vector<float>& logits) {
            std::vector<float> all;
            for (int i = 0; i < 3; ++i) {
                all.insert(all.end(), logits.begin(), logits.end());
            }
            return test::ScriptedNet(3, 100, all);
        };
        auto base = table(row);
        auto model = table(other);
        ScoringText text;
        text.context = 4;
        text.ids = {0, 1, 0, 1};
        const auto score = score_text(text, *rows_of(base, "teacher"), *rows_of(model, "student"), 3).value();
        const auto p = log_probabilities(row);
        const auto q = log_probabilities(other);
        double head = 0.0;
        for (const std::size_t i : {0, 1}) {
            head += std::exp(static_cast<double>(p[i])) * (static_cast<double>(p[i]) - static_cast<double>(q[i]));
        }
        QVERIFY(std::abs(score.positions.front().kl_of_head - head) < 1e-12);
        const double tail = std::exp(static_cast<double>(p[2])) * (static_cast<double>(p[2]) - static_cast<double>(q[2]));
        QVERIFY(std::abs(score.positions.front().kl - (head + tail)) < 1e-12);
    }

    void largeVocabulariesGoThroughTheHeadInRows()
    {
        auto base = net_of(0.0F);
        std::int64_t rows = 0;
        const auto kept = score_text(text_of(40, 2), *rows_of(base, "teacher"), *rows_of(base, "student"), kVocabulary,
                                     [&](std::span<const float> log_probs, std::int64_t count) -> Result<void> {
                                         rows += count;
                                         return log_probs.size() == static_cast<std::size_t>(count * kVocabulary)
                                                    ? Result<void>{}
                                                    : failure(Error::Kind::Bug, "rows and numbers disagree");
                                     });
        QVERIFY(kept.has_value());
        QCOMPARE(rows, std::int64_t{38});
    }

    void unfitTextsAreRefusedWithTheNumbers()
    {
        const Model model = test::byte_model();
        const auto too_short = cut_for_scoring(model, "abcdefgh", 8);
        QVERIFY(!too_short && too_short.error().message.find("at least 16") != std::string::npos);
        QVERIFY(!cut_for_scoring(model, std::string(400, 'a'), 65)); // beyond the model's context of 64
        QVERIFY(!cut_for_scoring(model, std::string(400, 'a'), 3));
        const auto cut = cut_for_scoring(model, std::string(35, 'a'), 8);
        QVERIFY(cut.has_value());
        QCOMPARE(cut->chunks(), std::int64_t{4});
        auto net = net_of(0.0F);
        const auto foreign = score_text(*cut, *rows_of(net, "teacher"), *rows_of(net, "student"), kVocabulary);
        QVERIFY(!foreign && foreign.error().kind == Error::Kind::Mismatch); // 'a' is 97
    }

    void stopsWhenAsked()
    {
        auto net = net_of(0.0F);
        std::stop_source source;
        source.request_stop();
        Progress progress;
        progress.stop = source.get_token();
        const auto score = score_text(text_of(8, 2), *rows_of(net, "teacher"), *rows_of(net, "student"), kVocabulary, {}, progress);
        QVERIFY(!score && score.error().kind == Error::Kind::Cancelled);
    }
};

QTEST_APPLESS_MAIN(TextScoreTest)
#include "text_score_test.moc"
