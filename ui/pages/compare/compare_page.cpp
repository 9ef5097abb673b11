#include "ui/pages/compare/compare_page.h"

#include "ui/pages/compare/answer_column.h"
#include "ui/pages/compare/candidates_panel.h"
#include "ui/pages/compare/prompt_bar.h"
#include "ui/theme/theme.h"
#include "ui/widgets/choice_box.h"
#include "ui/widgets/kl_strip.h"
#include "ui/widgets/plain_label.h"
#include "ui/widgets/tint_legend.h"
#include "ui/widgets/token_cursor.h"
#include "ui/workbench.h"

#include <QAction>
#include <QButtonGroup>
#include <QCheckBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPushButton>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>

namespace retort {

namespace {

constexpr int kNarrowestColumn = 45; // characters; below that the columns stand one above the other

QStringList demo_examples()
{
    return {QStringLiteral("27+15="), QStringLiteral("All wugs are blue. Pip is a wug. So Pip is"), QStringLiteral("x=3;y=x+2;print(y) ->"),
            QStringLiteral("Q: What model are you? A:")};
}

} // namespace

ComparePage::ComparePage(Workbench& workbench, QWidget* parent)
    : QWidget(parent), m_workbench(workbench), m_cursor(new TokenCursor(this)), m_prompt(new PromptBar), m_beside(new QSplitter(Qt::Horizontal)),
      m_parting(wrapped_label(QString(), Type::Small, "warning")), m_candidates(new CandidatesPanel)
{
    for (const Role role : kRoles) {
        m_columns[index_of(role)] = new AnswerColumn(role, *m_cursor);
        m_beside->addWidget(&column(role));
        m_beside->setStretchFactor(static_cast<int>(index_of(role)), 1);
    }
    m_beside->setChildrenCollapsible(false);
    m_beside->setHandleWidth(space::s);
    auto* texts = new QWidget;
    auto* upper = new QVBoxLayout(texts);
    upper->setContentsMargins(0, 0, 0, 0);
    upper->setSpacing(space::s);
    upper->addWidget(m_beside, 1);
    upper->addWidget(m_parting);
    upper->addWidget(buildStrip());
    auto* results = new QSplitter(Qt::Vertical);
    results->setChildrenCollapsible(false);
    results->setHandleWidth(space::s);
    results->addWidget(texts);
    results->addWidget(m_candidates);
    results->setStretchFactor(0, 1);
    results->setStretchFactor(1, 1);
    auto* page = new QVBoxLayout(this);
    page->setContentsMargins(space::l, space::m, space::l, space::m);
    page->setSpacing(space::s);
    page->addWidget(m_prompt);
    page->addWidget(buildTools());
    page->addWidget(results, 1);
    m_parting->setObjectName(QStringLiteral("parting"));
    buildActions();
    connectColumns();
    connectWorkbench();
    showModels();
    showExchange();
    followWorkbenchCursor(m_workbench.cursor());
}

QWidget* ComparePage::buildTools()
{
    auto* tools = new QWidget;
    auto* row = new QHBoxLayout(tools);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(space::s);
    m_tint_choice = new ChoiceBox;
    m_tint_choice->setObjectName(QStringLiteral("tint"));
    for (const Tint tint : kTints) {
        m_tint_choice->addItem(name_of(tint), static_cast<int>(tint));
    }
    auto* tint_name = plain_label(tr("T&int"));
    tint_name->setBuddy(m_tint_choice);
    m_legend = new TintLegend;
    m_sync = new QCheckBox(tr("Scroll to&gether"));
    m_sync->setObjectName(QStringLiteral("sync"));
    m_sync->setChecked(true);
    row->addWidget(tint_name);
    row->addWidget(m_tint_choice);
    row->addWidget(m_legend);
    row->addStretch();
    buildViewSwitch(*row);
    row->addStretch();
    row->addWidget(m_sync);
    connect(m_tint_choice, &ChoiceBox::currentIndexChanged, this, [this] { setTint(static_cast<Tint>(m_tint_choice->currentData().toInt())); });
    return tools;
}

void ComparePage::buildViewSwitch(QHBoxLayout& row)
{
    auto* group = new QButtonGroup(this);
    const std::array names = {tr("&Free"), tr("Teacher te&xt"), tr("Student te&xt")};
    const std::array tips = {tr("Each model's own answer"), tr("The teacher's answer in both columns: right, as the student scores it"),
                             tr("The student's answer in both columns: left, as the teacher scores it")};
    const std::array objects = {"viewFree", "viewTeacherText", "viewStudentText"};
    for (std::size_t i = 0; i < m_views.size(); ++i) {
        m_views[i] = new QPushButton(names[i]);
        m_views[i]->setObjectName(QLatin1String(objects[i]));
        m_views[i]->setToolTip(tips[i]);
        m_views[i]->setCheckable(true);
        m_views[i]->setChecked(i == 0);
        group->addButton(m_views[i]);
        row.addWidget(m_views[i]);
        connect(m_views[i], &QPushButton::clicked, this, [this, i] { setTextView(static_cast<TextView>(i)); });
    }
}

QWidget* ComparePage::buildStrip()
{
    auto* bar = new QWidget;
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(space::s);
    m_strip = new KlStrip(*m_cursor);
    m_strip->setObjectName(QStringLiteral("strip"));
    m_strip->setHint(tr("KL per token: appears when both models have answered."));
    m_mean = plain_label(QString(), Type::Small, "muted");
    m_mean->setObjectName(QStringLiteral("mean"));
    row->addWidget(plain_label(tr("KL"), Type::Small, "muted"));
    row->addWidget(m_strip, 1);
    row->addWidget(m_mean);
    const auto add = [&](const QString& text, const QString& tip, const char* name, Jump kind) {
        auto* button = new QPushButton(text);
        button->setProperty("kind", QStringLiteral("quiet"));
        button->setToolTip(tip);
        button->setObjectName(QLatin1String(name));
        connect(button, &QPushButton::clicked, this, [this, kind] { jumpTo(kind); });
        row->addWidget(button);
        m_jumps.push_back(button);
    };
    add(tr("≠ next"), tr("Next token where the models' first choices differ (N; Shift+N back)"), "nextDifference", Jump::NextDifference);
    add(tr("? unsure"), tr("Down the list of the places where the model was least sure (U)"), "mostUncertain", Jump::MostUncertain);
    add(tr("< rare"), tr("Next token to which the model gave less than 10 % (R)"), "rare", Jump::Rare);
    return bar;
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
    on(addPageAction(tr("Next &tint"), {Qt::Key_T}, "actionTint", tr("What the colours tell")), [this] { cycleTint(); });
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
            if (m_sync->isChecked() && !m_scrolling) {
                m_scrolling = true;
                column(other(role)).view().scrollToToken(first);
                m_scrolling = false;
            }
        });
        connect(&column(role), &AnswerColumn::maximiseToggled, this, [this, role] { toggleMaximised(role); });
        connect(&column(role), &AnswerColumn::demoWanted, &m_workbench, &Workbench::useDemo);
        connect(&column(role), &AnswerColumn::modelsWanted, &m_workbench, [this] { m_workbench.showPage(PageId::Models); });
    }
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
    connect(&m_workbench, &Workbench::sessionChanged, this, [this] { m_prompt->setEarlier(m_workbench.history()); });
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
    if (!exchange.empty()) {
        m_prompt->showQuestion(exchange.question);
    }
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

