#include "ui/theme/theme.h"

#include "ui/theme/flat_style.h"
#include "ui/theme/style_sheet.h"

#include <QApplication>
#include <QFontDatabase>
#include <mutex>

namespace retort {

namespace {

Theme make_light()
{
    Theme t;
    t.window = QColor(0xf5, 0xf6, 0xf8);
    t.surface = QColor(0xff, 0xff, 0xff);
    t.sunken = QColor(0xf0, 0xf2, 0xf5);
    t.line = QColor(0xd9, 0xdd, 0xe3);
    t.text = QColor(0x1a, 0x1e, 0x25);
    t.muted = QColor(0x59, 0x63, 0x70);
    t.faint = QColor(0x8b, 0x94, 0xa1);
    t.accent = QColor(0x4f, 0x4b, 0xc4);
    t.on_accent = QColor(0xff, 0xff, 0xff);
    t.accent_wash = QColor(0xea, 0xe9, 0xfa);
    t.teacher = QColor(0x00, 0x72, 0xb2);
    t.student = QColor(0xd5, 0x5e, 0x00);
    t.teacher_text = QColor(0x00, 0x66, 0xa1);
    t.student_text = QColor(0xb3, 0x4f, 0x00);
    t.teacher_wash = QColor(0xe3, 0xf1, 0xf9);
    t.student_wash = QColor(0xfc, 0xee, 0xe2);
    t.third = QColor(0x00, 0x9e, 0x73);
    t.warning = QColor(0x8a, 0x5a, 0x00);
    t.warning_wash = QColor(0xfd, 0xf3, 0xdc);
    t.danger = QColor(0xb4, 0x23, 0x18);
    t.danger_wash = QColor(0xfd, 0xec, 0xea);
    t.grid = QColor(0xe8, 0xeb, 0xef);
    return t;
}

Theme make_dark()
{
    Theme t;
    t.dark = true;
    t.window = QColor(0x16, 0x18, 0x1c);
    t.surface = QColor(0x1f, 0x22, 0x27);
    t.sunken = QColor(0x19, 0x1c, 0x20);
    t.line = QColor(0x36, 0x3b, 0x43);
    t.text = QColor(0xe8, 0xea, 0xee);
    t.muted = QColor(0xa6, 0xae, 0xba);
    t.faint = QColor(0x75, 0x7e, 0x8b);
    t.accent = QColor(0xa0, 0x9b, 0xff);
    t.on_accent = QColor(0x17, 0x15, 0x33);
    t.accent_wash = QColor(0x2e, 0x2c, 0x4d);
    t.teacher = QColor(0x56, 0xb4, 0xe9);
    t.student = QColor(0xd5, 0x5e, 0x00);
    t.teacher_text = QColor(0x7c, 0xc6, 0xf0);
    t.student_text = QColor(0xff, 0x8a, 0x3d);
    t.teacher_wash = QColor(0x1b, 0x30, 0x3d);
    t.student_wash = QColor(0x3a, 0x26, 0x17);
    t.third = QColor(0x2b, 0xc4, 0x96);
    t.warning = QColor(0xf0, 0xc0, 0x5a);
    t.warning_wash = QColor(0x38, 0x2f, 0x1a);
    t.danger = QColor(0xff, 0x8b, 0x7e);
    t.danger_wash = QColor(0x3e, 0x21, 0x1f);
    t.grid = QColor(0x2b, 0x2f, 0x36);
    return t;
}

QPalette palette_of(const Theme& t)
{
    QPalette p;
    p.setColor(QPalette::Window, t.window);
    p.setColor(QPalette::WindowText, t.text);
    p.setColor(QPalette::Base, t.surface);
    p.setColor(QPalette::AlternateBase, t.sunken);
    p.setColor(QPalette::Text, t.text);
    p.setColor(QPalette::PlaceholderText, t.faint);
    p.setColor(QPalette::Button, t.dark ? QColor(0x2a, 0x2e, 0x35) : t.surface);
    p.setColor(QPalette::ButtonText, t.text);
    p.setColor(QPalette::BrightText, t.danger);
    p.setColor(QPalette::ToolTipBase, t.dark ? QColor(0x2e, 0x32, 0x39) : QColor(0x24, 0x29, 0x31));
    p.setColor(QPalette::ToolTipText, QColor(0xf4, 0xf5, 0xf7));
    p.setColor(QPalette::Highlight, t.accent);
    p.setColor(QPalette::HighlightedText, t.on_accent);
    p.setColor(QPalette::Link, t.accent);
    p.setColor(QPalette::LinkVisited, t.accent);
    p.setColor(QPalette::Light, t.surface);
    p.setColor(QPalette::Midlight, t.line);
    p.setColor(QPalette::Mid, t.line);
    p.setColor(QPalette::Dark, t.faint);
    p.setColor(QPalette::Shadow, QColor(0, 0, 0, 80));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
        p.setColor(QPalette::Disabled, role, t.faint);
    }
    p.setColor(QPalette::Disabled, QPalette::Highlight, t.line);
    p.setColor(QPalette::Disabled, QPalette::HighlightedText, t.muted);
    return p;
}

} // namespace

const Theme& Theme::light()
{
    static const Theme theme = make_light();
    return theme;
}

const Theme& Theme::dark_one()
{
    static const Theme theme = make_dark();
    return theme;
}

const Theme& Theme::of(const QPalette& palette)
{
    return palette.color(QPalette::Window).lightness() < 128 ? dark_one() : light();
}

void apply_theme(QApplication& application, Scheme scheme)
{
    // Qt 6.4 has no QStyleHints::colorScheme; what the platform gave us before the first palette of our own is the answer.
    static const bool system_is_dark = application.palette().color(QPalette::Window).lightness() < 128;
    const bool dark = scheme == Scheme::Dark || (scheme == Scheme::System && system_is_dark);
    const Theme& theme = dark ? Theme::dark_one() : Theme::light();
    static std::once_flag styled;
    std::call_once(styled, [] { QApplication::setStyle(new FlatStyle); });
    QApplication::setPalette(palette_of(theme));
    application.setStyleSheet(style_sheet(theme));
}

QFont font_of(Type type)
{
    QFont font = QApplication::font();
    const double base = font.pointSizeF() > 0 ? font.pointSizeF() : 10.0;
    switch (type) {
    case Type::Small:
        font.setPointSizeF(base * 0.9);
        break;
    case Type::Body:
        break;
    case Type::Strong:
        font.setWeight(QFont::DemiBold);
        break;
    case Type::Heading:
        font.setPointSizeF(base * 1.2);
        font.setWeight(QFont::DemiBold);
        break;
    case Type::Title:
        font.setPointSizeF(base * 1.6);
        font.setWeight(QFont::DemiBold);
        break;
    case Type::Figure:
        font.setPointSizeF(base * 2.0);
        font.setWeight(QFont::DemiBold);
        break;
    }
    return font;
}

QFont fixed_font()
{
    QFont font = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    const double base = QApplication::font().pointSizeF();
    font.setPointSizeF(base > 0 ? base : 10.0);
    return font;
}

} // namespace retort
