#include "ui/program.h"

#include "core/model/model_spec.h"
#include "tests/gui/tiny_demo.h"
#include "ui/main_window.h"
#include "ui/widgets/notice.h"
#include "ui/workbench.h"

#include <QAction>
#include <QFileDialog>
#include <QLabel>
#include <QPushButton>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>
#include <fstream>

using namespace retort;
namespace fs = std::filesystem;

namespace {
constexpr int kPatience = 60'000; // of a slow machine; nothing here is a timing
}

/// The program over a library that cannot be written, and with models named by whoever starts it.
class ProgramTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();

    void savesInTheLibraryItWasGiven();
    void opensAndSaysSoWhereNothingCanBeWritten_data();
    void opensAndSaysSoWhereNothingCanBeWritten();
    void looksAtACopyOfALibraryThatAnotherProgramWrites();
    void goesOnInAnotherPlace();
    void opensAFileForTheRoleItWasNamedFor();
    void asksForTheRoleOfAFileThatWasOnlyNamed();

private:
    [[nodiscard]] fs::path at(const char* name) const { return fs::path(m_folder->path().toStdString()) / name; }
    template <class Kind>
    [[nodiscard]] static Kind& find(const Program& program, const char* name)
    {
        auto* found = program.window().findChild<Kind*>(QLatin1String(name));
        if (found == nullptr) {
            qFatal("no widget %s", name);
        }
        return *found;
    }
    static void waitForSession(const Program& program) { QTRY_VERIFY_WITH_TIMEOUT(program.workbench().session().id != 0, kPatience); }

    QTemporaryDir m_resources;
    std::unique_ptr<QTemporaryDir> m_folder;
};

void ProgramTest::initTestCase()
{
    const auto used = use_tiny_demo(m_resources.path().toStdString());
    QVERIFY2(used, used ? "" : used.error().message.c_str());
    auto store = std::move(SessionStore::open(recorded_session()).value());
    QVERIFY(add_sample_sessions(*store, m_resources.path().toStdString()));
}

void ProgramTest::init()
{
    m_folder = std::make_unique<QTemporaryDir>();
    QSettings().remove(QStringLiteral("library"));
}

void ProgramTest::savesInTheLibraryItWasGiven()
{
    Program program;
    QVERIFY(program.open(at("library.retort-db")));
    waitForSession(program);
    QVERIFY(program.library().kept());
    QVERIFY(!find<Notice>(program, "library_notice").isVisible());
    QVERIFY(find<QLabel>(program, "status_saved").text() != QStringLiteral("Not saved"));
    QVERIFY(fs::exists(at("library.retort-db")));
}

void ProgramTest::opensAndSaysSoWhereNothingCanBeWritten_data()
{
    QTest::addColumn<QString>("kind");
    for (const char* kind : {"a folder that takes no files", "a file where the folder should be", "a text", "half a library"}) {
        QTest::newRow(kind) << kind;
    }
}

void ProgramTest::opensAndSaysSoWhereNothingCanBeWritten()
{
    QFETCH(QString, kind);
    fs::path wanted = at("library.retort-db");
    if (kind == QStringLiteral("a folder that takes no files")) {
        wanted = "/proc/retort/library.retort-db"; // not even the superuser writes there
    } else if (kind == QStringLiteral("a file where the folder should be")) {
        std::ofstream(at("data")) << "a file";
        wanted = at("data") / "library.retort-db";
    } else if (kind == QStringLiteral("a text")) {
        std::ofstream(wanted) << "Dear diary, today I distilled a model.";
    } else {
        fs::copy_file(recorded_session(), wanted);
        fs::resize_file(wanted, fs::file_size(wanted) / 2);
    }
    Program program;
    QVERIFY(program.open(wanted));
    waitForSession(program);
    QTRY_VERIFY(program.window().isVisible());
    const Notice& notice = find<Notice>(program, "library_notice");
    QVERIFY(notice.isVisible());
    QVERIFY2(notice.message().contains(QString::fromStdString(wanted.string())), qPrintable(notice.message()));
    QVERIFY2(notice.message().contains(QStringLiteral("not saved")), qPrintable(notice.message()));
    QCOMPARE(find<QLabel>(program, "status_saved").text(), QStringLiteral("Not saved"));
    for (const char* way_out : {"library_again", "library_read_only", "library_elsewhere"}) {
        QVERIFY2(find<QPushButton>(program, way_out).isVisible(), way_out);
    }
    QTRY_VERIFY_WITH_TIMEOUT(program.workbench().bothReady(), kPatience); // everything else works
    QTest::mouseClick(&find<QPushButton>(program, "library_read_only"), Qt::LeftButton);
    QTest::qWait(50);
    QVERIFY(find<Notice>(program, "library_notice").isVisible()); // nothing in it can be read: says why, and stays open
}

