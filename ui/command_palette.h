#pragma once
#include <QAction>
#include <QDialog>
#include <QList>

class QLabel;
class QLineEdit;
class QListView;
class QSortFilterProxyModel;

namespace retort {

/// Every command of the window by name: type a part of it, Enter does it. Also the list of all shortcuts.
class CommandPalette : public QDialog {
    Q_OBJECT

public:
    /// Shows the palette over `window`; it deletes itself.
    static void open(QWidget& window, const QList<QAction*>& actions);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    CommandPalette(QWidget& window, const QList<QAction*>& actions);
    void act();

    QLineEdit* m_search;
    QListView* m_list;
    QLabel* m_nothing;
    QSortFilterProxyModel* m_matches;
};

} // namespace retort
