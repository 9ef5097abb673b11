#include "ui/pages/compare/compare_page.h"

#include "ui/pages/compare/answer_column.h"
#include "ui/pages/compare/candidates_panel.h"
#include "ui/pages/compare/compare_tools.h"
#include "ui/pages/compare/prompt_bar.h"
#include "ui/pages/compare/strip_bar.h"
#include "ui/theme/theme.h"
#include "ui/view_state.h"
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

QStringList demo_examples()
{
    return {QStringLiteral("27+15="), QStringLiteral("All wugs are blue. Pip is a wug. So Pip is"), QStringLiteral("x=3;y=x+2;print(y) ->"),
            QStringLiteral("Q: What model are you? A:")};
}

} // namespace

ComparePage::ComparePage(Workbench& workbench, QWidget* parent)
    : QWidget(parent), m_workbench(workbench), m_cursor(new TokenCursor(this)), m_prompt(new PromptBar), m_tools(new CompareTools),
      m_texts(new QSplitter(Qt::Horizontal)), m_results(new QSplitter(Qt::Horizontal)), m_candidates(new CandidatesPanel),
      m_parting(wrapped_label(QString(), Type::Small, "warning")), m_strip(new StripBar(*m_cursor))
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
    m_parting->setObjectName(QStringLiteral("parting"));
    setFocusProxy(m_prompt);
    buildActions();
    connectColumns();
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
       [this] { run(); });
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

void ComparePage::showModels()
{
    for (const Role role : kRoles) {
        column(role).showRole(m_workbench.role(role), m_workbench.exchange().side(role).asked);
    }
    const bool demo = m_workbench.role(Role::Teacher).spec.starts_with("demo:");
    const QStringList chat = {tr("Explain gravity to a child in two sentences."), tr("Write a haiku about a river."), tr("What is 17 × 23?"),
                              tr("Name three rivers in Europe.")};
    m_prompt->setExamples(demo ? demo_examples() : chat, !demo);
    m_prompt->countTokens();
    if (!m_workbench.exchange().empty() && !m_workbench.exchange().running()) {
        showCursor();
    }
}

void ComparePage::showExchange()
{
    const Exchange& exchange = m_workbench.exchange();
    const RowId session = m_workbench.session().id;
    if (!exchange.empty()) {
        m_prompt->showQuestion(exchange.question);
    } else if (m_session != 0 && m_session != session) {
        m_prompt->showQuestion({}); // another session's question is none of this one's
    }
    m_session = session;
    std::size_t longest = 0;
    for (const Role role : kRoles) {
        const Role text_of = text_in(m_text_view, role);
        TokenView& view = column(role).view();
        view.clear();
        view.append(shown_tokens(exchange.side(text_of).answer, 0, m_workbench.tokenizer(text_of).get()));
        view.setFacts(0, token_facts(exchange, text_of, role, 0));
        longest = std::max(longest, view.tokens().size());
        column(role).showRole(m_workbench.role(role), exchange.side(role).asked);
        showSide(role);
    }
    m_cursor->setCount(longest);
    showParting();
    showComparison();
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

void ComparePage::showSide(Role role)
{
    column(role).showRecording(m_workbench.recordingOfExchange());
    column(role).showSide(m_workbench.exchange(), text_in(m_text_view, role));
}

void ComparePage::showTokens(Role text_of, std::size_t first)
{
    const Exchange& exchange = m_workbench.exchange();
    std::size_t longest = m_cursor->count();
    for (const Role role : kRoles) {
        if (text_in(m_text_view, role) == text_of) {
            TokenView& view = column(role).view();
            // What has been drawn already is never drawn twice, whatever order the reports come in.
            const std::size_t known = std::max(view.tokens().size(), std::min(first, view.tokens().size()));
            view.append(shown_tokens(exchange.side(text_of).answer, known, m_workbench.tokenizer(text_of).get()));
            view.setFacts(known, token_facts(exchange, text_of, role, known));
            longest = std::max(longest, view.tokens().size());
        }
    }
    m_cursor->setCount(longest);
    showSide(text_of);
    showParting();
}

void ComparePage::showParting()
{
    const Exchange& exchange = m_workbench.exchange();
    const auto parting = m_text_view == TextView::Free ? parting_of(exchange) : std::nullopt;
    m_strip->setParting(parting);
    for (const Role role : kRoles) {
        column(role).view().setParting(parting);
    }
    m_parting->setVisible(parting.has_value());
    if (parting) {
        m_parting->setText(
            tr("From token %1 on the two are continuing different texts. To compare them token by token, choose Teacher text or Student text.")
                .arg(*parting + 1));
    }
}

void ComparePage::showComparison()
{
    const Exchange& exchange = m_workbench.exchange();
    const Role text_of = textAtCursor();
    const auto& forced = exchange.side(text_of).forced;
    const QString summary =
        forced && !forced->positions.empty()
            ? tr("mean %1 nat · same first choice %2 %").arg(forced->mean_kl(), 0, 'f', 3).arg(forced->same_top_share() * 100, 0, 'f', 0)
            : QString();
    const bool both = exchange.side(Role::Teacher).asked && exchange.side(Role::Student).asked;
    const auto match = m_workbench.tokenizerMatch();
    const QString hint = match && !match->same         ? to_qt(match->reason)
                         : both && !exchange.running() ? tr("KL per token: both models are reading the text…")
                                                       : tr("KL per token: appears when both models have answered.");
    m_strip->show(kl_values(exchange, text_of), summary, hint);
    m_strip->setJumpsEnabled(!column(m_active).view().facts().empty());
    showCursor();
}

TokenLabel ComparePage::label() const
{
    auto tokenizer = m_workbench.tokenizer(Role::Teacher) ? m_workbench.tokenizer(Role::Teacher) : m_workbench.tokenizer(Role::Student);
    return [tokenizer = std::move(tokenizer)](TokenId id) {
        return tokenizer ? token_label({std::string(tokenizer->bytes(id)), tokenizer->is_special(id)}) : QStringLiteral("#%1").arg(id);
    };
}

void ComparePage::showCursor()
{
    const Exchange& exchange = m_workbench.exchange();
    const auto at = m_cursor->position();
    const Role text_of = textAtCursor();
    const auto& forced = exchange.side(text_of).forced;
    if (exchange.empty()) {
        m_candidates->showHint(tr("What both models expected stands here when there is an answer."));
    } else if (!at || *at >= exchange.side(text_of).answer.tokens.size()) {
        m_candidates->showHint(tr("Click a token, or press → in a text, to see what both models expected there."));
    } else if (!forced || *at >= forced->positions.size()) {
        m_candidates->showHint(tr("Both models' candidates appear when both have read this text."));
    } else {
        m_candidates->showPosition({text_of, *at}, forced->positions[*at], label(), m_workbench.tokenizer(text_of) != nullptr);
    }
}

void ComparePage::cursorMoved(std::optional<std::size_t> position)
{
    const Role text_of = textAtCursor();
    if (position && *position < m_workbench.exchange().side(text_of).answer.tokens.size()) {
        m_workbench.setCursor(TokenPlace{text_of, *position});
    }
    showCursor();
}

void ComparePage::followWorkbenchCursor(std::optional<TokenPlace> place)
{
    if (!place) {
        m_cursor->clear();
        return;
    }
    if (m_text_view == TextView::Free) {
        m_active = place->text_of;
    } else if (textAtCursor() != place->text_of) {
        setTextView(place->text_of == Role::Teacher ? TextView::TeacherText : TextView::StudentText);
    }
    m_cursor->moveTo(place->position);
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
