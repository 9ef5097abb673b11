#include "ui/widgets/save_picture.h"

#include "ui/theme/theme.h"

#include <QPainter>
#include <QPdfWriter>
#include <QWidget>

namespace retort {

namespace {

bool save_pdf(QWidget& widget, const QString& path)
{
    QPdfWriter writer(path);
    writer.setPageSize(QPageSize(QSizeF(widget.size()) * 0.75, QPageSize::Point));
    writer.setPageMargins(QMarginsF());
    QPainter painter(&writer);
    if (!painter.isActive()) {
        return false;
    }
    const double scale = writer.width() / static_cast<double>(widget.width());
    painter.scale(scale, scale);
    widget.render(&painter);
    return true;
}

bool save_png(QWidget& widget, const QString& path)
{
    QPixmap picture(widget.size() * 2);
    picture.setDevicePixelRatio(2);
    picture.fill(Theme::of(widget.palette()).window);
    widget.render(&picture);
    return picture.save(path);
}

} // namespace

Result<void> save_picture(QWidget& widget, const QString& path)
{
    const bool saved = path.endsWith(QLatin1String(".pdf"), Qt::CaseInsensitive) ? save_pdf(widget, path) : save_png(widget, path);
    return saved ? Result<void>() : failure(unwritable_picture(path));
}

Error unwritable_picture(const QString& path)
{
    return {Error::Kind::Io, path.toStdString() + ": the picture could not be written here. Choose another folder.", {}};
}

} // namespace retort
