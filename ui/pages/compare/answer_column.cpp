#include "ui/pages/compare/answer_column.h"

#include "ui/theme/icons.h"
#include "ui/theme/theme.h"
#include "ui/view_state.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/plain_label.h"
#include "ui/widgets/role_mark.h"
#include "ui/widgets/token_view.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QStackedWidget>
#include <QToolButton>
#include <algorithm>

namespace retort {

AnswerColumn::AnswerColumn(Role role, TokenCursor& cursor, QWidget* parent)
    : Card(parent), m_role(role), m_error(new Notice), m_stack(new QStackedWidget), m_view(new TokenView(cursor))
{
    const bool teacher = role == Role::Teacher;
    const QString name = teacher ? tr("Teacher") : tr("Student");
    setObjectName(teacher ? QStringLiteral("teacherColumn") : QStringLiteral("studentColumn"));
    m_view->setObjectName(teacher ? QStringLiteral("teacherText") : QStringLiteral("studentText"));
    m_view->setAccessibleName(tr("%1's column").arg(name));
    m_nobody = new EmptyState(Glyph::Models, teacher ? tr("No teacher yet. Open a model file, or use the built-in demo.")
                                                     : tr("No student. Open one, or design it from the teacher."));
    connect(m_nobody->addAction(teacher ? tr("Use demo") : tr("Design…"), true), &QPushButton::clicked, this,
            teacher ? &AnswerColumn::demoWanted : &AnswerColumn::modelsWanted);
    if (teacher) {
        connect(m_nobody->addAction(tr("Open…"), false), &QPushButton::clicked, this, &AnswerColumn::modelsWanted);
    }
    m_silent = new EmptyState(Glyph::Compare, tr("Type a prompt, press F5 or Ctrl+Enter. Both models answer the same text."));
    m_stack->addWidget(m_nobody);
    m_stack->addWidget(m_silent);
    m_stack->addWidget(m_view);
    column()->setContentsMargins(space::xs, space::s, space::xs, space::xs);
    column()->setSpacing(space::xs);
    column()->addWidget(buildHead());
    column()->addWidget(m_error);
    column()->addWidget(m_stack, 1);
    m_error->setDismissable(false);
}

QWidget* AnswerColumn::buildHead()
{
    auto* head = new QWidget;
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(space::m - 4, 0, space::xs, 0);
    row->setSpacing(space::s);
    m_name = new ElidedLabel(QString(), Type::Strong, m_role == Role::Teacher ? "teacher" : "student");
    m_recorded = plain_label(QString(), Type::Small, "accent");
    m_recorded->setObjectName(QStringLiteral("recorded"));
    m_recorded->hide();
    m_reads = plain_label(QString(), Type::Small, "muted");
    m_stats = new ElidedLabel(QString(), Type::Small, "muted");
    m_stats->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_stats->setObjectName(QStringLiteral("stats"));
    m_maximise = new QToolButton;
    m_maximise->setObjectName(QStringLiteral("maximise"));
    m_maximise->setIcon(icon_of(Glyph::Maximise));
    m_maximise->setIconSize({14, 14});
    m_maximise->setCheckable(true);
    m_maximise->setToolTip(tr("Only this column; again for both (F9)"));
    m_maximise->setAccessibleName(tr("Maximise this column"));
    connect(m_maximise, &QToolButton::clicked, this, &AnswerColumn::maximiseToggled);
    row->addWidget(new RoleMark(m_role, 12));
    row->addWidget(m_name, 2);
    row->addWidget(m_recorded);
    row->addWidget(m_reads);
    row->addWidget(m_stats, 1);
    row->addWidget(m_maximise);
    return head;
}

void AnswerColumn::showSide(const Exchange& exchange, Role text_of)
{
    const ExchangeSide& side = exchange.side(m_role);
    if (!side.model_name.empty()) {
        showName(to_qt(side.model_name));
    }
    m_reads->setText(text_of == m_role ? QString() : m_role == Role::Teacher ? tr("scores the student's text") : tr("scores the teacher's text"));
    m_reads->setVisible(text_of != m_role);
    showStats(side);
    m_stats->setVisible(text_of == m_role);
    if (side.error) {
        m_error->tell(*side.error);
    } else {
        m_error->dismiss();
    }
    if (exchange.side(text_of).asked && (side.asked || text_of != m_role)) {
        m_stack->setCurrentWidget(m_view);
    }
}

/// The name gives way last: without it the figures beside it mean nothing.
void AnswerColumn::showName(const QString& name)
{
    constexpr int kMost = 120;
    m_name->setText(name);
    m_name->setMinimumWidth(std::min(kMost, m_name->fontMetrics().horizontalAdvance(name) + 2));
}

void AnswerColumn::showRecording(const std::optional<Recording>& recording)
{
    m_recorded->setVisible(recording.has_value());
    if (recording) {
        m_recorded->setText(tr("recorded"));
        m_recorded->setToolTip(tr("%1. F5 asks the models that are loaded now.").arg(recorded_on_what(*recording)));
    }
}

void AnswerColumn::showRole(const RoleState& state, bool asked)
{
    const QString fallback = m_role == Role::Teacher ? tr("Teacher") : tr("Student");
    if (!asked || m_name->text().isEmpty()) {
        showName(state.name().empty() ? fallback : to_qt(state.name()));
    }
    if (!asked) {
        m_stats->setText(QString());
        m_stack->setCurrentWidget(state.phase == RoleState::Phase::Empty ? m_nobody : m_silent);
    }
}

void AnswerColumn::showStats(const ExchangeSide& side)
{
    const Answer& answer = side.answer;
    if (!side.asked) {
        m_stats->setText(QString());
        return;
    }
    QString text = tr("%1 tok").arg(answer.tokens.size());
    if (!side.running && answer.tokens_per_second() > 0) {
        text += tr(" · %1 tok/s").arg(answer.tokens_per_second(), 0, 'f', answer.tokens_per_second() < 10 ? 1 : 0);
    }
    if (!side.running && answer.first_token_seconds > 0 && m_recorded->isHidden()) {
        text += tr(" · first %1 ms").arg(answer.first_token_seconds * 1000, 0, 'f', answer.first_token_seconds < 0.01 ? 1 : 0);
    }
    m_stats->setText(text);
    static const QString ends[] = {tr("It ended by itself."), tr("It was cut off at the limit."), tr("It was stopped."), tr("The context is full.")};
    m_stats->setToolTip(side.running ? QString() : ends[static_cast<std::size_t>(answer.finish)]);
}

void AnswerColumn::setMaximised(bool maximised)
{
    m_maximise->setChecked(maximised);
}

} // namespace retort
