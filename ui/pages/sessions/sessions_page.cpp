#include "ui/pages/sessions/sessions_page.h"

#include "ui/pages/sessions/session_list_model.h"
#include "ui/widgets/card.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/fact_list.h"
#include "ui/widgets/plain_label.h"
#include "ui/workbench.h"

#include <QAction>
#include <QDateTime>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLineEdit>
#include <QLocale>
#include <QMessageBox>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QStackedWidget>
#include <QTableView>

namespace retort {

namespace {
constexpr int kPreviewWidth = 300;
}

SessionsPage::SessionsPage(Workbench& workbench, QWidget* parent)
    : QWidget(parent), m_workbench(workbench), m_sessions(new SessionListModel(this)), m_matches(new QSortFilterProxyModel(this))
{
    setObjectName(QStringLiteral("sessions_page"));
    m_matches->setSourceModel(m_sessions);
    m_matches->setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_matches->setFilterKeyColumn(-1);
    auto* row = new QHBoxLayout;
    row->setSpacing(space::m);
    row->addWidget(buildList(), 1);
    row->addWidget(buildPreview());
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(space::l, space::l, space::l, space::l);
    column->setSpacing(space::m);
    column->addWidget(buildHeader());
    column->addLayout(row, 1);

    connect(m_sessions, &SessionListModel::renamed, &m_workbench, &Workbench::renameSession);
    connect(&m_workbench, &Workbench::sessionsListed, this, &SessionsPage::showList);
    connect(&m_workbench, &Workbench::sessionChanged, this, &SessionsPage::showList);
    setFocusProxy(m_search);
    buildActions();
    showList();
}

void SessionsPage::buildActions()
{
    const auto add = [this](QPushButton* button, const QString& text, const QKeySequence& key, const QString& tip, const char* name) {
        auto* action = new QAction(text, this);
        action->setShortcut(key);
        action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
        action->setToolTip(tip);
        action->setObjectName(QLatin1String(name));
        addAction(action);
        connect(action, &QAction::triggered, this, [this, button] {
            m_workbench.showPage(PageId::Sessions);
            button->click();
        });
    };
    add(m_rename, tr("Rename session"), QKeySequence(Qt::Key_F2), tr("Change the chosen session's title in the list"), "action_rename_session");
    add(m_remove, tr("Move session to bin"), QKeySequence(Qt::Key_Delete), tr("Or take it out again, in the bin"), "action_bin_session");
}

QWidget* SessionsPage::buildHeader()
{
    auto* header = new QWidget;
    auto* row = new QHBoxLayout(header);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(space::s);
    m_search = new QLineEdit;
    m_search->setObjectName(QStringLiteral("session_search"));
    m_search->setPlaceholderText(tr("Find by title or model"));
    m_search->setAccessibleName(tr("Find a session"));
    m_search->setClearButtonEnabled(true);
    m_search->installEventFilter(this);
    m_search->addAction(icon_of(Glyph::Search), QLineEdit::LeadingPosition);
    m_bin = new QPushButton(tr("Bin"));
    m_bin->setObjectName(QStringLiteral("show_bin"));
    m_bin->setCheckable(true);
    m_bin->setToolTip(tr("Show what was thrown away"));
    auto* create = new QPushButton(tr("New session"));
    create->setObjectName(QStringLiteral("new_session_button"));
    create->setToolTip(tr("Begin a session with the models that are loaded (Ctrl+N)"));
    row->addWidget(m_search, 1);
    row->addWidget(m_bin);
    row->addWidget(create);
    connect(m_search, &QLineEdit::textChanged, this, [this](const QString& text) {
        m_matches->setFilterFixedString(text);
        showChosen();
    });
    connect(m_bin, &QPushButton::toggled, this, &SessionsPage::showList);
    connect(create, &QPushButton::clicked, &m_workbench, [this] { m_workbench.newSession(); });
    return header;
}

QWidget* SessionsPage::buildList()
{
    auto* card = new Card;
    card->column()->setContentsMargins(1, space::xs, 1, space::xs);
    m_table = new QTableView;
    m_table->setObjectName(QStringLiteral("session_table"));
    m_table->setAccessibleName(tr("Sessions"));
    m_table->setModel(m_matches);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setEditTriggers(QAbstractItemView::EditKeyPressed);
    m_table->setShowGrid(false);
    m_table->setTabKeyNavigation(false);
    m_table->setWordWrap(false);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 20);
    m_table->horizontalHeader()->setHighlightSections(false);
    m_table->horizontalHeader()->setSectionResizeMode(SessionListModel::Title, QHeaderView::Stretch);
    m_table->horizontalHeader()->setSectionResizeMode(SessionListModel::Models, QHeaderView::Stretch);
    for (const int column : {SessionListModel::Prompts, SessionListModel::Runs, SessionListModel::Changed}) {
        m_table->horizontalHeader()->setSectionResizeMode(column, QHeaderView::ResizeToContents);
    }
    m_empty = new EmptyState(Glyph::Sessions, {});
    m_stack = new QStackedWidget;
    m_stack->addWidget(m_table);
    m_stack->addWidget(m_empty);
    card->column()->addWidget(m_stack);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] { showChosen(); });
    connect(m_table, &QTableView::activated, this, [this] { m_open->click(); });
    return card;
}

