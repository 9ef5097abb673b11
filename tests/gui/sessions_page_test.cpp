#include "tests/gui/desk.h"
#include "ui/main_window.h"
#include "ui/widgets/plain_label.h"

#include <QAbstractItemModel>
#include <QApplication>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>

using namespace retort;

/// Going about in the library with the keyboard, and what a session leaves in the other parts of the window.
class SessionsPageTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void enterOpensTheChosenSession();
    void f2RenamesFromWhereverTheFocusIs();
    void countsWhatWasAskedMeanwhile();
    void breaksATitleThatIsOneLongWord();
    void thePaletteListsCommandsAndNoQuestions();
    void aNewSessionBeginsWithAnEmptyPrompt();
    void asksBeforeItDeletesForGood();
    void keepsASessionWhoseStudentIsInTraining();

private:
    QTemporaryDir m_resources;
};

void SessionsPageTest::initTestCase()
{
    const auto used = use_tiny_demo(m_resources.path().toStdString());
    QVERIFY2(used, used ? "" : used.error().message.c_str());
}

void SessionsPageTest::enterOpensTheChosenSession()
{
    const Desk<MainWindow> desk;
    desk.window->showPage(PageId::Sessions);
    const RowId before = desk.workbench->session().id;
    auto* table = desk.find<QTableView>("session_table");
    QTRY_VERIFY(table->model()->rowCount() > 1);
    QTest::keyClick(desk.find<QWidget>("session_search"), Qt::Key_Down);
    QVERIFY(table->hasFocus());
    QTest::keyClick(table, table->currentIndex().row() == 0 ? Qt::Key_Down : Qt::Key_Up);
    QTest::keyClick(table, Qt::Key_Return);
    QTRY_VERIFY_WITH_TIMEOUT(desk.workbench->session().id != before, kPatience);
}

void SessionsPageTest::f2RenamesFromWhereverTheFocusIs()
{
    const Desk<MainWindow> desk;
    desk.window->showPage(PageId::Sessions);
    QVERIFY(desk.find<QWidget>("session_search")->hasFocus());
    QTRY_VERIFY(desk.find<QTableView>("session_table")->currentIndex().isValid());
    QTest::keyClick(desk.find<QWidget>("session_search"), Qt::Key_F2);
    auto* editor = qobject_cast<QLineEdit*>(QApplication::focusWidget());
    QVERIFY(editor != nullptr && editor->objectName() != QLatin1String("session_search"));
    editor->setText(QStringLiteral("Lecture"));
    QSignalSpy listed(desk.workbench.get(), &Workbench::sessionsListed);
    desk.workbench->listSessions(); // what comes while one types changes nothing of what was typed
    desk.workbench->listSessions();
    QTRY_VERIFY_WITH_TIMEOUT(listed.size() >= 2, kPatience);
    QCOMPARE(QApplication::focusWidget(), editor);
    QCOMPARE(editor->text(), QStringLiteral("Lecture"));
    QTest::keyClick(editor, Qt::Key_Return);
    QTRY_COMPARE_WITH_TIMEOUT(desk.workbench->session().title, std::string("Lecture"), kPatience);
}

void SessionsPageTest::countsWhatWasAskedMeanwhile()
{
    const Desk<MainWindow> desk;
    const auto prompts = [&] {
        const auto& all = desk.workbench->sessions();
        const auto here = std::ranges::find(all, desk.workbench->session().id, &SessionSummary::id);
        return here == all.end() ? std::int64_t{-1} : here->prompts;
    };
    QTRY_VERIFY(prompts() >= 0);
    const std::int64_t before = prompts();
    Question question{{{"user", "Mia has"}}, true, {}};
    question.settings.max_tokens = 4;
    desk.workbench->ask(question);
    QTRY_VERIFY_WITH_TIMEOUT(!desk.workbench->exchange().running(), kPatience);
    desk.window->showPage(PageId::Sessions);
    QTRY_COMPARE_WITH_TIMEOUT(prompts(), before + 1, kPatience);
}

void SessionsPageTest::breaksATitleThatIsOneLongWord()
{
    std::unique_ptr<QLabel> label(wrapped_label(breakable(QString(80, QLatin1Char('x')))));
    label->resize(200, label->heightForWidth(200));
    QVERIFY(label->heightForWidth(200) > label->fontMetrics().height() * 2);
    QCOMPARE(breakable(QStringLiteral("a short title")), QStringLiteral("a short title"));
}

void SessionsPageTest::thePaletteListsCommandsAndNoQuestions()
{
    const Desk<MainWindow> desk;
    QVERIFY(!desk.workbench->history().empty());
    QTest::keyClick(desk.window.get(), Qt::Key_K, Qt::ControlModifier);
    auto* palette = desk.find<QWidget>("command_palette_dialog");
    const QAbstractItemModel* commands = palette->findChild<QListView*>()->model();
    QStringList names;
    for (int row = 0; row < commands->rowCount(); ++row) {
        names << commands->index(row, 0).data().toString();
    }
    QCOMPARE(names.front(), QStringLiteral("Open teacher"));
    for (const char* wanted : {"Run both", "Start distilling", "Rename session", "Quit"}) {
        QVERIFY2(names.contains(QLatin1String(wanted)), wanted);
    }
    for (const ExchangeHead& prompt : desk.workbench->history()) {
        QVERIFY(!names.contains(to_qt(prompt.messages.back().content).simplified()));
    }
    auto* search = palette->findChild<QLineEdit*>(QStringLiteral("command_search"));
    search->setText(QStringLiteral("zzz"));
    QVERIFY(palette->findChild<QLabel*>(QStringLiteral("command_nothing"))->isVisible());
}

