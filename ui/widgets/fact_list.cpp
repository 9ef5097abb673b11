#include "ui/widgets/fact_list.h"

#include "ui/widgets/plain_label.h"

namespace retort {

FactList::FactList(QWidget* parent) : QFormLayout(parent)
{
    setHorizontalSpacing(space::l);
    setVerticalSpacing(6);
    setLabelAlignment(Qt::AlignLeft);
}

void FactList::add(const QString& name, const QString& value)
{
    if (!value.isEmpty()) {
        addRow(plain_label(name, Type::Body, "muted"), new ElidedLabel(value));
    }
}

void FactList::clear()
{
    while (rowCount() > 0) {
        removeRow(0);
    }
}

} // namespace retort
