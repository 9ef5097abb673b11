#include "ui/theme/flat_style.h"

#include "ui/theme/icons.h"
#include "ui/theme/theme.h"

#include <QPainter>
#include <QPushButton>
#include <QStyleFactory>
#include <QStyleOptionComboBox>
#include <QStyleOptionSlider>

namespace retort {

namespace {

constexpr int kCheckBox = 16;
constexpr int kHandle = 14;
constexpr double kGroove = 4;

void draw_check_box(const QStyleOption& option, QPainter& painter)
{
    const Theme& theme = Theme::of(option.palette);
    const bool enabled = option.state.testFlag(QStyle::State_Enabled), on = option.state.testFlag(QStyle::State_On);
    const bool marked = option.state.testFlag(QStyle::State_MouseOver) || option.state.testFlag(QStyle::State_HasFocus);
    const QRectF box = QRectF(option.rect).adjusted(0.5, 0.5, -0.5, -0.5);
    const QColor fill = !enabled ? theme.line : theme.accent;
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(on ? fill : marked ? theme.accent : theme.faint, 1));
    painter.setBrush(on ? fill : theme.surface);
    painter.drawRoundedRect(box, 4, 4);
    if (on) {
        painter.setPen(QPen(enabled ? theme.on_accent : theme.faint, 1.75, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        const auto at = [&box](double x, double y) { return QPointF(box.left() + x * box.width(), box.top() + y * box.height()); };
        painter.drawPolyline(QPolygonF({at(0.24, 0.52), at(0.43, 0.71), at(0.77, 0.31)}));
    }
}

/// A line, filled up to the handle; only the horizontal kind is used.
void draw_slider(const QStyleOptionSlider& option, const QRectF& handle, QPainter& painter)
{
    const Theme& theme = Theme::of(option.palette);
    const bool enabled = option.state.testFlag(QStyle::State_Enabled);
    const QRectF whole = option.rect;
    const QRectF groove(whole.left() + kHandle / 2.0, handle.center().y() - kGroove / 2, whole.width() - kHandle, kGroove);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme.line);
    painter.drawRoundedRect(groove, kGroove / 2, kGroove / 2);
    if (option.tickInterval > 0 && option.tickPosition != QSlider::NoTicks) {
        for (int at = option.minimum; at <= option.maximum; at += option.tickInterval) {
            const int x = QStyle::sliderPositionFromValue(option.minimum, option.maximum, at, static_cast<int>(groove.width()));
            painter.fillRect(QRectF(groove.left() + x - 0.5, groove.bottom() + 6, 1, 4), theme.faint);
        }
    }
    painter.setBrush(enabled ? theme.accent : theme.faint);
    painter.drawRoundedRect(QRectF(groove.topLeft(), QPointF(handle.center().x(), groove.bottom())), kGroove / 2, kGroove / 2);
    const bool marked = option.state.testFlag(QStyle::State_HasFocus) || option.activeSubControls.testFlag(QStyle::SC_SliderHandle);
    if (enabled && marked) {
        painter.setBrush(theme.accent_wash);
        painter.drawEllipse(handle.center(), kHandle / 2.0 + 2, kHandle / 2.0 + 2);
    }
    painter.setPen(QPen(enabled ? theme.accent : theme.faint, 2));
    painter.setBrush(theme.surface);
    painter.drawEllipse(handle.center(), kHandle / 2.0 - 1.5, kHandle / 2.0 - 1.5);
}

constexpr double kChevron = 14;
constexpr int kChevronRoom = 28; // of a choice box, right of its text

void draw_chevron(const QStyleOption& option, const QPointF& middle, QPainter& painter)
{
    const Theme& theme = Theme::of(option.palette);
    paint_glyph(painter, QRectF(middle.x() - kChevron / 2, middle.y() - kChevron / 2, kChevron, kChevron), Glyph::ChevronDown,
                option.state.testFlag(QStyle::State_Enabled) ? theme.muted : theme.faint);
}

/// The frame of a choice box, as the other fields have it.
void draw_choice(const QStyleOption& option, QPainter& painter)
{
    const Theme& theme = Theme::of(option.palette);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(option.state.testFlag(QStyle::State_HasFocus) ? theme.accent : theme.line, 1));
    painter.setBrush(option.state.testFlag(QStyle::State_Enabled) ? theme.surface : theme.window);
    painter.drawRoundedRect(QRectF(option.rect).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
    draw_chevron(option, QPointF(option.rect.right() - 16, QRectF(option.rect).center().y()), painter);
}

void draw_choice_label(const QStyleOptionComboBox& option, QPainter& painter)
{
    const Theme& theme = Theme::of(option.palette);
    QRect inside = option.rect.adjusted(10, 0, -kChevronRoom, 0);
    if (!option.currentIcon.isNull()) {
        const QRect icon(QPoint(inside.left(), inside.center().y() - option.iconSize.height() / 2), option.iconSize);
        option.currentIcon.paint(&painter, icon, Qt::AlignCenter, option.state.testFlag(QStyle::State_Enabled) ? QIcon::Normal : QIcon::Disabled);
        inside.setLeft(icon.right() + space::s);
    }
    painter.setPen(option.state.testFlag(QStyle::State_Enabled) ? theme.text : theme.faint);
    painter.drawText(inside, static_cast<int>(Qt::AlignVCenter | Qt::AlignLeft),
                     option.fontMetrics.elidedText(option.currentText, Qt::ElideRight, inside.width()));
}

/// A thin line around what has the keyboard; buttons and fields show it by their own border.
void draw_focus(const QStyleOption& option, QPainter& painter)
{
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(Theme::of(option.palette).accent, 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(QRectF(option.rect).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
}

} // namespace

FlatStyle::FlatStyle() : QProxyStyle(QStyleFactory::create(QStringLiteral("Fusion"))) {}

void FlatStyle::drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const
{
    if (element != PE_IndicatorCheckBox && element != PE_IndicatorArrowDown && element != PE_FrameFocusRect) {
        QProxyStyle::drawPrimitive(element, option, painter, widget);
        return;
    }
    painter->save();
    if (element == PE_IndicatorCheckBox) {
        draw_check_box(*option, *painter);
    } else if (element == PE_IndicatorArrowDown) {
        draw_chevron(*option, QRectF(option->rect).center(), *painter);
    } else if (qobject_cast<const QPushButton*>(widget) == nullptr) {
        draw_focus(*option, *painter);
    }
    painter->restore();
}

void FlatStyle::drawControl(ControlElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const
{
    const auto* choice = qstyleoption_cast<const QStyleOptionComboBox*>(option);
    if (element != CE_ComboBoxLabel || choice == nullptr || choice->editable) {
        QProxyStyle::drawControl(element, option, painter, widget);
        return;
    }
    painter->save();
    draw_choice_label(*choice, *painter);
    painter->restore();
}

void FlatStyle::drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter, const QWidget* widget) const
{
    const auto* slider = qstyleoption_cast<const QStyleOptionSlider*>(option);
    const auto* choice = qstyleoption_cast<const QStyleOptionComboBox*>(option);
    const bool line = control == CC_Slider && slider != nullptr && slider->orientation == Qt::Horizontal;
    const bool box = control == CC_ComboBox && choice != nullptr && !choice->editable;
    if (!line && !box) {
        QProxyStyle::drawComplexControl(control, option, painter, widget);
        return;
    }
    painter->save();
    if (line) {
        draw_slider(*slider, subControlRect(CC_Slider, slider, SC_SliderHandle, widget), *painter);
    } else {
        draw_choice(*option, *painter);
    }
    painter->restore();
}

int FlatStyle::styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget, QStyleHintReturn* returned) const
{
    switch (hint) {
    case SH_ComboBox_Popup: // its choices drop below it: over it, the list would be a menu with room for ticks
    case SH_DialogButtonBox_ButtonsHaveIcons:
        return 0;
    default:
        return QProxyStyle::styleHint(hint, option, widget, returned);
    }
}

int FlatStyle::pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const
{
    switch (metric) {
    case PM_IndicatorWidth:
    case PM_IndicatorHeight:
        return kCheckBox;
    case PM_SliderLength:
    case PM_SliderThickness:
    case PM_SliderControlThickness:
        return kHandle + 4;
    default:
        return QProxyStyle::pixelMetric(metric, option, widget);
    }
}

} // namespace retort
