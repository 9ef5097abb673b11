#include "ui/widgets/export_picture.h"

#include "ui/theme/theme.h"
#include "ui/widgets/export.h"
#include "ui/widgets/plain_label.h"

#include <QCoreApplication>
#include <QPainter>
#include <QPdfWriter>
#include <QVBoxLayout>
#include <algorithm>

namespace retort {

namespace {

constexpr int kLeastWidth = 760;

bool save_pdf(QWidget& sheet, const QString& title, const QString& path)
{
    QPdfWriter writer(path);
    writer.setResolution(96); // the sheet's own: a point of type is as large as on the screen
    writer.setTitle(title);
    writer.setPageSize(QPageSize(QSizeF(sheet.size()) * 0.75, QPageSize::Point));
    writer.setPageMargins(QMarginsF());
    QPainter painter(&writer);
    if (!painter.isActive()) {
        return false;
    }
    const double scale = writer.width() / static_cast<double>(sheet.width());
    painter.scale(scale, scale);
    sheet.render(&painter);
    return true;
}

bool save_png(QWidget& sheet, const QString& path)
{
    QPixmap picture(sheet.size() * 2);
    picture.setDevicePixelRatio(2);
    sheet.render(&picture);
    return picture.save(path);
}

} // namespace

PaintedWidget::PaintedWidget(QSize size, std::function<void(QPainter&, QSize)> paint, QWidget* parent)
    : QWidget(parent), m_size(size), m_paint(std::move(paint))
{
    setFixedHeight(size.height());
    setMinimumWidth(size.width());
}

void PaintedWidget::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    m_paint(painter, size());
}

std::unique_ptr<QWidget> picture_sheet(const Export& what)
{
    auto sheet = std::make_unique<QWidget>();
    QPalette ground = sheet->palette();
    ground.setColor(QPalette::Window, Theme::of(ground).surface);
    sheet->setPalette(ground);
    sheet->setAutoFillBackground(true);
    sheet->setAttribute(Qt::WA_DontShowOnScreen);
    auto* column = new QVBoxLayout(sheet.get());
    column->setContentsMargins(space::xl, space::xl, space::xl, space::xl);
    column->setSpacing(space::s);
    QLabel* title = wrapped_label(what.title, Type::Heading);
    title->setObjectName(QStringLiteral("sheetTitle"));
    column->addWidget(title);
    for (const QString& fact : what.facts) {
        QLabel* line = wrapped_label(breakable(fact), Type::Small, "muted");
        line->setObjectName(QStringLiteral("sheetFact"));
        column->addWidget(line);
    }
    column->addSpacing(space::s);
    column->addWidget(what.make_drawing());
    const int width = std::max(kLeastWidth, sheet->minimumSizeHint().width());
    sheet->setFixedWidth(width);
    sheet->show(); // on no screen: styles and layouts come into force
    const auto settle = [] {
        for (int level = 0; level < 4; ++level) { // a part's new size reaches the sheet one widget at a time
            QCoreApplication::sendPostedEvents(nullptr, QEvent::LayoutRequest);
        }
    };
    settle();
    sheet->setFixedHeight(column->hasHeightForWidth() ? column->totalHeightForWidth(width) : column->totalSizeHint().height());
    settle();
    return sheet;
}

Result<void> save_picture(const Export& what, const QString& path)
{
    const auto sheet = picture_sheet(what);
    const bool saved = path.endsWith(QLatin1String(".pdf"), Qt::CaseInsensitive) ? save_pdf(*sheet, what.title, path) : save_png(*sheet, path);
    return saved ? Result<void>() : failure(Error::Kind::Io, path.toStdString() + ": the picture could not be written here. Choose another folder.");
}

} // namespace retort
