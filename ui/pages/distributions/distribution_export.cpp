// What of the distributions leaves the window: as tables, as a picture, in words.
#include "ui/pages/distributions/distribution_view.h"
#include "ui/pages/distributions/readouts.h"
#include "ui/plot/candidate_table.h"
#include "ui/widgets/card.h"
#include "ui/widgets/export_picture.h"
#include "ui/widgets/plain_label.h"

#include <QVBoxLayout>

namespace retort {

namespace {

constexpr QSize kCurve(700, 300);

/// All rows, the curve as lines, the shares and the figures one below the other.
QWidget* drawing_of(const SoftenedView& view)
{
    auto* drawing = new QWidget;
    auto* column = new QVBoxLayout(drawing);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(space::m);
    auto* bars = new CandidateTable;
    bars->showRows(view.candidates);
    bars->showWhole();
    column->addWidget(bars);
    column->addWidget(plain_label(DistributionView::tr("Probability by rank"), Type::Strong));
    auto* curve = new RankCurve(drawing);
    curve->hide();
    curve->showCurves(view.curves);
    column->addWidget(new PaintedWidget(kCurve, [curve](QPainter& painter, QSize size) { curve->paint(painter, size); }));
    if (!view.contributions.empty()) {
        column->addWidget(plain_label(DistributionView::tr("What makes up KL(teacher ‖ student)"), Type::Strong));
        auto* shares = new ContributionTable;
        shares->showRows(view.contributions);
        shares->showWhole();
        column->addWidget(shares);
    }
    auto* figures = new Readouts;
    figures->showFigures(view);
    column->addWidget(figures);
    return drawing;
}

/// The rows, each with what all of them share, so that the file is one table that needs nothing beside it.
QList<QStringList> with_shared(QList<QStringList> rows, const QList<std::pair<QString, QString>>& shared)
{
    for (qsizetype i = 0; i < rows.size(); ++i) {
        for (const auto& [name, value] : shared) {
            rows[i] << (i == 0 ? name : value);
        }
    }
    return rows;
}

} // namespace

QStringList DistributionView::facts() const
{
    QStringList lines;
    if (!m_origin.teacher.isEmpty()) {
        lines << tr("Teacher: %1").arg(m_origin.teacher);
    }
    if (!m_origin.student.isEmpty()) {
        lines << tr("Student: %1").arg(m_origin.student);
    }
    if (m_origin.tokens > 0) {
        lines << tr("Prompt: %1").arg(m_origin.prompt) << tr("Text before: %1").arg(m_origin.context);
        lines << (m_origin.text_of == QLatin1String("teacher") ? tr("Token %1 of %2 in the teacher's text")
                                                               : tr("Token %1 of %2 in the student's text"))
                     .arg(m_origin.token)
                     .arg(m_origin.tokens);
    }
    lines << tr("Temperature T = %1").arg(temperature(), 0, 'g', 4);
    return lines;
}

Export DistributionView::whole() const
{
    QList<std::pair<QString, QString>> shared = {{QStringLiteral("temperature"), exact(temperature())},
                                                 {QStringLiteral("teacher"), m_origin.teacher},
                                                 {QStringLiteral("student"), m_origin.student},
                                                 {QStringLiteral("text_of"), m_origin.text_of},
                                                 {QStringLiteral("token_number"), QString::number(m_origin.token)},
                                                 {QStringLiteral("prompt"), m_origin.prompt},
                                                 {QStringLiteral("context"), m_origin.context}};
    const auto& d = m_view.divergence;
    const auto add = [&](const char* name, std::optional<double> value) {
        shared.push_back({QLatin1String(name), value ? exact(*value) : QString()});
    };
    const auto of = [&](double Divergence::*figure) { return d ? std::optional((*d).*figure) : std::nullopt; };
    add("kl_nat", of(&Divergence::kl));
    add("reverse_kl_nat", of(&Divergence::reverse_kl));
    add("js_nat", of(&Divergence::js));
    add("total_variation", of(&Divergence::tv));
    add("teacher_entropy_nat", of(&Divergence::teacher_entropy));
    add("student_entropy_nat", of(&Divergence::student_entropy));
    add("truth_teacher_kl_nat", m_view.truth_teacher_kl);
    add("truth_student_kl_nat", m_view.truth_student_kl);
    Export out{.name = QStringLiteral("distribution"), .title = tr("What both models expect next")};
    out.facts = facts();
    out.table = with_shared(m_bars->candidates().table(), shared);
    out.make_drawing = [view = m_view] { return drawing_of(view); };
    out.explanation =
        tr("Each row is a piece that may come next: left what the teacher gives it, right the student. The rows are the best of both models, "
           "ordered by the mean of both probabilities at temperature 1, and keep their places when the temperature changes.");
    return out;
}

void DistributionView::offerExports()
{
    offer_export(*m_bars, [this] { return whole(); });
    offer_export(*m_readouts, [this] {
        Export out = whole();
        out.explanation = tr("Point at a figure to see its formula. All are at the temperature of the slider.");
        return out;
    });
    offer_export(*m_rank, [this] {
        Export out{.name = QStringLiteral("rank"), .title = tr("Probability by rank")};
        out.facts = facts();
        out.table = RankCurve::table(m_view.curves);
        out.make_drawing = [curves = m_view.curves]() -> QWidget* {
            auto* curve = new RankCurve;
            curve->hide();
            curve->showCurves(curves);
            auto* drawn = new PaintedWidget(kCurve, [curve](QPainter& painter, QSize size) { curve->paint(painter, size); });
            curve->setParent(drawn);
            return drawn;
        };
        out.explanation =
            tr("All pieces from the most to the least probable, both axes logarithmic. The shaded part is what the teacher knows beyond its "
               "first choice; a student that learns from answers alone never sees it.");
        return out;
    });
    offer_export(*m_contributions, [this] {
        Export out{.name = QStringLiteral("kl-shares"), .title = tr("What makes up KL(teacher ‖ student)")};
        out.facts = facts();
        out.table = m_contributions->contributions().table();
        out.make_drawing = [rows = m_view.contributions]() -> QWidget* {
            auto* shares = new ContributionTable;
            shares->showRows(rows);
            shares->showWhole();
            return shares;
        };
        out.explanation =
            tr("The share of each piece in the divergence, p (ln p − ln q): to the right what adds to it, because the student expects the piece "
               "less than the teacher does, to the left what takes from it. Over the whole vocabulary they sum to the KL.");
        return out;
    });
}

} // namespace retort
