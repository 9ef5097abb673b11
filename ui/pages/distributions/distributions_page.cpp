#include "ui/pages/distributions/distributions_page.h"

#include "ui/pages/compare/column_content.h"
#include "ui/pages/distributions/distribution_view.h"
#include "ui/theme/icons.h"
#include "ui/widgets/card.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/plain_label.h"
#include "ui/widgets/scrolled.h"
#include "ui/widgets/token_cursor.h"
#include "ui/widgets/token_view.h"
#include "ui/workbench.h"

#include <QHBoxLayout>
#include <QPushButton>
#include <QScrollArea>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

namespace retort {

namespace {
const QString kTemperature = QStringLiteral("temperature"); ///< in the session's view state
}

DistributionsPage::DistributionsPage(Workbench& workbench, QWidget* parent)
    : QWidget(parent), m_workbench(workbench), m_stack(new QStackedWidget),
      m_empty(new EmptyState(Glyph::Distributions, tr("Click any token in Compare, or press → in the text."))), m_notice(new Notice),
      m_cursor(new TokenCursor(this)), m_view(new DistributionView)
{
    auto* content = new QWidget;
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(space::l, space::l, space::l, space::l);
    column->setSpacing(space::m);
    column->addWidget(buildText());
    column->addWidget(m_notice);
    column->addWidget(m_view, 1);
    QPushButton* go = m_empty->addAction(tr("Open Compare"), true);
    go->setObjectName(QStringLiteral("openCompare"));
    connect(go, &QPushButton::clicked, &m_workbench, [this] { m_workbench.showPage(PageId::Compare); });
    m_stack->addWidget(m_empty);
    QScrollArea* scroll = scrolled(content);
    scroll->setObjectName(QStringLiteral("distributions_scroll"));
    m_stack->addWidget(scroll);
    auto* whole = new QVBoxLayout(this);
    whole->setContentsMargins(0, 0, 0, 0);
    whole->addWidget(m_stack);
    m_notice->setDismissable(false);
    m_wanted.setSingleShot(true);
    m_wanted.setInterval(80);
    connectWorkbench();
    showPlace();
}

QWidget* DistributionsPage::buildText()
{
    auto* card = new Card;
    auto* row = new QHBoxLayout;
    m_where = plain_label(QString(), Type::Strong);
    m_where->setObjectName(QStringLiteral("where"));
    m_previous = new QToolButton;
    m_next = new QToolButton;
    for (auto [button, glyph, tip, name] : {std::tuple{m_previous, Glyph::ChevronLeft, tr("Token before (←)"), "previousToken"},
                                            std::tuple{m_next, Glyph::ChevronRight, tr("Token after (→)"), "nextToken"}}) {
        button->setIcon(icon_of(glyph));
        button->setToolTip(tip);
        button->setAccessibleName(tip);
        button->setObjectName(QLatin1String(name));
        button->setAutoRepeat(true);
    }
    connect(m_previous, &QToolButton::clicked, m_cursor, [this] { m_cursor->step(-1); });
    connect(m_next, &QToolButton::clicked, m_cursor, [this] { m_cursor->step(1); });
    row->setContentsMargins(space::m, 0, 0, 0); // in line with the text, which has a margin of its own
    row->addWidget(m_where, 1);
    row->addWidget(m_previous);
    row->addWidget(m_next);
    m_text = new TokenView(*m_cursor);
    m_text->setObjectName(QStringLiteral("text"));
    m_text->setAccessibleName(tr("Text"));
    connect(m_text, &TokenView::contentHeightChanged, this, &DistributionsPage::fitText);
    fitText();
    card->column()->setContentsMargins(space::xs, space::s, space::s, space::xs);
    card->column()->setSpacing(0);
    card->column()->addLayout(row);
    card->column()->addWidget(m_text);
    return card;
}

/// As tall as the text, to a few lines; then it scrolls, since the room belongs to the distributions.
void DistributionsPage::fitText()
{
    constexpr int kMostLines = 3;
    m_text->setFixedHeight(std::min(m_text->contentHeight(), m_text->heightOf(kMostLines)));
}

void DistributionsPage::connectWorkbench()
{
    connect(m_cursor, &TokenCursor::moved, this, [this](std::optional<std::size_t> position) {
        if (position) {
            moveTo(*position);
        }
    });
    connect(&m_wanted, &QTimer::timeout, this, [this] {
        const bool known = place() == m_workbench.snapshotPlace() && !m_workbench.snapshotIsStored();
        if (isVisible() && place() && wholeCanCome() && !known) {
            m_workbench.requestSnapshot(*place());
        }
    });
    connect(&m_workbench, &Workbench::cursorChanged, this, &DistributionsPage::showPlace);
    connect(&m_workbench, &Workbench::exchangeReset, this, &DistributionsPage::showPlace);
    connect(&m_workbench, &Workbench::comparisonReady, this, [this] {
        m_text_of.reset();
        showPlace();
    });
    connect(&m_workbench, &Workbench::roleChanged, this, [this] { showPlace(); });
    connect(&m_workbench, &Workbench::snapshotReady, this, &DistributionsPage::showPlace);
    connect(&m_workbench, &Workbench::snapshotFailed, this, [this](const Error& error) {
        if (place()) {
            showKept();
        }
        m_notice->tell(error);
    });
    connect(&m_workbench, &Workbench::sessionChanged, this, [this] {
        if (const QJsonValue kept = m_workbench.view(kTemperature); kept.isDouble()) {
            m_view->setTemperature(kept.toDouble());
        }
    });
    connect(m_view, &DistributionView::temperatureChanged, this, [this](double temperature) { m_workbench.keepView(kTemperature, temperature); });
    connect(m_view, &DistributionView::alternativeChosen, this, [this](TokenId id) {
        if (const auto at = place()) {
            m_workbench.continueFrom(*at, id);
            m_workbench.showPage(PageId::Compare);
        }
    });
}

std::optional<TokenPlace> DistributionsPage::place() const
{
    const auto at = m_workbench.cursor();
    return at && at->position < m_workbench.exchange().side(at->text_of).answer.tokens.size() ? at : std::nullopt;
}

void DistributionsPage::moveTo(std::size_t position)
{
    if (m_text_of) {
        m_workbench.setCursor(TokenPlace{*m_text_of, position});
    }
}

std::optional<TokenId> DistributionsPage::tokenAtPlace() const
{
    const auto at = place();
    return at ? std::optional(m_workbench.exchange().side(at->text_of).answer.tokens[at->position].id) : std::nullopt;
}

TokenLabel DistributionsPage::label() const
{
    return labels_of(m_workbench.tokenizer(Role::Teacher) ? m_workbench.tokenizer(Role::Teacher) : m_workbench.tokenizer(Role::Student));
}

void DistributionsPage::showPlace()
{
    const auto at = place();
    m_stack->setCurrentIndex(at ? 1 : 0);
    if (!at || !isVisible()) {
        return; // a page out of sight catches up when it is shown
    }
    showText();
    if (m_workbench.snapshot() && m_workbench.snapshotPlace() == at && (!m_workbench.snapshotIsStored() || !wholeCanCome())) {
        showSnapshot();
    } else if (!wholeCanCome() && m_workbench.hasStoredSnapshot(*at)) {
        m_workbench.requestSnapshot(*at); // answered at once, and shown by way of snapshotReady
    } else if (wholeCanCome()) {
        m_notice->dismiss();
        m_wanted.start(); // until then the page stays as it is, so that walking through a text does not flicker
        if (m_shown_of != m_workbench.exchange().number) {
            m_view->clear(tr("Both models are reading the text up to this token…"));
        }
    } else {
        showKept();
        offerWhole();
    }
}

/// Whether every model that took part is in memory to be asked again.
bool DistributionsPage::wholeCanCome() const
{
    const Exchange& exchange = m_workbench.exchange();
    return std::ranges::all_of(kRoles, [&](Role role) { return !exchange.side(role).asked || m_workbench.role(role).ready(); });
}

void DistributionsPage::showText()
{
    const Exchange& exchange = m_workbench.exchange();
    const TokenPlace at = *place();
    const Answer& answer = exchange.side(at.text_of).answer;
    if (m_text_of != at.text_of || m_text_number != exchange.number || m_text->tokens().size() != answer.tokens.size()) {
        m_text_of = at.text_of;
        m_text_number = exchange.number;
        m_text->clear();
        m_cursor->setCount(answer.tokens.size());
        m_text->append(shown_tokens(answer, 0, m_workbench.tokenizer(at.text_of).get()));
        m_text->setFacts(0, token_facts(exchange, at.text_of, at.text_of, 0));
    }
    m_cursor->moveTo(at.position);
    const QString whose = at.text_of == Role::Teacher ? tr("teacher's") : tr("student's");
    m_where->setText(tr("Token %1 of %2 in the %3 text").arg(at.position + 1).arg(answer.tokens.size()).arg(whose));
    m_previous->setEnabled(at.position > 0);
    m_next->setEnabled(at.position + 1 < answer.tokens.size());
    tellOrigin(at);
}

/// What stands on the page goes out with what it belongs to.
void DistributionsPage::tellOrigin(TokenPlace at)
{
    const Exchange& exchange = m_workbench.exchange();
    const auto name = [&](Role role) { return exchange.side(role).asked ? to_qt(exchange.side(role).model_name) : QString(); };
    std::string before;
    for (std::size_t i = 0; i < at.position; ++i) {
        before += exchange.side(at.text_of).answer.tokens[i].bytes;
    }
    m_view->setOrigin({to_qt(exchange.prompt.rendered), to_qt(before), name(Role::Teacher), name(Role::Student), QLatin1String(name_of(at.text_of)),
                       at.position + 1, exchange.side(at.text_of).answer.tokens.size()});
}

void DistributionsPage::showSnapshot()
{
    if (m_workbench.snapshotIsStored()) {
        offerWhole();
    } else {
        m_notice->dismiss();
    }
    m_shown_of = m_workbench.exchange().number;
    m_view->showWhole(std::make_shared<const Softening>(*m_workbench.snapshot(), label(), tokenAtPlace()));
}

void DistributionsPage::showKept()
{
    const TokenPlace at = *place();
    const auto& forced = m_workbench.exchange().side(at.text_of).forced;
    if (forced && at.position < forced->positions.size()) {
        m_shown_of = m_workbench.exchange().number;
        m_view->showBest(view_of(forced->positions[at.position], label()));
    } else {
        m_view->clear(tr("The session keeps nothing of what the models expected here."));
    }
}

/// Where the whole distributions cannot come, says so and what to do.
void DistributionsPage::offerWhole()
{
    std::optional<Role> missing;
    for (const Role role : kRoles) {
        if (!m_workbench.role(role).ready()) {
            missing = missing ? missing : role;
        }
    }
    if (!missing) {
        m_notice->dismiss();
        return;
    }
    const RoleState& state = m_workbench.role(*missing);
    const QString who = *missing == Role::Teacher ? tr("teacher") : tr("student");
    const bool whole = m_workbench.snapshotIsStored() && m_workbench.snapshotPlace() == place();
    if (state.phase == RoleState::Phase::Loading && whole) {
        m_notice->dismiss(); // the models take over in a moment, and say the same
    } else if (state.phase == RoleState::Phase::Loading) {
        m_notice->tell(tr("The ten best of each model, as the session kept them. The whole distributions follow when the %1 is loaded.").arg(who),
                       Notice::Kind::Warning);
    } else if (!state.spec.empty()) {
        m_notice->tell(
            whole ? tr("Both distributions as the session kept them. For other tokens load the %1.").arg(who)
                  : tr("The ten best of each model, as the session kept them. For the whole distributions and the temperature load the %1.").arg(who),
            Notice::Kind::Warning);
        QPushButton* load = m_notice->addAction(tr("Load %1").arg(QString::fromStdString(state.name())));
        load->setObjectName(QStringLiteral("loadMissing"));
        connect(load, &QPushButton::clicked, &m_workbench,
                [this, role = *missing, spec = QString::fromStdString(state.spec)] { m_workbench.openModel(role, spec); });
    } else {
        m_notice->tell(tr("There is no %1: only one side can be shown.").arg(who), Notice::Kind::Warning);
        QPushButton* open = m_notice->addAction(tr("Open Models"));
        connect(open, &QPushButton::clicked, &m_workbench, [this] { m_workbench.showPage(PageId::Models); });
    }
}

void DistributionsPage::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    showPlace();
}

} // namespace retort
