#include "ui/widgets/kl_strip.h"

#include "ui/theme/theme.h"
#include "ui/widgets/figure_text.h"
#include "ui/widgets/token_cursor.h"
#include "ui/widgets/token_tint.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>

namespace retort {

namespace {

constexpr int kHeight = 40;
constexpr double kWidestBar = 14;

} // namespace

KlStrip::KlStrip(TokenCursor& cursor, QWidget* parent) : QWidget(parent), m_cursor(cursor)
{
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("KL per token"));
    setMouseTracking(true);
    connect(&m_cursor, &TokenCursor::moved, this, [this] { update(); });
}

void KlStrip::setValues(std::vector<double> values)
{
    m_values = std::move(values);
    for (double& value : m_values) {
        value = std::isfinite(value) ? std::max(value, 0.0) : 0.0;
    }
    const auto largest = std::max_element(m_values.begin(), m_values.end());
    m_top = largest == m_values.end() ? 1.0 : std::max(*largest, 0.1);
    const double sum = [this] {
        double total = 0;
        for (const double value : m_values) {
            total += value;
        }
        return total;
    }();
    setAccessibleDescription(m_values.empty() ? m_hint
                                              : tr("%1 tokens, mean %2 nat, largest %3 nat at token %4")
                                                    .arg(m_values.size())
                                                    .arg(figure(sum / static_cast<double>(m_values.size()), 3))
                                                    .arg(figure(*largest, 3))
                                                    .arg(largest - m_values.begin() + 1));
    update();
}

void KlStrip::setHint(const QString& hint)
{
    m_hint = hint;
    update();
}

void KlStrip::setParting(std::optional<std::size_t> token)
{
    m_parting = token;
    update();
}

QSize KlStrip::sizeHint() const
{
    return {200, kHeight};
}

QRectF KlStrip::chart() const
{
    const double label = QFontMetricsF(font_of(Type::Small)).horizontalAdvance(QStringLiteral("00.00 nat")) + space::s;
    return QRectF(rect()).adjusted(0, 2, -label, -2);
}

QRectF KlStrip::columnOf(std::size_t token) const
{
    const QRectF area = chart();
    const double width = std::min(area.width() / static_cast<double>(std::max<std::size_t>(m_values.size(), 1)), kWidestBar);
    return {area.left() + width * static_cast<double>(token), area.top(), width, area.height()};
}

std::optional<std::size_t> KlStrip::tokenAt(int x) const
{
    if (m_values.empty()) {
        return std::nullopt;
    }
    const double width = columnOf(0).width();
    const double index = std::floor((x - chart().left()) / width);
    return index < 0 ? 0 : std::min(static_cast<std::size_t>(index), m_values.size() - 1);
}

void KlStrip::goTo(int x)
{
    if (const auto token = tokenAt(x)) {
        m_cursor.moveTo(*token);
    }
}

void KlStrip::paintEvent(QPaintEvent* event)
{
    Q_UNUSED(event);
    QPainter painter(this);
    painter.setFont(font_of(Type::Small));
    const Theme& theme = Theme::of(palette());
    const QRectF area = chart();
    painter.fillRect(QRectF(area.left(), area.bottom(), area.width(), 1), theme.line);
    if (m_values.empty()) {
        painter.setPen(theme.muted);
        painter.drawText(area, Qt::AlignVCenter | Qt::AlignLeft, m_hint);
        return;
    }
    paintBars(painter);
    paintScale(painter);
    if (const auto at = m_cursor.position(); at && *at < m_values.size()) {
        const QRectF column = columnOf(*at);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme.accent);
        const double x = column.center().x();
        painter.drawRect(QRectF(x - 1, area.top(), 2, area.height()));
        painter.drawPolygon(QPolygonF({{x - 5, area.top() - 2}, {x + 5, area.top() - 2}, {x, area.top() + 4}}));
    }
    if (hasFocus()) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(theme.accent, 1));
        painter.drawRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5));
    }
}

void KlStrip::paintBars(QPainter& painter) const
{
    const Theme& theme = Theme::of(palette());
    const double width = columnOf(0).width();
    const QRectF area = chart();
    const auto bar = [&](double left, double bar_width, double value) {
        const double height = std::max(1.0, area.height() * value / m_top);
        // From the palest step that still stands off the ground on.
        TokenFacts facts;
        facts.kl = value;
        const double level = 0.25 + 0.75 * tint_level(Tint::Kl, facts).value_or(0);
        painter.fillRect(QRectF(left, area.bottom() - height, bar_width, height), tint_color(Tint::Kl, level, theme));
    };
    if (width >= 1) {
        for (std::size_t i = 0; i < m_values.size(); ++i) {
            bar(columnOf(i).left(), width > 3 ? width - 1 : width, m_values[i]);
        }
    } else {
        const auto count = static_cast<std::size_t>(area.width());
        for (std::size_t column = 0; column < count; ++column) {
            const std::size_t from = column * m_values.size() / count, to = std::max(from + 1, (column + 1) * m_values.size() / count);
            bar(area.left() + static_cast<double>(column), 1,
                *std::max_element(m_values.begin() + static_cast<std::ptrdiff_t>(from), m_values.begin() + static_cast<std::ptrdiff_t>(to)));
        }
    }
    if (m_parting && *m_parting < m_values.size()) {
        painter.setPen(QPen(theme.danger, 1, Qt::DashLine));
        const double x = columnOf(*m_parting).left();
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
    }
}

void KlStrip::paintScale(QPainter& painter) const
{
    const QRectF label(chart().right() + space::xs, 0, width() - chart().right() - space::xs, height());
    painter.setPen(Theme::of(palette()).muted);
    painter.drawText(label, Qt::AlignTop | Qt::AlignRight, tr("%1 nat").arg(m_top, 0, 'f', 2));
    painter.drawText(label, Qt::AlignBottom | Qt::AlignRight, QStringLiteral("0"));
}

void KlStrip::mousePressEvent(QMouseEvent* event)
{
    if (event->button() == Qt::LeftButton) {
        goTo(event->position().toPoint().x());
    }
}

void KlStrip::mouseMoveEvent(QMouseEvent* event)
{
    if (event->buttons().testFlag(Qt::LeftButton)) {
        goTo(event->position().toPoint().x());
    }
}

void KlStrip::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Left:
        m_cursor.step(-1);
        break;
    case Qt::Key_Right:
        m_cursor.step(1);
        break;
    case Qt::Key_Home:
        m_cursor.moveTo(0);
        break;
    case Qt::Key_End:
        m_cursor.moveTo(m_values.empty() ? 0 : m_values.size() - 1);
        break;
    default:
        QWidget::keyPressEvent(event);
    }
}

bool KlStrip::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        if (const auto token = tokenAt(help->pos().x())) {
            QToolTip::showText(help->globalPos(), tr("Token %1: KL %2 nat").arg(*token + 1).arg(figure(m_values[*token], 3)), this);
        }
        return true;
    }
    return QWidget::event(event);
}

} // namespace retort
