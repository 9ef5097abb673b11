#include "ui/plot/loss_plot.h"

#include "ui/plot/plot_cursor.h"
#include "ui/plot/plot_style.h"
#include "ui/plot/qcp.h"
#include "ui/theme/theme.h"

#include <QEvent>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>
#include <limits>

namespace retort {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kLeastLogarithmic = 1e-5;
constexpr int kLeastHeight = 240; // px: below it a curve says nothing
constexpr int kKeyWidth = 165;    // px that a name in the legend takes

/// A value QCustomPlot can bear: one infinity, or a zero on a logarithmic axis, would freeze its axes without a word.
double drawable(double value, bool logarithmic)
{
    if (!std::isfinite(value) || std::abs(value) > 1e100 || (logarithmic && value < kLeastLogarithmic)) {
        return kNone;
    }
    return value;
}

/// How far the axis goes: a few points are no line at the left edge of thousands of steps, so it doubles as they come, up to all of them.
double shown_steps(double last, double total)
{
    constexpr double kFirst = 25;
    if (last <= 0 || last >= total) {
        return std::max(last, total);
    }
    double end = kFirst;
    while (end < last) {
        end *= 2;
    }
    return std::min(end, total);
}

} // namespace

void LossPlot::Curve::clear()
{
    raw->data()->clear();
    smooth->data()->clear();
    average = weight = 0;
}

LossPlot::LossPlot(QWidget* parent) : QWidget(parent), m_plot(new QCustomPlot)
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_plot);
    setMinimumHeight(kLeastHeight);
    setAccessibleName(tr("Loss curve"));
    m_plot->setAccessibleName(tr("Loss curve"));
    m_plot->setFocusPolicy(Qt::StrongFocus);
    m_plot->setObjectName(QStringLiteral("loss_plot"));
    build();
    applyTheme();
    reset(600);
}

LossPlot::~LossPlot() = default;

void LossPlot::build()
{
    m_plot->setNoAntialiasingOnDrag(true);
    const auto curve = [this](const QString& name) {
        Curve made;
        made.raw = m_plot->addGraph();
        made.raw->removeFromLegend();
        made.smooth = m_plot->addGraph();
        made.smooth->setName(name);
        return made;
    };
    m_cross_entropy = curve(tr("cross-entropy"));
    m_divergence = curve(tr("T² · divergence"));
    m_total = curve(tr("loss"));
    m_evaluation = m_plot->addGraph();
    m_evaluation->setName(tr("held-out cross-entropy"));
    m_evaluation->setLineStyle(QCPGraph::lsNone);
    m_broken = m_plot->addGraph();
    m_broken->setLineStyle(QCPGraph::lsNone);
    m_broken->removeFromLegend();

    m_floor = new QCPItemStraightLine(m_plot);
    m_floor_key = m_plot->addGraph(); // a graph without points: the line's name in the legend
    m_floor_key->removeFromLegend();

    m_cursor = std::make_unique<PlotCursor>(*m_plot);

    m_plot->legend->setVisible(true);
    m_plot->legend->setRowSpacing(0);
    putLegendBelow();
    m_plot->xAxis->setLabel(tr("step"));
    m_plot->yAxis->setLabel(tr("nats per token"));
    m_plot->installEventFilter(this);
    m_plot->setContextMenuPolicy(Qt::CustomContextMenu);
    connect(m_plot, &QCustomPlot::customContextMenuRequested, this, &LossPlot::contextMenu);
}

/// Beside the curves there is room for names only in a large window, and over them they hide what they name.
void LossPlot::putLegendBelow()
{
    m_plot->axisRect()->insetLayout()->take(m_plot->legend);
    auto* row = new QCPLayoutGrid;
    m_plot->plotLayout()->addElement(1, 0, row);
    m_plot->plotLayout()->setRowStretchFactor(1, 0.001);
    row->addElement(0, 0, m_plot->legend);
    row->addElement(0, 1, new QCPLayoutElement);
    row->setColumnStretchFactor(0, 0.001);
    row->setMargins({});
    m_plot->setMinimumWidth(kKeyWidth); // by itself the plot would ask for the width of all names in one row
}

void LossPlot::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    m_plot->legend->setWrap(std::max(1, width() / kKeyWidth));
    m_plot->legend->setFillOrder(QCPLegend::foColumnsFirst, true); // puts the names that are there into rows of that many
}

void LossPlot::applyTheme()
{
    const Theme& theme = Theme::of(palette());
    style_plot(*m_plot, theme);
    const auto pens = [](Curve& curve, QColor color, Qt::PenStyle style) {
        curve.smooth->setPen(QPen(color, 2, style));
        // Width 2 is hundreds of times slower than width 1 without this hint.
        curve.smooth->setAdaptiveSampling(true);
        color.setAlphaF(0.3F);
        curve.raw->setPen(QPen(color, 1));
    };
    m_plot->setPlottingHint(QCP::phFastPolylines, true);
    pens(m_total, theme.text, Qt::SolidLine);
    pens(m_cross_entropy, theme.third, Qt::DashLine);
    pens(m_divergence, theme.accent, Qt::SolidLine);
    m_evaluation->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssDiamond, QPen(theme.surface, 1), QBrush(theme.student), 10));
    m_broken->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCross, QPen(theme.danger, 2), QBrush(), 9));
    m_floor->setPen(QPen(theme.muted, 1, Qt::DotLine));
    m_floor_key->setPen(m_floor->pen());
    m_cursor->restyle(theme);
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void LossPlot::changeEvent(QEvent* event)
{
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
        applyTheme();
    }
    QWidget::changeEvent(event);
}

