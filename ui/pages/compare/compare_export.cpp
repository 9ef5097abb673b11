// What of the page leaves the window: the text token by token, the candidates at the cursor.
#include "ui/pages/compare/candidates_panel.h"
#include "ui/pages/compare/compare_page.h"
#include "ui/pages/compare/strip_bar.h"
#include "ui/plot/candidate_table.h"
#include "ui/widgets/export.h"
#include "ui/widgets/kl_strip.h"
#include "ui/widgets/plain_label.h"
#include "ui/widgets/token_cursor.h"
#include "ui/workbench.h"

#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

namespace retort {

namespace {

QString name_in(const Exchange& exchange, Role role)
{
    return exchange.side(role).asked ? to_qt(exchange.side(role).model_name) : QString();
}

QStringList facts_of(const Exchange& exchange, Role text_of)
{
    return {ComparePage::tr("Teacher: %1").arg(name_in(exchange, Role::Teacher)),
            ComparePage::tr("Student: %1").arg(name_in(exchange, Role::Student)), ComparePage::tr("Prompt: %1").arg(to_qt(exchange.prompt.rendered)),
            text_of == Role::Teacher ? ComparePage::tr("The teacher's answer, read by both") : ComparePage::tr("The student's answer, read by both")};
}

/// A line for each token that both have read.
QList<QStringList> table_of(const Exchange& exchange, Role text_of)
{
    QList<QStringList> lines = {{QStringLiteral("token_number"), QStringLiteral("id"), QStringLiteral("piece"), QStringLiteral("piece_hex"),
                                 QStringLiteral("teacher_probability"), QStringLiteral("student_probability"), QStringLiteral("teacher_rank"),
                                 QStringLiteral("student_rank"), QStringLiteral("kl_nat"), QStringLiteral("reverse_kl_nat"), QStringLiteral("js_nat"),
                                 QStringLiteral("total_variation"), QStringLiteral("same_top"), QStringLiteral("text_of"), QStringLiteral("teacher"),
                                 QStringLiteral("student"), QStringLiteral("prompt")}};
    const ExchangeSide& side = exchange.side(text_of);
    const std::size_t count = side.forced ? std::min(side.forced->positions.size(), side.answer.tokens.size()) : 0;
    for (std::size_t i = 0; i < count; ++i) {
        const ComparedPosition& at = side.forced->positions[i];
        const Divergence& d = at.divergence;
        lines.push_back(QStringList{QString::number(i + 1), QString::number(at.token)}
                        << piece_fields(side.answer.tokens[i].bytes) << exact(std::exp(static_cast<double>(at.teacher_log_probability)))
                        << exact(std::exp(static_cast<double>(at.student_log_probability))) << QString::number(at.teacher_rank + 1)
                        << QString::number(at.student_rank + 1) << exact(d.kl) << exact(d.reverse_kl) << exact(d.js) << exact(d.tv)
                        << QString::number(d.same_top ? 1 : 0) << QLatin1String(name_of(text_of)) << name_in(exchange, Role::Teacher)
                        << name_in(exchange, Role::Student) << to_qt(exchange.prompt.rendered));
    }
    return lines;
}

} // namespace

void ComparePage::offerExports()
{
    offer_export(m_strip->strip(), [this] {
        const Role text_of = textAtCursor();
        Export out{.name = QStringLiteral("kl-per-token"), .title = tr("KL(teacher ‖ student) per token")};
        out.facts = facts_of(m_workbench.exchange(), text_of);
        out.table = table_of(m_workbench.exchange(), text_of);
        out.make_drawing = [values = m_strip->strip().values()]() -> QWidget* {
            auto* drawing = new QWidget;
            auto* column = new QVBoxLayout(drawing);
            auto* strip = new KlStrip(*new TokenCursor(drawing));
            strip->setValues(values);
            strip->setFixedHeight(120);
            column->setContentsMargins(0, 0, 0, 0);
            column->addWidget(strip);
            column->addWidget(plain_label(tr("token 1 to %1, from left to right").arg(values.size()), Type::Small, "muted"));
            return drawing;
        };
        out.explanation =
            tr("How far the student is from the teacher at each token of this text, over the whole vocabulary: 0 where they expect the same. "
               "A click moves the cursor there.");
        return out;
    });
    CandidateTable& table = m_candidates->table();
    offer_export(table, [this, &table] {
        const Role text_of = textAtCursor();
        Export out{.name = QStringLiteral("candidates"),
                   .title = tr("What both models expect at token %1").arg(m_cursor->position().value_or(0) + 1)};
        out.facts = facts_of(m_workbench.exchange(), text_of);
        out.table = table.candidates().table();
        out.make_drawing = [rows = table.candidates().rows()]() -> QWidget* {
            auto* whole = new CandidateTable;
            whole->showRows(rows);
            whole->showWhole();
            return whole;
        };
        out.explanation =
            tr("The ten best of each model, ordered by the mean of both probabilities. “<” stands where a model's ten best end above the piece; "
               "Distributions has the exact figure.");
        return out;
    });
}

} // namespace retort
