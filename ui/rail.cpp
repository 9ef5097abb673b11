#include "ui/rail.h"

#include "ui/theme/theme.h"

#include <QPainter>
#include <QVBoxLayout>
#include <algorithm>

namespace retort {

namespace {
constexpr int kIcon = 22;
}

RailButton::RailButton(Glyph glyph, const QString& text, QWidget* parent) : QAbstractButton(parent), m_glyph(glyph)
{
    setText(text);
    setAccessibleName(text);
    setCheckable(true);
    setAutoExclusive(true);
    setFocusPolicy(Qt::TabFocus); // a click leads into the page, not onto the rail
    setFont(font_of(Type::Small));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

QSize RailButton::sizeHint() const
{
    return {std::max(76, fontMetrics().horizontalAdvance(text()) + space::m), space::s + kIcon + space::xs + fontMetrics().height() + space::s};
}

void RailButton::paintEvent(QPaintEvent* /*event*/)
{
    const Theme& theme = Theme::of(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF ground = QRectF(rect()).adjusted(4, 1, -4, -1);
    if (isChecked() || underMouse()) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(isChecked() ? theme.accent_wash : theme.sunken);
        painter.drawRoundedRect(ground, 8, 8);
    }
    if (hasFocus()) {
        painter.setPen(QPen(theme.accent, 1));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(ground.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8);
    }
    const QColor ink = isChecked() ? theme.accent : theme.muted;
    paint_glyph(painter, QRectF((width() - kIcon) / 2.0, space::s, kIcon, kIcon), m_glyph, ink);
    painter.setPen(ink);
    painter.drawText(QRect(0, space::s + kIcon + space::xs, width(), fontMetrics().height()), Qt::AlignHCenter, text());
}

void RailButton::enterEvent(QEnterEvent* event)
{
    QAbstractButton::enterEvent(event);
    update();
}

void RailButton::leaveEvent(QEvent* event)
{
    QAbstractButton::leaveEvent(event);
    update();
}

Rail::Rail(QWidget* parent) : QWidget(parent), m_column(new QVBoxLayout(this))
{
    setObjectName(QStringLiteral("rail"));
    m_column->setContentsMargins(space::xs, space::s, space::xs, space::s);
    m_column->setSpacing(space::xs);
    m_column->addStretch();
}

void Rail::addPage(PageId page, Glyph glyph, const QString& name, const QString& shortcut)
{
    auto* button = new RailButton(glyph, name);
    button->setObjectName(QStringLiteral("rail_%1").arg(static_cast<int>(page)));
    button->setToolTip(shortcut.isEmpty() ? name : QStringLiteral("%1 (%2)").arg(name, shortcut));
    connect(button, &QAbstractButton::clicked, this, [this, page] { Q_EMIT chosen(page); });
    m_column->insertWidget(static_cast<int>(m_buttons.size()), button);
    m_buttons.emplace_back(page, button);
}

void Rail::choose(PageId page)
{
    const auto found = std::ranges::find(m_buttons, page, &std::pair<PageId, RailButton*>::first);
    if (found != m_buttons.end()) {
        found->second->setChecked(true);
    }
}

void Rail::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    painter.setPen(Theme::of(palette()).line);
    painter.drawLine(width() - 1, 0, width() - 1, height());
}

} // namespace retort
