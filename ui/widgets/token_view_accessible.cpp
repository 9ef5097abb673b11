#include "ui/widgets/token_view_accessible.h"

#include "ui/widgets/token_view.h"

#include <QAccessible>
#include <QAccessibleWidget>
#include <algorithm>

namespace retort {

namespace {

class TokenViewInterface : public QAccessibleWidget, public QAccessibleTextInterface {
public:
    explicit TokenViewInterface(TokenView* view) : QAccessibleWidget(view, QAccessible::EditableText) {}

    void* interface_cast(QAccessible::InterfaceType type) override
    {
        if (type == QAccessible::TextInterface) {
            return static_cast<QAccessibleTextInterface*>(this);
        }
        return QAccessibleWidget::interface_cast(type);
    }

    QAccessible::State state() const override
    {
        QAccessible::State state = QAccessibleWidget::state();
        state.readOnly = true;
        state.multiLine = true;
        state.selectableText = true;
        return state;
    }

    QString text(QAccessible::Text which) const override
    {
        if (which == QAccessible::Value) {
            return view().plainText();
        }
        if (which == QAccessible::Description && view().cursorPosition()) {
            return view().describe(*view().cursorPosition());
        }
        return QAccessibleWidget::text(which);
    }

    // QAccessibleTextInterface; offsets are in the plain text.
    void selection(int index, int* start, int* end) const override
    {
        Q_UNUSED(index);
        *start = 0;
        *end = 0;
    }
    int selectionCount() const override { return 0; }
    void addSelection(int start, int end) override
    {
        Q_UNUSED(start);
        Q_UNUSED(end);
    }
    void removeSelection(int index) override { Q_UNUSED(index); }
    void setSelection(int index, int start, int end) override
    {
        Q_UNUSED(index);
        Q_UNUSED(start);
        Q_UNUSED(end);
    }
    int cursorPosition() const override { return view().cursorPosition() ? offset_of(*view().cursorPosition()) : 0; }
    void setCursorPosition(int position) override { Q_UNUSED(position); }
    QString text(int start, int end) const override { return view().plainText().mid(start, end - start); }
    int characterCount() const override { return static_cast<int>(view().plainText().size()); }
    QRect characterRect(int offset) const override
    {
        const QRectF rect = view().tokenRect(token_of(offset));
        return {view().viewport()->mapToGlobal(rect.topLeft().toPoint()), rect.size().toSize()};
    }
    int offsetAtPoint(const QPoint& point) const override
    {
        const auto token = view().tokenAt(view().viewport()->mapFromGlobal(point));
        return token ? offset_of(*token) : -1;
    }
    void scrollToSubstring(int start, int end) override
    {
        Q_UNUSED(end);
        view().ensureVisible(token_of(start));
    }
    QString attributes(int offset, int* start, int* end) const override
    {
        *start = offset;
        *end = offset + 1;
        return {};
    }

    /// UTF-16 units before the token. A character split between tokens counts for the one that completes it.
    int offset_of(std::size_t token) const
    {
        std::string before;
        for (std::size_t i = 0; i < std::min(token, view().tokens().size()); ++i) {
            before += view().tokens()[i].bytes;
        }
        return static_cast<int>(QString::fromUtf8(before.data(), static_cast<qsizetype>(before.size())).size());
    }

private:
    TokenView& view() const { return *static_cast<TokenView*>(widget()); }

    std::size_t token_of(int offset) const
    {
        std::size_t low = 0, high = view().tokens().size();
        while (low + 1 < high) {
            const std::size_t middle = (low + high) / 2;
            (offset_of(middle) <= offset ? low : high) = middle;
        }
        return low;
    }
};

QAccessibleInterface* make_interface(const QString& class_name, QObject* object)
{
    Q_UNUSED(class_name);
    auto* view = qobject_cast<TokenView*>(object);
    return view == nullptr ? nullptr : new TokenViewInterface(view);
}

} // namespace

void install_token_view_accessibility()
{
    static const bool installed = [] {
        QAccessible::installFactory(make_interface);
        return true;
    }();
    Q_UNUSED(installed);
}

void announce_token(TokenView& view, std::size_t token)
{
    if (!QAccessible::isActive()) {
        return;
    }
    const auto* text = dynamic_cast<TokenViewInterface*>(QAccessible::queryAccessibleInterface(&view));
    if (text != nullptr) {
        QAccessibleTextCursorEvent event(&view, text->offset_of(token));
        QAccessible::updateAccessibility(&event);
        QAccessibleEvent described(&view, QAccessible::DescriptionChanged);
        QAccessible::updateAccessibility(&described);
    }
}

} // namespace retort
