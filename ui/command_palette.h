#pragma once
#include "ui/commands.h"

#include <QDialog>
#include <QList>

class QLabel;
class QLineEdit;
class QListView;
class QModelIndex;
class QStandardItemModel;

namespace retort {

/// Every command of the window by name: type a part of it, or another word for it; Enter does it. What cannot be done now is listed fainter.
class CommandPalette : public QDialog {
    Q_OBJECT

public:
    /// Shows the palette over `window`; it deletes itself.
    static void open(QWidget& window, QList<Command> commands);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    CommandPalette(QWidget& window, QList<Command> commands);
    void find(const QString& query);
    void act();

    QList<Command> m_commands;
    QLineEdit* m_search;
    QListView* m_list;
    QLabel* m_nothing = nullptr;
    QStandardItemModel* m_found;
};

} // namespace retort
