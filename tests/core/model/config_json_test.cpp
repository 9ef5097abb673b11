#include "core/model/config_json.h"

#include "tests/support/golden.h"

#include <QTest>

namespace {

using namespace retort;
using nlohmann::json;

json llama()
{
    return {{"model_type", "llama"}, {"hidden_size", 64},        {"num_hidden_layers", 2},        {"num_attention_heads", 4},
            {"vocab_size", 100},     {"intermediate_size", 128}, {"max_position_embeddings", 256}};
}

QString complaint_of(const std::string& text)
{
    const auto config = parse_config(text, "config.json");
    return config ? QString() : QString::fromStdString(config.error().message);
}

} // namespace

class ConfigJsonTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void findsTheFrequenciesOfTransformers()
    {
        const auto golden = test::golden("model/rope.json");
        QVERIFY(!golden.is_discarded());
        for (const json& example : golden["cases"]) {
            const auto config = parse_config(example["config"].dump(), "config.json");
            QVERIFY2(config, config ? "" : config.error().message.c_str());
            const auto found = rope_inverse_frequencies(config->spec.rope, config->spec.head_dim);
            const auto expected = example["inverse_frequencies"].get<std::vector<double>>();
            QCOMPARE(found.size(), expected.size());
            for (std::size_t i = 0; i < found.size(); ++i) { // transformers computes in float32
                QVERIFY2(std::abs(found[i] - expected[i]) <= 2e-6 * expected[i], example["name"].get<std::string>().c_str());
            }
        }
    }

    void readsBothSpellingsOfRopeAlike()
    {
        json before = llama();
        before["rope_theta"] = 500000.0;
        before["rope_scaling"] = {{"type", "linear"}, {"factor", 2.0}};
        json after = llama();
        after["rope_parameters"] = {{"rope_type", "linear"}, {"factor", 2.0}, {"rope_theta", 500000.0}};
        QCOMPARE(parse_config(before.dump(), "a")->spec, parse_config(after.dump(), "b")->spec);
        QCOMPARE(parse_config(after.dump(), "b")->spec.rope.theta, 500000.0);
    }

    void takesTheDefaultsOfTransformers()
    {
        const auto config = parse_config(llama().dump(), "config.json");
        QVERIFY(config);
        QCOMPARE(config->spec.kv_heads, 4);
        QCOMPARE(config->spec.head_dim, 16);
        QCOMPARE(config->spec.norm_eps, 1e-6);
        QCOMPARE(config->spec.rope.theta, 10000.0);
        QVERIFY(!config->spec.tied);
    }

    void readsStopTokensAsNumberOrList()
    {
        json one = llama();
        one["eos_token_id"] = 2;
        json several = llama();
        several["eos_token_id"] = {2, 7};
        QCOMPARE(parse_config(one.dump(), "a")->eos, std::vector<TokenId>{2});
        QCOMPARE(parse_config(several.dump(), "a")->eos, (std::vector<TokenId>{2, 7}));
        json spelled = llama();
        spelled["eos_token_id"] = "</s>";
        QCOMPARE(parse_config(spelled.dump(), "a")->ends.spellings, std::vector<std::string>{"</s>"});
    }

    void toleratesTheNumbersThatPythonWrites()
    {
        const std::string text = llama().dump();
        const auto config =
            parse_config(text.substr(0, text.size() - 1) + ",\"a\":NaN,\"b\":[Infinity,-Infinity],\"c\":\"NaN \\\" Infinity\"}", "config.json");
        QVERIFY2(config, config ? "" : config.error().message.c_str());
    }

    void refusesWhatItDoesNotKnow_data()
    {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("value");
        QTest::addColumn<QString>("named");
        const auto row = [](const char* key, const char* value, const char* named) { QTest::newRow(key) << key << value << named; };
        row("model_type", "\"mamba\"", "mamba");
        row("hidden_act", "\"quick_gelu\"", "quick_gelu");
        row("rope_scaling", R"({"rope_type":"proportional","factor":4})", "proportional");
        row("rope_parameters", R"({"rope_type":"llama3"})", "factor is missing");
        row("partial_rotary_factor", "0.5", "partial_rotary_factor");
        row("quantization_config", "{}", "quantization_config");
        row("num_hidden_layers", "null", "num_hidden_layers is missing");
        row("hidden_size", "\"64\"", "a whole number was expected");
        row("num_attention_heads", "0", "attention heads");
        row("num_key_value_heads", "3", "evenly");
        row("vocab_size", "99999999999999999999", "vocab_size");
        row("intermediate_size", "-5", "feed-forward width");
        row("head_dim", "7", "even");
        row("rms_norm_eps", "0", "epsilon");
        row("rope_theta", "-1", "rope_theta");
    }
    void refusesWhatItDoesNotKnow()
    {
        QFETCH(const QString, key);
        QFETCH(const QString, value);
        QFETCH(const QString, named);
        json config = llama();
        config[key.toStdString()] = json::parse(value.toStdString());
        const QString complaint = complaint_of(config.dump());
        QVERIFY2(complaint.startsWith("config.json: ") && complaint.contains(named), qPrintable(complaint));
    }

    void readsMistralsWindow()
    {
        json mistral = llama();
        mistral["model_type"] = "mistral";
        QCOMPARE(parse_config(mistral.dump(), "a")->spec.layer(1).window, 0); // the default window of 4096 is longer than this context
        mistral["sliding_window"] = 8;
        QCOMPARE(parse_config(mistral.dump(), "a")->spec.layer(1).window, 8);
        mistral["max_position_embeddings"] = 32768;
        mistral.erase("sliding_window");
        QCOMPARE(parse_config(mistral.dump(), "a")->spec.layer(0).window, 4096);
        mistral["sliding_window"] = nullptr;
        QCOMPARE(parse_config(mistral.dump(), "a")->spec.layer(0).window, 0);
    }

    void refusesBrokenJson_data()
    {
        QTest::addColumn<QString>("text");
        QTest::newRow("empty") << "";
        QTest::newRow("list") << "[]";
        QTest::newRow("cut") << R"({"model_type":)";
        QTest::newRow("twice") << R"({"model_type":"llama","model_type":"gpt2"})";
        QTest::newRow("deep") << QString(100000, '[');
    }
    void refusesBrokenJson()
    {
        QFETCH(const QString, text);
        QVERIFY(complaint_of(text.toStdString()).startsWith("config.json: "));
    }

    void writesWhatItReads()
    {
        const auto golden = test::golden("model/rope.json");
        for (const json& example : golden["cases"]) {
            const auto config = parse_config(example["config"].dump(), "config.json");
            QVERIFY(config);
            const auto written = write_config(*config, DType::BF16);
            QVERIFY(written);
            const auto again = parse_config(*written, "written");
            QVERIFY(again);
            QCOMPARE(again->spec, config->spec);
            QCOMPARE(again->eos, config->eos);
            QCOMPARE(json::parse(*written)["torch_dtype"].get<std::string>(), std::string("bfloat16"));
        }
    }
};

QTEST_APPLESS_MAIN(ConfigJsonTest)
#include "config_json_test.moc"
