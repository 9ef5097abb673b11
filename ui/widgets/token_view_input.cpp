// What keys and mouse do to a text: the cursor, the selection, tool tips.
#include "ui/widgets/token_cursor.h"
#include "ui/widgets/token_view.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QToolTip>
#include <algorithm>
#include <utility>

namespace retort {

void TokenView::moveCursor(std::size_t to, bool select)
{
    takeCursor();
    const std::size_t from = cursorPosition().value_or(to);
    m_following = true;
    if (select) {
        m_selection = Selection{m_selection ? m_selection->anchor : from, to};
    } else {
        m_selection.reset();
    }
    m_cursor.moveTo(to);
    m_following = false;
    viewport()->update();
}

std::optional<std::size_t> TokenView::rowBeside(int direction) const
{
    const auto at = cursorPosition();
    const auto rects = at ? m_layout.rects_of(*at) : std::vector<QRectF>{};
    if (rects.empty()) {
        return tokens().empty() ? std::nullopt : std::optional<std::size_t>(0);
    }
    const QRectF& rect = direction < 0 ? rects.front() : rects.back();
    return m_layout.token_at(QPointF(rect.center().x(), rect.center().y() + direction * m_layout.line_height()));
}

void TokenView::keyPressEvent(QKeyEvent* event)
{
    const bool select = event->modifiers().testFlag(Qt::ShiftModifier);
    const std::size_t last = tokens().empty() ? 0 : tokens().size() - 1;
    const std::size_t at = cursorPosition().value_or(0);
    if (event->matches(QKeySequence::Copy)) {
        copy();
    } else if (event->matches(QKeySequence::SelectAll)) {
        selectAll();
    } else if (tokens().empty()) {
        QAbstractScrollArea::keyPressEvent(event);
    } else if ((event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) && event->modifiers() == Qt::NoModifier) {
        Q_EMIT activated();
    } else if (event->key() == Qt::Key_Left) {
        moveCursor(at == 0 ? 0 : at - 1, select);
    } else if (event->key() == Qt::Key_Right) {
        moveCursor(cursorPosition() ? std::min(at + 1, last) : 0, select);
    } else if (event->key() == Qt::Key_Home) {
        moveCursor(0, select);
    } else if (event->key() == Qt::Key_End) {
        moveCursor(last, select);
    } else if (event->key() == Qt::Key_Up || event->key() == Qt::Key_Down) {
        if (const auto beside = rowBeside(event->key() == Qt::Key_Up ? -1 : 1)) {
            moveCursor(*beside, select);
        }
    } else {
        QAbstractScrollArea::keyPressEvent(event);
    }
}

void TokenView::mousePressEvent(QMouseEvent* event)
{
    const auto token = tokenAt(event->position().toPoint());
    if (event->button() == Qt::LeftButton && token) {
        moveCursor(*token, event->modifiers().testFlag(Qt::ShiftModifier));
    }
}

void TokenView::mouseMoveEvent(QMouseEvent* event)
{
    const auto token = tokenAt(event->position().toPoint());
    if (token != m_hovered) {
        m_hovered = token;
        viewport()->update();
    }
    if (event->buttons().testFlag(Qt::LeftButton) && token && token != cursorPosition()) {
        moveCursor(*token, true);
    }
}

void TokenView::contextMenuEvent(QContextMenuEvent* event)
{
    QMenu menu(this);
    menu.addAction(m_selection ? tr("&Copy selected text") : tr("&Copy text"), this, &TokenView::copy);
    menu.addAction(tr("Select &all"), this, &TokenView::selectAll);
    menu.exec(event->globalPos());
}

void TokenView::takeCursor()
{
    if (!std::exchange(m_has_cursor, true)) {
        Q_EMIT focused();
    }
}

/// Tab only passes by: what is shown of the cursor's place stays until this text is used.
void TokenView::focusInEvent(QFocusEvent* event)
{
    QAbstractScrollArea::focusInEvent(event);
    viewport()->update();
    m_has_cursor = false;
    if (event->reason() != Qt::TabFocusReason && event->reason() != Qt::BacktabFocusReason && event->reason() != Qt::ActiveWindowFocusReason &&
        event->reason() != Qt::PopupFocusReason) {
        takeCursor();
    }
}

void TokenView::focusOutEvent(QFocusEvent* event)
{
    QAbstractScrollArea::focusOutEvent(event);
    viewport()->update();
}

bool TokenView::viewportEvent(QEvent* event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const auto token = tokenAt(help->pos());
        // Escaped, since a tool tip takes text that looks like HTML for HTML.
        QToolTip::showText(help->globalPos(),
                           token ? QStringLiteral("<p style='white-space:pre'>%1</p>").arg(describe(*token).toHtmlEscaped()) : QString(), viewport());
        return true;
    }
    if (event->type() == QEvent::Leave && m_hovered) {
        m_hovered.reset();
        viewport()->update();
    }
    return QAbstractScrollArea::viewportEvent(event);
}

} // namespace retort
