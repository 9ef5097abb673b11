#include "ui/single_instance.h"

#include <QFile>
#include <QLocalSocket>
#include <QProcess>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <csignal>

using namespace retort;

namespace {

constexpr int kPatience = 60'000; // of a slow machine; nothing here is a timing

/// A real retort in a process of its own, without a screen.
class Running {
public:
    Running(const QString& home, const QStringList& arguments)
    {
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("QT_QPA_PLATFORM"), QStringLiteral("offscreen"));
        environment.insert(QStringLiteral("HOME"), home);
        environment.insert(QStringLiteral("XDG_CONFIG_HOME"), home);
        m_process.setProcessEnvironment(environment);
        m_process.start(QStringLiteral(RETORT_BINARY_DIR "/bin/retort"), arguments);
    }
    ~Running()
    {
        m_process.kill();
        m_process.waitForFinished();
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    QProcess& operator*() { return m_process; }
    QProcess* operator->() { return &m_process; }

private:
    QProcess m_process;
};

} // namespace

/// A second start, as the desktop makes it: other processes on the same library.
class SingleInstanceTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_folder = std::make_unique<QTemporaryDir>(); }
    void aSecondStartHandsItsFileOverAndEnds();
    void aWindowHearsOfASecondStart();
    void anotherLibraryHasAWindowOfItsOwn();
    void aSocketThatAKilledProgramLeftIsReplaced();
    void aCallerThatSaysNothingIsNotWaitedFor();

private:
    [[nodiscard]] QString at(const char* name) const { return m_folder->filePath(QLatin1String(name)); }
    [[nodiscard]] std::filesystem::path library() const { return at("library.retort-db").toStdString(); }
    [[nodiscard]] QStringList onLibrary(const QStringList& more = {}) const
    {
        return QStringList{QStringLiteral("--library"), at("library.retort-db")} + more;
    }
    [[nodiscard]] bool someoneListens() const
    {
        QLocalSocket socket;
        socket.connectToServer(SingleInstance(library()).socket());
        return socket.waitForConnected(1000);
    }

    std::unique_ptr<QTemporaryDir> m_folder;
};

void SingleInstanceTest::aSecondStartHandsItsFileOverAndEnds()
{
    SingleInstance first(library());
    QVERIFY(!first.handOver({}));
    QSignalSpy calls(&first, &SingleInstance::startedAgain);
    Running second(m_folder->path(), onLibrary({QStringLiteral("--student"), QStringLiteral("/models/small model.gguf")}));
    QTRY_COMPARE_WITH_TIMEOUT(calls.size(), 1, kPatience);
    const auto request = calls.front().front().value<StartRequest>();
    QCOMPARE(request.student, QStringLiteral("/models/small model.gguf"));
    QVERIFY(request.teacher.isEmpty());
    QTRY_COMPARE_WITH_TIMEOUT(second->state(), QProcess::NotRunning, kPatience);
    QCOMPARE(second->exitCode(), 0);
    QVERIFY(!second->readAllStandardError().contains("another program")); // it found no library that is taken
    QVERIFY(!QFile::exists(at("library.retort-db")));                     // it opened nothing of its own
}

void SingleInstanceTest::aWindowHearsOfASecondStart()
{
    Running first(m_folder->path(), onLibrary());
    QTRY_VERIFY_WITH_TIMEOUT(someoneListens(), kPatience);
    SingleInstance second(library());
    QVERIFY(second.handOver({QStringLiteral("/models/a.gguf"), {}, {}, {}}));
    QCOMPARE(first->state(), QProcess::Running);
    QVERIFY(!first->waitForFinished(300));
}

void SingleInstanceTest::anotherLibraryHasAWindowOfItsOwn()
{
    SingleInstance first(library());
    QVERIFY(!first.handOver({}));
    SingleInstance other(at("other.retort-db").toStdString());
    QVERIFY(first.socket() != other.socket());
    QVERIFY(!other.handOver({}));
}

void SingleInstanceTest::aSocketThatAKilledProgramLeftIsReplaced()
{
    {
        Running first(m_folder->path(), onLibrary());
        QTRY_VERIFY_WITH_TIMEOUT(someoneListens(), kPatience);
        first->kill(); // SIGKILL: it cleans up nothing
        QVERIFY(first->waitForFinished(kPatience));
    }
    QVERIFY(QFile::exists(SingleInstance(library()).socket()));
    SingleInstance next(library());
    QVERIFY(!next.handOver({}));
    QSignalSpy calls(&next, &SingleInstance::startedAgain);
    Running second(m_folder->path(), onLibrary());
    QTRY_COMPARE_WITH_TIMEOUT(calls.size(), 1, kPatience);
}

void SingleInstanceTest::aCallerThatSaysNothingIsNotWaitedFor()
{
    SingleInstance first(library());
    QVERIFY(!first.handOver({}));
    QSignalSpy calls(&first, &SingleInstance::startedAgain);
    QLocalSocket silent;
    silent.connectToServer(first.socket());
    QVERIFY(silent.waitForConnected(kPatience));
    silent.write(QByteArray(1 << 17, 'x')); // and never ends the line
    Running second(m_folder->path(), onLibrary());
    QTRY_COMPARE_WITH_TIMEOUT(calls.size(), 1, kPatience);
    QTRY_COMPARE_WITH_TIMEOUT(silent.state(), QLocalSocket::UnconnectedState, kPatience);
}

QTEST_GUILESS_MAIN(SingleInstanceTest)
#include "single_instance_test.moc"