void SessionsPageTest::aNewSessionBeginsWithAnEmptyPrompt()
{
    const Desk<MainWindow> desk;
    auto* prompt = desk.find<QPlainTextEdit>("prompt");
    QVERIFY(!prompt->toPlainText().isEmpty());
    const RowId before = desk.workbench->session().id;
    desk.workbench->renameSession(before, QStringLiteral("Lecture"));
    QVERIFY(!prompt->toPlainText().isEmpty());
    desk.workbench->newSession();
    QTRY_VERIFY_WITH_TIMEOUT(desk.workbench->session().id != before, kPatience);
    QVERIFY(prompt->toPlainText().isEmpty());
}

void SessionsPageTest::asksBeforeItDeletesForGood()
{
    const Desk<MainWindow> desk;
    const RowId doomed = desk.workbench->sessions().back().id;
    QVERIFY(doomed != desk.workbench->session().id);
    desk.workbench->renameSession(doomed, QStringLiteral("<b>Lecture"));
    desk.workbench->moveToBin(doomed, true);
    QTRY_COMPARE_WITH_TIMEOUT(desk.workbench->bin().size(), std::size_t{1}, kPatience);
    desk.window->showPage(PageId::Sessions);
    QTest::mouseClick(desk.find<QPushButton>("show_bin"), Qt::LeftButton);
    const auto in_bin = [&] { return desk.store->sessions().list(true).value().size(); };
    const auto ask = [&]() -> QMessageBox* {
        QTest::mouseClick(desk.find<QPushButton>("purge_session_button"), Qt::LeftButton);
        return desk.find<QMessageBox>("purge_question");
    };

    QSignalSpy listed(desk.workbench.get(), &Workbench::sessionsListed);
    QPointer<QMessageBox> question = ask();
    QVERIFY(question != nullptr && question->isVisible());
    QVERIFY(question->text().contains(QStringLiteral("<b>Lecture")));
    QCOMPARE(question->textFormat(), Qt::PlainText);
    QVERIFY(question->informativeText().contains(QStringLiteral("cannot be undone")));
    QVERIFY(question->findChild<QPushButton*>(QStringLiteral("purge_cancel"))->isDefault());
    QTest::keyClick(question, Qt::Key_Return); // what one presses without having read
    QTRY_VERIFY(question == nullptr);
    question = ask();
    QTest::keyClick(question, Qt::Key_Escape);
    QTRY_VERIFY(question == nullptr);
    desk.workbench->listSessions();
    QTRY_VERIFY_WITH_TIMEOUT(!listed.isEmpty(), kPatience);
    QCOMPARE(in_bin(), std::size_t{1});

    question = ask();
    QTest::mouseClick(question->findChild<QPushButton*>(QStringLiteral("purge_confirm")), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(desk.workbench->bin().empty(), kPatience);
    QCOMPARE(in_bin(), std::size_t{0});
}

void SessionsPageTest::keepsASessionWhoseStudentIsInTraining()
{
    const Desk<MainWindow> desk;
    DistilPlan plan;
    plan.teacher = "demo:teacher";
    plan.student.fresh = DistilPlan::Student::Fresh{.layers = 1, .width = 32, .heads = 2, .kv_heads = 1, .ffn = 64};
    plan.steps = 100'000;
    plan.batch = {.sequences = 2, .length = 32};
    desk.workbench->startDistilling(plan);
    QTRY_VERIFY_WITH_TIMEOUT(desk.workbench->run().record.last_step > 2, kPatience);
    const RowId here = desk.workbench->session().id;
    const RowId other = desk.workbench->sessions().back().id;
    QVERIFY(other != here);

    QSignalSpy problems(desk.workbench.get(), &Workbench::problem);
    desk.workbench->moveToBin(here, true);
    QCOMPARE(problems.size(), 1);
    QVERIFY(to_qt(problems.front().front().value<Error>().message).contains(QStringLiteral("bin")));
    desk.workbench->moveToBin(other, true); // nothing is written to that one
    QTRY_COMPARE_WITH_TIMEOUT(desk.workbench->bin().size(), std::size_t{1}, kPatience);
    QCOMPARE(desk.workbench->bin().front().id, other);
    QCOMPARE(desk.workbench->session().id, here);
    QVERIFY(desk.workbench->run().live);
    desk.workbench->stopAndDiscard();
    QTRY_VERIFY_WITH_TIMEOUT(!desk.workbench->run().live, kPatience);
    desk.workbench->moveToBin(here, true);
    QTRY_COMPARE_WITH_TIMEOUT(desk.workbench->bin().size(), std::size_t{2}, kPatience);
}

QTEST_MAIN(SessionsPageTest)
#include "sessions_page_test.moc"
