#include "ui/widgets/choice_box.h"

#include "ui/theme/theme.h"

#include <QAbstractItemView>
#include <QStyledItemDelegate>

namespace retort {

ChoiceBox::ChoiceBox(QWidget* parent) : QComboBox(parent)
{
    setCursor(Qt::ArrowCursor);
    setItemDelegate(new QStyledItemDelegate(this)); // the one that the style sheet reaches
}

/// The list may be wider than the box, so that no line is cut.
void ChoiceBox::showPopup()
{
    const QMargins inside = view()->contentsMargins();
    view()->setMinimumWidth(view()->sizeHintForColumn(0) + inside.left() + inside.right());
    QComboBox::showPopup();
}

QSize ChoiceBox::sizeHint() const
{
    return {QComboBox::sizeHint().width() + space::m, fontMetrics().height() + 14};
}

QSize ChoiceBox::minimumSizeHint() const
{
    return {fontMetrics().averageCharWidth() * 8 + space::xxl, sizeHint().height()};
}

} // namespace retort