void ComparePage::showSide(Role role)
{
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
    m_strip->setValues(kl_values(exchange, text_of));
    const auto& forced = exchange.side(text_of).forced;
    m_mean->setText(forced && !forced->positions.empty()
                        ? tr("mean %1 nat · same first choice %2 %").arg(forced->mean_kl(), 0, 'f', 3).arg(forced->same_top_share() * 100, 0, 'f', 0)
                        : QString());
    const bool both = exchange.side(Role::Teacher).asked && exchange.side(Role::Student).asked;
    const auto match = m_workbench.tokenizerMatch();
    if (match && !match->same) {
        m_strip->setHint(to_qt(match->reason));
    } else {
        m_strip->setHint(both && !exchange.running() ? tr("KL per token: both models are reading the text…")
                                                     : tr("KL per token: appears when both models have answered."));
    }
    for (QPushButton* button : m_jumps) {
        button->setEnabled(!column(m_active).view().facts().empty());
    }
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
    m_views[static_cast<std::size_t>(view)]->setChecked(true);
    const auto at = m_cursor->position();
    showExchange();
    if (at) {
        m_cursor->moveTo(*at);
        cursorMoved(m_cursor->position());
    }
}

void ComparePage::setTint(Tint tint)
{
    m_tint = tint;
    m_legend->setTint(tint);
    for (const Role role : kRoles) {
        column(role).view().setTint(tint);
    }
}

void ComparePage::cycleTint()
{
    m_tint_choice->setCurrentIndex((m_tint_choice->currentIndex() + 1) % m_tint_choice->count());
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

void ComparePage::fitColumns()
{
    const int needed = 2 * kNarrowestColumn * column(Role::Teacher).view().fontMetrics().averageCharWidth();
    m_beside->setOrientation(width() - 2 * space::l < needed ? Qt::Vertical : Qt::Horizontal);
}

} // namespace retort
