#include "ui/plot/rank_curve.h"

#include "ui/plot/candidate_model.h"
#include "ui/plot/plot_style.h"
#include "ui/plot/qcp.h"
#include "ui/theme/theme.h"
#include "ui/widgets/export.h"

#include <QEvent>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

namespace retort {

namespace {

/// What is below the axis is not drawn: a logarithmic axis has no 0, and one far-off point would squeeze the rest.
constexpr double kLeastProbability = 1e-8;

void fill(QCPGraph& graph, const RankPoints& points, double first_rank)
{
    QVector<double> keys, values;
    for (std::size_t i = 0; i < points.ranks.size(); ++i) {
        const double p = points.probabilities[i];
        if (points.ranks[i] >= first_rank && std::isfinite(p) && p >= kLeastProbability) {
            keys.push_back(points.ranks[i]);
            values.push_back(p);
        }
    }
    graph.setData(keys, values, true);
}

} // namespace

RankCurve::RankCurve(QWidget* parent) : QWidget(parent), m_plot(new QCustomPlot)
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_plot);
    buildPlot();
    restyle();
}

void RankCurve::buildPlot()
{
    m_plot->setObjectName(QStringLiteral("rankPlot"));
    m_plot->setAccessibleName(tr("Probability over rank"));
    m_plot->setMinimumSize(220, 120);
    for (QCPAxis* axis : {m_plot->xAxis, m_plot->yAxis}) {
        axis->setScaleType(QCPAxis::stLogarithmic);
        axis->setTicker(QSharedPointer<QCPAxisTickerLog>(new QCPAxisTickerLog));
        axis->setNumberFormat(QStringLiteral("gb"));
        axis->setNumberPrecision(0);
        axis->setSubTicks(false);
    }
    m_plot->xAxis->setNumberFormat(QStringLiteral("f")); // ranks are counted
    m_plot->yAxis->ticker()->setTickCount(3);            // at most five names of powers of ten: the plot may be low
    m_plot->axisRect()->setMinimumMargins({0, space::s, space::s, 0});
    m_plot->xAxis->setLabel(tr("rank"));
    m_plot->yAxis->setLabel(tr("probability"));
    m_shade = m_plot->addGraph();
    m_truth = m_plot->addGraph();
    m_teacher = m_plot->addGraph();
    m_student = m_plot->addGraph();
    m_shade->setName(tr("dark knowledge"));
    m_truth->setName(tr("truth"));
    m_teacher->setName(tr("teacher"));
    m_student->setName(tr("student"));
}

void RankCurve::restyle()
{
    const Theme& theme = Theme::of(palette());
    style_plot(*m_plot, theme);
    QColor shade = theme.teacher;
    shade.setAlphaF(0.16F);
    m_shade->setPen(Qt::NoPen);
    m_shade->setBrush(shade);
    m_teacher->setPen(QPen(theme.teacher, 1));
    m_teacher->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, theme.teacher, theme.teacher, 5));
    m_student->setPen(QPen(theme.student, 1, Qt::DashLine));
    m_student->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssSquare, theme.student, theme.student, 5));
    m_truth->setPen(QPen(theme.third, 1, Qt::DotLine));
    m_truth->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssDiamond, theme.third, theme.third, 7));
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void RankCurve::showCurves(const Curves& curves)
{
    fill(*m_shade, curves.teacher, 2);
    fill(*m_teacher, curves.teacher, 1);
    fill(*m_student, curves.student, 1);
    fill(*m_truth, curves.truth, 1);
    for (QCPGraph* graph : {m_shade, m_teacher, m_student, m_truth}) {
        const bool any = !graph->data()->isEmpty();
        graph->setVisible(any);
        any ? graph->addToLegend() : graph->removeFromLegend();
    }
    fitAxes(curves);
    m_plot->setAccessibleDescription(
        curves.dark_knowledge
            ? tr("Dark knowledge, shaded: %1 of the teacher's probability lies outside its first choice.").arg(percent(*curves.dark_knowledge))
            : QString());
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void RankCurve::paint(QPainter& painter, QSize size)
{
    paint_plot(*m_plot, painter, size);
}

QList<QStringList> RankCurve::table(const Curves& curves)
{
    QList<QStringList> lines = {{QStringLiteral("whose"), QStringLiteral("rank"), QStringLiteral("probability")}};
    for (const auto& [name, points] :
         {std::pair{"teacher", &curves.teacher}, std::pair{"student", &curves.student}, std::pair{"truth", &curves.truth}}) {
        for (std::size_t i = 0; i < points->ranks.size(); ++i) {
            lines.push_back({QLatin1String(name), exact(points->ranks[i]), exact(points->probabilities[i])});
        }
    }
    return lines;
}

void RankCurve::fitAxes(const Curves& curves)
{
    double last = 10, least = 0.01; // two decades at least: between powers of ten the ticks would be odd numbers
    for (const RankPoints* points : {&curves.teacher, &curves.student, &curves.truth}) {
        for (std::size_t i = 0; i < points->ranks.size(); ++i) {
            if (points->probabilities[i] >= kLeastProbability) {
                last = std::max(last, points->ranks[i]);
                least = std::min(least, points->probabilities[i]);
            }
        }
    }
    m_plot->xAxis->setRange(0.9, last * 1.15);
    m_plot->yAxis->setRange(std::pow(10.0, std::floor(std::log10(least))), 1.3);
}

void RankCurve::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
        restyle();
    }
}

} // namespace retort
