#include "core/base/sha256.h"
#include "core/store/session_store.h"
#include "tests/support/ascii_tokenizer.h"

#include <QTemporaryDir>
#include <QTest>
#include <fstream>
#include <random>
#include <sqlite3.h>

using namespace retort;
namespace fs = std::filesystem;

/// A session goes from one library to another as a file, and a stranger's file does no harm.
class TransferTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void aSessionArrivesWhole();
    void theRecordedSessionArrivesWhole();
    void takesOnlyTheOneSession();
    void modelsThatAreThereAreNotTwice();
    void whatItRemembersOfItsLookFollowsTheRows();
    void weightsAndTheirPlacesStayBehind();
    void theSameSessionIsNotTakenTwice();
    void aLibraryIsNoSessionFile();
    void refusesWhatIsDamagedOrStrange_data();
    void refusesWhatIsDamagedOrStrange();
    void flippedBitsNeverCrash();
    void nothingStaysWhenTheFileCannotBeWritten();

private:
    [[nodiscard]] fs::path at(const char* name) const { return fs::path(m_folder->path().toStdString()) / name; }
    [[nodiscard]] static std::unique_ptr<SessionStore> opened(const fs::path& file) { return std::move(SessionStore::open(file).value()); }
    RowId fill(SessionStore& store, const std::string& title);
    void sql(const fs::path& file, const char* script) const;

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<SessionStore> m_here, m_there;
};

void TransferTest::init()
{
    m_here.reset();
    m_there.reset();
    m_folder = std::make_unique<QTemporaryDir>();
    m_here = opened(at("here.retort-db"));
    m_there = opened(at("there.retort-db"));
}

namespace {

Answer answer(const std::string& text)
{
    Answer given;
    given.text = text;
    given.tokens = {{5, "Mia", "Mia", -0.25f, 0, 1.5f}};
    return given;
}

ModelInfo model_info()
{
    ModelInfo info;
    info.name = "alembic";
    info.sha256 = "a91f";
    return info;
}

} // namespace

/// A session with one of everything.
RowId TransferTest::fill(SessionStore& store, const std::string& title)
{
    const auto tokenizer = Tokenizer::from_json(test::ascii_tokenizer_json(), "tokenizer.json").value();
    const RowId session = store.sessions().create(title).value();
    store.models().add_tokenizer_later(tokenizer);
    const RowId model = store.models().add(session, "teacher", model_info(), tokenizer->fingerprint()).value();
    NewRun plan;
    plan.teacher_model = model;
    plan.plan.steps = 9;
    plan.checkpoint_folder = "/home/somebody/checkpoints/1";
    const RowId run = store.runs().add(session, plan).value();
    std::vector<MetricPoint> points(5);
    for (std::size_t i = 0; i < points.size(); ++i) {
        points[i].step = static_cast<std::int64_t>(i);
        points[i].loss = 0.5 * static_cast<double>(i);
    }
    store.runs().add_metrics_later(run, points);
    store.runs().add_evaluations_later(run, {{5, 1.5, 0.25, 0.8, 100, 1.1}});
    store.runs().add_probes_later(run, {{5, 0, "said"}});
    (void)store.runs().add_checkpoint(run, {5, "/home/somebody/checkpoints/1/step-5", "", 1, false});
    const RowId prompt = store.exchanges().add_prompt(session, {{"user", "A red kite"}}, {"A red kite", {1, 2}}).value();
    const RowId response = store.exchanges().add_response(prompt, {model, {}, run, 4}, "teacher", answer("flies"), {}).value();
    Comparison comparison;
    comparison.positions.resize(2);
    comparison.positions[1].teacher_top = {{3, 0.5f, 0}};
    const Compared of{"a91f", "run 1", tokenizer->fingerprint()};
    (void)store.exchanges().add_comparison(prompt, "teacher", response, comparison, of);
    DistributionSnapshot snapshot;
    snapshot.position = 2;
    snapshot.teacher.logits = {1.0f, 2.0f};
    store.exchanges().add_snapshot_later(prompt, {"teacher", snapshot, of});
    Artifact artifact;
    artifact.session = session;
    artifact.run = run;
    artifact.model = model;
    artifact.kind = "measure";
    (void)store.artifacts().add(artifact);
    store.sessions().save_view_state_later(session, R"({"page":"compare","exchange":)" + std::to_string(prompt) +
                                                        R"(,"recorded":{"on":"2026-11-22","last_prompt":)" + std::to_string(prompt) +
                                                        R"(,"last_run":)" + std::to_string(run) + "}}");
    return session;
}

