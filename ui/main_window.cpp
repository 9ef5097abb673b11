#include "ui/main_window.h"

#include "ui/command_palette.h"
#include "ui/pages/compare/compare_page.h"
#include "ui/pages/distil/distil_page.h"
#include "ui/pages/distributions/distributions_page.h"
#include "ui/pages/models/models_page.h"
#include "ui/pages/sessions/sessions_page.h"
#include "ui/rail.h"
#include "ui/role_bar.h"
#include "ui/status_strip.h"
#include "ui/theme/theme.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/plain_label.h"
#include "ui/workbench.h"

#include <QAction>
#include <QActionGroup>
#include <QApplication>
#include <QCloseEvent>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QMenuBar>
#include <QScreen>
#include <QSettings>
#include <QStackedWidget>
#include <QVBoxLayout>

namespace retort {

namespace {

const QString kPage = QStringLiteral("page"); ///< in the session's view state

Glyph glyph_of(PageId page)
{
    switch (page) {
    case PageId::Models:
        return Glyph::Models;
    case PageId::Compare:
        return Glyph::Compare;
    case PageId::Distributions:
        return Glyph::Distributions;
    case PageId::Distil:
        return Glyph::Distil;
    case PageId::Sessions:
        return Glyph::Sessions;
    }
    return Glyph::Models;
}

} // namespace

MainWindow::MainWindow(Workbench& workbench, QWidget* parent)
    : QMainWindow(parent), m_workbench(workbench), m_rail(new Rail), m_stack(new QStackedWidget), m_notice(new Notice)
{
    setWindowIcon(program_icon());
    m_stack->setObjectName(QStringLiteral("pages"));
    auto* central = new QWidget;
    auto* row = new QHBoxLayout(central);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    auto* column = new QVBoxLayout;
    column->setSpacing(0);
    auto* notice_frame = new QVBoxLayout;
    notice_frame->setContentsMargins(space::l, 0, space::l, 0);
    m_notice->setGapBelow(space::m); // a margin of the layout would stay while nothing is said
    notice_frame->addWidget(m_notice);
    column->addWidget(new RoleBar(workbench));
    column->addWidget(m_stack, 1);
    column->addLayout(notice_frame);
    row->addWidget(m_rail);
    row->addLayout(column, 1);
    setCentralWidget(central);
    setStatusBar(new StatusStrip(workbench));

    m_models = new ModelsPage(workbench);
    m_distil = new DistilPage(workbench);
    m_sessions = new SessionsPage(workbench);
    addPage(PageId::Models, m_models, tr("Models"));
    addPage(PageId::Compare, new ComparePage(workbench), tr("Compare"));
    addPage(PageId::Distributions, new DistributionsPage(workbench), tr("Distributions"));
    addPage(PageId::Distil, m_distil, tr("Distil"));
    addPage(PageId::Sessions, m_sessions, tr("Sessions"));
    buildMenus();

    m_notice->setObjectName(QStringLiteral("window_notice"));
    connect(m_rail, &Rail::chosen, this, &MainWindow::showPage);
    connect(&m_workbench, &Workbench::pageWanted, this, &MainWindow::showPage);
    connect(&m_workbench, &Workbench::problem, m_notice, qOverload<const Error&>(&Notice::tell));
    connect(&m_workbench, &Workbench::sessionChanged, this, &MainWindow::showTitle);
    connect(&m_workbench, &Workbench::sessionChanged, this, &MainWindow::restorePage);
    connect(&m_workbench, &Workbench::runAppended, this, &MainWindow::showTitle);
    connect(&m_workbench, &Workbench::runStateChanged, this, &MainWindow::showTitle);
    showTitle();
    restoreGeometryFromLast();
    showPage(m_pages.front().id);
}

void MainWindow::addPage(PageId id, QWidget* page, const QString& name)
{
    m_pages.push_back({id, page, name});
    m_stack->addWidget(page);
    m_rail->addPage(id, glyph_of(id), name, tr("Ctrl+%1").arg(m_pages.size()));
}

void MainWindow::showPage(PageId page)
{
    const auto found = std::ranges::find(m_pages, page, &Entry::id);
    if (found == m_pages.end()) {
        return;
    }
    m_page = page;
    if (page != PageId::Sessions) { // from there one goes to another session, and comes back to the work
        m_workbench.keepView(kPage, QLatin1String(name_of(page)));
    }
    const bool walks_the_rail = m_rail->isAncestorOf(focusWidget());
    m_stack->setCurrentWidget(found->page);
    m_rail->choose(page);
    if (!walks_the_rail) { // a page's keys act while the focus is in it: back to where it was, or to what the page is for
        QWidget* last = found->page->focusWidget();
        (last != nullptr && last->isEnabled() ? last : found->page)->setFocus(Qt::OtherFocusReason);
    }
    if (m_notice->kind() == Notice::Kind::Note) {
        m_notice->dismiss(); // it has been read; what went wrong stays
    }
}

QAction* MainWindow::action(QMenu& menu, const QString& text, const QKeySequence& shortcut, const QString& tip, const char* name)
{
    QAction* made = menu.addAction(text);
    made->setShortcut(shortcut);
    made->setStatusTip(QString());
    made->setToolTip(tip);
    made->setObjectName(QLatin1String(name));
    return made;
}

void MainWindow::restorePage()
{
    const QString kept = m_workbench.view(kPage).toString();
    const auto found = std::ranges::find_if(m_pages, [&](const Entry& entry) { return kept == QLatin1String(name_of(entry.id)); });
    if (found != m_pages.end()) {
        showPage(found->id);
    }
}

void MainWindow::buildMenus()
{
    QMenu& file = *menuBar()->addMenu(tr("&File"));
    connect(action(file, tr("&New session"), QKeySequence::New, tr("Begin a session with the models that are loaded"), "new_session"),
            &QAction::triggered, this, [this] { m_workbench.newSession(); });
    connect(action(file, tr("&Sessions…"), QKeySequence::Open, tr("Find and open an earlier session"), "open_session"), &QAction::triggered, this,
            [this] { showPage(PageId::Sessions); });
    file.addSeparator();
    connect(action(file, tr("&Quit"), QKeySequence::Quit, tr("Everything is saved already"), "quit"), &QAction::triggered, this, &QWidget::close);

    QMenu& edit = *menuBar()->addMenu(tr("&Edit"));
    connect(action(edit, tr("Find a &command…"), QKeySequence(Qt::CTRL | Qt::Key_K), tr("Every command by name"), "command_palette"),
            &QAction::triggered, this, &MainWindow::openPalette);

    buildViewMenu(*menuBar()->addMenu(tr("&View")));

    QMenu& models = *menuBar()->addMenu(tr("&Models"));
    connect(action(models, tr("Open &teacher…"), QKeySequence(Qt::CTRL | Qt::Key_T), tr("A .gguf file or a model's folder"), "open_teacher"),
            &QAction::triggered, this, [this] { openDialog(Role::Teacher); });
    connect(
        action(models, tr("Open &student…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_T), tr("A .gguf file or a model's folder"), "open_student"),
        &QAction::triggered, this, [this] { openDialog(Role::Student); });
    connect(action(models, tr("Use the built-in &demo"), {}, tr("Alembic and Receiver, the teacher and student that come with Retort"), "use_demo"),
            &QAction::triggered, &m_workbench, &Workbench::useDemo);
    models.addSeparator();
    connect(action(models, tr("S&wap teacher and student"), {}, tr("The student teaches"), "swap"), &QAction::triggered, &m_workbench,
            &Workbench::swapRoles);

    for (const auto& [id, name, title] :
         {std::tuple{PageId::Compare, "compare_menu", tr("&Compare")}, std::tuple{PageId::Distil, "distil_menu", tr("&Distil")}}) {
        const auto found = std::ranges::find(m_pages, id, &Entry::id);
        if (found != m_pages.end() && !found->page->actions().isEmpty()) {
            QMenu* menu = menuBar()->addMenu(title);
            menu->setObjectName(QLatin1String(name));
            menu->addActions(found->page->actions());
        }
    }

    QMenu& help = *menuBar()->addMenu(tr("&Help"));
    connect(action(help, tr("&Keyboard shortcuts"), QKeySequence::HelpContents, tr("Every command with its keys"), "shortcuts"), &QAction::triggered,
            this, &MainWindow::openPalette);
    connect(action(help, tr("&About Retort"), {}, tr("Version and licences"), "about"), &QAction::triggered, this, [this] {
        m_notice->tell(tr("Retort %1, a workbench for teacher-student distillation. GPL-3.0-or-later. Qt %2.")
                           .arg(QApplication::applicationVersion(), QString::fromLatin1(qVersion())),
                       Notice::Kind::Note);
    });
}

void MainWindow::buildViewMenu(QMenu& menu)
{
    auto* pages = new QActionGroup(this);
    for (std::size_t i = 0; i < m_pages.size(); ++i) {
        const QString name = m_pages[i].name;
        QAction* go = action(menu, QStringLiteral("&%1 %2").arg(i + 1).arg(name),
                             QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_1 + static_cast<int>(i))), tr("Show %1").arg(name), "");
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
    connect(action(menu, tr("&Full screen"), QKeySequence(Qt::Key_F11), tr("The window fills the screen; again to leave"), "full_screen"),
            &QAction::triggered, this, [this] { setWindowState(windowState() ^ Qt::WindowFullScreen); });
}

void MainWindow::showTitle()
{
    const RunView& run = m_workbench.run();
    const QString title = to_qt(m_workbench.session().title);
    QString shown = title.isEmpty() ? tr("Retort") : tr("%1 - Retort").arg(title);
    if (run.live && run.plan.steps > 0) {
        shown.prepend(tr("%1 % · ").arg(run.record.last_step * 100 / run.plan.steps));
    }
    if (shown != windowTitle()) {
        setWindowTitle(shown);
    }
}

void MainWindow::openDialog(Role role)
{
    const QString title = role == Role::Teacher ? tr("Open a teacher") : tr("Open a student");
    const QString path = QFileDialog::getOpenFileName(this, title, QSettings().value(QStringLiteral("last_folder")).toString(),
                                                      tr("Models (*.gguf *.safetensors config.json);;All files (*)"));
    if (!path.isEmpty()) {
        QSettings().setValue(QStringLiteral("last_folder"), QFileInfo(path).absolutePath());
        m_workbench.openModel(role, path);
        showPage(PageId::Models);
    }
}

/// What the menus have, in their order, then what pages have without a menu; not what a menu lists of the session, such as earlier questions.
QList<QAction*> MainWindow::commands() const
{
    QList<QAction*> found;
    for (const QAction* title : menuBar()->actions()) {
        found += title->menu<QMenu*>()->actions();
    }
    for (const Entry& entry : m_pages) {
        for (QAction* action : entry.page->actions()) {
            if (!found.contains(action)) {
                found.push_back(action);
            }
        }
    }
    return found;
}

void MainWindow::openPalette()
{
    CommandPalette::open(*this, commands());
}

void MainWindow::restoreGeometryFromLast()
{
    const QSize room = screen()->availableGeometry().size();
    setMinimumSize(QSize(960, 600).boundedTo(room));
    if (restoreGeometry(QSettings().value(QStringLiteral("window")).toByteArray())) {
        return;
    }
    const QSize wanted(1280, 800);
    resize(wanted.boundedTo(room));
    if (wanted.width() > room.width() || wanted.height() > room.height()) {
        setWindowState(Qt::WindowMaximized); // the screen gives what it has, its frames counted
    }
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    QSettings().setValue(QStringLiteral("window"), saveGeometry());
    event->accept();
}

} // namespace retort
