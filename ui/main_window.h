#pragma once
#include "core/desk/role.h"
#include "ui/page_id.h"

#include <QMainWindow>
#include <map>
#include <vector>

class QMenu;
class QStackedWidget;

namespace retort {

class DistilPage;
class ModelsPage;
class Notice;
class Rail;
class SessionsPage;
class Workbench;

/// The window: rail, role bar, pages, status bar and menus. It arranges and connects; what happens is the workbench's and the pages'.
class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    explicit MainWindow(Workbench& workbench, QWidget* parent = nullptr);

    void showPage(PageId page);
    [[nodiscard]] PageId page() const { return m_page; }

protected:
    void closeEvent(QCloseEvent* event) override;

private:
    void addPage(PageId id, QWidget* page, const QString& name);
    void buildMenus();
    void buildViewMenu(QMenu& menu);
    QAction* action(QMenu& menu, const QString& text, const QKeySequence& shortcut, const QString& tip, const char* name);
    void showTitle();
    void restorePage(); ///< the one the session was left on
    void openDialog(Role role);
    void restoreGeometryFromLast();
    [[nodiscard]] QList<QAction*> commands() const;
    void openPalette();

    Workbench& m_workbench;
    Rail* m_rail;
    QStackedWidget* m_stack;
    Notice* m_notice;
    ModelsPage* m_models = nullptr;
    DistilPage* m_distil = nullptr;
    SessionsPage* m_sessions = nullptr;
    PageId m_page = PageId::Models;
    struct Entry {
        PageId id;
        QWidget* page;
        QString name;
    };
    std::vector<Entry> m_pages;
};

} // namespace retort
