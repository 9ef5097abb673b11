#include "core/model/model_spec.h"
#include "core/model/tokenizer_files.h"
#include "tests/support/ascii_tokenizer.h"
#include "tests/support/model_files.h"

#include <QTest>
#include <algorithm>

namespace retort {

/// What the small files beside the weights say of tokens, in the forms in which people's folders say it.
class TokenizerFilesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void anEndIsTakenFromAnyFileInAnyForm_data()
    {
        QTest::addColumn<QByteArray>("file");
        QTest::addColumn<QByteArray>("content");
        for (const char* file : {"generation_config.json", "tokenizer_config.json", "special_tokens_map.json"}) {
            QTest::addRow("%s: id", file) << QByteArray(file) << QByteArray(R"({"eos_token_id": 33})");
            QTest::addRow("%s: ids", file) << QByteArray(file) << QByteArray(R"({"eos_token_id": [33, 40]})");
            QTest::addRow("%s: spelling", file) << QByteArray(file) << QByteArray(R"({"eos_token": "A"})");
            QTest::addRow("%s: object", file) << QByteArray(file) << QByteArray(R"({"eos_token": {"content": "A", "lstrip": false}})");
            QTest::addRow("%s: spellings", file) << QByteArray(file) << QByteArray(R"({"eos_token": ["A", {"content": "H"}]})");
            QTest::addRow("%s: end of turn", file) << QByteArray(file) << QByteArray(R"({"eot_token": "A"})");
        }
    }
    void anEndIsTakenFromAnyFileInAnyForm()
    {
        QFETCH(QByteArray, file);
        QFETCH(QByteArray, content);
        const test::ModelFolder folder("llama");
        QVERIFY(folder.write("tokenizer.json", test::ascii_tokenizer_json()));
        QVERIFY(folder.write(file.constData(), content.toStdString()));
        const auto model = load_model(folder.path());
        QVERIFY2(model.has_value(), model ? "" : model.error().message.c_str());
        const auto& stops = model->info().stop_tokens;
        QVERIFY(std::find(stops.begin(), stops.end(), 33) != stops.end()); // "A"
        QVERIFY(std::find(stops.begin(), stops.end(), 95) != stops.end()); // "<|end|>", which the tokenizer itself tells
        QCOMPARE(std::find(stops.begin(), stops.end(), 40) != stops.end(), content.contains("40") || content.contains("\"H\""));
    }

    void configsOwnEndMayBeASpelling()
    {
        const test::ModelFolder folder("llama");
        QVERIFY(folder.write("tokenizer.json", test::ascii_tokenizer_json()));
        std::string config = folder.read("config.json");
        config.insert(config.find('{') + 1, R"("eos_token": "A", "eot_token_id": [34],)");
        QVERIFY(folder.write("config.json", config));
        const auto model = load_model(folder.path());
        QVERIFY2(model.has_value(), model ? "" : model.error().message.c_str());
        const auto& stops = model->info().stop_tokens;
        QVERIFY(std::find(stops.begin(), stops.end(), 33) != stops.end() && std::find(stops.begin(), stops.end(), 34) != stops.end());
    }

    void anEndThatTheTokenizerLacksIsNoted()
    {
        const test::ModelFolder folder("llama");
        QVERIFY(folder.write("tokenizer.json", test::ascii_tokenizer_json()));
        QVERIFY(folder.write("tokenizer_config.json", R"({"eos_token": "<nobody>"})"));
        const auto model = load_model(folder.path());
        QVERIFY(model.has_value());
        const auto& notes = model->info().notes;
        QVERIFY(std::any_of(notes.begin(), notes.end(), [](const std::string& note) { return note.find("<nobody>") != std::string::npos; }));
    }

    /// transformers 5: where the config says add_bos_token or add_eos_token, that decides.
    void whatGoesAroundATextIsTheConfigsToSay()
    {
        const test::ModelFolder folder("llama");
        QVERIFY(folder.write("tokenizer.json", test::ascii_tokenizer_json()));
        QVERIFY(
            folder.write("tokenizer_config.json", R"({"bos_token": "<|end|>", "eos_token": "A", "add_bos_token": true, "add_eos_token": false})"));
        const auto model = load_model(folder.path());
        QVERIFY(model.has_value());
        QCOMPARE(model->tokenizer().with_additions({1}), (std::vector<TokenId>{95, 1}));
    }

    void aTokenizerThatCannotBeReadIsAnErrorAndNoneIsNot()
    {
        const test::ModelFolder folder("llama");
        const auto none = find_tokenizer_spec(folder.path().string());
        QVERIFY(none.has_value() && *none == nullptr);
        QVERIFY(!load_tokenizer_spec(folder.path().string()).has_value());
        QVERIFY(folder.write("tokenizer.json", R"({"model": {"type": "WordPiece"}})"));
        const auto broken = find_tokenizer_spec(folder.path().string());
        QVERIFY(!broken.has_value() && broken.error().message.find("WordPiece") != std::string::npos);
        QVERIFY(folder.write("tokenizer.json", ""));
        QVERIFY(!find_tokenizer_spec(folder.path().string()).has_value());
    }

    void aTokenizerModelAloneIsEnough()
    {
        // <unk>, <s>, </s> and "a", as SentencePiece's protobuf has them; trainer_spec says BPE.
        const std::string file(
            "\x0A\x0E\x0A\x05<unk>\x15\0\0\0\0\x18\x02\x0A\x0C\x0A\x03<s>\x15\0\0\0\0\x18\x03\x0A\x0D\x0A\x04</s>\x15\0\0\0\0\x18\x03"
            "\x0A\x08\x0A\x01"
            "a\x15\0\0\x80\xBF\x12\x02\x18\x02",
            59);
        const test::ModelFolder folder("llama");
        QVERIFY(folder.write("tokenizer.model", file));
        const auto model = load_model(folder.path());
        QVERIFY2(model.has_value(), model ? "" : model.error().message.c_str());
        QVERIFY(model->has_tokenizer());
        QCOMPARE(model->tokenizer().kind(), std::string("SentencePiece BPE"));
        QCOMPARE(model->tokenizer().with_additions({3}), (std::vector<TokenId>{1, 3}));
        const auto options = save_options_of(model->info());
        QVERIFY2(options.has_value(), options ? "" : options.error().message.c_str());
        QVERIFY(Tokenizer::from_json(options->tokenizer_json, "tokenizer.json").has_value());
    }
};

} // namespace retort

QTEST_APPLESS_MAIN(retort::TokenizerFilesTest)
#include "tokenizer_files_test.moc"
