#include "ui/main_window.h"

#include "ui/model_drop.h"
#include "ui/pages/compare/compare_page.h"
#include "ui/pages/distil/distil_page.h"
#include "ui/pages/distributions/distributions_page.h"
#include "ui/pages/models/models_page.h"
#include "ui/pages/sessions/sessions_page.h"
#include "ui/rail.h"
#include "ui/role_bar.h"
#include "ui/status_strip.h"
#include "ui/theme/theme.h"
#include "ui/widgets/ask_for_model.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/plain_label.h"
#include "ui/window_place.h"
#include "ui/workbench.h"

#include <QCloseEvent>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QKeySequence>
#include <QPushButton>
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

/// A notice with room around it that goes when the notice goes.
QLayout* framed(Notice& notice, int above, int below)
{
    auto* frame = new QVBoxLayout;
    frame->setContentsMargins(space::l, 0, space::l, 0);
    notice.setGaps(above, below); // a margin of the layout would stay while nothing is said
    frame->addWidget(&notice);
    return frame;
}

} // namespace

QKeySequence page_key(std::size_t place)
{
    constexpr std::size_t kDigits = 9;
    return place < kDigits ? QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_1 + static_cast<int>(place))) : QKeySequence();
}

MainWindow::MainWindow(Workbench& workbench, QWidget* parent)
    : QMainWindow(parent), m_workbench(workbench), m_rail(new Rail), m_stack(new QStackedWidget), m_notice(new Notice), m_library_notice(new Notice),
      m_status(new StatusStrip(workbench))
{
    setWindowIcon(program_icon());
    m_stack->setObjectName(QStringLiteral("pages"));
    auto* central = new QWidget;
    auto* row = new QHBoxLayout(central);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    auto* column = new QVBoxLayout;
    column->setSpacing(0);
    column->addWidget(new RoleBar(workbench));
    column->addLayout(framed(*m_library_notice, space::m, 0));
    column->addWidget(m_stack, 1);
    column->addLayout(framed(*m_notice, 0, space::m));
    row->addWidget(m_rail);
    row->addLayout(column, 1);
    setCentralWidget(central);
    setStatusBar(m_status);

    addPage(PageId::Models, new ModelsPage(workbench), tr("Models"));
    addPage(PageId::Compare, new ComparePage(workbench), tr("Compare"));
    addPage(PageId::Distributions, new DistributionsPage(workbench), tr("Distributions"));
    addPage(PageId::Distil, new DistilPage(workbench), tr("Distil"));
    addPage(PageId::Sessions, new SessionsPage(workbench), tr("Sessions"));
    buildMenus();

    m_notice->setObjectName(QStringLiteral("window_notice"));
    m_library_notice->setObjectName(QStringLiteral("library_notice"));
    m_library_notice->setDismissable(false);
    connect(m_rail, &Rail::chosen, this, &MainWindow::showPage);
    connect(&m_workbench, &Workbench::pageWanted, this, &MainWindow::showPage);
    connect(&m_workbench, &Workbench::problem, m_notice, qOverload<const Error&>(&Notice::tell));
    connect(&m_workbench, &Workbench::sessionChanged, this, &MainWindow::showTitle);
    connect(&m_workbench, &Workbench::sessionChanged, this, &MainWindow::restorePage);
    connect(&m_workbench, &Workbench::runAppended, this, &MainWindow::showTitle);
    connect(&m_workbench, &Workbench::runStateChanged, this, &MainWindow::showTitle);
    connect(&m_workbench, &Workbench::roleChanged, this, &MainWindow::rememberModel);
    connect(new ModelDrop(*this), &ModelDrop::dropped, this, &MainWindow::openModel);
    showTitle();
    m_place = new WindowPlace(*this);
    m_place->restore();
    showPage(m_pages.front().id);
}

void MainWindow::addPage(PageId id, QWidget* page, const QString& name)
{
    m_pages.push_back({id, page, name});
    m_stack->addWidget(page);
    m_rail->addPage(id, glyph_of(id), name, page_key(m_pages.size() - 1).toString(QKeySequence::NativeText));
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

void MainWindow::restorePage()
{
    if (std::exchange(m_session, m_workbench.session().id) == m_workbench.session().id) {
        return; // the same session under another name
    }
    const QString kept = m_workbench.view(kPage).toString();
    const auto found = std::ranges::find_if(m_pages, [&](const Entry& entry) { return kept == QLatin1String(name_of(entry.id)); });
    if (found != m_pages.end()) {
        showPage(found->id);
    }
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

const MainWindow::Entry& MainWindow::entry() const
{
    return *std::ranges::find(m_pages, m_page, &Entry::id);
}

void MainWindow::setLibrary(const QString& file, bool kept)
{
    m_library = file;
    m_status->setKept(kept);
}

void MainWindow::openModel(Role role, const QString& spec)
{
    m_workbench.openModel(role, spec);
    showPage(PageId::Models);
}

void MainWindow::offerModel(const QString& spec)
{
    m_notice->tell(tr("Open %1 as the teacher or as the student?").arg(QFileInfo(spec).fileName()), Notice::Kind::Warning);
    for (const auto& [role, text, name] :
         {std::tuple{Role::Teacher, tr("Teacher"), "offer_teacher"}, {Role::Student, tr("Student"), "offer_student"}}) {
        QPushButton* button = m_notice->addAction(text);
        button->setObjectName(QLatin1String(name));
        connect(button, &QPushButton::clicked, this, [this, role = role, spec] {
            m_notice->dismiss();
            openModel(role, spec);
        });
    }
}

/// However a model came: what is on the disk can be opened again from the menu.
void MainWindow::rememberModel(Role role)
{
    const RoleState& state = m_workbench.role(role);
    if (state.ready() && !state.info->path.empty() && QFileInfo(to_qt(state.spec)).isAbsolute()) {
        remember_model({to_qt(state.spec), role});
    }
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    m_place->keep();
    event->accept();
}

} // namespace retort
