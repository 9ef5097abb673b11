#include "ui/widgets/tint_legend.h"

#include "ui/theme/theme.h"

#include <QPainter>
#include <QStringList>

namespace retort {

namespace {

constexpr int kBar = 96;
constexpr int kThick = 8;

/// What a mark at an end of the bar takes beside it.
int half_mark(const QFontMetrics& metrics)
{
    return metrics.horizontalAdvance(QStringLiteral("+100 % ")) / 2;
}

} // namespace

TintLegend::TintLegend(QWidget* parent) : QWidget(parent)
{
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setTint(m_tint);
}

void TintLegend::setTint(Tint tint)
{
    m_tint = tint;
    QStringList marks;
    for (const TintMark& mark : marks_of(tint)) {
        marks << mark.text;
    }
    setAccessibleName(tr("Scale: %1").arg(marks.join(QStringLiteral(", "))));
    setToolTip(explanation_of(tint));
    update();
}

QSize TintLegend::sizeHint() const
{
    const QFontMetrics metrics(font_of(Type::Small));
    return {kBar + 2 * half_mark(metrics), kThick + metrics.height() + 2};
}

void TintLegend::paintEvent(QPaintEvent* /*event*/)
{
    const QList<TintMark> marks = marks_of(m_tint);
    if (marks.isEmpty()) {
        return;
    }
    const Theme& theme = Theme::of(palette());
    QPainter painter(this);
    painter.setFont(font_of(Type::Small));
    const double left = (width() - kBar) / 2.0;
    const double low = marks.front().level, high = marks.back().level;
    for (int x = 0; x < kBar; ++x) {
        painter.fillRect(QRectF(left + x, 0, 1, kThick), tint_color(m_tint, low + (high - low) * x / (kBar - 1), theme));
    }
    painter.setPen(theme.line);
    painter.drawRect(QRectF(left - 0.5, 0.5, kBar, kThick - 1));
    painter.setPen(theme.muted);
    for (const TintMark& mark : marks) {
        const double x = left + kBar * (mark.level - low) / (high - low);
        painter.drawText(QRectF(x - 40, kThick, 80, height() - kThick), Qt::AlignHCenter | Qt::AlignBottom, mark.text);
    }
}

} // namespace retort
