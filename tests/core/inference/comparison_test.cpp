#include "core/inference/comparison.h"
#include "tests/support/scripted_net.h"

#include <QTest>
#include <cmath>

namespace retort {
namespace {

constexpr std::int64_t kVocabulary = 50;

test::ScriptedNet net_of(float phase, std::int64_t vocabulary = kVocabulary)
{
    std::vector<float> table(static_cast<std::size_t>(vocabulary * vocabulary));
    for (std::size_t i = 0; i < table.size(); ++i) {
        const auto row = i / static_cast<std::size_t>(vocabulary);
        const auto column = i % static_cast<std::size_t>(vocabulary);
        table[i] = 3.0f * std::sin(static_cast<float>(row * 13 + column * 7) + phase);
    }
    return {vocabulary, 100'000, std::move(table)};
}

std::vector<TokenId> text_of(std::size_t length)
{
    std::vector<TokenId> ids(length);
    for (std::size_t i = 0; i < length; ++i) {
        ids[i] = static_cast<TokenId>((i * i + 3 * i) % kVocabulary);
    }
    return ids;
}

} // namespace

class ComparisonTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void modelAgreesWithItselfExactly()
    {
        auto net = net_of(0.0f);
        const auto found = compare_on_text(net, net, text_of(40), 1, kVocabulary);
        QVERIFY(found.has_value());
        QCOMPARE(found->positions.size(), std::size_t{39});
        QCOMPARE(found->mean_kl(), 0.0);
        QCOMPARE(found->same_top_share(), 1.0);
        for (const auto& position : found->positions) {
            QCOMPARE(position.divergence.js, 0.0);
            QCOMPARE(position.divergence.tv, 0.0);
            QCOMPARE(position.teacher_rank, position.student_rank);
        }
    }

    void scoresEachTokenByTheRowBeforeIt()
    {
        auto net = test::ScriptedNet::counting(kVocabulary, 100);
        const std::vector<TokenId> ids = {4, 5, 6, 9, 10};
        const auto found = compare_on_text(net, net, ids, 1, kVocabulary).value();
        const std::vector<std::int64_t> ranks = {0, 0, 9,
                                                 0}; // 9 stands where 7 was expected; 7 and, of the equal rest, eight lower ids come before it
        QCOMPARE(found.positions.size(), ranks.size());
        for (std::size_t i = 0; i < ranks.size(); ++i) {
            QCOMPARE(found.positions[i].token, ids[i + 1]);
            QCOMPARE(found.positions[i].teacher_top.front().id, ids[i] + 1);
            QCOMPARE(found.positions[i].teacher_rank, ranks[i]);
        }
    }

    void isTheSameAsAskingForEveryPositionAlone()
    {
        auto teacher = net_of(0.0f);
        auto student = net_of(0.6f);
        const auto ids = text_of(30);
        const auto found = compare_on_text(teacher, student, ids, 12, kVocabulary).value();
        QCOMPARE(found.prompt_tokens, std::size_t{12});
        QCOMPARE(found.positions.size(), std::size_t{18});
        double kl = 0.0;
        for (std::size_t i = 0; i < found.positions.size(); ++i) {
            const auto alone = snapshot_at(&teacher, &student, std::span(ids).first(12 + i), kVocabulary).value();
            QCOMPARE(alone.position, static_cast<std::int64_t>(12 + i));
            const auto divergence = divergence_between(log_probabilities(alone.teacher.logits), log_probabilities(alone.student.logits));
            QCOMPARE(found.positions[i].divergence.kl, divergence.kl);
            QCOMPARE(found.positions[i].divergence.overlap, divergence.overlap);
            kl += divergence.kl;
        }
        QVERIFY(std::abs(found.mean_kl() - kl / 18.0) < 1e-12);
    }

    void neverAsksForMoreLogitsThanItsChunk()
    {
        auto net = net_of(0.0f);
        const auto found = compare_on_text(net, net, text_of(1500), 1, kVocabulary);
        QVERIFY(found.has_value());
        QVERIFY(net.largest_head * kVocabulary * 4 <= 32 << 20);
        QCOMPARE(net.passes, std::int64_t{2});
    }

    void cutsPaddingRowsOfEitherModel()
    {
        auto teacher = net_of(0.0f, 50);
        auto student = net_of(0.0f, 64);
        const std::vector<TokenId> beyond = {1, 48, 2};
        QVERIFY(!compare_on_text(teacher, student, beyond, 1, 48).has_value());
        std::vector<TokenId> ids = {1, 2, 3, 4};
        const auto short_text = compare_on_text(teacher, student, ids, 1, 48);
        QVERIFY(short_text.has_value());
        for (const auto& position : short_text->positions) {
            for (const auto& candidate : position.student_top) {
                QVERIFY(candidate.id < 48);
            }
        }
        const auto snapshot = snapshot_at(&teacher, &student, ids, 48).value();
        QCOMPARE(snapshot.teacher.logits.size(), std::size_t{48});
        QCOMPARE(snapshot.student.logits.size(), std::size_t{48});
    }

    void refusesWhatItCannotCompare()
    {
        auto net = test::ScriptedNet::counting(kVocabulary, 8);
        QVERIFY(!compare_on_text(net, net, text_of(4), 0, kVocabulary).has_value());
        QVERIFY(!compare_on_text(net, net, text_of(4), 5, kVocabulary).has_value());
        QVERIFY(!compare_on_text(net, net, {}, 1, kVocabulary).has_value());
        const auto too_long = compare_on_text(net, net, text_of(20), 1, kVocabulary);
        QVERIFY(!too_long.has_value());
        QVERIFY(too_long.error().message.find("reads at most 8") != std::string::npos);
        QVERIFY(!snapshot_at(&net, nullptr, {}, kVocabulary).has_value());
    }

    void namesTheModelWhoseLogitsAreNoNumbers()
    {
        auto good = net_of(0.0f);
        std::vector<float> table(static_cast<std::size_t>(kVocabulary * kVocabulary));
        table[7 * kVocabulary + 3] = std::nanf("");
        test::ScriptedNet bad(kVocabulary, 100, std::move(table));
        const std::vector<TokenId> ids = {1, 2, 7, 4, 5};
        const auto found = compare_on_text(good, bad, ids, 1, kVocabulary);
        QVERIFY(!found.has_value());
        QVERIFY(found.error().message.find("student's logits for token 3") != std::string::npos);
    }

    void stopsWhenAsked()
    {
        auto net = net_of(0.0f);
        std::stop_source source;
        net.on_forward = [&source] { source.request_stop(); };
        const auto found = compare_on_text(net, net, text_of(20), 1, kVocabulary, source.get_token());
        QVERIFY(!found.has_value());
        QCOMPARE(found.error().kind, Error::Kind::Cancelled);
    }

    void snapshotOfOneModelLeavesTheOtherEmpty()
    {
        auto net = net_of(0.0f);
        const auto snapshot = snapshot_at(nullptr, &net, text_of(3), kVocabulary).value();
        QVERIFY(snapshot.teacher.logits.empty());
        QCOMPARE(snapshot.student.logits.size(), static_cast<std::size_t>(kVocabulary));
        QCOMPARE(snapshot.context, text_of(3));
    }
};

} // namespace retort

QTEST_APPLESS_MAIN(retort::ComparisonTest)
#include "comparison_test.moc"
