#pragma once
#include "core/store/session.h"

#include <QAbstractTableModel>
#include <vector>

namespace retort {

/// The library's sessions as rows; the title can be edited in place, which renames.
class SessionListModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { Title, Models, Prompts, Runs, Changed, ColumnCount };

    using QAbstractTableModel::QAbstractTableModel;

    void show(const std::vector<SessionSummary>& sessions, RowId current);
    [[nodiscard]] const SessionSummary* at(int row) const;
    [[nodiscard]] int rowOf(RowId id) const; ///< -1 when it is not listed

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override;

Q_SIGNALS:
    void renamed(qint64 id, const QString& title);

private:
    void showNews(const std::vector<SessionSummary>& sessions);

    std::vector<SessionSummary> m_sessions;
    RowId m_current = 0;
};

} // namespace retort
