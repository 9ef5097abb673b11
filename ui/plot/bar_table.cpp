#include "ui/plot/bar_table.h"

#include "ui/theme/theme.h"
#include "ui/widgets/table_text.h"

#include <QClipboard>
#include <QEvent>
#include <QGuiApplication>
#include <QHeaderView>
#include <QKeyEvent>
#include <QPainter>
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
    QGuiApplication::clipboard()->setText(table_text(table(), QLatin1Char('\t')));
}

void BarTable::showWhole()
{
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus);
    m_whole = true;
}

/// By now the style has its say in how high rows are.
void BarTable::showEvent(QShowEvent* event)
{
    QTableView::showEvent(event);
    if (m_whole) {
        setFixedHeight(horizontalHeader()->sizeHint().height() + model()->rowCount() * verticalHeader()->defaultSectionSize() + 2);
    }
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

void BarCellDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    const Theme& theme = Theme::of(option.palette);
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    if (option.state.testFlag(QStyle::State_Selected)) {
        painter->fillRect(option.rect, theme.accent_wash);
    } else if (option.state.testFlag(QStyle::State_MouseOver)) {
        painter->fillRect(option.rect, theme.sunken);
    }
    paintCell(*painter, option, index, theme);
    painter->restore();
}

void BarCellDelegate::paintBar(QPainter& painter, const QRectF& cell, double from, double to, const QColor& color)
{
    const double thickness = std::max(4.0, cell.height() - 8), middle = cell.center().y();
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    painter.drawRoundedRect(QRectF(QPointF(from, middle - thickness / 2), QPointF(to, middle + thickness / 2)).normalized(), 1.5, 1.5);
}

} // namespace retort
