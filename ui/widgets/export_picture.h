#pragma once
#include "core/base/error.h"

#include <QString>
#include <QWidget>
#include <functional>
#include <memory>

class QPainter;

namespace retort {

struct Export;

/// The title, the facts and the drawing of an export on one sheet, as a .pdf of its size or a .png of twice its pixels. GUI thread.
[[nodiscard]] Result<void> save_picture(const Export& what, const QString& path);

/// The sheet as it will be saved, laid out but on no screen.
[[nodiscard]] std::unique_ptr<QWidget> picture_sheet(const Export& what);

/// A part of a drawing that paints itself: a curve goes into a PDF as lines, not as points. GUI thread.
class PaintedWidget : public QWidget {
public:
    PaintedWidget(QSize size, std::function<void(QPainter&, QSize)> paint, QWidget* parent = nullptr);
    [[nodiscard]] QSize sizeHint() const override { return m_size; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QSize m_size;
    std::function<void(QPainter&, QSize)> m_paint;
};

} // namespace retort
