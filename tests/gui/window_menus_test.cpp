#include "tests/gui/desk.h"
#include "ui/about_dialog.h"
#include "ui/commands.h"
#include "ui/main_window.h"
#include "ui/model_drop.h"
#include "ui/widgets/ask_for_model.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/plain_label.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QDir>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QMimeData>
#include <QPushButton>
#include <QSettings>
#include <QUrl>

using namespace retort;

/// What the menus, the palette, the help and a file dropped on the window lead to.
class WindowMenusTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();

    void theFileMenuOpensModels();
    void listsWhatWasOpened();
    void everyKeyOpensOneThing();
    void thereIsNoKeyForTheTenthPage();
    void findsACommandByAnotherWordForIt_data();
    void findsACommandByAnotherWordForIt();
    void aCommandOfAPageGoesThere();
    void showsWhatCannotBeDoneNow();
    void helpTellsThePagesOwnKeys();
    void aboutNamesVersionsLicencesAndPaths();
    void diagnosticsKeepSecrets();
    void aFileDroppedAnywhereBecomesWhatTheHalfSays();
    void aTextFieldDoesNotTakeADroppedFile();

private:
    [[nodiscard]] QWidget* paletteFor(const Desk<MainWindow>& desk, const QString& query) const;
    [[nodiscard]] static QStringList found(const QWidget* palette);
    [[nodiscard]] QString model(const char* name) const { return m_resources.filePath(QStringLiteral("demo/") + QLatin1String(name)); }

    QTemporaryDir m_resources;
};

void WindowMenusTest::initTestCase()
{
    const auto used = use_tiny_demo(m_resources.path().toStdString());
    QVERIFY2(used, used ? "" : used.error().message.c_str());
}

void WindowMenusTest::init()
{
    forget_recent_models();
}

QWidget* WindowMenusTest::paletteFor(const Desk<MainWindow>& desk, const QString& query) const
{
    QTest::keyClick(desk.window.get(), Qt::Key_K, Qt::ControlModifier);
    auto* palette = desk.find<QWidget>("command_palette_dialog");
    palette->findChild<QLineEdit*>(QStringLiteral("command_search"))->setText(query);
    return palette;
}

QStringList WindowMenusTest::found(const QWidget* palette)
{
    const QAbstractItemModel* commands = palette->findChild<QListView*>()->model();
    QStringList names;
    for (int row = 0; row < commands->rowCount(); ++row) {
        names << commands->index(row, 0).data().toString();
    }
    return names;
}

void WindowMenusTest::theFileMenuOpensModels()
{
    const Desk<MainWindow> desk;
    QTest::keyClick(desk.window.get(), Qt::Key_O, Qt::ControlModifier);
    QPointer<QFileDialog> dialog = desk.find<QFileDialog>("open_model_dialog");
    QVERIFY(dialog != nullptr);
    QVERIFY(dialog->windowTitle().contains(QStringLiteral("teacher")));
    Q_EMIT dialog->fileSelected(model("receiver/config.json"));
    dialog->close();
    QTRY_COMPARE_WITH_TIMEOUT(desk.workbench->role(Role::Teacher).spec, model("receiver/config.json").toStdString(), kPatience);
    QTRY_VERIFY_WITH_TIMEOUT(desk.workbench->role(Role::Teacher).ready(), kPatience);
    QCOMPARE(desk.window->page(), PageId::Models);
}

void WindowMenusTest::listsWhatWasOpened()
{
    const Desk<MainWindow> desk;
    QVERIFY(recent_models().isEmpty()); // the demo has a command of its own
    desk.window->openModel(Role::Student, model("alembic"));
    QTRY_COMPARE_WITH_TIMEOUT(recent_models().size(), 1, kPatience);
    desk.window->openModel(Role::Student, QStringLiteral("demo:student"));
    QTRY_VERIFY_WITH_TIMEOUT(desk.workbench->role(Role::Student).ready() && desk.workbench->role(Role::Student).info->spec.layers == 2, kPatience);
    auto* recent = desk.find<QMenu>("recent_menu");
    Q_EMIT recent->aboutToShow();
    QCOMPARE(recent->actions().front()->text(), QStringLiteral("alembic, as student"));
    recent->actions().front()->trigger();
    QTRY_VERIFY_WITH_TIMEOUT(desk.workbench->role(Role::Student).ready() && desk.workbench->role(Role::Student).info->spec.layers == 4, kPatience);
    recent->actions().back()->trigger(); // clears the list
    QVERIFY(recent_models().isEmpty());
}