void ProgramTest::looksAtACopyOfALibraryThatAnotherProgramWrites()
{
    const fs::path wanted = at("library.retort-db");
    fs::copy_file(recorded_session(), wanted);
    auto other = std::move(SessionStore::open(wanted).value());
    QVERIFY(other->sessions().create("Written a moment ago"));
    QVERIFY(other->flush());
    Program program;
    QVERIFY(program.open(wanted));
    waitForSession(program);
    QVERIFY(find<Notice>(program, "library_notice").message().contains(QStringLiteral("another program")));
    QTest::mouseClick(&find<QPushButton>(program, "library_read_only"), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(find<Notice>(program, "library_notice").message().contains(QStringLiteral("read only")), kPatience);
    QTRY_VERIFY_WITH_TIMEOUT(!program.workbench().sessions().empty(), kPatience);
    QVERIFY(std::ranges::any_of(program.workbench().sessions(), [](const SessionSummary& s) { return s.title == "Written a moment ago"; }));
    QCOMPARE(find<QLabel>(program, "status_saved").text(), QStringLiteral("Not saved"));
    program.workbench().renameSession(program.workbench().sessions().front().id, QStringLiteral("Renamed in the copy"));
    QTRY_VERIFY(!program.workbench().saving());
    const auto still = other->sessions().list().value();
    QVERIFY(std::ranges::none_of(still, [](const SessionSummary& s) { return s.title == "Renamed in the copy"; }));
}

void ProgramTest::goesOnInAnotherPlace()
{
    std::ofstream(at("library.retort-db")) << "no library";
    Program program;
    QVERIFY(program.open(at("library.retort-db")));
    waitForSession(program);
    QTest::mouseClick(&find<QPushButton>(program, "library_elsewhere"), Qt::LeftButton);
    QTRY_VERIFY(program.window().findChild<QFileDialog*>(QStringLiteral("library_dialog")) != nullptr);
    auto& dialog = find<QFileDialog>(program, "library_dialog");
    const QString elsewhere = m_folder->filePath(QStringLiteral("elsewhere.retort-db"));
    Q_EMIT dialog.fileSelected(elsewhere);
    QTRY_VERIFY_WITH_TIMEOUT(program.library().kept(), kPatience);
    waitForSession(program);
    QVERIFY(!find<Notice>(program, "library_notice").isVisible());
    QVERIFY(QFile::exists(elsewhere));
    QCOMPARE(QSettings().value(QStringLiteral("library")).toString(), elsewhere); // and the next start goes there
}

void ProgramTest::opensAFileForTheRoleItWasNamedFor()
{
    Program program;
    QVERIFY(program.open(at("library.retort-db")));
    StartRequest request;
    request.teacher = QStringLiteral("demo:student");
    program.take(request); // before the session is read, whose own teacher is another
    QTRY_COMPARE_WITH_TIMEOUT(program.workbench().role(Role::Teacher).spec, std::string("demo:student"), kPatience);
    QTRY_VERIFY_WITH_TIMEOUT(program.workbench().role(Role::Teacher).ready(), kPatience);
    QCOMPARE(program.workbench().role(Role::Teacher).spec, std::string("demo:student"));
}

void ProgramTest::asksForTheRoleOfAFileThatWasOnlyNamed()
{
    Program program;
    QVERIFY(program.open(at("library.retort-db")));
    waitForSession(program);
    QTRY_VERIFY_WITH_TIMEOUT(program.workbench().bothReady(), kPatience);
    StartRequest request;
    request.model = QString::fromStdString((fs::path(m_resources.path().toStdString()) / "demo" / "alembic").string());
    program.takeFromSecondStart(request);
    QVERIFY(find<Notice>(program, "window_notice").message().contains(QStringLiteral("alembic")));
    QTest::mouseClick(&find<QPushButton>(program, "offer_student"), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(program.workbench().role(Role::Student).ready() && program.workbench().role(Role::Student).info->spec.layers == 4,
                             kPatience);
}

QTEST_MAIN(ProgramTest)
#include "program_test.moc"
