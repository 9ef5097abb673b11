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
    m_message = message;
    m_text->setText(breakable(message));
    m_text->setToolTip(QString());
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
    return isHidden() ? QString() : m_message;
}

void Notice::setDismissable(bool dismissable)
{
    m_close->setVisible(dismissable);
}

void Notice::setGaps(int above, int below)
{
    m_above = above;
    m_below = below;
    layout()->setContentsMargins(space::xxl + space::xs, space::s + above, space::s, space::s + below);
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
    const auto of_kind = [this](const QColor& note, const QColor& warning, const QColor& danger) {
        return m_kind == Kind::Note ? note : m_kind == Kind::Warning ? warning : danger;
    };
    const QColor color = of_kind(theme.line, theme.warning, theme.danger);
    const QRect mark(space::m, m_above + space::s + 1, 18, 18);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(color, 1));
    painter.setBrush(of_kind(theme.surface, theme.warning_wash, theme.danger_wash));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5 + m_above, -0.5, -0.5 - m_below), 6, 6);
    if (m_kind == Kind::Note) {
        program_icon().paint(&painter, mark);
    } else {
        paint_glyph(painter, mark, Glyph::Warning, color);
    }
}

} // namespace retort