void WindowMenusTest::everyKeyOpensOneThing()
{
    const Desk<MainWindow> desk;
    QMap<QString, QString> taken;
    for (const QAction* action : desk.window->findChildren<QAction*>()) {
        if (action->shortcutContext() == Qt::WidgetWithChildrenShortcut || action->shortcutContext() == Qt::WidgetShortcut) {
            continue;
        }
        for (const QKeySequence& key : action->shortcuts()) {
            QVERIFY2(!taken.contains(key.toString()) || taken[key.toString()] == action->objectName(),
                     qPrintable(QStringLiteral("%1: %2 and %3").arg(key.toString(), taken[key.toString()], action->objectName())));
            taken[key.toString()] = action->objectName();
        }
    }
    for (const char* wanted : {"Ctrl+O", "Ctrl+N", "Ctrl+W", "Ctrl+E", "Ctrl+K", "F1", "Ctrl+Q"}) {
        QVERIFY2(taken.contains(QLatin1String(wanted)), wanted);
    }
}

void WindowMenusTest::thereIsNoKeyForTheTenthPage()
{
    QCOMPARE(page_key(0), QKeySequence(Qt::CTRL | Qt::Key_1));
    QCOMPARE(page_key(8), QKeySequence(Qt::CTRL | Qt::Key_9));
    QVERIFY(page_key(9).isEmpty()); // Ctrl+: would follow in the table of characters
    QVERIFY(page_key(20).isEmpty());
}

void WindowMenusTest::findsACommandByAnotherWordForIt_data()
{
    QTest::addColumn<QString>("word");
    QTest::addColumn<QString>("command");
    for (const auto& [word, command] : {std::pair{"theme", "Dark"},
                                        {"make", "Make this student"},
                                        {"temperature", "Temperature"},
                                        {"export", "Export"},
                                        {"save", "Export"},
                                        {"stop", "Stop"},
                                        {"train", "Start distilling"},
                                        {"unload", "Eject the teacher"},
                                        {"delete", "Move session to bin"},
                                        {"version", "About Retort"},
                                        {"shortcuts", "Help for this page"},
                                        {"ask", "Run both"}}) {
        QTest::newRow(word) << QString::fromLatin1(word) << QString::fromLatin1(command);
    }
}

void WindowMenusTest::findsACommandByAnotherWordForIt()
{
    QFETCH(QString, word);
    QFETCH(QString, command);
    const Desk<MainWindow> desk;
    const QStringList names = found(paletteFor(desk, word));
    QVERIFY2(std::ranges::any_of(names, [&](const QString& name) { return name.contains(command, Qt::CaseInsensitive); }),
             qPrintable(word + QStringLiteral(" finds only ") + names.join(QStringLiteral(", "))));
}

void WindowMenusTest::aCommandOfAPageGoesThere()
{
    const Desk<MainWindow> desk;
    desk.window->showPage(PageId::Sessions);
    QWidget* palette = paletteFor(desk, QStringLiteral("Edit prompt"));
    QTest::keyClick(palette->findChild<QWidget*>(QStringLiteral("command_search")), Qt::Key_Return);
    QCOMPARE(desk.window->page(), PageId::Compare);
    QVERIFY(desk.find<QWidget>("prompt")->hasFocus());
    palette = paletteFor(desk, QStringLiteral("Make this student")); // a button
    QTest::keyClick(palette->findChild<QWidget*>(QStringLiteral("command_search")), Qt::Key_Return);
    QCOMPARE(desk.window->page(), PageId::Models);
    QTRY_VERIFY_WITH_TIMEOUT(desk.workbench->role(Role::Student).ready() && desk.workbench->role(Role::Student).info->path.empty(), kPatience);
}

void WindowMenusTest::showsWhatCannotBeDoneNow()
{
    const Desk<MainWindow> desk;
    desk.find<QAction>("action_pause")->setEnabled(false);
    QWidget* palette = paletteFor(desk, QStringLiteral("pause"));
    const QAbstractItemModel* commands = palette->findChild<QListView*>()->model();
    QVERIFY(commands->rowCount() > 0);
    QVERIFY(!commands->index(0, 0).flags().testFlag(Qt::ItemIsEnabled));
    QVERIFY(commands->index(0, 0).data(Qt::ToolTipRole).toString().startsWith(QStringLiteral("Not now")));
    QTest::keyClick(palette->findChild<QWidget*>(QStringLiteral("command_search")), Qt::Key_Return);
    QVERIFY(palette->isVisible());
}

void WindowMenusTest::helpTellsThePagesOwnKeys()
{
    const Desk<MainWindow> desk;
    for (const PageId page : {PageId::Models, PageId::Compare, PageId::Distributions, PageId::Distil, PageId::Sessions}) {
        desk.window->showPage(page);
        QTest::keyClick(desk.window.get(), Qt::Key_F1);
        QPointer<QDialog> help = desk.find<QDialog>("page_help");
        QVERIFY(help != nullptr);
        QVERIFY(help->findChild<QLabel*>(QStringLiteral("page_help_paragraph"))->text().size() > 80);
        QStringList told;
        for (const QLabel* label : help->findChildren<QLabel*>()) {
            told << label->text();
        }
        const QWidget* stack = desk.find<QWidget>("pages");
        for (const QWidget* candidate : stack->findChildren<QWidget*>(Qt::FindDirectChildrenOnly)) {
            if (candidate->isVisible()) {
                for (const QAction* action : candidate->actions()) {
                    QVERIFY2(action->shortcut().isEmpty() || told.contains(action->shortcut().toString(QKeySequence::NativeText)),
                             qPrintable(action->text()));
                }
            }
        }
        help->close();
        QTRY_VERIFY(help == nullptr);
        desk.window->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(desk.window.get()));
    }
}

