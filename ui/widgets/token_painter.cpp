#include "ui/widgets/token_painter.h"

#include "ui/theme/theme.h"

#include <QPainter>
#include <QRegion>
#include <cmath>

namespace retort {

namespace {

/// A token's ground: as high as the line but for a hair to the next one, and a hair short of the next token, so that one sees where each ends.
QRect ground_box(const TokenLayout::Piece& piece)
{
    const int left = static_cast<int>(std::lround(piece.rect.left())), right = static_cast<int>(std::lround(piece.rect.right()));
    return {left, static_cast<int>(piece.rect.top()) + 1, std::max(1, right - left - 1), static_cast<int>(piece.rect.height()) - 2};
}

QColor faded(QColor color, float share)
{
    color.setAlphaF(share);
    return color;
}

} // namespace

TokenPainter::TokenPainter(QPainter& painter, const Theme& theme, const TokenLook& look) : m_painter(painter), m_theme(theme), m_look(look)
{
    m_painter.setRenderHint(QPainter::Antialiasing);
}

std::optional<QColor> TokenPainter::groundOf(std::size_t token) const
{
    if (m_look.selection && token >= m_look.selection->first && token <= m_look.selection->second) {
        return m_theme.accent;
    }
    const auto level = token < m_look.facts.size() ? tint_level(m_look.tint, m_look.facts[token]) : std::nullopt;
    return level ? std::optional(tint_color(m_look.tint, *level, m_theme)) : std::nullopt;
}

QColor TokenPainter::inkOf(std::size_t token) const
{
    const QColor ink = ink_on(groundOf(token).value_or(m_theme.surface));
    return ink == ink_on(m_theme.surface) ? m_theme.text : ink;
}

void TokenPainter::draw(const TokenLayout::Line& line) const
{
    m_painter.setPen(Qt::NoPen);
    for (const TokenLayout::Piece& piece : line.pieces) {
        if (const auto ground = groundOf(piece.token); ground && !piece.blank) {
            m_painter.setBrush(*ground);
            m_painter.drawRoundedRect(ground_box(piece), 3, 3);
        }
    }
    drawWords(line);
    drawSigns(line);
    for (const TokenLayout::Piece& piece : line.pieces) {
        if (!piece.blank) {
            drawMarks(piece);
        }
    }
}

/// The line is drawn once in each ink, each time only where the ground asks for that ink.
void TokenPainter::drawWords(const TokenLayout::Line& line) const
{
    QRegion other_ink;
    for (const TokenLayout::Piece& piece : line.pieces) {
        if (!piece.blank && inkOf(piece.token) != m_theme.text) {
            other_ink += ground_box(piece);
        }
    }
    m_painter.save();
    const QRegion whole(line.rect.toAlignedRect().adjusted(-space::xs, -space::xs, space::xs, space::xs));
    m_painter.setClipRegion(whole - other_ink);
    m_painter.setPen(m_theme.text);
    line.text.draw(&m_painter, line.origin);
    if (!other_ink.isEmpty()) {
        m_painter.setClipRegion(other_ink);
        m_painter.setPen(m_theme.dark ? ink_on(Qt::white) : ink_on(Qt::black));
        line.text.draw(&m_painter, line.origin);
    }
    m_painter.restore();
}

/// Dots for spaces, boxes around bytes that are no text.
void TokenPainter::drawSigns(const TokenLayout::Line& line) const
{
    const auto ink_at = [&](const QPointF& place) {
        for (const TokenLayout::Piece& piece : line.pieces) {
            if (piece.rect.contains(place)) {
                return inkOf(piece.token);
            }
        }
        return m_theme.text;
    };
    if (m_look.shows_spaces) {
        m_painter.setPen(Qt::NoPen);
        for (const QPointF& space : line.spaces) {
            m_painter.setBrush(faded(ink_at(space), 0.45F));
            m_painter.drawEllipse(space, 1.0, 1.0);
        }
    }
    m_painter.setBrush(Qt::NoBrush);
    for (const QRectF& box : line.broken) {
        m_painter.setPen(QPen(faded(ink_at(box.center()), 0.4F), 1));
        m_painter.drawRoundedRect(box.adjusted(0.5, 3.5, -0.5, -3.5), 2, 2);
    }
}

/// The tint once more as an underline's weight, since colour is never the only sign; where the texts part; where the cursor stands.
void TokenPainter::drawMarks(const TokenLayout::Piece& piece) const
{
    const QRectF box(ground_box(piece));
    const auto level = piece.token < m_look.facts.size() ? tint_level(m_look.tint, m_look.facts[piece.token]) : std::nullopt;
    if (const int weight = level ? underline_of(*level) : 0; weight > 0) {
        m_painter.fillRect(QRectF(box.left() + 1, box.bottom() - weight, box.width() - 2, weight), faded(inkOf(piece.token), 0.45F));
    }
    if (m_look.parting == piece.token) {
        m_painter.fillRect(QRectF(box.left() - 2, piece.rect.top(), 2, piece.rect.height()), m_theme.danger);
    }
    const bool here = m_look.cursor == piece.token;
    if (here || m_look.hovered == piece.token) {
        m_painter.setBrush(Qt::NoBrush);
        m_painter.setPen(QPen(here ? m_theme.accent : m_theme.faint, here ? 2 : 1));
        m_painter.drawRoundedRect(box.adjusted(0.5, -1, -0.5, 1), 4, 4); // within its own width: a letter is as narrow as the frame's line
    }
}

} // namespace retort
