#include "ui/theme/flat_style.h"

#include "ui/theme/icons.h"
#include "ui/theme/theme.h"

#include <QPainter>
#include <QStyleFactory>
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

} // namespace

FlatStyle::FlatStyle() : QProxyStyle(QStyleFactory::create(QStringLiteral("Fusion"))) {}

void FlatStyle::drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const
{
    if (element != PE_IndicatorCheckBox && element != PE_IndicatorArrowDown) {
        QProxyStyle::drawPrimitive(element, option, painter, widget);
        return;
    }
    painter->save();
    if (element == PE_IndicatorCheckBox) {
        draw_check_box(*option, *painter);
    } else {
        const Theme& theme = Theme::of(option->palette);
        const double size = 14;
        const QPointF middle = QRectF(option->rect).center();
        paint_glyph(*painter, QRectF(middle.x() - size / 2, middle.y() - size / 2, size, size), Glyph::ChevronDown,
                    option->state.testFlag(State_Enabled) ? theme.muted : theme.faint);
    }
    painter->restore();
}

void FlatStyle::drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter, const QWidget* widget) const
{
    const auto* slider = qstyleoption_cast<const QStyleOptionSlider*>(option);
    if (control != CC_Slider || slider == nullptr || slider->orientation != Qt::Horizontal) {
        QProxyStyle::drawComplexControl(control, option, painter, widget);
        return;
    }
    painter->save();
    draw_slider(*slider, subControlRect(CC_Slider, slider, SC_SliderHandle, widget), *painter);
    painter->restore();
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
