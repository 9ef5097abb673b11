#include "ui/plot/contribution_table.h"

#include "ui/theme/theme.h"
#include "ui/widgets/export.h"
#include "ui/widgets/figure_text.h"

#include <QHeaderView>
#include <QPainter>
#include <QScrollBar>
#include <algorithm>
#include <cmath>

namespace retort {

namespace {

constexpr int kLeastRows = 5;

QString signed_figure(double amount)
{
    const QString size = figure(std::abs(amount), 3);
    const bool zero = size == figure(0, 3);
    return zero ? size : (amount < 0 ? QChar(0x2212) : QLatin1Char('+')) + size;
}

class AmountDelegate : public BarCellDelegate {
public:
    using BarCellDelegate::BarCellDelegate;

protected:
    void paintCell(QPainter& painter, const QStyleOptionViewItem& option, const QModelIndex& index, const Theme& theme) const override
    {
        const auto* model = static_cast<const ContributionModel*>(index.model());
        const double amount = model->rows()[static_cast<std::size_t>(index.row())].contribution.amount;
        const double figure = option.fontMetrics.horizontalAdvance(QStringLiteral("+0.000")) + 12;
        const QRectF cell = QRectF(option.rect).adjusted(figure, 0, -8, 0);
        // Zero stands where both directions fit on one scale, at the left end when nothing is negative.
        const double least = std::min(smallest(*model), 0.0), most = model->largest();
        const double span = most - least;
        const double zero = span > 0 ? cell.left() + cell.width() * -least / span : cell.left();
        const double end = span > 0 ? zero + cell.width() * amount / span : zero;
        paintBar(painter, cell, zero, end, amount < 0 ? theme.faint : theme.accent);
        painter.fillRect(QRectF(zero - 0.5, cell.top(), 1, cell.height()), theme.line);
        painter.setPen(theme.text);
        painter.drawText(QRectF(option.rect.left(), option.rect.top(), figure - 8, option.rect.height()), Qt::AlignVCenter | Qt::AlignRight,
                         index.data().toString());
    }

private:
    static double smallest(const ContributionModel& model)
    {
        double least = 0;
        for (const ContributionRow& row : model.rows()) {
            least = std::min(least, row.contribution.amount);
        }
        return least;
    }
};

} // namespace

void ContributionModel::setRows(std::vector<ContributionRow> rows)
{
    beginResetModel();
    m_rows = std::move(rows);
    m_largest = 0;
    for (const ContributionRow& row : m_rows) {
        m_largest = std::max(m_largest, std::abs(row.contribution.amount));
    }
    endResetModel();
}

int ContributionModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int ContributionModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(ColumnCount);
}

QVariant ContributionModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || index.row() >= rowCount()) {
        return {};
    }
    const ContributionRow& row = m_rows[static_cast<std::size_t>(index.row())];
    if (role == Qt::TextAlignmentRole) {
        return static_cast<int>(Qt::AlignVCenter | (index.column() == Token ? Qt::AlignLeft : Qt::AlignRight));
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    switch (index.column()) {
    case Token:
        return row.label;
    case Amount:
        return signed_figure(row.contribution.amount);
    case Teacher:
        return percent(row.contribution.teacher_probability);
    case Student:
        return percent(row.contribution.student_probability);
    default:
        return {};
    }
}

QVariant ContributionModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation == Qt::Horizontal && role == Qt::TextAlignmentRole) {
        return static_cast<int>(Qt::AlignVCenter | (section == Token ? Qt::AlignLeft : Qt::AlignRight));
    }
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) {
        return QAbstractTableModel::headerData(section, orientation, role);
    }
    switch (section) {
    case Token:
        return tr("Token");
    case Amount:
        return tr("Share, nat");
    case Teacher:
        return tr("Teacher");
    case Student:
        return tr("Student");
    default:
        return {};
    }
}

QList<QStringList> ContributionModel::table() const
{
    QList<QStringList> lines = {{QStringLiteral("id"), QStringLiteral("piece"), QStringLiteral("piece_hex"), QStringLiteral("share_of_kl_nat"),
                                 QStringLiteral("teacher_probability"), QStringLiteral("student_probability")}};
    for (const ContributionRow& row : m_rows) {
        lines.push_back(QStringList{QString::number(row.contribution.id)} << piece_fields(row.bytes) << exact(row.contribution.amount)
                                                                          << exact(row.contribution.teacher_probability)
                                                                          << exact(row.contribution.student_probability));
    }
    return lines;
}

ContributionTable::ContributionTable(QWidget* parent) : BarTable(parent)
{
    setModel(&m_contributions);
    setItemDelegateForColumn(ContributionModel::Amount, new AmountDelegate(this));
    horizontalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    horizontalHeader()->setSectionsClickable(false);
    horizontalHeader()->setHighlightSections(false);
    setAccessibleName(tr("What makes up the KL"));
}

void ContributionTable::showRows(std::vector<ContributionRow> rows)
{
    m_contributions.setRows(std::move(rows));
    fitColumns();
}

QList<QStringList> ContributionTable::table() const
{
    return m_contributions.table();
}

void ContributionTable::fitColumns()
{
    const int amount = horizontalHeader()->sectionSizeHint(ContributionModel::Amount);
    const int left = viewport()->width() - 2 * percentWidth();
    const int token = std::max(leastTokenWidth(), std::min(tokenWidth(ContributionModel::Token, viewport()->width() / 3), left - amount));
    setColumnWidth(ContributionModel::Token, token);
    setColumnWidth(ContributionModel::Teacher, percentWidth());
    setColumnWidth(ContributionModel::Student, percentWidth());
    setColumnWidth(ContributionModel::Amount, std::max(left - token, amount));
}

int ContributionTable::leastTokenWidth() const
{
    return horizontalHeader()->sectionSizeHint(ContributionModel::Token);
}

QSize ContributionTable::minimumSizeHint() const
{
    const QHeaderView& header = *horizontalHeader();
    const int width = leastTokenWidth() + header.sectionSizeHint(ContributionModel::Amount) + 2 * percentWidth();
    return {width + verticalScrollBar()->sizeHint().width(), header.sizeHint().height() + kLeastRows * verticalHeader()->defaultSectionSize()};
}

} // namespace retort
