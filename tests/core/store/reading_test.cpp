#include "core/base/sha256.h"
#include "core/store/session_store.h"

#include <QTemporaryDir>
#include <QTest>
#include <array>
#include <csignal>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace retort;
namespace fs = std::filesystem;

/// Any number of programs read a library while one writes it, and none leaves a file behind.
class ReadingTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_folder = std::make_unique<QTemporaryDir>(); }
    void readsWhatIsCommittedWhileAnotherProgramWrites();
    void readsWhatAKilledWriterLeft();
    void leavesNoFileBehind_data();
    void leavesNoFileBehind();
    void readsWhereItMayNotWrite();
    void neverWrites();
    void readsAnOlderLibraryWithoutChangingIt();
    void theWriterGoesOnWhenAReaderLeaves();

private:
    [[nodiscard]] fs::path at(const char* name) const { return fs::path(m_folder->path().toStdString()) / name; }
    [[nodiscard]] QStringList files() const { return QDir(m_folder->path()).entryList(QDir::Files | QDir::Hidden, QDir::Name); }
    void make_library() const;

    std::unique_ptr<QTemporaryDir> m_folder;
};

namespace {

/// A program of its own that holds the library open for writing, with one session in it, until it is told to end or killed.
class Writer {
public:
    explicit Writer(const fs::path& file)
    {
        pipe(m_ready.data());
        pipe(m_end.data());
        m_child = fork();
        if (m_child == 0) {
            ::close(m_end[1]);
            auto store = SessionStore::open(file);
            const bool kept = store && (*store)->sessions().create("of the writer").has_value();
            write(m_ready[1], kept ? "y" : "n", 1);
            char more = 0;
            while (read(m_end[0], &more, 1) == 1) {
                (void)(*store)->sessions().create("another");
                write(m_ready[1], "y", 1);
            }
            store->reset();
            _exit(0);
        }
        ::close(m_end[0]);
        ::close(m_ready[1]);
        m_is_ready = answered();
    }
    ~Writer()
    {
        ::close(m_ready[0]);
        ::close(m_end[1]);
        waitpid(m_child, nullptr, 0);
    }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    [[nodiscard]] bool is_ready() const { return m_is_ready; }
    bool add_another() { return write(m_end[1], "x", 1) == 1 && answered(); }
    void die() const { kill(m_child, SIGKILL); }

private:
    bool answered()
    {
        char said = 0;
        return read(m_ready[0], &said, 1) == 1 && said == 'y';
    }

    std::array<int, 2> m_ready{}, m_end{};
    pid_t m_child = 0;
    bool m_is_ready = false;
};

} // namespace

void ReadingTest::make_library() const
{
    auto store = SessionStore::open(at("library.retort-db"));
    QVERIFY2(store.has_value(), store ? "" : store.error().message.c_str());
    QVERIFY((*store)->sessions().create("kept").has_value());
}

void ReadingTest::readsWhatIsCommittedWhileAnotherProgramWrites()
{
    make_library();
    Writer writer(at("library.retort-db"));
    QVERIFY(writer.is_ready());
    auto reader = SessionStore::open(at("library.retort-db"), SessionStore::Mode::ReadOnly);
    QVERIFY2(reader.has_value(), reader ? "" : reader.error().message.c_str());
    QCOMPARE((*reader)->sessions().list()->size(), 2u);
    QVERIFY(writer.add_another());
    QCOMPARE((*reader)->sessions().list()->size(), 3u);
    QVERIFY(!SessionStore::open(at("library.retort-db")).has_value()); // a second writer still is refused
}

void ReadingTest::readsWhatAKilledWriterLeft()
{
    {
        const Writer writer(at("library.retort-db"));
        QVERIFY(writer.is_ready());
        writer.die();
    }
    {
        auto reader = SessionStore::open(at("library.retort-db"), SessionStore::Mode::ReadOnly);
        QVERIFY2(reader.has_value(), reader ? "" : reader.error().message.c_str());
        QCOMPARE((*reader)->sessions().list()->front().title, std::string("of the writer"));
    }
    QVERIFY(SessionStore::open(at("library.retort-db")).has_value());
}

