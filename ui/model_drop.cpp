#include "ui/model_drop.h"

#include "ui/theme/icons.h"
#include "ui/theme/theme.h"

#include <QCoreApplication>
#include <QDragEnterEvent>
#include <QMimeData>
#include <QPainter>
#include <QUrl>

namespace retort {

namespace {

/// The one local file or folder of a drag, or nothing.
QString dragged_file(const QMimeData* data)
{
    const QList<QUrl> urls = data->urls();
    return urls.size() == 1 && urls.front().isLocalFile() ? urls.front().toLocalFile() : QString();
}

} // namespace

ModelDrop::ModelDrop(QWidget& window) : QWidget(&window), m_window(window)
{
    setObjectName(QStringLiteral("model_drop"));
    setAcceptDrops(true);
    hide();
    m_window.setAcceptDrops(true);
    QCoreApplication::instance()->installEventFilter(this); // a text field below would take the file's name for itself
}

bool ModelDrop::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::DragEnter && watched != this && isHidden()) {
        const auto* widget = qobject_cast<QWidget*>(watched);
        auto* enters = static_cast<QDragEnterEvent*>(event);
        if (widget != nullptr && widget->window() == &m_window && !dragged_file(enters->mimeData()).isEmpty()) {
            enters->acceptProposedAction();
            setGeometry(m_window.rect());
            mark(roleAt(mapFromGlobal(widget->mapToGlobal(enters->position()))));
            show();
            raise();
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

QRect ModelDrop::half(Role role) const
{
    const QRect room = rect().adjusted(space::xl, space::xxl + space::xxl, -space::xl, -space::xl);
    const int width = (room.width() - space::l) / 2;
    return {role == Role::Teacher ? room.left() : room.right() - width + 1, room.top(), width, room.height()};
}

Role ModelDrop::roleAt(const QPointF& place) const
{
    return place.x() < width() / 2.0 ? Role::Teacher : Role::Student;
}

void ModelDrop::mark(Role role)
{
    m_marked = role;
    update();
}

void ModelDrop::dragEnterEvent(QDragEnterEvent* event)
{
    event->acceptProposedAction();
    mark(roleAt(event->position()));
}

void ModelDrop::dragMoveEvent(QDragMoveEvent* event)
{
    event->acceptProposedAction();
    mark(roleAt(event->position()));
}

void ModelDrop::dragLeaveEvent(QDragLeaveEvent* /*event*/)
{
    hide();
}

void ModelDrop::dropEvent(QDropEvent* event)
{
    hide();
    event->acceptProposedAction();
    Q_EMIT dropped(roleAt(event->position()), dragged_file(event->mimeData()));
}

void ModelDrop::paintEvent(QPaintEvent* /*event*/)
{
    const Theme& theme = Theme::of(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    QColor veil = theme.window;
    veil.setAlphaF(0.85F);
    painter.fillRect(rect(), veil);
    for (const Role role : kRoles) {
        const QRectF area(half(role));
        painter.setPen(QPen(theme.of(role), m_marked == role ? 3 : 1, Qt::DashLine));
        painter.setBrush(m_marked == role ? theme.wash_of(role) : theme.surface);
        painter.drawRoundedRect(area, 12, 12);
        constexpr int kMark = 32;
        paint_role_mark(painter, QRectF(area.center().x() - kMark / 2.0, area.center().y() - kMark - space::s, kMark, kMark), role, theme.of(role),
                        true);
        painter.setPen(theme.text_of(role));
        painter.setFont(font_of(Type::Title));
        painter.drawText(area.adjusted(0, area.height() / 2 + space::s, 0, 0), Qt::AlignHCenter | Qt::AlignTop,
                         role == Role::Teacher ? tr("Open as teacher") : tr("Open as student"));
    }
}

} // namespace retort
