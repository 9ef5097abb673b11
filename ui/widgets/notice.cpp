#include "ui/widgets/notice.h"

#include "ui/theme/icons.h"
#include "ui/widgets/plain_label.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QPushButton>
#include <QToolButton>

namespace retort {

Notice::Notice(QWidget* parent) : QFrame(parent), m_text(wrapped_label({})), m_actions(new QHBoxLayout), m_close(new QToolButton)
{
    setObjectName(QStringLiteral("notice"));
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(space::xxl + space::xs, space::s, space::s, space::s);
    row->setSpacing(space::s);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_text->setFocusPolicy(Qt::NoFocus);
    m_close->setIcon(icon_of(Glyph::Close));
    m_close->setAccessibleName(tr("Dismiss this message"));
    m_close->setToolTip(tr("Dismiss"));
    row->addWidget(m_text, 1);
    row->addLayout(m_actions);
    row->addWidget(m_close, 0, Qt::AlignTop);
    connect(m_close, &QToolButton::clicked, this, &Notice::dismiss);
    hide();
}

void Notice::tell(const QString& message, Kind kind)
{
    clearActions();
    m_kind = kind;
    m_text->setText(message);
    setAccessibleName(message);
    show();
    update();
}

void Notice::tell(const Error& error)
{
    tell(to_qt(error.message), Kind::Danger);
    m_text->setToolTip(error.detail.empty() ? QString() : QStringLiteral("<span>") + to_qt(error.detail).toHtmlEscaped() + QStringLiteral("</span>"));
}

QPushButton* Notice::addAction(const QString& text)
{
    auto* button = new QPushButton(text);
    m_actions->addWidget(button);
    return button;
}

void Notice::dismiss()
{
    if (!isHidden()) {
        hide();
        clearActions();
        Q_EMIT dismissed();
    }
}

QString Notice::message() const
{
    return isHidden() ? QString() : m_text->text();
}

void Notice::setDismissable(bool dismissable)
{
    m_close->setVisible(dismissable);
}

void Notice::clearActions()
{
    while (QLayoutItem* item = m_actions->takeAt(0)) {
        item->widget()->deleteLater();
        delete item;
    }
}

void Notice::paintEvent(QPaintEvent* /*event*/)
{
    const Theme& theme = Theme::of(palette());
    const QColor color = m_kind == Kind::Danger ? theme.danger : theme.warning;
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(color, 1));
    painter.setBrush(m_kind == Kind::Danger ? theme.danger_wash : theme.warning_wash);
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
    paint_glyph(painter, QRectF(space::m, space::s + 1, 18, 18), Glyph::Warning, color);
}

} // namespace retort