void TransferTest::sql(const fs::path& file, const char* script) const
{
    sqlite3* connection = nullptr;
    QCOMPARE(sqlite3_open(file.c_str(), &connection), SQLITE_OK);
    char* wrong = nullptr;
    QVERIFY2(sqlite3_exec(connection, script, nullptr, nullptr, &wrong) == SQLITE_OK, wrong);
    sqlite3_close(connection);
}

void TransferTest::aSessionArrivesWhole()
{
    (void)fill(*m_there, "already there"); // so that the numbers differ
    const RowId from = fill(*m_here, "Kites");
    const auto written = m_here->export_session(from, at("kites.retort"));
    QVERIFY2(written.has_value(), written ? "" : written.error().message.c_str());
    const auto taken = m_there->import_session(at("kites.retort"));
    QVERIFY2(taken.has_value(), taken ? "" : taken.error().message.c_str());
    const SessionContent session = m_there->sessions().read(*taken).value();
    QCOMPARE(session.summary.title, std::string("Kites"));
    QCOMPARE(session.teacher->name, std::string("alembic"));
    const StoredPrompt exchange = m_there->exchanges().read(session.prompts.at(0).id).value();
    QCOMPARE(exchange.rendered, std::string("A red kite"));
    QCOMPARE(exchange.responses.at(0).tokens.at(0).bytes, std::string("Mia"));
    QCOMPARE(exchange.responses.at(0).run, session.runs.at(0).id);
    QCOMPARE(exchange.responses.at(0).run_step, 4);
    QCOMPARE(exchange.comparisons.at(0).response_id, exchange.responses.at(0).id);
    QCOMPARE(exchange.comparisons.at(0).comparison.positions.at(1).teacher_top.at(0).id, 3);
    QVERIFY(!m_there->models().pieces(exchange.comparisons.at(0).of.tokenizer).value().empty());
    QCOMPARE(m_there->exchanges().snapshot(exchange.id, exchange.snapshots.at(0)).value()->snapshot.teacher.logits, (std::vector<float>{1.0f, 2.0f}));
    const StoredRun run = m_there->runs().read(session.runs.at(0).id).value();
    QCOMPARE(run.metrics.size(), 5u);
    QCOMPARE(run.metrics.at(4).loss, 2.0);
    QCOMPARE(run.evaluations.at(0).kl, 0.25);
    QCOMPARE(run.probes.at(0).text, std::string("said"));
    QCOMPARE(m_there->artifacts().list(*taken)->at(0).run, run.id);
    QCOMPARE(m_there->sessions().search("kites")->size(), 1u);
    QCOMPARE(m_there->check().value(), std::string("The library is sound."));
}

