#include "core/base/files.h"
#include "core/base/sha256.h"

#include <QTemporaryDir>
#include <QTest>
#include <csignal>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace retort;
namespace fs = std::filesystem;

/// Files appear whole or not at all, and nothing but a regular file of a bearable size is read.
class FilesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_folder = std::make_unique<QTemporaryDir>(); }
    void writesWhole();
    void leavesNothingWhenNotCommitted();
    void keepsTheOldFileWhenTheDiskIsFull();
    void refusesWhatIsNoRegularFile();
    void readsTextsAsTheSameTextHoweverTheyWereSaved_data();
    void readsTextsAsTheSameTextHoweverTheyWereSaved();
    void keepsACarriageReturnThatEndsNoLine();
    void saysWhichEncodingATextMustHave_data();
    void saysWhichEncodingATextMustHave();
    void refusesMoreThanTheLimit();
    void saysThatAFileShrank();
    void refusesALinkWhenAsked();
    void hashesAsPublished_data();
    void hashesAsPublished();
    void hashStopsWhenCancelled();

private:
    [[nodiscard]] fs::path path(const char* name) const { return fs::path(m_folder->path().toStdString()) / name; }
    std::unique_ptr<QTemporaryDir> m_folder;
};

void FilesTest::writesWhole()
{
    QVERIFY(write_file_atomically(path("a"), "first").has_value());
    QVERIFY(write_file_atomically(path("a"), "second").has_value());
    QCOMPARE(read_text_file(path("a"), 100).value(), std::string("second"));
    QVERIFY(!fs::exists(path("a.part")));
}

void FilesTest::leavesNothingWhenNotCommitted()
{
    {
        auto file = AtomicFile::create(path("a"));
        QVERIFY(file.has_value());
        QVERIFY(file->write("half").has_value());
        QVERIFY(fs::exists(path("a.part")));
    }
    QVERIFY(!fs::exists(path("a.part")));
    QVERIFY(!fs::exists(path("a")));
}

void FilesTest::keepsTheOldFileWhenTheDiskIsFull()
{
    QVERIFY(write_file_atomically(path("a"), "old").has_value());
    // A limit on the size of files makes write() end short, as a full disk does.
    struct rlimit before {};
    getrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, SIG_IGN);
    struct rlimit small = before;
    small.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &small);
    const auto written = write_file_atomically(path("a"), std::string(100'000, 'x'));
    setrlimit(RLIMIT_FSIZE, &before);
    QVERIFY(!written.has_value());
    QVERIFY(written.error().kind == Error::Kind::Io);
    QCOMPARE(read_text_file(path("a"), 100).value(), std::string("old"));
    QVERIFY(!fs::exists(path("a.part")));
}

void FilesTest::refusesWhatIsNoRegularFile()
{
    QVERIFY(!read_text_file(path("."), 100).has_value());
    QCOMPARE(::mkfifo(path("pipe").c_str(), 0600), 0);
    QVERIFY(!read_text_file(path("pipe"), 100).has_value()); // and does not wait for a writer
    QVERIFY(read_text_file(path("missing"), 100).error().message.find("was not found") != std::string::npos);
}

void FilesTest::readsTextsAsTheSameTextHoweverTheyWereSaved_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("plain") << QByteArray("Mia\nh\xC3\xA9\n");
    QTest::newRow("byte order mark") << QByteArray("\xEF\xBB\xBFMia\nh\xC3\xA9\n");
    QTest::newRow("Windows' line ends") << QByteArray("Mia\r\nh\xC3\xA9\r\n");
    QTest::newRow("both") << QByteArray("\xEF\xBB\xBFMia\r\nh\xC3\xA9\r\n");
}

void FilesTest::readsTextsAsTheSameTextHoweverTheyWereSaved()
{
    QFETCH(const QByteArray, bytes);
    QVERIFY(write_file_atomically(path("t"), bytes.toStdString()).has_value());
    QCOMPARE(read_text_file(path("t"), 100).value(), std::string("Mia\nh\xC3\xA9\n"));
    QCOMPARE(read_file(path("t"), 100).value(), bytes.toStdString());
}

