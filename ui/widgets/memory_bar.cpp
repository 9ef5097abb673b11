#include "ui/widgets/memory_bar.h"

#include "core/base/text_format.h"
#include "ui/theme/theme.h"
#include "ui/widgets/plain_label.h"

#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <numeric>

namespace retort {

namespace {
constexpr int kBar = 14;
constexpr int kSwatch = 10;
} // namespace

MemoryBar::MemoryBar(QWidget* parent) : QWidget(parent)
{
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setFont(font_of(Type::Small));
}

void MemoryBar::show(std::vector<Part> parts, std::uint64_t available)
{
    m_parts = std::move(parts);
    m_available = available;
    QStringList said;
    for (const Part& part : m_parts) {
        said << part.name + QLatin1Char(' ') + to_qt(format_bytes(part.bytes));
    }
    said << tr("free %1").arg(to_qt(format_bytes(m_available)));
    setAccessibleName(tr("Memory: %1").arg(said.join(QStringLiteral(", "))));
    updateGeometry();
    update();
}

QSize MemoryBar::sizeHint() const
{
    return {320, kBar + space::s + 3 * (fontMetrics().height() + space::xs)}; // the legend may take two lines, what is free one more
}

QSize MemoryBar::minimumSizeHint() const
{
    return {160, sizeHint().height()};
}

QColor MemoryBar::color_of(Ink ink) const
{
    const Theme& theme = Theme::of(palette());
    const auto lighter = [&theme](QColor color) {
        color.setAlphaF(theme.dark ? 0.5F : 0.45F);
        return color;
    };
    switch (ink) {
    case Ink::Teacher:
        return theme.teacher;
    case Ink::TeacherLight:
        return lighter(theme.teacher);
    case Ink::Student:
        return theme.student;
    case Ink::StudentLight:
        return lighter(theme.student);
    case Ink::Training:
        return theme.accent;
    }
    return theme.text;
}

void MemoryBar::paintEvent(QPaintEvent* /*event*/)
{
    const Theme& theme = Theme::of(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const auto needed =
        std::accumulate(m_parts.begin(), m_parts.end(), std::uint64_t{0}, [](std::uint64_t sum, const Part& part) { return sum + part.bytes; });
    // Small models would be a hair on a scale of all memory, so the scale is what shows the parts; what is free is said in words.
    const double scale = needed > 0 ? static_cast<double>(needed > m_available ? needed : std::min<std::uint64_t>(m_available, needed * 2)) : 1.0;

    QPainterPath track;
    track.addRoundedRect(QRectF(0, 0, width(), kBar), 4, 4);
    painter.fillPath(track, theme.dark ? theme.line : theme.sunken);
    painter.setClipPath(track);
    double x = 0;
    for (const Part& part : m_parts) {
        const double w = static_cast<double>(part.bytes) / scale * width();
        painter.fillRect(QRectF(x, 0, std::max(w - 1.0, 1.0), kBar), color_of(part.ink));
        x += w;
    }
    painter.setClipping(false);

    int line = kBar + space::s;
    int left = 0;
    for (const Part& part : m_parts) {
        const QString text = part.name + QLatin1Char(' ') + to_qt(format_bytes(part.bytes));
        if (left > 0 && left + kSwatch + 6 + fontMetrics().horizontalAdvance(text) > width()) {
            left = 0;
            line += fontMetrics().height() + space::xs;
        }
        painter.fillRect(QRectF(left, line + (fontMetrics().height() - kSwatch) / 2.0, kSwatch, kSwatch), color_of(part.ink));
        painter.setPen(theme.muted);
        painter.drawText(left + kSwatch + 6, line + fontMetrics().ascent(), text);
        left += kSwatch + 6 + fontMetrics().horizontalAdvance(text) + space::l;
    }
    const QString free = tr("%1 free").arg(to_qt(format_bytes(m_available)));
    const int free_left = width() - fontMetrics().horizontalAdvance(free);
    if (free_left <= left) {
        line += fontMetrics().height() + space::xs;
    }
    if (m_available > 0) {
        painter.setPen(needed > m_available ? theme.danger : theme.muted);
        painter.drawText(free_left, line + fontMetrics().ascent(), free);
    }
}

} // namespace retort
