#include "core/inference/generator.h"
#include "tests/support/byte_model.h"
#include "tests/support/scripted_net.h"

#include <QElapsedTimer>
#include <QTest>

namespace retort {
namespace {

constexpr std::int64_t kPadded = 320;

GenerateSettings greedy(std::int64_t max_tokens)
{
    GenerateSettings settings;
    settings.max_tokens = max_tokens;
    settings.sampler.greedy = true;
    return settings;
}

/// After each byte of `text` comes the next one, and after the last byte `last`. Every byte may stand only once.
test::ScriptedNet reciting(const std::string& text, TokenId last, std::int64_t context = 64)
{
    std::vector<float> table(kPadded * kPadded);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto from = static_cast<unsigned char>(text[i]);
        const TokenId to = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : last;
        table[static_cast<std::size_t>(from * kPadded + to)] = 9.0f;
    }
    return {kPadded, context, std::move(table)};
}

Answer finish(Generation& generation)
{
    while (!generation.finished()) {
        if (!generation.next()) {
            break;
        }
    }
    return generation.answer();
}

} // namespace

class GeneratorTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void writesUntilAStopToken()
    {
        const auto model = test::byte_model();
        auto net = reciting("abcdef", test::kEnd);
        auto generation = Generation::start(net, model, {'a'}, greedy(50)).value();
        const auto answer = finish(*generation);
        QCOMPARE(answer.text, std::string("bcdef"));
        QCOMPARE(answer.finish, Finish::Stop);
        QCOMPARE(answer.tokens.size(), std::size_t{5});
        QCOMPARE(answer.tokens.back().bytes, std::string("f"));
        QCOMPARE(answer.tokens.front().rank, std::int64_t{0});
        QVERIFY(generation->next().value() == nullptr); // and stays finished
        QCOMPARE(net.passes, std::int64_t{6});          // the prompt, and one for each token
    }

    void stopsAtTheCallersTokensToo()
    {
        const auto model = test::byte_model();
        auto net = reciting("abcdef", test::kEnd);
        auto settings = greedy(50);
        settings.stop_tokens = {'d'};
        auto generation = Generation::start(net, model, {'a'}, settings).value();
        QCOMPARE(finish(*generation).text, std::string("bc"));
    }

    void endsAtTheLengthAskedFor()
    {
        const auto model = test::byte_model();
        auto net = reciting("abcdef", test::kEnd);
        auto generation = Generation::start(net, model, {'a'}, greedy(3)).value();
        const auto answer = finish(*generation);
        QCOMPARE(answer.text, std::string("bcd"));
        QCOMPARE(answer.finish, Finish::Length);
        QCOMPARE(net.passes, std::int64_t{3}); // none for a token that nobody asked for
        QVERIFY(Generation::start(net, model, {'a'}, greedy(0)).value()->finished());
    }

    void endsWhenTheContextIsFull()
    {
        const auto model = test::byte_model();
        auto net = reciting("abcdef", test::kEnd, 4);
        auto generation = Generation::start(net, model, {'a'}, greedy(50)).value();
        const auto answer = finish(*generation);
        QCOMPARE(answer.finish, Finish::ContextFull);
        QCOMPARE(answer.text, std::string("bcde")); // the fifth position's logits need no room of their own
        QVERIFY(!Generation::start(net, model, {'a', 'b', 'c', 'd', 'e'}, greedy(5)).has_value());
        QVERIFY(!Generation::start(net, model, {}, greedy(5)).has_value());
    }

    void keepsWhatItHasWhenCancelled()
    {
        const auto model = test::byte_model();
        auto net = reciting("abcdef", test::kEnd);
        std::stop_source source;
        auto generation = Generation::start(net, model, {'a'}, greedy(50)).value();
        QVERIFY(generation->next(source.get_token()).value() != nullptr);
        QVERIFY(generation->next(source.get_token()).value() != nullptr);
        net.on_forward = [&source] { source.request_stop(); }; // in the middle of a pass
        QVERIFY(generation->next(source.get_token()).value() == nullptr);
        QVERIFY(generation->finished());
        QCOMPARE(generation->answer().finish, Finish::Cancelled);
        QCOMPARE(generation->answer().text, std::string("bc"));
    }

    void streamsWholeCharactersOnly()
    {
        const auto model = test::byte_model();
        auto net = reciting("a\xE2\x82\xAC!", test::kEnd);
        auto generation = Generation::start(net, model, {'a'}, greedy(50)).value();
        const auto answer = finish(*generation);
        QCOMPARE(answer.text, std::string("\xE2\x82\xAC!"));
        QCOMPARE(answer.tokens[0].text, std::string());
        QCOMPARE(answer.tokens[2].text, std::string("\xE2\x82\xAC"));
        QCOMPARE(answer.tokens[1].bytes, std::string("\x82"));
    }

    void marksACharacterThatWasCutShort()
    {
        const auto model = test::byte_model();
        auto net = reciting("a\xE2\x82\xAC!", test::kEnd);
        auto generation = Generation::start(net, model, {'a'}, greedy(2)).value();
        const auto answer = finish(*generation);
        QCOMPARE(answer.text, std::string("\xEF\xBF\xBD"));
        QCOMPARE(answer.tokens.back().text, answer.text);
    }

    void neverWritesAPaddingRow()
    {
        const auto model = test::byte_model();
        auto net = reciting("ab", 300); // no piece of the tokenizer
        auto generation = Generation::start(net, model, {'b'}, greedy(1)).value();
        QVERIFY(finish(*generation).tokens.front().id < 259);
        QCOMPARE(generation->logits().size(), std::size_t{259});
    }

    void sumsUpTheDistributionEachTokenCameFrom()
    {
        const auto model = test::byte_model();
        auto net = reciting("ab", test::kEnd);
        auto generation = Generation::start(net, model, {'a'}, greedy(1)).value();
        const auto token = finish(*generation).tokens.front();
        const double others = 258.0; // pieces of logit 0 beside one of 9
        const double p = std::exp(9.0) / (std::exp(9.0) + others);
        QVERIFY(std::abs(token.log_probability - std::log(p)) < 1e-5);
        const double q = (1.0 - p) / others;
        QVERIFY(std::abs(token.entropy - (-p * std::log(p) - others * q * std::log(q))) < 1e-4);
    }

    void chargesEachModelForItsOwnTime()
    {
        const auto model = test::byte_model();
        auto net = reciting("abcdef", test::kEnd);
        QElapsedTimer clock;
        clock.start();
        auto generation = Generation::start(net, model, {'a'}, greedy(3)).value();
        constexpr int kPause = 30;
        QTest::qSleep(kPause); // as if the other model took its turn
        const auto answer = finish(*generation);
        const double own = static_cast<double>(clock.nsecsElapsed()) * 1e-9 - kPause * 1e-3;
        QVERIFY(answer.prompt_seconds <= answer.first_token_seconds);
        QVERIFY(answer.first_token_seconds + answer.decode_seconds <= own);
        QVERIFY(answer.tokens_per_second() > 0.0);
    }

    void failsWhenALogitIsNoNumberAndKeepsWhatItHas()
    {
        const auto model = test::byte_model();
        std::vector<float> table(kPadded * kPadded);
        table['a' * kPadded + 'b'] = 9.0f;
        table['b' * kPadded + 'c'] = std::nanf("");
        test::ScriptedNet net(kPadded, 64, std::move(table));
        auto generation = Generation::start(net, model, {'a'}, greedy(5)).value();
        QVERIFY(generation->next().has_value());
        QVERIFY(!generation->next().has_value());
        QVERIFY(generation->finished());
        QCOMPARE(generation->answer().text, std::string("b"));
    }
};

} // namespace retort

QTEST_APPLESS_MAIN(retort::GeneratorTest)
#include "generator_test.moc"
