#pragma once
#include <QSize>

class QCustomPlot;
class QPainter;

namespace retort {

struct Theme;

/// Colours, fonts and line weights of a plot in the theme; to be called again when the palette changes. Leaves the curves to their owner.
void style_plot(QCustomPlot& plot, const Theme& theme);

/// The plot as lines at (0, 0), with its legend, for a picture.
void paint_plot(QCustomPlot& plot, QPainter& painter, QSize size);

} // namespace retort
