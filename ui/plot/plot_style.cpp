#include "ui/plot/plot_style.h"

#include "ui/plot/qcp.h"
#include "ui/theme/theme.h"

#include <QPicture>

namespace retort {

void style_plot(QCustomPlot& plot, const Theme& theme)
{
    plot.setBackground(theme.surface);
    for (QCPAxisRect* area : plot.axisRects()) {
        for (QCPAxis* axis : area->axes()) {
            axis->setBasePen(QPen(theme.line, 1));
            axis->setTickPen(QPen(theme.line, 1));
            axis->setSubTickPen(QPen(theme.line, 1));
            axis->setTickLabelColor(theme.muted);
            axis->setLabelColor(theme.muted);
            axis->setTickLabelFont(font_of(Type::Small));
            axis->setLabelFont(font_of(Type::Small));
            axis->setTickLengthIn(0);
            axis->setTickLengthOut(4);
            axis->setSubTickLengthIn(0);
            axis->setSubTickLengthOut(2);
            axis->grid()->setPen(QPen(theme.grid, 1));
            axis->grid()->setZeroLinePen(QPen(theme.grid, 1));
            axis->grid()->setSubGridVisible(false);
        }
    }
    if (plot.legend != nullptr) {
        QColor ground = theme.surface;
        ground.setAlphaF(0.85F);
        plot.legend->setBrush(ground);
        plot.legend->setBorderPen(Qt::NoPen);
        plot.legend->setTextColor(theme.text);
        plot.legend->setFont(font_of(Type::Small));
    }
}

void paint_plot(QCustomPlot& plot, QPainter& painter, QSize size)
{
    const bool legend = plot.legend->visible();
    plot.legend->setVisible(true);
    QPicture lines;
    QCPPainter recorder(&lines);
    plot.toPainter(&recorder, size.width(), size.height());
    recorder.end();
    plot.legend->setVisible(legend);
    painter.drawPicture(0, 0, lines);
}

} // namespace retort
