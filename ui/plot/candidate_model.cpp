#include "ui/plot/candidate_model.h"

#include "ui/widgets/export.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace retort {

namespace {

double round_scale(double largest)
{
    constexpr std::array kSteps = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8};
    const auto* step = std::find_if(kSteps.begin(), kSteps.end(), [largest](double s) { return largest <= s; });
    return step == kSteps.end() ? 1.0 : *step;
}

} // namespace

void CandidateModel::setRows(CandidateRows rows)
{
    beginResetModel();
    m_rows = std::move(rows);
    double largest = 0;
    for (const CandidateRow& row : m_rows.rows) {
        largest = std::max({largest, row.teacher.value_or(0), row.student.value_or(0), row.truth.value_or(0)});
    }
    m_scale = round_scale(largest);
    endResetModel();
}

int CandidateModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.rows.size());
}

int CandidateModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(ColumnCount);
}

std::optional<double> CandidateModel::probability(const CandidateRow& row, int column) const
{
    switch (column) {
    case Teacher:
        return row.teacher;
    case Student:
        return row.student;
    case Truth:
        return row.truth;
    default:
        return std::nullopt;
    }
}

QString CandidateModel::shown(const CandidateRow& row, int column) const
{
    if (column == Token) {
        return row.label;
    }
    if (const auto p = probability(row, column)) {
        return percent(*p);
    }
    const double floor = column == Teacher ? m_rows.teacher_floor : column == Student ? m_rows.student_floor : 0.0;
    return floor > 0 ? below_percent(floor) : QStringLiteral("–");
}

QVariant CandidateModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || index.row() >= rowCount()) {
        return {};
    }
    const CandidateRow& row = m_rows.rows[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
        return shown(row, index.column());
    case Qt::TextAlignmentRole:
        return static_cast<int>(Qt::AlignVCenter | (index.column() == Token ? Qt::AlignHCenter : Qt::AlignRight));
    case Qt::AccessibleTextRole:
        return tr("%1: teacher %2, student %3").arg(row.label, shown(row, Teacher), shown(row, Student));
    case ProbabilityRole:
        if (const auto p = probability(row, index.column())) {
            return *p;
        }
        return {};
    case TruthRole:
        return row.truth ? QVariant(*row.truth) : QVariant();
    case ChosenRole:
        return row.chosen;
    default:
        return {};
    }
}

QVariant CandidateModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation == Qt::Horizontal && role == Qt::ToolTipRole) {
        return tr("The likeliest first: ordered by the mean of both models' probabilities at temperature 1");
    }
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) {
        return QAbstractTableModel::headerData(section, orientation, role);
    }
    switch (section) {
    case Teacher:
        return tr("Teacher");
    case Token:
        return tr("Token");
    case Student:
        return tr("Student");
    case Truth:
        return tr("Truth");
    default:
        return {};
    }
}

QList<QStringList> CandidateModel::table() const
{
    QList<QStringList> lines = {{QStringLiteral("id"), QStringLiteral("piece"), QStringLiteral("piece_hex"), QStringLiteral("teacher_probability"),
                                 QStringLiteral("student_probability"), QStringLiteral("true_probability"), QStringLiteral("share_of_kl_nat"),
                                 QStringLiteral("stands_in_text")}};
    const auto number = [](std::optional<double> p) { return p ? exact(*p) : QString(); };
    for (const CandidateRow& row : m_rows.rows) {
        const bool both = row.teacher && row.student;
        const double share = both && *row.teacher > 0 ? *row.teacher * std::log(*row.teacher / *row.student) : 0.0;
        lines.push_back(QStringList{QString::number(row.id)} << piece_fields(row.bytes) << number(row.teacher) << number(row.student)
                                                             << number(row.truth) << (both ? exact(share) : QString())
                                                             << QString::number(row.chosen ? 1 : 0));
    }
    return lines;
}

} // namespace retort
