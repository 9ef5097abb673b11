#pragma once
#include <QString>

class QCPItemStraightLine;
class QCPItemText;
class QCustomPlot;

namespace retort {

struct Theme;

/// A line at one x of a plot with a reading beside it. It moves with the mouse, so it lives on a layer with its own buffer: the curves are not drawn
/// again for it. The plot owns what is drawn. GUI thread.
class PlotCursor {
public:
    explicit PlotCursor(QCustomPlot& plot);

    void restyle(const Theme& theme);
    /// Stands at `x`, with `reading` on the side where there is more room.
    void show(double x, const QString& reading);
    void hide();

private:
    void redraw();

    QCustomPlot& m_plot;
    QCPItemStraightLine* m_line;
    QCPItemText* m_reading;
};

} // namespace retort
