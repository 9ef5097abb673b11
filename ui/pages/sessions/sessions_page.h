#pragma once
#include <QWidget>

class QLabel;
class QLineEdit;
class QPushButton;
class QSortFilterProxyModel;
class QStackedWidget;
class QTableView;

namespace retort {

class EmptyState;
class FactList;
class SessionListModel;
struct SessionSummary;
class Workbench;

/// Page 6: the library. Find, open, rename, put in the bin, take out again.
class SessionsPage : public QWidget {
    Q_OBJECT

public:
    explicit SessionsPage(Workbench& workbench, QWidget* parent = nullptr);

protected:
    void showEvent(QShowEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void buildActions();
    QWidget* buildHeader();
    QWidget* buildList();
    QWidget* buildPreview();
    void showList();
    void showChosen();
    void askToPurge();
    [[nodiscard]] const SessionSummary* chosen() const;

    Workbench& m_workbench;
    SessionListModel* m_sessions;
    QSortFilterProxyModel* m_matches;
    QLineEdit* m_search = nullptr;
    QPushButton* m_bin = nullptr;
    QTableView* m_table = nullptr;
    QStackedWidget* m_stack = nullptr;
    EmptyState* m_empty = nullptr;
    QWidget* m_preview = nullptr;
    QLabel* m_title = nullptr;
    FactList* m_facts = nullptr;
    QLabel* m_note = nullptr; ///< what is to be done with it
    QPushButton* m_open = nullptr;
    QPushButton* m_rename = nullptr;
    QPushButton* m_remove = nullptr;
    QPushButton* m_purge = nullptr;
    qint64 m_chosen = 0;
    qint64 m_current = 0; ///< the open session, as of the last list that had it
};

} // namespace retort