void LossPlot::reset(std::int64_t total_steps)
{
    m_metrics.clear();
    m_evaluations.clear();
    m_total_steps = std::max<std::int64_t>(1, total_steps);
    m_entropy_floor = -1;
    refill();
}

void LossPlot::refill()
{
    for (Curve* curve : {&m_total, &m_cross_entropy, &m_divergence}) {
        curve->clear();
    }
    m_evaluation->data()->clear();
    m_broken->data()->clear();
    m_least = std::numeric_limits<double>::infinity();
    m_most = -m_least;
    const std::vector<MetricPoint> metrics = std::exchange(m_metrics, {});
    const std::vector<EvaluationPoint> evaluations = std::exchange(m_evaluations, {});
    append(metrics.data(), metrics.data() + metrics.size());
    append(evaluations.data(), evaluations.data() + evaluations.size());
    finishAppending();
}

void LossPlot::addTo(Curve& curve, double step, double value)
{
    const double shown = drawable(value, m_logarithmic);
    curve.raw->addData(step, shown);
    if (std::isfinite(shown)) {
        curve.average = m_smoothing * curve.average + (1.0 - m_smoothing) * shown;
        curve.weight = m_smoothing * curve.weight + (1.0 - m_smoothing);
        curve.smooth->addData(step, curve.average / curve.weight);
        m_least = std::min(m_least, shown);
        m_most = std::max(m_most, shown);
    }
}

void LossPlot::append(const MetricPoint* first, const MetricPoint* last)
{
    for (const MetricPoint* point = first; point != last; ++point) {
        const auto step = static_cast<double>(point->step + 1);
        addTo(m_cross_entropy, step, point->cross_entropy);
        addTo(m_divergence, step, point->divergence);
        addTo(m_total, step, point->loss);
        if (!std::isfinite(point->loss)) {
            m_broken->addData(step, std::isfinite(m_least) ? m_least : 1.0);
        }
        m_metrics.push_back(*point);
    }
}

void LossPlot::append(const EvaluationPoint* first, const EvaluationPoint* last)
{
    for (const EvaluationPoint* point = first; point != last; ++point) {
        const double shown = drawable(point->cross_entropy, m_logarithmic);
        if (std::isfinite(shown)) {
            m_evaluation->addData(static_cast<double>(point->step), shown);
            m_least = std::min(m_least, shown);
            m_most = std::max(m_most, shown);
        }
        if (point->entropy_floor > 0) {
            m_entropy_floor = point->entropy_floor;
        }
        m_evaluations.push_back(*point);
    }
}

QString LossPlot::figure(double value)
{
    return std::isfinite(value) ? QLocale().toString(value, 'f', 3) : QStringLiteral("–");
}

void LossPlot::finishAppending()
{
    const bool floor = m_entropy_floor > 0;
    m_floor->setVisible(floor);
    floor ? m_floor_key->addToLegend() : m_floor_key->removeFromLegend();
    if (floor) {
        m_floor->point1->setCoords(0, m_entropy_floor);
        m_floor->point2->setCoords(1, m_entropy_floor);
        m_floor_key->setName(tr("entropy floor, %1").arg(figure(m_entropy_floor)));
    }
    if (!m_metrics.empty()) {
        const MetricPoint& last = m_metrics.back();
        m_plot->setAccessibleDescription(tr("Step %1: loss %2, cross-entropy %3, divergence %4. Ctrl+Shift+C copies all points as a table.")
                                             .arg(last.step + 1)
                                             .arg(figure(last.loss), figure(last.cross_entropy), figure(last.divergence)));
    }
    fitAxes();
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void LossPlot::fitAxes()
{
    const double last = m_metrics.empty() ? 0.0 : static_cast<double>(m_metrics.back().step + 1);
    const double end = shown_steps(last, static_cast<double>(m_total_steps));
    m_plot->xAxis->setRange(-0.01 * end, 1.01 * end); // the first and the last mark are drawn whole
    double low = std::isfinite(m_least) ? m_least : 0.0;
    double high = std::isfinite(m_most) ? m_most : 6.0;
    if (m_entropy_floor > 0) {
        low = std::min(low, m_entropy_floor);
    }
    if (m_logarithmic) {
        low = std::max(low, kLeastLogarithmic * 10);
        m_plot->yAxis->setRange(low / 1.25, std::max(high, low * 2) * 1.25);
    } else {
        m_plot->yAxis->setRange(std::min(0.0, low), high + (high - std::min(0.0, low)) * 0.06 + 1e-6);
    }
}

void LossPlot::setLogarithmic(bool logarithmic)
{
    if (logarithmic == m_logarithmic) {
        return;
    }
    m_logarithmic = logarithmic;
    m_plot->yAxis->setScaleType(logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    m_plot->yAxis->setTicker(logarithmic ? QSharedPointer<QCPAxisTicker>(new QCPAxisTickerLog) : QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
    refill();
    Q_EMIT logarithmicChanged(logarithmic);
}

void LossPlot::setSmoothing(double weight)
{
    m_smoothing = std::clamp(weight, 0.0, 0.99);
    refill();
}

} // namespace retort
