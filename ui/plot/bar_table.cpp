#include "ui/plot/bar_table.h"

#include "ui/theme/theme.h"

#include <QClipboard>
#include <QEvent>
#include <QGuiApplication>
#include <QHeaderView>
#include <QKeyEvent>
#include <QPainter>
#include <QStyleOptionViewItem>
#include <algorithm>

namespace retort {

namespace {

int row_height(const QTableView& table)
{
    return table.fontMetrics().height() + 6;
}

} // namespace

BarTable::BarTable(QWidget* parent) : QTableView(parent)
{
    verticalHeader()->hide();
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    verticalHeader()->setDefaultSectionSize(row_height(*this));
    setShowGrid(false);
    setFrameShape(QFrame::NoFrame);
    setSelectionBehavior(QAbstractItemView::SelectRows);
    setSelectionMode(QAbstractItemView::SingleSelection);
    setTabKeyNavigation(false);
    setMouseTracking(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
}

void BarTable::copyTable() const
{
    QGuiApplication::clipboard()->setText(asText(QLatin1Char('\t')));
}

int BarTable::percentWidth() const
{
    return fontMetrics().horizontalAdvance(QStringLiteral("< 0.001 %")) + space::xl;
}

int BarTable::tokenWidth(int column, int most) const
{
    int width = fontMetrics().horizontalAdvance(model()->headerData(column, Qt::Horizontal).toString());
    for (int row = 0; row < model()->rowCount(); ++row) {
        width = std::max(width, fontMetrics().horizontalAdvance(model()->index(row, column).data().toString()));
    }
    return std::min(width + space::xl, most);
}

void BarTable::keyPressEvent(QKeyEvent* event)
{
    if (event->matches(QKeySequence::Copy)) {
        copyTable();
    } else {
        QTableView::keyPressEvent(event);
    }
}

void BarTable::resizeEvent(QResizeEvent* event)
{
    QTableView::resizeEvent(event);
    fitColumns();
}

void BarTable::changeEvent(QEvent* event)
{
    QTableView::changeEvent(event);
    if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) {
        verticalHeader()->setDefaultSectionSize(row_height(*this));
        fitColumns();
    }
}

void paint_cell_ground(QPainter& painter, const QStyleOptionViewItem& option, const Theme& theme)
{
    if (option.state.testFlag(QStyle::State_Selected)) {
        painter.fillRect(option.rect, theme.accent_wash);
    } else if (option.state.testFlag(QStyle::State_MouseOver)) {
        painter.fillRect(option.rect, theme.sunken);
    }
}

} // namespace retort
