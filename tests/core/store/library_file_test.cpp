#include "core/base/sha256.h"
#include "core/store/session_store.h"

#include <QTemporaryDir>
#include <QTest>
#include <csignal>
#include <fstream>
#include <random>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace retort;
namespace fs = std::filesystem;

/// Files that are no library, or no longer a sound one, are refused in a sentence and left as they are.
class LibraryFileTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_folder = std::make_unique<QTemporaryDir>(); }
    void refusesAForeignFileAndLeavesIt_data();
    void refusesAForeignFileAndLeavesIt();
    void refusesANewerSchemaAndLeavesIt();
    void refusesATriggerOfAStranger();
    void tellsASecondProgramAtOnce();
    void aTruncatedLibraryIsNeverTakenForNew();
    void flippedBitsNeverCrashAndNeverChangeADistribution();
    void aFullDiskIsSaidAndLosesNothing();
    void aDiskTooFullForANewLibraryIsSaidAndLeavesNothing();

private:
    [[nodiscard]] fs::path file() const { return fs::path(m_folder->path().toStdString()) / "library.retort-db"; }
    void sql(const char* script) const;
    void make_library() const;
    std::unique_ptr<QTemporaryDir> m_folder;
};

void LibraryFileTest::sql(const char* script) const
{
    sqlite3* connection = nullptr;
    QCOMPARE(sqlite3_open(file().c_str(), &connection), SQLITE_OK);
    QCOMPARE(sqlite3_exec(connection, script, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(connection);
}

void LibraryFileTest::make_library() const
{
    auto store = SessionStore::open(file());
    QVERIFY2(store.has_value(), store ? "" : store.error().message.c_str());
    const RowId session = (*store)->sessions().create("kept").value();
    const RowId prompt = (*store)->exchanges().add_prompt(session, {{"user", "Hi"}}, {"Hi", {1, 2, 3}}).value();
    DistributionSnapshot snapshot;
    snapshot.teacher.logits.assign(512, 0.5f);
    (*store)->exchanges().add_snapshot_later(prompt, {"teacher", snapshot});
}

void LibraryFileTest::refusesAForeignFileAndLeavesIt_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("text") << QByteArray("not a database at all");
    QTest::newRow("long text") << QByteArray(5000, 'x');
    QTest::newRow("another program's database") << QByteArray("sqlite");
}

void LibraryFileTest::refusesAForeignFileAndLeavesIt()
{
    QFETCH(QByteArray, content);
    if (content == "sqlite") {
        sql("CREATE TABLE t(x); INSERT INTO t VALUES (1);");
    } else {
        std::ofstream(file()).write(content.constData(), content.size());
    }
    const std::string before = sha256_of_file(file()).value();
    const auto store = SessionStore::open(file());
    QVERIFY(!store.has_value());
    QVERIFY(store.error().kind == Error::Kind::BadFile);
    QCOMPARE(sha256_of_file(file()).value(), before);
}

void LibraryFileTest::refusesANewerSchemaAndLeavesIt()
{
    make_library();
    sql("PRAGMA user_version = 99;");
    const auto store = SessionStore::open(file());
    QVERIFY(!store.has_value());
    QVERIFY(store.error().message.find("newer Retort") != std::string::npos);
    sqlite3* connection = nullptr;
    sqlite3_open(file().c_str(), &connection);
    sqlite3_stmt* version = nullptr;
    sqlite3_prepare_v2(connection, "PRAGMA user_version", -1, &version, nullptr);
    sqlite3_step(version);
    QCOMPARE(sqlite3_column_int(version, 0), 99);
    sqlite3_finalize(version);
    sqlite3_close(connection);
}

void LibraryFileTest::refusesATriggerOfAStranger()
{
    make_library();
    sql("CREATE TRIGGER t AFTER INSERT ON session BEGIN DELETE FROM prompt; END;");
    const auto store = SessionStore::open(file());
    QVERIFY(!store.has_value());
    QVERIFY(store.error().message.find("triggers") != std::string::npos);
}

void LibraryFileTest::tellsASecondProgramAtOnce()
{
    make_library();
    auto first = SessionStore::open(file());
    QVERIFY(first.has_value());
    const pid_t child = fork();
    if (child == 0) { // exits without cleaning up what the parent owns
        const auto second = SessionStore::open(file());
        _exit(!second && second.error().message.find("open in another program") != std::string::npos ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    QCOMPARE(status, 0);
    QVERIFY((*first)->sessions().create("unaffected").has_value());
}

void LibraryFileTest::aTruncatedLibraryIsNeverTakenForNew()
{
    make_library();
    const auto size = fs::file_size(file());
    for (std::uintmax_t length = 0; length < size; length += 512) {
        const fs::path copy = fs::path(m_folder->path().toStdString()) / "cut.retort-db";
        fs::copy_file(file(), copy, fs::copy_options::overwrite_existing);
        fs::resize_file(copy, length);
        auto store = SessionStore::open(copy);
        if (store.has_value()) { // a cut in unused pages at the end may go unnoticed; then the content must be there
            const auto sessions = (*store)->sessions().list();
            QVERIFY(!sessions.has_value() || sessions->size() == 1);
        }
    }
}

void LibraryFileTest::flippedBitsNeverCrashAndNeverChangeADistribution()
{
    make_library();
    std::mt19937 random(7);
    const fs::path copy = fs::path(m_folder->path().toStdString()) / "flipped.retort-db";
    const auto size = fs::file_size(file());
    for (int trial = 0; trial < 300; ++trial) {
        fs::copy_file(file(), copy, fs::copy_options::overwrite_existing);
        {
            std::fstream bytes(copy, std::ios::in | std::ios::out | std::ios::binary);
            const auto place = static_cast<std::streamoff>(random() % size);
            bytes.seekg(place);
            const char byte = static_cast<char>(bytes.get() ^ (1 << (random() % 8)));
            bytes.seekp(place);
            bytes.put(byte);
        }
        auto store = SessionStore::open(copy);
        if (!store) {
            QVERIFY(!store.error().message.empty());
            continue;
        }
        const auto content = (*store)->sessions().read(1);
        if (content && !content->prompts.empty()) {
            const auto snapshot = (*store)->exchanges().snapshot(content->prompts[0].id, {"teacher", 0});
            if (snapshot && *snapshot) {
                QCOMPARE((*snapshot)->snapshot.teacher.logits, std::vector<float>(512, 0.5f));
            }
        }
    }
}

void LibraryFileTest::aFullDiskIsSaidAndLosesNothing()
{
    make_library();
    const pid_t child = fork(); // the limit on pages holds for one connection; a process of its own keeps the rest of the test clean
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        const auto size = fs::file_size(file());
        auto store = SessionStore::open(file());
        struct rlimit small {
            size + 64 * 1024, RLIM_INFINITY
        };
        getrlimit(RLIMIT_FSIZE, &small);
        small.rlim_cur = size + 64 * 1024;
        setrlimit(RLIMIT_FSIZE, &small);
        std::string said;
        for (int i = 0; i < 200 && said.empty(); ++i) {
            const auto id = (*store)->sessions().create(std::string(10'000, 'x'));
            if (!id) {
                said = id.error().message;
            }
        }
        _exit(said.empty() ? 1 : 0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    QCOMPARE(status, 0);
    auto store = SessionStore::open(file());
    QVERIFY(store.has_value());
    QCOMPARE((*store)->check().value(), std::string("The library is sound."));
    const auto sessions = (*store)->sessions().list().value();
    QVERIFY(std::ranges::any_of(sessions, [](const SessionSummary& s) { return s.title == "kept"; }));
}

void LibraryFileTest::aDiskTooFullForANewLibraryIsSaidAndLeavesNothing()
{
    for (const rlim_t bytes : {2'000, 40'000, 90'000}) {
        const pid_t child = fork();
        if (child == 0) {
            signal(SIGXFSZ, SIG_IGN);
            const struct rlimit small {
                bytes, bytes
            };
            setrlimit(RLIMIT_FSIZE, &small);
            const auto store = SessionStore::open(file());
            _exit(!store && store.error().kind == Error::Kind::Io ? 0 : 1);
        }
        int status = -1;
        waitpid(child, &status, 0);
        QCOMPARE(status, 0);
        QVERIFY(fs::is_empty(file().parent_path()));
    }
}

QTEST_APPLESS_MAIN(LibraryFileTest)
#include "library_file_test.moc"
