#include "ui/widgets/choice_box.h"

#include "ui/theme/icons.h"
#include "ui/theme/theme.h"

#include <QPainter>

namespace retort {

ChoiceBox::ChoiceBox(QWidget* parent) : QComboBox(parent)
{
    setCursor(Qt::ArrowCursor);
}

QSize ChoiceBox::sizeHint() const
{
    return {QComboBox::sizeHint().width() + space::m, fontMetrics().height() + 14};
}

QSize ChoiceBox::minimumSizeHint() const
{
    return {fontMetrics().averageCharWidth() * 8 + space::xxl, sizeHint().height()};
}

void ChoiceBox::paintEvent(QPaintEvent* /*event*/)
{
    const Theme& theme = Theme::of(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(hasFocus() ? theme.accent : theme.line, 1));
    painter.setBrush(isEnabled() ? theme.surface : theme.window);
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
    const QColor ink = isEnabled() ? theme.text : theme.faint;
    const QRect inside = rect().adjusted(10, 0, -28, 0);
    painter.setPen(ink);
    painter.drawText(inside, static_cast<int>(Qt::AlignVCenter | Qt::AlignLeft),
                     fontMetrics().elidedText(currentText(), Qt::ElideRight, inside.width()));
    paint_glyph(painter, QRectF(width() - 24, (height() - 14) / 2.0, 14, 14), Glyph::ChevronDown, isEnabled() ? theme.muted : theme.faint);
}

} // namespace retort
