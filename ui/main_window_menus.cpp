#include "ui/main_window.h"

#include "ui/about_dialog.h"
#include "ui/command_palette.h"
#include "ui/page_help.h"
#include "ui/theme/theme.h"
#include "ui/widgets/ask_for_model.h"
#include "ui/widgets/notice.h"
#include "ui/workbench.h"

#include <QAction>
#include <QActionGroup>
#include <QApplication>
#include <QFileInfo>
#include <QMenuBar>
#include <QPushButton>
#include <QSet>
#include <QSettings>

// The window's menus, and what is reached through them. A page's menu has the page's own actions.

namespace retort {

QAction* MainWindow::action(QMenu& menu, const QString& text, const QList<QKeySequence>& keys, const QString& tip, const char* name)
{
    QAction* made = menu.addAction(text);
    made->setShortcuts(keys);
    made->setToolTip(tip);
    made->setObjectName(QLatin1String(name));
    return made;
}

void MainWindow::buildMenus()
{
    QMenu& file = *menuBar()->addMenu(tr("&File"));
    QMenu& edit = *menuBar()->addMenu(tr("&Edit"));
    QMenu& view = *menuBar()->addMenu(tr("&View"));
    QMenu& models = *menuBar()->addMenu(tr("&Models"));
    buildFileMenu(file);
    buildViewMenu(view);
    buildModelsMenu(models);
    connect(action(edit, tr("Find a &command…"), {Qt::CTRL | Qt::Key_K, Qt::CTRL | Qt::SHIFT | Qt::Key_P}, tr("Every command by name"),
                   "command_palette"),
            &QAction::triggered, this, &MainWindow::openPalette);
    buildPageMenus();
    buildHelpMenu(*menuBar()->addMenu(tr("&Help")));
}

void MainWindow::buildFileMenu(QMenu& menu)
{
    menu.setObjectName(QStringLiteral("file_menu"));
    const auto ask = [this](Role role) { ask_for_model(*this, role, [this, role](const QString& path) { openModel(role, path); }); };
    connect(action(menu, tr("Open &teacher…"), {QKeySequence::Open, Qt::CTRL | Qt::Key_T}, tr("A .gguf file or a model's folder"), "open_teacher"),
            &QAction::triggered, this, [ask] { ask(Role::Teacher); });
    connect(action(menu, tr("Open &student…"), {Qt::CTRL | Qt::SHIFT | Qt::Key_O, Qt::CTRL | Qt::SHIFT | Qt::Key_T},
                   tr("A .gguf file or a model's folder"), "open_student"),
            &QAction::triggered, this, [ask] { ask(Role::Student); });
    QMenu* recent = menu.addMenu(tr("Open &recent"));
    recent->setObjectName(QStringLiteral("recent_menu"));
    mark_as_list(*recent);
    connect(recent, &QMenu::aboutToShow, this, [this, recent] { listRecent(*recent); });
    menu.addSeparator();
    connect(action(menu, tr("&Export…"), {Qt::CTRL | Qt::Key_E}, tr("What the page shows, as a table or a picture"), "export_page"),
            &QAction::triggered, this, &MainWindow::exportPage);
    menu.addSeparator();
    connect(action(menu, tr("&New session"), {QKeySequence::New}, tr("Begin a session with the models that are loaded"), "new_session"),
            &QAction::triggered, this, [this] { m_workbench.newSession(); });
    connect(action(menu, tr("&Close session"), {Qt::CTRL | Qt::Key_W}, tr("It is saved; the list of sessions is shown"), "close_session"),
            &QAction::triggered, this, [this] {
                m_workbench.newSession();
                showPage(PageId::Sessions);
            });
    connect(action(menu, tr("Sess&ions…"), {}, tr("Find and open an earlier session"), "open_session"), &QAction::triggered, this,
            [this] { showPage(PageId::Sessions); });
    menu.addSeparator();
    connect(action(menu, tr("&Quit"), {Qt::CTRL | Qt::Key_Q}, tr("Everything is saved already"), "quit"), &QAction::triggered, this, &QWidget::close);
}

void MainWindow::listRecent(QMenu& menu)
{
    menu.clear();
    for (const RecentModel& model : recent_models()) {
        QString name = QFileInfo(model.path).fileName();
        name.replace(QLatin1Char('&'), QStringLiteral("&&"));
        QAction* open = menu.addAction((model.role == Role::Teacher ? tr("%1, as teacher") : tr("%1, as student")).arg(name));
        open->setToolTip(model.path.toHtmlEscaped());
        open->setEnabled(QFileInfo::exists(model.path));
        connect(open, &QAction::triggered, this, [this, model] { openModel(model.role, model.path); });
    }
    if (menu.isEmpty()) {
        menu.addAction(tr("Nothing was opened yet"))->setEnabled(false);
        return;
    }
    menu.addSeparator();
    QAction* forget = menu.addAction(tr("Clear this list"));
    forget->setToolTip(tr("The models themselves stay where they are"));
    connect(forget, &QAction::triggered, this, [] { forget_recent_models(); });
}

void MainWindow::buildModelsMenu(QMenu& menu)
{
    menu.addActions({findChild<QAction*>(QStringLiteral("open_teacher")), findChild<QAction*>(QStringLiteral("open_student"))});
    menu.addSeparator();
    connect(action(menu, tr("Use the built-in &demo"), {}, tr("Alembic, and the Receiver before it learned"), "use_demo"), &QAction::triggered,
            &m_workbench, &Workbench::useDemo);
    connect(action(menu, tr("Use the built-in demo, di&stilled"), {}, tr("Alembic, and the Receiver after it learned"), "use_demo_distilled"),
            &QAction::triggered, this, [this] {
                m_workbench.openModel(Role::Teacher, QStringLiteral("demo:teacher"));
                m_workbench.openModel(Role::Student, QStringLiteral("demo:distilled"));
            });
    menu.addSeparator();
    connect(action(menu, tr("S&wap teacher and student"), {}, tr("The student teaches"), "swap"), &QAction::triggered, &m_workbench,
            &Workbench::swapRoles);
}

void MainWindow::buildViewMenu(QMenu& menu)
{
    auto* pages = new QActionGroup(this);
    for (std::size_t i = 0; i < m_pages.size(); ++i) {
        const QKeySequence key = page_key(i);
        const QString name = m_pages[i].name;
        QAction* go = action(menu, key.isEmpty() ? name : QStringLiteral("&%1 %2").arg(i + 1).arg(name), {key}, tr("Show %1").arg(name), "");
        go->setObjectName(QStringLiteral("page_%1").arg(static_cast<int>(m_pages[i].id)));
        pages->addAction(go);
        connect(go, &QAction::triggered, this, [this, id = m_pages[i].id] { showPage(id); });
    }
    menu.addSeparator();
    auto* schemes = new QActionGroup(this);
    const auto chosen = static_cast<Scheme>(QSettings().value(QStringLiteral("scheme"), 0).toInt());
    for (const auto& [scheme, text] :
         {std::pair{Scheme::System, tr("Colours of the &system")}, std::pair{Scheme::Light, tr("&Light")}, std::pair{Scheme::Dark, tr("&Dark")}}) {
        QAction* choose = action(menu, text, {}, tr("Colours of the window"), "");
        choose->setObjectName(QStringLiteral("scheme_%1").arg(static_cast<int>(scheme)));
        choose->setCheckable(true);
        choose->setChecked(scheme == chosen);
        schemes->addAction(choose);
        connect(choose, &QAction::triggered, this, [scheme = scheme] {
            QSettings().setValue(QStringLiteral("scheme"), static_cast<int>(scheme));
            apply_theme(*qApp, scheme);
        });
    }
    menu.addSeparator();
    connect(action(menu, tr("&Full screen"), {Qt::Key_F11}, tr("The window fills the screen; again to leave"), "full_screen"), &QAction::triggered,
            this, [this] { setWindowState(windowState() ^ Qt::WindowFullScreen); });
}

void MainWindow::buildPageMenus()
{
    for (const auto& [id, name, title] :
         {std::tuple{PageId::Compare, "compare_menu", tr("&Compare")}, std::tuple{PageId::Distil, "distil_menu", tr("&Distil")}}) {
        const auto found = std::ranges::find(m_pages, id, &Entry::id);
        if (found != m_pages.end() && !found->page->actions().isEmpty()) {
            found->menu = menuBar()->addMenu(title);
            found->menu->setObjectName(QLatin1String(name));
            found->menu->addActions(found->page->actions());
        }
    }
}

void MainWindow::buildHelpMenu(QMenu& menu)
{
    connect(action(menu, tr("&Help for this page"), {QKeySequence::HelpContents}, tr("What one does here, and with which keys"), "page_help_action"),
            &QAction::triggered, this, &MainWindow::showHelp);
    menu.addAction(findChild<QAction*>(QStringLiteral("command_palette")));
    menu.addSeparator();
    connect(action(menu, tr("&About Retort"), {}, tr("Versions, licences, where things are; copy diagnostics"), "about"), &QAction::triggered, this,
            [this] { (new AboutDialog(m_library, this))->show(); });
}

/// By the page's own way out: its action or button that is named so.
void MainWindow::exportPage()
{
    QWidget& page = *entry().page;
    if (auto* own = page.findChild<QAction*>(QStringLiteral("action_export")); own != nullptr && own->isEnabled()) {
        own->trigger();
        return;
    }
    auto* button = page.findChild<QPushButton*>(QStringLiteral("export"));
    if (button == nullptr || !button->isEnabled() || !button->isVisible()) {
        m_notice->tell(tr("There is nothing on %1 to export now.").arg(entry().name), Notice::Kind::Note);
    } else if (button->menu() != nullptr) {
        button->showMenu();
    } else {
        button->click();
    }
}

/// What the menus have, in their order, then what pages have without a menu; not what a menu lists of the session, such as earlier questions.
QList<Command> MainWindow::commands()
{
    QList<Command> found;
    QSet<QString> named;
    const auto add = [&](const QList<Command>& some) {
        for (const Command& command : some) {
            if (const QString name = command.where + QLatin1Char('/') + command.name; !named.contains(name)) {
                named << name;
                found << command;
            }
        }
    };
    const auto go_to = [this](PageId id) { return [this, id] { showPage(id); }; };
    QSet<QString> in_menus;
    for (const QAction* title : menuBar()->actions()) {
        const auto* menu = title->menu<QMenu*>();
        const auto of_page = std::ranges::find(m_pages, menu, &Entry::menu);
        QList<Command> some = of_page == m_pages.end() ? commands_of(*menu) : commands_of(*menu, go_to(of_page->id));
        some.removeIf([&in_menus](const Command& command) { return in_menus.contains(command.name); }); // one action may stand in two menus
        for (const Command& command : some) {
            in_menus << command.name;
        }
        add(some);
    }
    for (const Entry& entry : m_pages) {
        add(commands_of(*entry.page, entry.name, go_to(entry.id)));
    }
    return found;
}

void MainWindow::openPalette()
{
    CommandPalette::open(*this, commands());
}

void MainWindow::showHelp()
{
    QList<Command> shown = commands_of(*entry().page, entry().name, {});
    shown.removeIf([](const Command& command) { return command.tip.isEmpty() && command.keys.isEmpty(); });
    std::ranges::stable_partition(shown, [](const Command& command) { return !command.keys.isEmpty(); });
    (new PageHelp(entry().name, paragraph_of(m_page), shown, this))->show();
}

} // namespace retort
