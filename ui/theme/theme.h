#pragma once
#include "core/desk/role.h"

#include <QColor>
#include <QFont>
#include <QPalette>
#include <QString>

class QApplication;

namespace retort {

/// The colours of the window, light or dark. Teacher and student: interface.md's calculated pair (Okabe-Ito blue and vermillion), far apart under
/// every simulated colour vision; never the only sign, since the teacher is also a circle and solid, the student a square and dashed.
struct Theme {
    bool dark = false;
    QColor window;  ///< behind everything
    QColor surface; ///< cards, plots, editors
    QColor sunken;  ///< wells inside cards
    QColor line;    ///< hairlines
    QColor text;
    QColor muted;  ///< second voice, 4.5:1 at least
    QColor faint;  ///< disabled text, grid labels
    QColor accent; ///< the one accent: selection, focus, the button that matters
    QColor on_accent;
    QColor accent_wash;                ///< accent as a background behind text
    QColor teacher, student;           ///< marks, curves, fills
    QColor teacher_text, student_text; ///< the same for small text
    QColor teacher_wash, student_wash;
    QColor third; ///< a third curve (green, #009E73)
    QColor warning, warning_wash;
    QColor danger, danger_wash;
    QColor grid;

    [[nodiscard]] QColor of(Role role) const { return role == Role::Teacher ? teacher : student; }
    [[nodiscard]] QColor text_of(Role role) const { return role == Role::Teacher ? teacher_text : student_text; }
    [[nodiscard]] QColor wash_of(Role role) const { return role == Role::Teacher ? teacher_wash : student_wash; }

    [[nodiscard]] static const Theme& light();
    [[nodiscard]] static const Theme& dark_one();
    /// The theme that belongs to a widget's palette: paint with Theme::of(palette()) and a change of theme needs no further wiring.
    [[nodiscard]] static const Theme& of(const QPalette& palette);
};

enum class Scheme { System, Light, Dark };

/// Style, palette and style sheet for the whole program; callable again to switch.
void apply_theme(QApplication& application, Scheme scheme);

/// Type sizes, relative to the application's font so that a person's larger font enlarges everything.
enum class Type { Small, Body, Strong, Heading, Title, Figure };
[[nodiscard]] QFont font_of(Type type);
/// A fixed-width font of the body's size, for text and tokens.
[[nodiscard]] QFont fixed_font();

/// The grid: everything keeps multiples of 4 px.
namespace space {
inline constexpr int xs = 4, s = 8, m = 12, l = 16, xl = 24, xxl = 32;
}

} // namespace retort
