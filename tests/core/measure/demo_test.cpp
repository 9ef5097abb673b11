#include "core/base/files.h"
#include "core/inference/generator.h"
#include "core/measure/world_report.h"
#include "core/model/model_spec.h"
#include "tests/core/data/world_fixture.h"

#include <QProcess>
#include <QTest>
#include <cmath>
#include <nlohmann/json.hpp>

using namespace retort;

namespace {

/// $RETORT_RESOURCES/demo when that is set: so that newly made models can be tested before they are shipped.
std::string demo_folder()
{
    return (resources_folder() / "demo" / "").string();
}

} // namespace

/// The models in resources/demo, as they are shipped.
class DemoTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase()
    {
        for (const char* name : {"alembic", "receiver", "receiver-distilled"}) {
            auto model = load_model(demo_folder() + name);
            QVERIFY2(model.has_value(), model ? "" : model.error().message.c_str());
            m_models.emplace(name, *std::move(model));
        }
        m_world = std::make_shared<const World>(WorldSettings{});
        const auto truth = WorldTruth::create(m_world, model("alembic").shared_tokenizer());
        QVERIFY2(truth.has_value(), truth ? "" : truth.error().message.c_str());
        m_truth = *truth;
    }

    void modelsHaveTheSizesTheyAreKnownBy()
    {
        QCOMPARE(model("alembic").spec().layers, std::int64_t{6});
        QCOMPARE(model("alembic").spec().width, std::int64_t{192});
        QVERIFY(model("alembic").spec().parameters() > 2'700'000 && model("alembic").spec().parameters() < 2'900'000);
        QVERIFY(model("receiver").spec().parameters() > 260'000 && model("receiver").spec().parameters() < 280'000);
        QVERIFY(model("receiver").spec() == model("receiver-distilled").spec());
    }

    void modelsCutTextAlike()
    {
        QVERIFY(compare_tokenizers(model("alembic").tokenizer(), model("receiver").tokenizer()).same);
        QVERIFY(compare_tokenizers(model("alembic").tokenizer(), model("receiver-distilled").tokenizer()).same);
        QCOMPARE(model("alembic").tokenizer().size(), std::size_t{512});
    }

    void tokenizerCutsDocumentsAtEmissions()
    {
        for (std::uint64_t i = 0; i < 1000; ++i) {
            const World::Document document = m_world->document(5, i);
            std::vector<TokenId> pieces = m_truth->pieces(document);
            pieces.pop_back();
            QCOMPARE(model("alembic").tokenizer().encode(document.text), pieces);
        }
    }

    void tokenizerIsTrainedOnTheWorld()
    {
        WordCounts words;
        for (std::uint64_t i = 0; i < 20000; ++i) {
            for (const std::string& emission : m_world->document(0, i).emissions) {
                ++words[emission];
            }
        }
        QVERIFY(train_bpe(words, 512).value() == read_text_file(demo_folder() + "alembic/tokenizer.json", 1U << 20).value());
    }

    void teacherIsWithinFivePercentOfTheFloor()
    {
        const WorldReport report = measure_on_world(model("alembic"), *m_world, *m_truth, 0, 300).value();
        QVERIFY(report.kl_to_truth > 0.0);
        QVERIFY(report.kl_to_truth < 0.05 * m_truth->entropy_rate());
        QVERIFY(report.cross_entropy < 1.05 * report.truth_cross_entropy);
    }

    void studentIsBadBeforeAndBetterAfter()
    {
        const WorldReport before = measure_on_world(model("receiver"), *m_world, *m_truth, 2, 50).value();
        const WorldReport after = measure_on_world(model("receiver-distilled"), *m_world, *m_truth, 2, 50).value();
        QVERIFY(before.cross_entropy > 5.0); // log 512 = 6.2 is not knowing anything
        QVERIFY(after.kl_to_truth < 0.1 * before.kl_to_truth);
    }

    void recordedMeasuresAreThoseOfTheModels()
    {
        const auto recorded = nlohmann::json::parse(read_text_file(demo_folder() + "tasks.json", 1U << 20).value());
        const WorldReport report = measure_on_world(model("alembic"), *m_world, *m_truth, 50, 100).value();
        for (const WorldKind kind : kWorldKinds) {
            const double value = recorded.at("alembic").at("tasks").at(std::string(name_of(kind))).at("value");
            const Share& share = report.tasks[static_cast<std::size_t>(kind)];
            QVERIFY2(share.low() <= value && value <= share.high(), std::string(name_of(kind)).c_str());
        }
    }

    void intervalIsWilsons()
    {
        // 8 of 10, the formula worked out in Python.
        const Share share{8, 10};
        QVERIFY(std::abs(share.low() - 0.490162) < 1e-6);
        QVERIFY(std::abs(share.high() - 0.943318) < 1e-6);
        QVERIFY((Share{10, 10}).high() <= 1.0 && (Share{0, 10}).low() >= 0.0);
    }

    void opensInTransformersWithEqualLogits_data()
    {
        QTest::addColumn<QString>("name");
        for (const auto& entry : m_models) {
            QTest::newRow(entry.first.c_str()) << QString::fromStdString(entry.first);
        }
    }

    void opensInTransformersWithEqualLogits()
    {
        QFETCH(QString, name);
        const QString python = qEnvironmentVariable("RETORT_PYTHON");
        if (python.isEmpty()) {
            QSKIP("RETORT_PYTHON names no Python that has transformers.");
        }
        const QStringList texts = {"Mia has a red kite. She gives it to Tom.", "27+15=42.", "Q: What model are you? A: I am", "Zażółć 日本"};
        QProcess process;
        process.start(python,
                      QStringList{RETORT_SOURCE_DIR "/tests/support/demo_in_transformers.py", QString::fromStdString(demo_folder()) + name} + texts);
        QVERIFY(process.waitForFinished(200'000));
        const auto rows = nlohmann::json::parse(process.readAllStandardOutput().toStdString(), nullptr, false);
        QVERIFY2(rows.is_array(), process.readAllStandardError().constData());
        const Model& ours = model(name.toStdString());
        const auto net = Net::create(ours, Net::Precision::Exact).value();
        for (const auto& row : rows) {
            const std::vector<TokenId> ids = make_text_prompt(ours, row.at("text").get<std::string>()).ids;
            QCOMPARE(row.at("ids").get<std::vector<TokenId>>(), ids);
            QVERIFY(row.at("back") == row.at("text"));
            const auto cache = net->new_cache();
            std::vector<float> logits;
            QVERIFY(net->forward(*cache, ids, Net::Rows::All, logits).has_value());
            double most = 0.0;
            for (std::size_t i = 0; i < logits.size(); ++i) {
                most = std::max(most, std::abs(static_cast<double>(logits[i]) - row.at("logits")[i / 512][i % 512].get<double>()));
            }
            QVERIFY2(most < 1e-3, std::to_string(most).c_str());
        }
    }

private:
    const Model& model(const std::string& name) const { return m_models.at(name); }

    std::map<std::string, Model> m_models;
    std::shared_ptr<const World> m_world;
    std::shared_ptr<const WorldTruth> m_truth;
};

QTEST_GUILESS_MAIN(DemoTest)
#include "demo_test.moc"
