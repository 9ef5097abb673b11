#pragma once
#include "core/desk/role.h"
#include "ui/theme/theme.h"

#include <QIcon>
#include <QPixmap>

class QPainter;
class QRectF;

namespace retort {

/// The icons, drawn by program: sharp at every scale and in every theme's colours, with no image files or SVG plugin to miss.
enum class Glyph {
    Models,
    Compare,
    Distributions,
    Distil,
    Sessions,
    Swap,
    Close,
    Play,
    Pause,
    Stop,
    Search,
    Maximise,
    Warning,
    ChevronLeft,
    ChevronRight,
    ChevronDown
};

/// Draws `glyph` into the square `area` with lines of `color`.
void paint_glyph(QPainter& painter, const QRectF& area, Glyph glyph, const QColor& color);

/// An icon in one of the theme's colours, whichever theme there is when it is painted; its disabled form is fainter.
[[nodiscard]] QIcon icon_of(Glyph glyph, QColor Theme::*tone = &Theme::muted);

/// The role's sign: a circle for the teacher, a square for the student. Hollow while nobody stands in the role.
void paint_role_mark(QPainter& painter, const QRectF& area, Role role, const QColor& color, bool filled);

/// The program's own mark: a retort, as chemists use to distil.
[[nodiscard]] QIcon program_icon();

} // namespace retort