void TransferTest::theRecordedSessionArrivesWhole()
{
    fs::copy_file(RETORT_SOURCE_DIR "/resources/demo/session.retort-db", at("recorded.retort-db"));
    auto recorded = SessionStore::open(at("recorded.retort-db"), SessionStore::Mode::ReadOnly);
    QVERIFY2(recorded.has_value(), recorded ? "" : recorded.error().message.c_str());
    const RowId id = (*recorded)->sessions().list()->front().id;
    QVERIFY((*recorded)->export_session(id, at("recorded.retort")).has_value());
    const auto taken = m_there->import_session(at("recorded.retort"));
    QVERIFY2(taken.has_value(), taken ? "" : taken.error().message.c_str());
    const auto before = (*recorded)->sessions().read(id).value();
    const auto after = m_there->sessions().read(*taken).value();
    QCOMPARE(after.prompts.size(), before.prompts.size());
    QCOMPARE(m_there->runs().read(after.runs.at(0).id)->metrics.size(), (*recorded)->runs().read(before.runs.at(0).id)->metrics.size());
    for (std::size_t i = 0; i < after.prompts.size(); ++i) {
        const auto there = m_there->exchanges().read(after.prompts[i].id).value();
        const auto here = (*recorded)->exchanges().read(before.prompts[i].id).value();
        QVERIFY(there.notes.empty());
        QCOMPARE(there.snapshots, here.snapshots);
        QCOMPARE(there.responses.at(1).tokens.size(), here.responses.at(1).tokens.size());
    }
}

void TransferTest::takesOnlyTheOneSession()
{
    const RowId wanted = fill(*m_here, "wanted");
    (void)fill(*m_here, "secret");
    QVERIFY(m_here->export_session(wanted, at("one.retort")).has_value());
    auto file = SessionStore::open(at("one.retort"), SessionStore::Mode::ReadOnly);
    QVERIFY(file.has_value());
    QCOMPARE((*file)->sessions().list()->size(), 1u);
    std::ifstream bytes(at("one.retort"), std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(bytes)), {});
    QVERIFY(content.find("wanted") != std::string::npos);
    QVERIFY(content.find("secret") == std::string::npos);
}

void TransferTest::modelsThatAreThereAreNotTwice()
{
    const RowId there = fill(*m_there, "there");
    QVERIFY(m_here->export_session(fill(*m_here, "here"), at("one.retort")).has_value());
    const RowId taken = m_there->import_session(at("one.retort")).value();
    QCOMPARE(m_there->sessions().read(taken)->teacher->id, m_there->sessions().read(there)->teacher->id);
}

void TransferTest::whatItRemembersOfItsLookFollowsTheRows()
{
    (void)fill(*m_there, "there");
    QVERIFY(m_here->export_session(fill(*m_here, "here"), at("one.retort")).has_value());
    const SessionContent session = m_there->sessions().read(m_there->import_session(at("one.retort")).value()).value();
    const std::string prompt = std::to_string(session.prompts.at(0).id);
    QVERIFY(session.view_state_json.find("\"exchange\":" + prompt) != std::string::npos);
    QVERIFY(session.view_state_json.find("\"last_prompt\":" + prompt) != std::string::npos);
    QVERIFY(session.view_state_json.find("\"last_run\":" + std::to_string(session.runs.at(0).id)) != std::string::npos);
    QVERIFY(session.view_state_json.find("2026-11-22") != std::string::npos);
}

void TransferTest::weightsAndTheirPlacesStayBehind()
{
    QVERIFY(m_here->export_session(fill(*m_here, "here"), at("one.retort")).has_value());
    const SessionContent session = m_there->sessions().read(m_there->import_session(at("one.retort")).value()).value();
    QVERIFY(session.runs.at(0).checkpoints.empty());
    QVERIFY(session.runs.at(0).checkpoint_folder.empty());
    QCOMPARE(session.runs.at(0).state, std::string("stopped"));
}

void TransferTest::theSameSessionIsNotTakenTwice()
{
    const RowId here = fill(*m_here, "here");
    QVERIFY(m_here->export_session(here, at("one.retort")).has_value());
    QVERIFY(m_there->import_session(at("one.retort")).has_value());
    const auto again = m_there->import_session(at("one.retort"));
    QVERIFY(!again.has_value());
    QVERIFY2(again.error().message.find("here already, as number 1") != std::string::npos, again.error().message.c_str());
    QCOMPARE(m_there->sessions().list()->size(), 1u);
    QVERIFY(!m_here->export_session(here + 99, at("none.retort")).has_value());
    QVERIFY(!fs::exists(at("none.retort")) && !fs::exists(at("none.retort.part")));
    QVERIFY(!m_here->export_session(here, at("here.retort-db")).has_value()); // not over the library itself
}

