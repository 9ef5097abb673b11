// What the page shows of the exchange, and of the place where the cursor stands in it.
#include "ui/pages/compare/answer_column.h"
#include "ui/pages/compare/candidates_panel.h"
#include "ui/pages/compare/compare_page.h"
#include "ui/pages/compare/prompt_bar.h"
#include "ui/pages/compare/strip_bar.h"
#include "ui/widgets/plain_label.h"
#include "ui/widgets/token_cursor.h"
#include "ui/workbench.h"

#include <algorithm>

namespace retort {

namespace {

QStringList demo_examples()
{
    return {QStringLiteral("27+15="), QStringLiteral("All wugs are blue. Pip is a wug. So Pip is"), QStringLiteral("x=3;y=x+2;print(y) ->"),
            QStringLiteral("Q: What model are you? A:")};
}

} // namespace

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
    return labels_of(m_workbench.tokenizer(Role::Teacher) ? m_workbench.tokenizer(Role::Teacher) : m_workbench.tokenizer(Role::Student));
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

} // namespace retort
