#include "ui/theme/icons.h"

#include <QGuiApplication>
#include <QIconEngine>
#include <QPainter>
#include <QPainterPath>

namespace retort {

namespace {

// Every glyph is drawn on a grid of 24 x 24.
void draw_page_glyph(QPainter& p, Glyph glyph, const QColor& color)
{
    switch (glyph) {
    case Glyph::Models:
        p.drawEllipse(QRectF(3, 3, 11, 11));
        p.drawRoundedRect(QRectF(11.5, 11.5, 9, 9), 1.5, 1.5);
        break;
    case Glyph::Compare:
        p.drawRoundedRect(QRectF(3, 4, 8, 16), 1.5, 1.5);
        p.drawRoundedRect(QRectF(13.5, 4, 8, 16), 1.5, 1.5);
        for (const double y : {8.5, 12.0, 15.5}) {
            p.drawLine(QPointF(5.5, y), QPointF(y < 15 ? 8.5 : 7, y));
            p.drawLine(QPointF(16, y), QPointF(y < 15 ? 19 : 17.5, y));
        }
        break;
    case Glyph::Distributions:
        p.drawLine(QPointF(12, 3), QPointF(12, 21));
        for (const auto& [y, left, right] : {std::tuple{6.5, 8.0, 5.0}, std::tuple{12.0, 5.0, 8.0}, std::tuple{17.5, 2.5, 3.5}}) {
            p.fillRect(QRectF(10.5 - left, y - 1.75, left, 3.5), color);
            p.drawRect(QRectF(13.75, y - 1.25, right - 0.75, 2.5));
        }
        break;
    case Glyph::Distil: {
        p.drawPolyline(QPolygonF({QPointF(3, 3), QPointF(3, 21), QPointF(21, 21)}));
        QPainterPath curve(QPointF(6, 5));
        curve.cubicTo(QPointF(7.5, 14), QPointF(11, 16.5), QPointF(20, 17));
        p.drawPath(curve);
        break;
    }
    case Glyph::Sessions:
        p.drawRoundedRect(QRectF(3.5, 8, 17, 12.5), 1.5, 1.5);
        p.drawLine(QPointF(5.5, 5.25), QPointF(18.5, 5.25));
        p.drawLine(QPointF(8, 2.75), QPointF(16, 2.75));
        p.drawLine(QPointF(9, 12.5), QPointF(15, 12.5));
        break;
    default:
        break;
    }
}

void draw_action_glyph(QPainter& p, Glyph glyph, const QColor& color)
{
    switch (glyph) {
    case Glyph::Swap:
        p.drawPolyline(QPolygonF({QPointF(16, 4), QPointF(20, 8), QPointF(16, 12)}));
        p.drawLine(QPointF(20, 8), QPointF(5, 8));
        p.drawPolyline(QPolygonF({QPointF(8, 12), QPointF(4, 16), QPointF(8, 20)}));
        p.drawLine(QPointF(4, 16), QPointF(19, 16));
        break;
    case Glyph::Close:
        p.drawLine(QPointF(6, 6), QPointF(18, 18));
        p.drawLine(QPointF(18, 6), QPointF(6, 18));
        break;
    case Glyph::Play:
        p.setBrush(color);
        p.drawPolygon(QPolygonF({QPointF(7, 4.5), QPointF(19, 12), QPointF(7, 19.5)}));
        break;
    case Glyph::Pause:
        p.fillRect(QRectF(6.5, 5, 4, 14), color);
        p.fillRect(QRectF(13.5, 5, 4, 14), color);
        break;
    case Glyph::Stop:
        p.setBrush(color);
        p.drawRoundedRect(QRectF(6, 6, 12, 12), 1, 1);
        break;
    case Glyph::Search:
        p.drawEllipse(QRectF(4, 4, 12, 12));
        p.drawLine(QPointF(14.5, 14.5), QPointF(20, 20));
        break;
    case Glyph::Maximise: // a frame's corners, drawn apart
        p.drawPolyline(QPolygonF({QPointF(4.5, 9.5), QPointF(4.5, 4.5), QPointF(9.5, 4.5)}));
        p.drawPolyline(QPolygonF({QPointF(14.5, 4.5), QPointF(19.5, 4.5), QPointF(19.5, 9.5)}));
        p.drawPolyline(QPolygonF({QPointF(19.5, 14.5), QPointF(19.5, 19.5), QPointF(14.5, 19.5)}));
        p.drawPolyline(QPolygonF({QPointF(9.5, 19.5), QPointF(4.5, 19.5), QPointF(4.5, 14.5)}));
        break;
    case Glyph::Warning:
        p.drawPolygon(QPolygonF({QPointF(12, 3.5), QPointF(21.5, 20), QPointF(2.5, 20)}));
        p.drawLine(QPointF(12, 10), QPointF(12, 14.5));
        p.drawPoint(QPointF(12, 17.25));
        break;
    case Glyph::ChevronLeft:
        p.drawPolyline(QPolygonF({QPointF(15, 6), QPointF(9, 12), QPointF(15, 18)}));
        break;
    case Glyph::ChevronRight:
        p.drawPolyline(QPolygonF({QPointF(9, 6), QPointF(15, 12), QPointF(9, 18)}));
        break;
    case Glyph::ChevronDown:
        p.drawPolyline(QPolygonF({QPointF(6, 9), QPointF(12, 15), QPointF(18, 9)}));
        break;
    default:
        draw_page_glyph(p, glyph, color);
        break;
    }
}

/// An icon engine that draws afresh at every size: the pixmap is the painting.
class DrawnEngine : public QIconEngine {
public:
    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override
    {
        QPixmap pixmap(size);
        pixmap.fill(Qt::transparent);
        QPainter painter(&pixmap);
        paint(&painter, QRect(QPoint(), size), mode, state);
        return pixmap;
    }
};

class GlyphEngine : public DrawnEngine {
public:
    GlyphEngine(Glyph glyph, QColor Theme::*tone) : m_glyph(glyph), m_tone(tone) {}

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State state) override
    {
        const QPalette palette = QGuiApplication::palette();
        const Theme& theme = Theme::of(palette);
        QColor color = state == QIcon::On ? theme.accent : theme.*m_tone;
        if (mode == QIcon::Disabled) {
            color.setAlphaF(0.4F);
        }
        paint_glyph(*painter, rect, m_glyph, color);
    }

