#include "ui/pages/compare/compare_page.h"

#include "ui/pages/compare/answer_column.h"
#include "ui/pages/compare/candidates_panel.h"
#include "ui/pages/compare/compare_tools.h"
#include "ui/pages/compare/prompt_bar.h"
#include "ui/pages/compare/strip_bar.h"
#include "ui/theme/theme.h"
#include "ui/view_state.h"
#include "ui/widgets/export.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/plain_label.h"
#include "ui/widgets/token_cursor.h"
#include "ui/workbench.h"

#include <QAction>
#include <QKeyEvent>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>

namespace retort {

namespace {

const QString kTint = QStringLiteral("tint"), kText = QStringLiteral("text_view"), kSampler = QStringLiteral("sampler"); // in the view state
constexpr int kNarrowestColumn = 45; // characters; below that the columns stand one above the other

} // namespace

ComparePage::ComparePage(Workbench& workbench, QWidget* parent)
    : QWidget(parent), m_workbench(workbench), m_cursor(new TokenCursor(this)), m_prompt(new PromptBar), m_tools(new CompareTools),
      m_texts(new QSplitter(Qt::Horizontal)), m_results(new QSplitter(Qt::Horizontal)), m_candidates(new CandidatesPanel),
      m_parting(wrapped_label(QString(), Type::Small, "warning")), m_strip(new StripBar(*m_cursor)), m_told(new Notice)
{
    for (const Role role : kRoles) {
        m_columns[index_of(role)] = new AnswerColumn(role, *m_cursor);
        m_texts->addWidget(&column(role));
        m_texts->setStretchFactor(static_cast<int>(index_of(role)), 1);
    }
    m_results->addWidget(m_texts);
    m_results->addWidget(m_candidates);
    m_results->setStretchFactor(0, 1);
    for (QSplitter* splitter : {m_texts, m_results}) {
        splitter->setChildrenCollapsible(false);
        splitter->setHandleWidth(space::s);
    }
    auto* page = new QVBoxLayout(this);
    page->setContentsMargins(space::l, space::m, space::l, space::m);
    page->setSpacing(space::s);
    page->addWidget(m_prompt);
    page->addWidget(m_tools);
    page->addWidget(m_results, 1);
    page->addWidget(m_parting);
    page->addWidget(m_strip);
    page->addWidget(m_told);
    m_told->setObjectName(QStringLiteral("exported"));
    tell_exports(*this, *m_told);
    m_parting->setObjectName(QStringLiteral("parting"));
    setFocusProxy(m_prompt);
    buildActions();
    connectColumns();
    offerExports();
    connectWorkbench();
    showModels();
    showExchange();
    followWorkbenchCursor(m_workbench.cursor());
}

QAction* ComparePage::addPageAction(const QString& text, const QList<QKeySequence>& keys, const char* name, const QString& tip)
{
    auto* action = new QAction(text, this);
    action->setShortcuts(keys);
    action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    action->setObjectName(QLatin1String(name));
    action->setToolTip(tip);
    addAction(action);
    return action;
}

void ComparePage::buildActions()
{
    const auto on = [this](QAction* action, auto act) { connect(action, &QAction::triggered, this, act); };
    on(addPageAction(tr("&Run both"), {Qt::Key_F5, Qt::CTRL | Qt::Key_Return, Qt::CTRL | Qt::Key_Enter}, "actionRun",
                     tr("Put the prompt to both models")),
       [this] { m_prompt->run(); });
    on(addPageAction(tr("&Stop"), {Qt::Key_Escape}, "actionStop", tr("Stop both answers")), [this] { m_workbench.stopAnswering(); });
    on(addPageAction(tr("&Edit prompt"), {Qt::Key_F6}, "actionPrompt", tr("To the prompt, all selected")), [this] { m_prompt->focusPrompt(); });
    on(addPageAction(tr("&Next difference"), {Qt::Key_N}, "actionNext", tr("Where the models' first choices differ")),
       [this] { jumpTo(Jump::NextDifference); });
    on(addPageAction(tr("&Previous difference"), {Qt::SHIFT | Qt::Key_N}, "actionPrevious", tr("Where the models' first choices differ")),
       [this] { jumpTo(Jump::PreviousDifference); });
    on(addPageAction(tr("Most &uncertain"), {Qt::Key_U}, "actionUncertain", tr("Where the model was least sure")),
       [this] { jumpTo(Jump::MostUncertain); });
    on(addPageAction(tr("R&are choice"), {Qt::Key_R}, "actionRare", tr("Tokens below 10 %")), [this] { jumpTo(Jump::Rare); });
    on(addPageAction(tr("Next &tint"), {Qt::Key_T}, "actionTint", tr("What the colours tell")), [this] { m_tools->nextTint(); });
    on(addPageAction(tr("&Maximise column"), {Qt::Key_F9}, "actionMaximise", tr("Only one column; again for both")),
       [this] { toggleMaximised(std::nullopt); });
}

void ComparePage::connectColumns()
{
    for (const Role role : kRoles) {
        TokenView& view = column(role).view();
        connect(&view, &TokenView::focused, this, [this, role] {
            m_active = role;
            showComparison();
            cursorMoved(m_cursor->position());
        });
        connect(&view, &TokenView::scrolledTo, this, [this, role](std::size_t first) {
            if (m_tools->scrollsTogether() && !m_scrolling) {
                m_scrolling = true;
                column(other(role)).view().scrollToToken(first);
                m_scrolling = false;
            }
        });
        connect(&view, &TokenView::activated, m_candidates, &CandidatesPanel::focusRows);
        connect(&column(role), &AnswerColumn::maximiseToggled, this, [this, role] { toggleMaximised(role); });
        connect(&column(role), &AnswerColumn::demoWanted, &m_workbench, &Workbench::useDemo);
        connect(&column(role), &AnswerColumn::modelsWanted, &m_workbench, [this] { m_workbench.showPage(PageId::Models); });
    }
    connect(m_tools, &CompareTools::tintChosen, this, &ComparePage::setTint);
    connect(m_tools, &CompareTools::viewChosen, this, &ComparePage::setTextView);
    connect(m_strip, &StripBar::jumpWanted, this, &ComparePage::jumpTo);
    connect(m_cursor, &TokenCursor::moved, this, &ComparePage::cursorMoved);
    connect(m_candidates, &CandidatesPanel::alternativeChosen, this, &ComparePage::takeAlternative);
    connect(m_candidates, &CandidatesPanel::distributionsWanted, &m_workbench, [this] { m_workbench.showPage(PageId::Distributions); });
    connect(m_prompt, &PromptBar::runRequested, this, &ComparePage::run);
    connect(m_prompt, &PromptBar::stopRequested, &m_workbench, &Workbench::stopAnswering);
    connect(m_prompt, &PromptBar::earlierChosen, &m_workbench, &Workbench::showExchange);
}

void ComparePage::connectWorkbench()
{
    connect(&m_workbench, &Workbench::roleChanged, this, &ComparePage::showModels);
    connect(&m_workbench, &Workbench::exchangeReset, this, [this] {
        showExchange();
        followWorkbenchCursor(m_workbench.cursor());
    });
    connect(&m_workbench, &Workbench::tokensArrived, this, &ComparePage::showTokens);
    connect(&m_workbench, &Workbench::answerFinished, this, [this](Role role) {
        showSide(role);
        showParting();
    });
    connect(&m_workbench, &Workbench::answeringChanged, this, [this](bool answering) {
        m_prompt->setRunning(answering);
        showParting();
        showComparison();
    });
    connect(&m_workbench, &Workbench::comparisonReady, this, [this](Role text_of) {
        for (const Role role : kRoles) {
            if (text_in(m_text_view, role) == text_of) {
                column(role).view().setFacts(0, token_facts(m_workbench.exchange(), text_of, role, 0));
            }
        }
        showComparison();
    });
    connect(&m_workbench, &Workbench::cursorChanged, this, &ComparePage::followWorkbenchCursor);
    connect(&m_workbench, &Workbench::historyChanged, this, [this] { m_prompt->setEarlier(m_workbench.history()); });
    connect(&m_workbench, &Workbench::sessionChanged, this, [this] {
        m_prompt->setEarlier(m_workbench.history());
        restoreView();
    });
    connect(m_prompt, &PromptBar::settingsChanged, this, [this] { m_workbench.keepView(kSampler, to_json(m_prompt->settings())); });
    m_prompt->setCounter([this](const QString& text) -> std::optional<std::size_t> {
        const auto tokenizer = m_workbench.tokenizer(Role::Teacher) ? m_workbench.tokenizer(Role::Teacher) : m_workbench.tokenizer(Role::Student);
        return tokenizer ? std::optional(tokenizer->encode(to_core(text)).size()) : std::nullopt;
    });
    m_prompt->setRunning(m_workbench.exchange().running());
    m_prompt->setEarlier(m_workbench.history());
}

void ComparePage::run()
{
    const Question question = m_prompt->question();
    if (!question.messages.empty() && !question.messages.back().content.empty()) {
        m_workbench.ask(question);
    }
}

void ComparePage::restoreView()
{
    if (const QJsonValue tint = m_workbench.view(kTint); tint.isDouble()) {
        m_tools->showTint(static_cast<Tint>(tint.toInt()));
    }
    if (const QJsonValue text = m_workbench.view(kText); text.isDouble()) {
        setTextView(static_cast<TextView>(std::clamp(text.toInt(), 0, static_cast<int>(TextView::StudentText))));
    }
    if (const QJsonValue sampler = m_workbench.view(kSampler); sampler.isObject()) {
        m_prompt->showSettings(settings_from(sampler.toObject(), m_prompt->settings()));
    }
}

void ComparePage::setTextView(TextView view)
{
    if (view == m_text_view) {
        return;
    }
    m_text_view = view;
    m_workbench.keepView(kText, static_cast<int>(view));
    m_tools->showView(view);
    const auto at = m_cursor->position();
    showExchange();
    if (at) {
        m_cursor->moveTo(*at);
        cursorMoved(m_cursor->position());
    }
}

void ComparePage::setTint(Tint tint)
{
    m_workbench.keepView(kTint, static_cast<int>(tint));
    for (const Role role : kRoles) {
        column(role).view().setTint(tint);
    }
}

void ComparePage::toggleMaximised(std::optional<Role> which)
{
    m_maximised = m_maximised ? std::nullopt : std::optional(which.value_or(m_active));
    for (const Role role : kRoles) {
        column(role).setVisible(!m_maximised || m_maximised == role);
        column(role).setMaximised(m_maximised == role);
    }
}

void ComparePage::jumpTo(Jump kind)
{
    if (const auto to = jump(kind, column(m_active).view().facts(), m_cursor->position())) {
        m_cursor->moveTo(*to);
    }
}

void ComparePage::takeAlternative(TokenId id)
{
    const auto at = m_workbench.cursor();
    if (at && m_workbench.tokenizer(at->text_of)) {
        setTextView(TextView::Free);
        m_workbench.continueFrom(*at, id);
    }
}

void ComparePage::keyPressEvent(QKeyEvent* event)
{
    const auto id = event->key() >= Qt::Key_1 && event->key() <= Qt::Key_9 && event->modifiers() == Qt::NoModifier
                        ? m_candidates->alternative(event->key() - Qt::Key_1)
                        : std::nullopt;
    if (id) {
        takeAlternative(*id);
    } else {
        QWidget::keyPressEvent(event);
    }
}

void ComparePage::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    fitColumns();
}

/// Columns never get narrower than a line one can read: the candidates go below the texts first, then the texts one below the other.
void ComparePage::fitColumns()
{
    const int line = kNarrowestColumn * column(Role::Teacher).view().fontMetrics().averageCharWidth();
    const int room = width() - 2 * space::l;
    const bool beside = room >= 2 * line + m_candidates->sizeHint().width();
    m_results->setOrientation(beside ? Qt::Horizontal : Qt::Vertical);
    m_texts->setOrientation(room >= 2 * line ? Qt::Horizontal : Qt::Vertical);
}

} // namespace retort
