#include "core/base/files.h"
#include "core/text/tokenizer.h"

#include <QTest>
#include <nlohmann/json.hpp>

using namespace retort;

namespace {

std::shared_ptr<const Tokenizer> golden_tokenizer(const std::string& folder)
{
    const auto text = read_text_file(folder + "/tokenizer.json", 1U << 26);
    const auto tokenizer = text ? Tokenizer::from_json(*text, "tokenizer.json") : failure(text.error());
    if (!tokenizer) {
        qWarning("%s", tokenizer.error().message.c_str());
        return nullptr;
    }
    return *tokenizer;
}

} // namespace

/// Texts cut by the `tokenizers` library (tests/golden/text/FAMILY/cases.json, written by that library) and by us.
class TokenizerGoldenTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void cutsTextAsTheTokenizersLibraryDoes_data()
    {
        QTest::addColumn<QString>("family");
        for (const char* family : {"gpt2", "smollm", "qwen2", "llama3", "deepseek", "gpt4o", "neox", "llama2", "gemma", "metaspace", "unigram"}) {
            QTest::newRow(family) << family;
        }
    }

    void cutsTextAsTheTokenizersLibraryDoes()
    {
        QFETCH(QString, family);
        const std::string folder = std::string(RETORT_SOURCE_DIR "/tests/golden/text/") + family.toStdString();
        const auto tokenizer = golden_tokenizer(folder);
        QVERIFY(tokenizer);
        const auto content = read_text_file(folder + "/cases.json", 1U << 26);
        QVERIFY(content.has_value());
        const auto golden = nlohmann::json::parse(*content);
        for (const auto& row : golden.at("cases")) {
            const auto text = row.at("text").get<std::string>();
            const auto ids = tokenizer->encode(text, Tokenizer::Special::AsTokens);
            const QByteArray shown = QByteArray::fromStdString(text.substr(0, 60));
            QVERIFY2(ids == row.at("ids").get<std::vector<TokenId>>(), shown.constData());
            QVERIFY2(tokenizer->with_additions(ids) == row.at("ids_with_special").get<std::vector<TokenId>>(), shown.constData());
            if (row.contains("ids_as_text")) {
                QVERIFY2(tokenizer->encode(text) == row.at("ids_as_text").get<std::vector<TokenId>>(), shown.constData());
            }
            QCOMPARE(tokenizer->decode(ids), row.at("decoded").get<std::string>());
            QCOMPARE(tokenizer->decode(ids, true), row.at("decoded_skip_special").get<std::string>());
            for (std::size_t i = 0; i < ids.size(); ++i) {
                // The library gives the text that an added token was found as, with white space taken along, and what is unknown as it stands in the
                // text; ours is the vocabulary's.
                const auto piece = row.at("pieces")[i].get<std::string>();
                const auto spelling = tokenizer->spelling(ids[i]);
                QVERIFY2(spelling == piece || piece.ends_with(spelling) || spelling == "<unk>", piece.c_str());
            }
        }
    }
};

QTEST_APPLESS_MAIN(TokenizerGoldenTest)
#include "tokenizer_golden_test.moc"
