#pragma once
#include "ui/plot/candidate_rows.h"
#include "ui/widgets/figure_text.h"

#include <QAbstractTableModel>
#include <QStringList>

namespace retort {

/// The candidates at one position as a table: the same numbers that the bars draw, for reading, sorting out and copying. GUI thread.
class CandidateModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { Teacher, Token, Student, Truth, ColumnCount };
    enum DataRole { ProbabilityRole = Qt::UserRole, TruthRole, ChosenRole };

    using QAbstractTableModel::QAbstractTableModel;

    void setRows(CandidateRows rows);
    [[nodiscard]] const CandidateRows& rows() const { return m_rows; }
    /// What a bar of full length means: the next round number above the largest probability.
    [[nodiscard]] double scale() const { return m_scale; }

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

    /// The rows with all their digits, each piece's bytes and its share of KL(teacher || student); the first line names the columns.
    [[nodiscard]] QList<QStringList> table() const;

private:
    [[nodiscard]] std::optional<double> probability(const CandidateRow& row, int column) const;
    [[nodiscard]] QString shown(const CandidateRow& row, int column) const;

    CandidateRows m_rows;
    double m_scale = 1;
};

} // namespace retort
