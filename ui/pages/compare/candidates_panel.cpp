#include "ui/pages/compare/candidates_panel.h"

#include "ui/plot/candidate_table.h"
#include "ui/theme/theme.h"
#include "ui/widgets/figure_text.h"
#include "ui/widgets/plain_label.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QStackedWidget>

namespace retort {

CandidatesPanel::CandidatesPanel(QWidget* parent)
    : Card(parent), m_title(plain_label(QString(), Type::Strong)), m_coverage(wrapped_label(QString(), Type::Small, "muted")),
      m_figures(wrapped_label(QString(), Type::Small, "muted")),
      m_help(
          wrapped_label(tr("Ordered by the mean of both probabilities. Enter or double-click: both go on from that token."), Type::Small, "muted")),
      m_more(new QPushButton(tr("&Distributions"))), m_stack(new QStackedWidget), m_hint(wrapped_label(QString(), Type::Body, "muted")),
      m_table(new CandidateTable)
{
    setObjectName(QStringLiteral("candidates"));
    m_title->setObjectName(QStringLiteral("candidatesTitle"));
    m_table->setObjectName(QStringLiteral("candidatesTable"));
    m_more->setObjectName(QStringLiteral("moreDistributions"));
    m_more->setProperty("kind", QStringLiteral("quiet"));
    m_more->setToolTip(tr("All of both distributions at this token, with a temperature"));
    m_hint->setAlignment(Qt::AlignCenter);
    m_coverage->setObjectName(QStringLiteral("candidatesShown"));
    auto* head = new QHBoxLayout;
    head->setSpacing(space::m);
    head->addWidget(m_title, 1);
    head->addWidget(m_more);
    m_stack->addWidget(m_hint);
    m_stack->addWidget(m_table);
    column()->setContentsMargins(space::m, space::s, space::m, space::s);
    column()->setSpacing(space::xs);
    column()->addLayout(head);
    column()->addWidget(m_figures);
    column()->addWidget(m_stack, 1);
    column()->addWidget(m_coverage);
    column()->addWidget(m_help);
    connect(m_table, &CandidateTable::alternativeChosen, this, &CandidatesPanel::alternativeChosen);
    connect(m_more, &QPushButton::clicked, this, &CandidatesPanel::distributionsWanted);
    showHint(QString());
}

void CandidatesPanel::showHint(const QString& hint)
{
    m_title->setText(tr("At the cursor"));
    m_hint->setText(hint);
    m_stack->setCurrentWidget(m_hint);
    for (QWidget* part : std::initializer_list<QWidget*>{m_coverage, m_figures, m_help, m_more}) {
        part->setVisible(false);
    }
}

void CandidatesPanel::showPosition(TokenPlace place, const ComparedPosition& position, const TokenLabel& label, bool can_continue)
{
    const SoftenedView view = view_of(position, label);
    const bool teacher = place.text_of == Role::Teacher;
    m_title->setText(teacher ? tr("At token %1 of the teacher's text").arg(place.position + 1)
                             : tr("At token %1 of the student's text").arg(place.position + 1));
    m_figures->setText(
        tr("KL(teacher ‖ student) %1 nat · overlap of top 10: %2").arg(figure(position.divergence.kl, 3)).arg(position.divergence.overlap));
    m_coverage->setText(
        tr("Shown: %1 of the teacher, %2 of the student.").arg(percent(view.candidates.teacher_shown), percent(view.candidates.student_shown)));
    m_table->showRows(view.candidates);
    m_stack->setCurrentWidget(m_table);
    m_more->setVisible(true);
    m_can_continue = can_continue;
    fitWords();
}

/// In a low panel the rows come first.
void CandidatesPanel::fitWords()
{
    const bool room = m_stack->currentWidget() == m_table && height() >= 12 * fontMetrics().lineSpacing();
    m_figures->setVisible(room);
    m_coverage->setVisible(room);
    m_help->setVisible(room && m_can_continue);
}

void CandidatesPanel::resizeEvent(QResizeEvent* event)
{
    Card::resizeEvent(event);
    fitWords();
}

/// Ten rows, and bars long enough to be compared.
QSize CandidatesPanel::sizeHint() const
{
    return {fontMetrics().averageCharWidth() * 58, fontMetrics().lineSpacing() * 20};
}

void CandidatesPanel::focusRows()
{
    if (m_stack->currentWidget() == m_table && m_table->candidates().rowCount() > 0) {
        if (!m_table->currentIndex().isValid()) {
            m_table->setCurrentIndex(m_table->candidates().index(0, 0));
        }
        m_table->setFocus(Qt::ShortcutFocusReason);
    }
}

std::optional<TokenId> CandidatesPanel::alternative(int row) const
{
    const auto& rows = m_table->candidates().rows().rows;
    const bool shown = m_stack->currentWidget() == m_table;
    return shown && row >= 0 && row < static_cast<int>(rows.size()) ? std::optional(rows[static_cast<std::size_t>(row)].id) : std::nullopt;
}

} // namespace retort