    [[nodiscard]] QIconEngine* clone() const override { return new GlyphEngine(*this); }

private:
    Glyph m_glyph;
    QColor Theme::*m_tone;
};

class ProgramIconEngine : public DrawnEngine {
public:
    void paint(QPainter* painter, const QRect& rect, QIcon::Mode /*mode*/, QIcon::State /*state*/) override
    {
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->translate(rect.topLeft());
        painter->scale(rect.width() / 64.0, rect.height() / 64.0);
        painter->setPen(Qt::NoPen);
        painter->setBrush(QColor(0x24, 0x22, 0x4a));
        painter->drawRoundedRect(QRectF(2, 2, 60, 60), 13, 13);
        // The flask with its neck bent down, and one drop.
        QPainterPath flask;
        flask.addEllipse(QRectF(10, 22, 30, 30));
        QPainterPath neck(QPointF(18, 25));
        neck.cubicTo(QPointF(24, 9), QPointF(36, 10), QPointF(54, 32));
        neck.lineTo(QPointF(49, 35));
        neck.cubicTo(QPointF(38, 23), QPointF(34, 22), QPointF(33, 28));
        neck.closeSubpath();
        painter->setBrush(QColor(0xf2, 0xf4, 0xfb));
        painter->drawPath(flask.united(neck));
        QPainterPath liquid;
        liquid.addEllipse(QRectF(13, 25, 24, 24));
        QPainterPath half;
        half.addRect(QRectF(10, 37, 30, 16));
        painter->setBrush(Theme::light().teacher);
        painter->drawPath(liquid.intersected(half));
        painter->setBrush(QColor(0xe8, 0x7a, 0x1d));
        painter->drawRoundedRect(QRectF(47, 42, 8, 8), 2, 2);
        painter->restore();
    }

    [[nodiscard]] QIconEngine* clone() const override { return new ProgramIconEngine(*this); }
};

} // namespace

void paint_glyph(QPainter& painter, const QRectF& area, Glyph glyph, const QColor& color)
{
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.translate(area.topLeft());
    painter.scale(area.width() / 24.0, area.height() / 24.0);
    painter.setPen(QPen(color, 1.75, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.setBrush(Qt::NoBrush);
    draw_action_glyph(painter, glyph, color);
    painter.restore();
}

QIcon icon_of(Glyph glyph, QColor Theme::*tone)
{
    return QIcon(new GlyphEngine(glyph, tone));
}

void paint_role_mark(QPainter& painter, const QRectF& area, Role role, const QColor& color, bool filled)
{
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(color, 2));
    painter.setBrush(filled ? QBrush(color) : QBrush(Qt::NoBrush));
    const QRectF inner = area.adjusted(1, 1, -1, -1);
    if (role == Role::Teacher) {
        painter.drawEllipse(inner);
    } else {
        painter.drawRoundedRect(inner.adjusted(0.5, 0.5, -0.5, -0.5), 1.5, 1.5);
    }
    painter.restore();
}

QIcon program_icon()
{
    return QIcon(new ProgramIconEngine);
}

} // namespace retort
