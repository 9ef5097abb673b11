#pragma once
#include <QProxyStyle>

namespace retort {

/// Fusion with the few parts that a style sheet cannot draw without image files: check boxes, sliders and the arrow of a button with a menu, in the
/// theme's colours and sharp at every scale. GUI thread.
class FlatStyle : public QProxyStyle {
    Q_OBJECT

public:
    FlatStyle();

    void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const override;
    void drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter, const QWidget* widget) const override;
    [[nodiscard]] int pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const override;
};

} // namespace retort