void FilesTest::keepsACarriageReturnThatEndsNoLine()
{
    QVERIFY(write_file_atomically(path("t"), "a\rb\r\r\nc\r").has_value());
    QCOMPARE(read_text_file(path("t"), 100).value(), std::string("a\rb\r\nc\r"));
}

void FilesTest::saysWhichEncodingATextMustHave_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QByteArray>("words");
    QTest::newRow("UTF-16, little end first") << QByteArray("\xFF\xFEM\0i\0", 6) << QByteArray("UTF-16");
    QTest::newRow("UTF-16, big end first") << QByteArray("\xFE\xFF\0M\0i", 6) << QByteArray("UTF-16");
    QTest::newRow("UTF-16 without a mark") << QByteArray("M\0i\0a\0", 6) << QByteArray("UTF-16");
    QTest::newRow("UTF-32") << QByteArray("\xFF\xFE\0\0M\0\0\0", 8) << QByteArray("UTF-32");
    QTest::newRow("Latin-1") << QByteArray("one\ntwo\nh\xE9h\n") << QByteArray("line 3 has bytes that are not UTF-8 (0xE9)");
    QTest::newRow("half a character") << QByteArray("one\n\xF0\x9F\x98") << QByteArray("line 2");
}

void FilesTest::saysWhichEncodingATextMustHave()
{
    QFETCH(const QByteArray, bytes);
    QFETCH(const QByteArray, words);
    QVERIFY(write_file_atomically(path("t"), bytes.toStdString()).has_value());
    const auto text = read_text_file(path("t"), 100);
    QVERIFY(!text.has_value());
    QVERIFY(text.error().kind == Error::Kind::BadFile);
    QVERIFY2(text.error().message.starts_with(path("t").string()), text.error().message.c_str());
    QVERIFY2(text.error().message.find(words.toStdString()) != std::string::npos, text.error().message.c_str());
}

void FilesTest::refusesMoreThanTheLimit()
{
    QVERIFY(write_file_atomically(path("a"), "12345").has_value());
    QVERIFY(read_text_file(path("a"), 5).has_value());
    QVERIFY(!read_text_file(path("a"), 4).has_value());
}

void FilesTest::saysThatAFileShrank()
{
    QVERIFY(write_file_atomically(path("a"), "12345").has_value());
    const auto file = InputFile::open(path("a"));
    QVERIFY(file.has_value());
    fs::resize_file(path("a"), 3);
    std::array<std::byte, 5> buffer{};
    const auto read = file->read_at(0, buffer);
    QVERIFY(!read.has_value());
    QVERIFY(read.error().message.find("ends at byte 3") != std::string::npos);
}

void FilesTest::refusesALinkWhenAsked()
{
    QVERIFY(write_file_atomically(path("a"), "x").has_value());
    fs::create_symlink(path("a"), path("link"));
    QVERIFY(InputFile::open(path("link")).has_value());
    QVERIFY(!InputFile::open(path("link"), InputFile::Links::Refuse).has_value());
}

void FilesTest::hashesAsPublished_data()
{
    QTest::addColumn<std::string>("text");
    QTest::addColumn<std::string>("hash");
    // FIPS 180-4 examples.
    QTest::newRow("empty") << std::string() << std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    QTest::newRow("abc") << std::string("abc") << std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    QTest::newRow("a million a") << std::string(1'000'000, 'a') << std::string("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

void FilesTest::hashesAsPublished()
{
    QFETCH(std::string, text);
    QFETCH(std::string, hash);
    QCOMPARE(sha256_hex(text), hash);
    QVERIFY(write_file_atomically(path("a"), text).has_value());
    QCOMPARE(sha256_of_file(path("a")).value(), hash);
}

void FilesTest::hashStopsWhenCancelled()
{
    QVERIFY(write_file_atomically(path("a"), "x").has_value());
    std::stop_source stop;
    stop.request_stop();
    const auto hash = sha256_of_file(path("a"), Progress{{}, stop.get_token()});
    QVERIFY(!hash.has_value());
    QVERIFY(hash.error().kind == Error::Kind::Cancelled);
}

QTEST_APPLESS_MAIN(FilesTest)
#include "files_test.moc"