void ReadingTest::leavesNoFileBehind_data()
{
    QTest::addColumn<QString>("library");
    QTest::newRow("a library") << QString();
    QTest::newRow("the one that comes with Retort") << QStringLiteral(RETORT_SOURCE_DIR "/resources/demo/session.retort-db");
    QTest::newRow("one of schema 1") << QStringLiteral(RETORT_SOURCE_DIR "/tests/golden/store/recorded-1.retort-db");
}

void ReadingTest::leavesNoFileBehind()
{
    QFETCH(QString, library);
    if (library.isEmpty()) {
        make_library();
    } else {
        fs::copy_file(library.toStdString(), at("library.retort-db"));
    }
    const std::string before = sha256_of_file(at("library.retort-db")).value();
    {
        auto reader = SessionStore::open(at("library.retort-db"), SessionStore::Mode::ReadOnly);
        QVERIFY2(reader.has_value(), reader ? "" : reader.error().message.c_str());
        QVERIFY((*reader)->sessions().read((*reader)->sessions().list()->front().id).has_value());
        QCOMPARE((*reader)->check().value(), std::string("The library is sound."));
    }
    QCOMPARE(files(), QStringList{QStringLiteral("library.retort-db")});
    QCOMPARE(sha256_of_file(at("library.retort-db")).value(), before);
}

void ReadingTest::readsWhereItMayNotWrite()
{
    make_library();
    const pid_t child = fork(); // as nobody, since root may do everything
    if (child == 0) {
        if (geteuid() == 0 && (chmod(m_folder->path().toLocal8Bit(), 0755) != 0 || setgid(65534) != 0 || setuid(65534) != 0)) {
            _exit(2);
        }
        if (geteuid() != 65534) {
            chmod(at("library.retort-db").c_str(), 0444);
            chmod(m_folder->path().toLocal8Bit(), 0555);
        }
        auto reader = SessionStore::open(at("library.retort-db"), SessionStore::Mode::ReadOnly);
        const auto sessions = reader ? (*reader)->sessions().list() : failure(reader.error());
        const auto writer = SessionStore::open(at("library.retort-db"));
        const bool said = !writer && writer.error().message.find("may not be written") != std::string::npos;
        _exit(sessions && sessions->size() == 1 && said ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    chmod(m_folder->path().toLocal8Bit(), 0700);
    QCOMPARE(status, 0);
    QCOMPARE(files(), QStringList{QStringLiteral("library.retort-db")});
}

void ReadingTest::neverWrites()
{
    make_library();
    auto reader = SessionStore::open(at("library.retort-db"), SessionStore::Mode::ReadOnly);
    QVERIFY(reader.has_value());
    QVERIFY(!(*reader)->sessions().create("new").has_value());
    QVERIFY(!(*reader)->sessions().rename(1, "new").has_value());
    QCOMPARE((*reader)->sessions().list()->front().title, std::string("kept"));
}

void ReadingTest::readsAnOlderLibraryWithoutChangingIt()
{
    fs::copy_file(RETORT_SOURCE_DIR "/tests/golden/store/recorded-1.retort-db", at("library.retort-db"));
    auto reader = SessionStore::open(at("library.retort-db"), SessionStore::Mode::ReadOnly);
    QVERIFY2(reader.has_value(), reader ? "" : reader.error().message.c_str());
    const auto session = (*reader)->sessions().read(1);
    QCOMPARE(session->prompts.size(), 4u);
    QCOMPARE((*reader)->runs().read(session->runs.front().id)->metrics.size(), 601u);
}

void ReadingTest::theWriterGoesOnWhenAReaderLeaves()
{
    Writer writer(at("library.retort-db"));
    QVERIFY(writer.is_ready());
    for (int i = 0; i < 20; ++i) {
        QVERIFY(writer.add_another());
        auto reader = SessionStore::open(at("library.retort-db"), SessionStore::Mode::ReadOnly);
        QVERIFY2(reader.has_value(), reader ? "" : reader.error().message.c_str());
        QCOMPARE((*reader)->sessions().list()->size(), static_cast<std::size_t>(i + 2));
    }
}

QTEST_APPLESS_MAIN(ReadingTest)
#include "reading_test.moc"
