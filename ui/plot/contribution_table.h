#pragma once
#include "core/inference/distribution.h"
#include "ui/plot/bar_table.h"

#include <QAbstractTableModel>
#include <QStringList>
#include <string>
#include <vector>

namespace retort {

/// One token's share of KL(teacher || student).
struct ContributionRow {
    Contribution contribution;
    QString label;
    std::string bytes{}; ///< the piece as it is
};

/// Shares of the KL as a table: token, amount, both probabilities. GUI thread.
class ContributionModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { Token, Amount, Teacher, Student, ColumnCount };

    using QAbstractTableModel::QAbstractTableModel;

    void setRows(std::vector<ContributionRow> rows);
    [[nodiscard]] const std::vector<ContributionRow>& rows() const { return m_rows; }
    [[nodiscard]] double largest() const { return m_largest; } ///< |amount|

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    [[nodiscard]] QList<QStringList> table() const; ///< the first line names the columns

private:
    std::vector<ContributionRow> m_rows;
    double m_largest = 0;
};

/// Which tokens make up the KL, the largest first: bars to the right add to it, bars to the left take from it. GUI thread.
class ContributionTable : public BarTable {
    Q_OBJECT

public:
    explicit ContributionTable(QWidget* parent = nullptr);
    void showRows(std::vector<ContributionRow> rows);
    [[nodiscard]] const ContributionModel& contributions() const { return m_contributions; }
    /// Room for every column's name and a few rows.
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void fitColumns() override;
    [[nodiscard]] QList<QStringList> table() const override;

private:
    [[nodiscard]] int leastTokenWidth() const;

    ContributionModel m_contributions;
};

} // namespace retort
