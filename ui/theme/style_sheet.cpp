#include "ui/theme/style_sheet.h"

#include <array>
#include <utility>

namespace retort {

namespace {

// @name stands for a colour of the theme.
constexpr const char* kSheet = R"(
QToolTip { color: @tip_text; background: @tip; border: 1px solid @tip; padding: 4px 8px; }
QMainWindow, QDialog { background: @window; }
QFrame[card="true"] { background: @surface; border: 1px solid @line; border-radius: 8px; }
QFrame[well="true"] { background: @sunken; border: none; border-radius: 6px; }
QFrame[hairline="true"] { background: @line; border: none; }

QLabel { background: transparent; }
QLabel[tone="muted"] { color: @muted; }
QLabel[tone="faint"] { color: @faint; }
QLabel[tone="teacher"] { color: @teacher_text; }
QLabel[tone="student"] { color: @student_text; }
QLabel[tone="warning"] { color: @warning; }
QLabel[tone="danger"] { color: @danger; }
QLabel[tone="accent"] { color: @accent; }

QPushButton { background: @button; color: @text; border: 1px solid @line; border-radius: 6px; padding: 5px 14px; min-height: 20px; }
QPushButton:hover { background: @sunken; border-color: @faint; }
QPushButton:pressed { background: @line; }
QPushButton:focus { border: 1px solid @accent; }
QPushButton:disabled { color: @faint; background: transparent; border-color: @line; }
QPushButton:checked { background: @accent_wash; border-color: @accent; color: @accent; }
QPushButton:checked:focus { border: 2px solid @text; padding: 4px 13px; }
QPushButton[kind="primary"] { background: @accent; color: @on_accent; border: 1px solid @accent; font-weight: 600; }
QPushButton[kind="primary"]:hover { background: @accent_hover; }
QPushButton[kind="primary"]:focus { border: 2px solid @text; padding: 4px 13px; }
QPushButton[kind="primary"]:disabled { background: @line; border-color: @line; color: @faint; }
QPushButton[kind="quiet"] { background: transparent; border: 1px solid transparent; color: @muted; padding: 5px 10px; }
QPushButton[kind="quiet"]:hover { background: @sunken; color: @text; }
QPushButton[kind="quiet"]:focus { border: 1px solid @accent; }
QPushButton[kind="quiet"]:disabled { color: @faint; }
QPushButton[kind="quiet"]:checked { background: @accent_wash; border-color: @accent_wash; color: @accent; }
QPushButton[kind="quiet"]:checked:focus { border: 2px solid @text; padding: 4px 9px; }
QPushButton::menu-indicator { subcontrol-origin: padding; subcontrol-position: center right; right: 6px; width: 14px; height: 14px; }
QPushButton[menu="true"] { padding-right: 28px; }
QToolButton { background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 4px; color: @muted; }
QToolButton:hover { background: @sunken; color: @text; }
QToolButton:focus { border: 1px solid @accent; }
QToolButton:checked { background: @accent_wash; color: @accent; }
QToolButton:checked:focus { border: 2px solid @text; padding: 3px; }

QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox { background: @surface; color: @text; border: 1px solid @line; border-radius: 6px;
  padding: 4px 8px; selection-background-color: @accent; selection-color: @on_accent; }
QLineEdit, QSpinBox, QDoubleSpinBox { min-height: 20px; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus { border: 1px solid @accent; }
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled { color: @faint; background: @window; }

QProgressBar { background: @track; border: none; border-radius: 3px; min-height: 6px; max-height: 6px; }
QProgressBar::chunk { background: @accent; border-radius: 3px; }

QTableView, QListView, QTreeView { background: @surface; alternate-background-color: @sunken; border: none; outline: none; gridline-color: @line; }
QTableView::item, QListView::item { padding: 6px 8px; border: none; }
QTableView QLineEdit { border-radius: 4px; padding: 0 6px; min-height: 0; }
QTableView::item:hover, QListView::item:hover { background: @sunken; }
QTableView::item:selected, QListView::item:selected { background: @accent_wash; color: @text; }
QComboBox QAbstractItemView { border: 1px solid @line; padding: 4px; }
QComboBox QAbstractItemView::item { border-radius: 4px; }
QHeaderView { background: @surface; }
QHeaderView::section { background: @surface; color: @muted; border: none; border-bottom: 1px solid @line; padding: 8px 11px; }
retort--BarTable QHeaderView::section { padding: 5px 11px; }

QScrollArea { background: transparent; border: none; }
QScrollArea > QWidget > QWidget[page="true"] { background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: @scroll; border-radius: 4px; margin: 1px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: @faint; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QMenuBar { background: @window; border-bottom: 1px solid @line; padding: 2px 8px; }
QMenuBar::item { background: transparent; padding: 5px 10px; border-radius: 4px; color: @text; }
QMenuBar::item:selected { background: @accent_wash; }
QMenu { background: @surface; border: 1px solid @line; padding: 4px; }
QMenu::item { padding: 6px 28px 6px 24px; border-radius: 4px; color: @text; }
QMenu::item:selected { background: @accent_wash; color: @text; }
QMenu::item:disabled { color: @faint; }
QMenu::separator { height: 1px; background: @line; margin: 4px 8px; }
QStatusBar { background: @window; border-top: 1px solid @line; }
QStatusBar::item { border: none; }
QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: @line; }
QGroupBox { border: 1px solid @line; border-radius: 8px; margin-top: 16px; padding-top: 8px; }
QGroupBox::title { subcontrol-origin: margin; left: 12px; color: @muted; }
)";

} // namespace

QString style_sheet(const Theme& t)
{
    const QColor button = t.dark ? QColor(0x2a, 0x2e, 0x35) : t.surface;
    const QColor tip = t.dark ? QColor(0x2e, 0x32, 0x39) : QColor(0x24, 0x29, 0x31);
    // Longer names before their own beginnings, since replacing goes by text.
    const std::array<std::pair<const char*, QColor>, 22> names = {{
        {"@tip_text", QColor(0xf4, 0xf5, 0xf7)},
        {"@tip", tip},
        {"@window", t.window},
        {"@warning", t.warning},
        {"@surface", t.surface},
        {"@sunken", t.sunken},
        {"@student_text", t.student_text},
        {"@scroll", t.dark ? QColor(0x4a, 0x50, 0x5a) : QColor(0xc3, 0xc9, 0xd2)},
        {"@line", t.line},
        {"@teacher_text", t.teacher_text},
        {"@text", t.text},
        {"@track", t.dark ? QColor(0x33, 0x38, 0x40) : QColor(0xe3, 0xe6, 0xeb)},
        {"@muted", t.muted},
        {"@faint", t.faint},
        {"@accent_wash", t.accent_wash},
        {"@accent_hover", t.dark ? t.accent.lighter(108) : t.accent.darker(112)},
        {"@accent", t.accent},
        {"@on_accent", t.on_accent},
        {"@danger_wash", t.danger_wash},
        {"@danger", t.danger},
        {"@button", button},
        {"@grid", t.grid},
    }};
    QString sheet = QString::fromLatin1(kSheet);
    for (const auto& [name, color] : names) {
        sheet.replace(QLatin1String(name), color.name());
    }
    return sheet;
}

} // namespace retort
