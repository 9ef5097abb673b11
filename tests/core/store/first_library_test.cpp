#include "core/model/model_spec.h"
#include "core/store/first_library.h"
#include "core/store/session_store.h"

#include <QTemporaryDir>
#include <QTest>
#include <fstream>
#include <sstream>

using namespace retort;
namespace fs = std::filesystem;

/// The library that somebody starts with: a copy of the recorded one, and never in the place of anything.
class FirstLibraryTest : public QObject {
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> m_folder;

    [[nodiscard]] fs::path at(const char* name) const { return fs::path(m_folder->path().toStdString()) / name; }

    static std::string bytes_of(const fs::path& file)
    {
        std::ostringstream bytes;
        bytes << std::ifstream(file, std::ios::binary).rdbuf();
        return bytes.str();
    }

    static void write(const fs::path& file, const std::string& bytes) { std::ofstream(file, std::ios::binary) << bytes; }

    /// How many files the folder has: the copy must leave none of its own behind.
    [[nodiscard]] qsizetype files() const { return QDir(m_folder->path()).entryList(QDir::Files | QDir::Hidden).size(); }

    [[nodiscard]] fs::path recorded() const
    {
        const auto store = SessionStore::open(at("recorded.retort-db"));
        (void)(*store)->sessions().create("Demo").value();
        return at("recorded.retort-db");
    }

private Q_SLOTS:
    void init() { m_folder = std::make_unique<QTemporaryDir>(); }

    void givesTheFirstLibraryTheRecordedSession()
    {
        const fs::path library = at("new folder") / "library.retort-db";
        const auto made = begin_library_with(recorded(), library);
        QVERIFY2(made.has_value(), made ? "" : made.error().message.c_str());
        QVERIFY(*made);
        const auto store = SessionStore::open(library);
        QCOMPARE((*store)->sessions().list()->front().title, std::string("Demo"));
        QCOMPARE((*store)->check().value(), std::string("The library is sound."));
    }

    void neverTouchesWhatIsThere_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::newRow("nothing in it") << QByteArray();
        QTest::newRow("another program's") << QByteArray("not a library");
    }

    void neverTouchesWhatIsThere()
    {
        QFETCH(QByteArray, content);
        const fs::path shipped = recorded();
        write(at("library.retort-db"), content.toStdString());
        const auto made = begin_library_with(shipped, at("library.retort-db"));
        QVERIFY(made && !*made);
        QCOMPARE(bytes_of(at("library.retort-db")), content.toStdString());
        QCOMPARE(files(), 2);
    }

    void leavesALinkThatLeadsNowhere()
    {
        const fs::path shipped = recorded();
        fs::create_symlink(at("gone.retort-db"), at("library.retort-db"));
        const auto made = begin_library_with(shipped, at("library.retort-db"));
        QVERIFY(made && !*made);
        QVERIFY(fs::is_symlink(at("library.retort-db")));
        QVERIFY(!fs::exists(at("gone.retort-db")));
    }

    void saysWhatIsWrongWithTheRecordedOneAndLeavesNothing_data()
    {
        QTest::addColumn<int>("kind");
        QTest::newRow("missing") << 0;
        QTest::newRow("cut short") << 1;
        QTest::newRow("something else") << 2;
        QTest::newRow("without a session") << 3;
    }

    void saysWhatIsWrongWithTheRecordedOneAndLeavesNothing()
    {
        QFETCH(int, kind);
        const fs::path shipped = at("recorded.retort-db");
        if (kind == 1) {
            (void)recorded();
            fs::resize_file(shipped, 5000);
        } else if (kind == 2) {
            write(shipped, "<html>not found</html>");
        } else if (kind == 3) {
            QVERIFY(SessionStore::open(shipped).has_value());
        }
        const auto before = files();
        const auto made = begin_library_with(shipped, at("library.retort-db"));
        QVERIFY(!made);
        QVERIFY2(made.error().message.ends_with('.'), made.error().message.c_str());
        QVERIFY(!fs::exists(at("library.retort-db")));
        QCOMPARE(files(), before);
    }

    void theShippedOneHoldsARecordedSessionAndNoPathOfAnyMachine()
    {
        const fs::path shipped = recorded_session();
        const auto made = begin_library_with(shipped, at("library.retort-db"));
        QVERIFY2(made && *made, made ? "" : made.error().message.c_str());
        const std::string bytes = bytes_of(shipped);
        for (const char* path : {"/home/", "/tmp/", "/root/", "resources/demo"}) {
            QVERIFY2(bytes.find(path) == std::string::npos, path);
        }
        const auto store = SessionStore::open(at("library.retort-db"));
        const auto content = (*store)->sessions().read((*store)->sessions().list()->front().id);
        QVERIFY(content.has_value());
        QCOMPARE(content->teacher->path, std::string("demo:teacher"));
        QCOMPARE(content->student->path, std::string("demo:distilled"));
        QVERIFY(content->prompts.size() >= 3);
        for (const ExchangeHead& head : content->prompts) {
            const StoredPrompt prompt = (*store)->exchanges().read(head.id).value();
            QVERIFY(prompt.notes.empty());
            QCOMPARE(prompt.responses.size(), std::size_t{2});
            QCOMPARE(prompt.comparisons.size(), std::size_t{2});
            QVERIFY(!prompt.snapshots.empty());
        }
        QCOMPARE(content->runs.size(), std::size_t{1});
        QCOMPARE(content->runs.front().state, std::string("finished"));
        const StoredRun run = (*store)->runs().read(content->runs.front().id).value();
        QVERIFY(run.metrics.front().loss > run.metrics.back().loss);
        QVERIFY(!run.evaluations.empty() && !run.probes.empty());
        QVERIFY(content->view_state_json.find("\"recorded\"") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(FirstLibraryTest)
#include "first_library_test.moc"
