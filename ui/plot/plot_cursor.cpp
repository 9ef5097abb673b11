#include "ui/plot/plot_cursor.h"

#include "ui/plot/qcp.h"
#include "ui/theme/theme.h"

namespace retort {

namespace {

const QString kLayer = QStringLiteral("cursor");

} // namespace

PlotCursor::PlotCursor(QCustomPlot& plot) : m_plot(plot)
{
    m_plot.addLayer(kLayer);
    m_plot.layer(kLayer)->setMode(QCPLayer::lmBuffered);
    m_line = new QCPItemStraightLine(&m_plot);
    m_reading = new QCPItemText(&m_plot);
    for (QCPAbstractItem* item : {static_cast<QCPAbstractItem*>(m_line), static_cast<QCPAbstractItem*>(m_reading)}) {
        item->setLayer(kLayer);
        item->setVisible(false);
    }
    m_reading->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
    m_reading->setTextAlignment(Qt::AlignLeft);
    m_reading->setPadding(QMargins(8, 6, 8, 6));
}

void PlotCursor::restyle(const Theme& theme)
{
    m_line->setPen(QPen(theme.faint, 1));
    m_reading->setColor(theme.text);
    m_reading->setFont(font_of(Type::Small));
    m_reading->setBrush(theme.surface);
    m_reading->setPen(QPen(theme.line));
}

void PlotCursor::show(double x, const QString& reading)
{
    const QCPRange range = m_plot.yAxis->range(); // both ends, since a line through 0 would be lost on a logarithmic axis
    m_line->point1->setCoords(x, range.lower);
    m_line->point2->setCoords(x, range.upper);
    const bool left = x > m_plot.xAxis->range().center();
    m_reading->setPositionAlignment((left ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignTop);
    m_reading->position->setCoords(x, 0.02);
    m_reading->setText(reading);
    m_line->setVisible(true);
    m_reading->setVisible(true);
    redraw();
}

void PlotCursor::hide()
{
    m_line->setVisible(false);
    m_reading->setVisible(false);
    redraw();
}

void PlotCursor::redraw()
{
    m_plot.layer(kLayer)->replot();
}

} // namespace retort
