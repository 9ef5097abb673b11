#pragma once

class QCustomPlot;

namespace retort {

struct Theme;

/// Colours, fonts and line weights of a plot in the theme; to be called again when the palette changes. Leaves the curves to their owner.
void style_plot(QCustomPlot& plot, const Theme& theme);

} // namespace retort
