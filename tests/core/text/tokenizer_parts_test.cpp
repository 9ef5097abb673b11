#include "core/base/files.h"
#include "core/base/text_format.h"
#include "core/text/tokenizer.h"

#include <QTest>
#include <nlohmann/json.hpp>

using namespace retort;
using Json = nlohmann::json;

namespace {

const Json& golden()
{
    static const Json rows = Json::parse(read_text_file(RETORT_SOURCE_DIR "/tests/golden/text/parts.json", 1U << 26).value_or("")).at("rows");
    return rows;
}

std::string shown(const Json& value)
{
    return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

/// What a broken byte becomes differs: one replacement for each cut character here, one for each byte with some decoders there.
std::string without_replacements(std::string text)
{
    for (std::size_t at = 0; (at = text.find("\xEF\xBF\xBD")) != std::string::npos;) {
        text.erase(at, 3);
    }
    return text;
}

} // namespace

/// Every part that a tokenizer.json can have, one by one, on texts from all of Unicode; ids and texts by the `tokenizers` library
/// (tests/golden/text/make_parts.py).
class TokenizerPartsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void cutsAndJoinsAsTheTokenizersLibraryDoes_data()
    {
        QTest::addColumn<int>("index");
        for (std::size_t i = 0; i < golden().size(); ++i) {
            QTest::newRow(golden()[i].at("name").get<std::string>().c_str()) << static_cast<int>(i);
        }
    }

    void cutsAndJoinsAsTheTokenizersLibraryDoes()
    {
        QFETCH(int, index);
        const Json& row = golden()[static_cast<std::size_t>(index)];
        const auto made = Tokenizer::from_json(row.at("tokenizer").dump(), "tokenizer.json");
        QVERIFY2(made.has_value(), made ? "" : made.error().message.c_str());
        const auto& tokenizer = **made;
        for (const Json& one : row.at("cases")) {
            const auto text = one.at("text").get<std::string>();
            const auto ids = tokenizer.encode(text, Tokenizer::Special::AsTokens);
            QVERIFY2(ids == one.at("ids").get<std::vector<TokenId>>(), (shown(text) + " gave " + shown(ids) + ", not " + shown(one["ids"])).c_str());
            QVERIFY2(tokenizer.with_additions(ids) == one.at("ids_with_special").get<std::vector<TokenId>>(), shown(text).c_str());
            if (one.contains("decoded")) {
                const std::string ours = without_replacements(tokenizer.decode(ids));
                const std::string theirs = without_replacements(one["decoded"].get<std::string>());
                QVERIFY2(ours == theirs, (shown(text) + " came back as " + shown(ours) + ", not " + shown(theirs)).c_str());
            }
            StreamDecoder stream(*made, false);
            std::string streamed;
            for (const TokenId id : ids) {
                streamed += stream.push(id);
                QCOMPARE(valid_utf8_prefix(streamed), streamed.size());
            }
            QCOMPARE(streamed + stream.finish(), tokenizer.decode(ids));
        }
    }
};

QTEST_APPLESS_MAIN(TokenizerPartsTest)
#include "tokenizer_parts_test.moc"