QWidget* SessionsPage::buildPreview()
{
    auto* card = new Card;
    m_preview = card;
    card->setFixedWidth(kPreviewWidth);
    m_title = wrapped_label({}, Type::Heading);
    m_facts = new FactList;
    m_note = wrapped_label({}, Type::Small, "warning");
    const auto button = [](const QString& text, const char* name) {
        auto* made = new QPushButton(text);
        made->setObjectName(QLatin1String(name));
        return made;
    };
    m_open = button(tr("Open"), "open_session_button");
    m_open->setProperty("kind", QStringLiteral("primary"));
    m_rename = button(tr("Rename"), "rename_session_button");
    m_rename->setToolTip(tr("Change the title in the list (F2)"));
    m_remove = button(tr("Move to bin"), "bin_session_button");
    m_remove->setToolTip(tr("It can be taken out again (Del)"));
    m_purge = button(tr("Delete for good…"), "purge_session_button");
    card->column()->addWidget(m_title);
    card->column()->addLayout(m_facts);
    card->column()->addWidget(m_note);
    card->column()->addStretch();
    for (QPushButton* each : {m_open, m_rename, m_remove, m_purge}) {
        card->column()->addWidget(each);
    }
    connect(m_open, &QPushButton::clicked, this, [this] {
        if (const SessionSummary* session = chosen(); session != nullptr && !session->in_bin) {
            m_workbench.openSession(session->id);
        }
    });
    connect(m_rename, &QPushButton::clicked, this, [this] {
        m_table->setFocus();
        m_table->edit(m_table->currentIndex().siblingAtColumn(SessionListModel::Title));
    });
    connect(m_remove, &QPushButton::clicked, this, [this] {
        if (const SessionSummary* session = chosen()) {
            m_workbench.moveToBin(session->id, !session->in_bin);
        }
    });
    connect(m_purge, &QPushButton::clicked, this, &SessionsPage::askToPurge);
    return card;
}

/// The one thing in the library that cannot be taken back is asked about first.
void SessionsPage::askToPurge()
{
    const SessionSummary* session = chosen();
    if (session == nullptr || !session->in_bin) {
        return;
    }
    auto* question = new QMessageBox(this);
    question->setObjectName(QStringLiteral("purge_question"));
    question->setAttribute(Qt::WA_DeleteOnClose);
    question->setTextFormat(Qt::PlainText);
    question->setIconPixmap(icon_of(Glyph::Warning, &Theme::warning).pixmap(28));
    question->setWindowTitle(tr("Delete for good"));
    question->setText(tr("Delete “%1” for good?").arg(breakable(to_qt(session->title))));
    question->setInformativeText(tr("Its prompts, answers and runs go, and its checkpoints with them. This cannot be undone."));
    QPushButton* go = question->addButton(tr("Delete for good"), QMessageBox::DestructiveRole);
    QPushButton* cancel = question->addButton(QMessageBox::Cancel);
    go->setObjectName(QStringLiteral("purge_confirm"));
    cancel->setObjectName(QStringLiteral("purge_cancel"));
    question->setDefaultButton(cancel);
    question->setEscapeButton(cancel);
    connect(go, &QPushButton::clicked, &m_workbench, [this, id = session->id] { m_workbench.purgeSession(id); });
    question->open();
}

