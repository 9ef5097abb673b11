#include "ui/pages/sessions/session_list_model.h"

#include "ui/theme/theme.h"
#include "ui/widgets/plain_label.h"

#include <QDateTime>
#include <QLocale>
#include <algorithm>
#include <utility>

namespace retort {

namespace {

QString models_of(const SessionSummary& session)
{
    if (session.teacher.empty() && session.student.empty()) {
        return QStringLiteral("–");
    }
    return QStringLiteral("%1 → %2").arg(session.teacher.empty() ? QStringLiteral("–") : to_qt(session.teacher),
                                         session.student.empty() ? QStringLiteral("–") : to_qt(session.student));
}

QString when(std::int64_t ms)
{
    const QDateTime time = QDateTime::fromMSecsSinceEpoch(ms);
    const QDate today = QDate::currentDate();
    if (time.date() == today) {
        return SessionListModel::tr("today, %1").arg(QLocale().toString(time.time(), QLocale::ShortFormat));
    }
    return QLocale().toString(time.date(), QLocale::ShortFormat);
}

} // namespace

void SessionListModel::show(const std::vector<SessionSummary>& sessions, RowId current)
{
    if (current == m_current && !sessions.empty() && std::ranges::equal(m_sessions, sessions, {}, &SessionSummary::id, &SessionSummary::id)) {
        showNews(sessions);
        return;
    }
    beginResetModel();
    m_sessions = sessions;
    m_current = current;
    endResetModel();
}

/// The same rows. A title that did not change is left alone: somebody may be editing it.
void SessionListModel::showNews(const std::vector<SessionSummary>& sessions)
{
    const std::vector<SessionSummary> before = std::exchange(m_sessions, sessions);
    for (int row = 0; row < rowCount(); ++row) {
        if (before[static_cast<std::size_t>(row)].title != m_sessions[static_cast<std::size_t>(row)].title) {
            Q_EMIT dataChanged(index(row, Title), index(row, Title));
        }
    }
    Q_EMIT dataChanged(index(0, Title + 1), index(rowCount() - 1, ColumnCount - 1));
}

const SessionSummary* SessionListModel::at(int row) const
{
    return row >= 0 && row < rowCount() ? &m_sessions[static_cast<std::size_t>(row)] : nullptr;
}

int SessionListModel::rowOf(RowId id) const
{
    const auto found = std::ranges::find(m_sessions, id, &SessionSummary::id);
    return found == m_sessions.end() ? -1 : static_cast<int>(found - m_sessions.begin());
}

int SessionListModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_sessions.size());
}

int SessionListModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant SessionListModel::data(const QModelIndex& index, int role) const
{
    const SessionSummary* session = at(index.row());
    if (session == nullptr) {
        return {};
    }
    if (role == Qt::FontRole && index.column() == Title && session->id == m_current) {
        return font_of(Type::Strong);
    }
    if (role == Qt::TextAlignmentRole && (index.column() == Prompts || index.column() == Runs)) {
        return QVariant(Qt::AlignRight | Qt::AlignVCenter);
    }
    if (role != Qt::DisplayRole && role != Qt::EditRole) {
        return {};
    }
    switch (index.column()) {
    case Title:
        return to_qt(session->title);
    case Models:
        return models_of(*session);
    case Prompts:
        return static_cast<qlonglong>(session->prompts);
    case Runs:
        return static_cast<qlonglong>(session->runs);
    case Changed:
        return when(session->updated_at);
    default:
        return {};
    }
}

QVariant SessionListModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal) {
        return {};
    }
    if (role == Qt::TextAlignmentRole) {
        const bool number = section == Prompts || section == Runs;
        return QVariant((number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    switch (section) {
    case Title:
        return tr("Title");
    case Models:
        return tr("Teacher → student");
    case Prompts:
        return tr("Prompts");
    case Runs:
        return tr("Runs");
    case Changed:
        return tr("Changed");
    default:
        return {};
    }
}

Qt::ItemFlags SessionListModel::flags(const QModelIndex& index) const
{
    Qt::ItemFlags flags = QAbstractTableModel::flags(index);
    if (index.column() == Title) {
        flags |= Qt::ItemIsEditable;
    }
    return flags;
}

bool SessionListModel::setData(const QModelIndex& index, const QVariant& value, int role)
{
    const SessionSummary* session = at(index.row());
    if (role != Qt::EditRole || index.column() != Title || session == nullptr || value.toString().trimmed().isEmpty()) {
        return false;
    }
    m_sessions[static_cast<std::size_t>(index.row())].title = value.toString().trimmed().toStdString();
    Q_EMIT dataChanged(index, index);
    Q_EMIT renamed(session->id, value.toString().trimmed());
    return true;
}

} // namespace retort
