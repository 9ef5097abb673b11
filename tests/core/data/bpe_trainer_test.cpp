#include "tests/core/data/world_fixture.h"

#include <QTest>
#include <nlohmann/json.hpp>

using namespace retort;

class BpeTrainerTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    /// Sennrich, Haddow and Birch's example, low lower newest widest, counted by hand: "es" 9 times, then "est", then "lo" 7 times.
    void mergesTheMostFrequentPairFirst()
    {
        const auto json = train_bpe({{"low", 5}, {"lower", 2}, {"newest", 6}, {"widest", 3}}, 257 + 4);
        QVERIFY(json.has_value());
        const auto merges = nlohmann::json::parse(*json).at("model").at("merges");
        QCOMPARE(merges.size(), std::size_t{4});
        QVERIFY(merges[0] == nlohmann::json::array({"e", "s"}));
        QVERIFY(merges[1] == nlohmann::json::array({"es", "t"}));
        QVERIFY(merges[2] == nlohmann::json::array({"l", "o"}));
        QVERIFY(merges[3] == nlohmann::json::array({"lo", "w"}));
    }

    void givesTheSameFileAgain()
    {
        const World world{WorldSettings{}};
        QCOMPARE(test::trained_json(world, 400), test::trained_json(world, 400));
    }

    void tokenizerHasThePiecesAskedFor()
    {
        const auto tokenizer = test::trained_tokenizer(World{WorldSettings{}}, 512);
        QCOMPARE(tokenizer->size(), std::size_t{512});
        QCOMPARE(tokenizer->find(kDocumentSeparator).value(), TokenId{0});
        QVERIFY(tokenizer->is_special(0));
        QCOMPARE(tokenizer->with_additions({5}), (std::vector<TokenId>{0, 5}));
        QCOMPARE(tokenizer->encode(kDocumentSeparator).size() > 1, true); // a person's text is no separator
    }

    void keepsEveryByte()
    {
        const auto tokenizer = test::trained_tokenizer(World{WorldSettings{}});
        for (const std::string& text : std::vector<std::string>{"Zażółć gęślą jaźń", "日本語 12 \t\n", "x=3;y=x+2;print(y) -> 5", "\U0001F600"}) {
            QCOMPARE(tokenizer->decode(tokenizer->encode(text)), text);
        }
    }

    void saysWhatCannotBeTrained()
    {
        QCOMPARE(train_bpe({{"a", 1}}, 10).error().kind, Error::Kind::Usage);
        QCOMPARE(train_bpe({{"ab", 1}}, 300).error().message, std::string("The text gives only 258 pieces; 300 were asked for."));
    }
};

QTEST_APPLESS_MAIN(BpeTrainerTest)
#include "bpe_trainer_test.moc"