void TransferTest::aLibraryIsNoSessionFile()
{
    (void)fill(*m_here, "one");
    (void)fill(*m_here, "two");
    m_here.reset();
    const auto taken = m_there->import_session(at("here.retort-db"));
    QVERIFY(!taken.has_value());
    QVERIFY2(taken.error().message.find("holds 2 sessions") != std::string::npos, taken.error().message.c_str());
}

void TransferTest::refusesWhatIsDamagedOrStrange_data()
{
    QTest::addColumn<QByteArray>("script");
    QTest::newRow("no database") << QByteArray();
    QTest::newRow("trigger") << QByteArray("CREATE TRIGGER t AFTER INSERT ON session BEGIN DELETE FROM prompt; END");
    QTest::newRow("view in a table's place") << QByteArray("DROP TABLE artifact; CREATE VIEW artifact AS SELECT * FROM session");
    QTest::newRow("another table") << QByteArray("CREATE TABLE more(x)");
    QTest::newRow("another program's") << QByteArray("PRAGMA application_id = 7");
    QTest::newRow("from the future") << QByteArray("PRAGMA user_version = 99");
    QTest::newRow("rows without what they refer to") << QByteArray("PRAGMA foreign_keys = OFF; UPDATE response SET model_id = 4711");
    QTest::newRow("no session") << QByteArray("DELETE FROM session");
}

void TransferTest::refusesWhatIsDamagedOrStrange()
{
    QFETCH(QByteArray, script);
    QVERIFY(m_here->export_session(fill(*m_here, "here"), at("one.retort")).has_value());
    if (script.isEmpty()) {
        std::ofstream(at("one.retort"), std::ios::trunc) << "PK not a session";
    } else {
        sql(at("one.retort"), script.constData());
    }
    const std::string before = sha256_of_file(at("one.retort")).value();
    const auto taken = m_there->import_session(at("one.retort"));
    QVERIFY(!taken.has_value());
    QVERIFY2(taken.error().message.ends_with('.') && taken.error().message.find("one.retort") != std::string::npos, taken.error().message.c_str());
    QVERIFY(m_there->sessions().list()->empty());
    QCOMPARE(sha256_of_file(at("one.retort")).value(), before);
    QVERIFY(!fs::exists(at("one.retort-wal")) && !fs::exists(at("one.retort-shm")));
}

void TransferTest::flippedBitsNeverCrash()
{
    QVERIFY(m_here->export_session(fill(*m_here, "here"), at("one.retort")).has_value());
    std::ifstream in(at("one.retort"), std::ios::binary);
    const std::string whole((std::istreambuf_iterator<char>(in)), {});
    std::mt19937 random(11);
    int refused = 0;
    for (int trial = 0; trial < 150; ++trial) {
        std::string bytes = whole;
        for (int flip = 0; flip < 1 + trial % 4; ++flip) {
            bytes[random() % bytes.size()] ^= static_cast<char>(1 << (random() % 8));
        }
        std::ofstream(at("flipped.retort"), std::ios::binary) << bytes;
        auto store = opened(at("library.retort-db"));
        const auto taken = store->import_session(at("flipped.retort"));
        if (taken) {
            QCOMPARE(store->check().value(), std::string("The library is sound."));
        } else {
            ++refused;
            QVERIFY(!taken.error().message.empty());
        }
        store.reset();
        fs::remove(at("library.retort-db"));
    }
    QVERIFY(refused > 0);
}

void TransferTest::nothingStaysWhenTheFileCannotBeWritten()
{
    const RowId here = fill(*m_here, "here");
    const auto written = m_here->export_session(here, at("no such folder") / "one.retort");
    QVERIFY(!written.has_value());
    QVERIFY2(written.error().message.find("no such folder") != std::string::npos, written.error().message.c_str());
}

QTEST_APPLESS_MAIN(TransferTest)
#include "transfer_test.moc"