const SessionSummary* SessionsPage::chosen() const
{
    const QModelIndexList rows = m_table->selectionModel()->selectedRows();
    return rows.isEmpty() ? nullptr : m_sessions->at(m_matches->mapToSource(rows.front()).row());
}

void SessionsPage::showList()
{
    const RowId current = m_workbench.session().id;
    const bool bin = m_bin->isChecked();
    const qint64 keep = current != m_current || m_chosen == 0 ? current : m_chosen; // the choice follows when another session is opened
    m_sessions->show(bin ? m_workbench.bin() : m_workbench.sessions(), current);
    m_bin->setText(m_workbench.bin().empty() ? tr("Bin") : tr("Bin (%1)").arg(m_workbench.bin().size()));
    int row = m_sessions->rowOf(keep);
    if (row >= 0) {
        m_current = current; // a new session is heard of before it is listed
    }
    row = std::max(row, 0);
    const QModelIndex at = m_matches->mapFromSource(m_sessions->index(row, 0));
    if (at.isValid()) {
        m_table->setCurrentIndex(at);
        m_table->selectRow(at.row());
    }
    showChosen();
}

void SessionsPage::showChosen()
{
    const SessionSummary* session = chosen();
    m_chosen = session != nullptr ? session->id : m_chosen;
    const bool none = m_matches->rowCount() == 0;
    m_stack->setCurrentIndex(none ? 1 : 0);
    if (none) {
        m_empty->setSentence(!m_search->text().isEmpty() ? tr("Nothing for “%1”. Clear the search to see all.").arg(m_search->text())
                             : m_bin->isChecked()        ? tr("The bin is empty.")
                                                         : tr("No session yet. It begins by itself with your first question."));
    }
    m_preview->setVisible(session != nullptr);
    for (QAction* action : actions()) {
        action->setEnabled(session != nullptr);
    }
    if (session == nullptr) {
        return;
    }
    m_title->setText(breakable(to_qt(session->title)));
    m_facts->clear();
    m_facts->add(tr("Teacher"), session->teacher.empty() ? QStringLiteral("–") : to_qt(session->teacher));
    m_facts->add(tr("Student"), session->student.empty() ? QStringLiteral("–") : to_qt(session->student));
    m_facts->add(tr("Prompts"), QString::number(session->prompts));
    m_facts->add(tr("Runs"), QString::number(session->runs));
    m_facts->add(tr("Begun"), QLocale().toString(QDateTime::fromMSecsSinceEpoch(session->created_at), QLocale::ShortFormat));
    m_note->setText(session->has_interrupted_run ? tr("A run was interrupted and can be gone on with.") : QString());
    m_open->setEnabled(!session->in_bin && session->id != m_workbench.session().id);
    m_open->setText(session->id == m_workbench.session().id ? tr("Open now") : tr("Open"));
    m_remove->setText(session->in_bin ? tr("Take out of the bin") : tr("Move to bin"));
    m_purge->setVisible(session->in_bin);
    m_purge->setToolTip(tr("Its rows and its checkpoints; this cannot be undone"));
}

/// What was asked and run since the list was read counts in it.
void SessionsPage::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    m_workbench.listSessions();
}

/// Down goes from the search to what it found.
bool SessionsPage::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == m_search && event->type() == QEvent::KeyPress && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Down) {
        m_table->setFocus();
        return true;
    }
    return QWidget::eventFilter(watched, event);
}

} // namespace retort