void WindowMenusTest::aboutNamesVersionsLicencesAndPaths()
{
    const Desk<MainWindow> desk;
    desk.window->setLibrary(QStringLiteral("/data/library.retort-db"), true);
    desk.find<QAction>("about")->trigger();
    auto* about = desk.find<QDialog>("about_dialog");
    QStringList told;
    for (const QLabel* label : about->findChildren<QLabel*>()) {
        told << label->text();
    }
    const QString all = told.join(QLatin1Char('\n'));
    for (const QString& wanted : {QLatin1String(qVersion()) + QString(), QStringLiteral("LibTorch 2."), QStringLiteral("BSD-3-Clause"),
                                  QStringLiteral("GPL-3.0-or-later"), QStringLiteral("/data/library.retort-db"), QSettings().fileName()}) {
        QVERIFY2(all.contains(wanted), qPrintable(wanted));
    }
    auto* copy = about->findChild<QPushButton*>(QStringLiteral("copy_diagnostics"));
    QTest::mouseClick(copy, Qt::LeftButton);
    QCOMPARE(copy->text(), QStringLiteral("Copied"));
    QVERIFY(QGuiApplication::clipboard()->text().contains(QStringLiteral("/data/library.retort-db")));
}

void WindowMenusTest::diagnosticsKeepSecrets()
{
    qputenv("OPENAI_API_KEY", "sk-verysecret");
    const QString home = QDir::homePath();
    const QString said = diagnostics(home + QStringLiteral("/.local/share/retort/library.retort-db"));
    QVERIFY(said.contains(QStringLiteral("~/.local/share/retort/library.retort-db")));
    QVERIFY(!said.contains(home + QLatin1Char('/')));
    QVERIFY(!said.contains(QStringLiteral("verysecret")));
    QVERIFY(said.contains(QStringLiteral("SQLite 3.")));
    qunsetenv("OPENAI_API_KEY");
}

namespace {

/// Drags `path` to `place` of the window and lets it go there, as the window system tells a program of it.
void drop_on(QWidget& window, const QPoint& place, const QString& path)
{
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(path)});
    QWidget* below = window.childAt(place) != nullptr ? window.childAt(place) : &window;
    QDragEnterEvent enter(below->mapFrom(&window, place), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(below, &enter);
    auto* halves = window.findChild<ModelDrop*>();
    QVERIFY(halves->isVisible());
    QDragMoveEvent move(place, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QObject& target = *halves; // Qt passes these on only while a drag of the window system is under way
    target.event(&move);
    QVERIFY(move.isAccepted());
    QDropEvent drop(place, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    target.event(&drop);
    QVERIFY(!halves->isVisible());
}

} // namespace

void WindowMenusTest::aFileDroppedAnywhereBecomesWhatTheHalfSays()
{
    const Desk<MainWindow> desk;
    for (const PageId page : {PageId::Compare, PageId::Models}) {
        desk.window->showPage(page);
        drop_on(*desk.window, {200, 400}, model("receiver"));
        QCOMPARE(desk.workbench->role(Role::Teacher).spec, model("receiver").toStdString());
        drop_on(*desk.window, {desk.window->width() - 100, 400}, model("alembic")); // a folder
        QCOMPARE(desk.workbench->role(Role::Student).spec, model("alembic").toStdString());
        QTRY_VERIFY_WITH_TIMEOUT(desk.workbench->bothReady(), kPatience);
    }
}

void WindowMenusTest::aTextFieldDoesNotTakeADroppedFile()
{
    const Desk<MainWindow> desk;
    desk.window->showPage(PageId::Compare);
    auto* prompt = desk.find<QWidget>("prompt");
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(model("receiver"))});
    data.setText(QStringLiteral("file"));
    QDragEnterEvent enter(QPoint(5, 5), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(prompt, &enter);
    QVERIFY(desk.window->findChild<ModelDrop*>()->isVisible());
    QMimeData words;
    words.setText(QStringLiteral("a question"));
    desk.window->findChild<ModelDrop*>()->hide();
    QDragEnterEvent text(QPoint(5, 5), Qt::CopyAction, &words, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(prompt, &text);
    QVERIFY(!desk.window->findChild<ModelDrop*>()->isVisible()); // text is still the field's
}

QTEST_MAIN(WindowMenusTest)
#include "window_menus_test.moc"
