#pragma once
#include "core/desk/role.h"
#include "ui/commands.h"
#include "ui/page_id.h"

#include <QMainWindow>
#include <map>
#include <vector>

class QKeySequence;
class QMenu;
class QStackedWidget;

namespace retort {

class Notice;
class Rail;
class StatusStrip;
class WindowPlace;
class Workbench;

/// The key that shows the page at `place` in the rail: Ctrl+1 to Ctrl+9; none from the tenth page on.
[[nodiscard]] QKeySequence page_key(std::size_t place);

/// The window: rail, role bar, pages, status bar and menus. It arranges and connects; what happens is the workbench's and the pages'.
class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    explicit MainWindow(Workbench& workbench, QWidget* parent = nullptr);

    void showPage(PageId page);
    [[nodiscard]] PageId page() const { return m_page; }

    /// The file of sessions this window stands on; when nothing is `kept` in it, the status bar says so.
    void setLibrary(const QString& file, bool kept);
    /// Above the pages, for what concerns the whole library; hidden until told something, and not to be dismissed.
    [[nodiscard]] Notice& libraryNotice() const { return *m_library_notice; }
    void openModel(Role role, const QString& spec);
    /// Asks in place whether the model becomes teacher or student.
    void offerModel(const QString& spec);

protected:
    void closeEvent(QCloseEvent* event) override;

private:
    void addPage(PageId id, QWidget* page, const QString& name);
    void buildMenus();
    void buildFileMenu(QMenu& menu);
    void buildModelsMenu(QMenu& menu);
    void buildViewMenu(QMenu& menu);
    void buildPageMenus();
    void buildHelpMenu(QMenu& menu);
    QAction* action(QMenu& menu, const QString& text, const QList<QKeySequence>& keys, const QString& tip, const char* name);
    void listRecent(QMenu& menu);
    void exportPage();
    void showHelp();
    void showTitle();
    void restorePage(); ///< the one the session was left on
    void rememberModel(Role role);
    [[nodiscard]] QList<Command> commands();
    void openPalette();

    Workbench& m_workbench;
    Rail* m_rail;
    QStackedWidget* m_stack;
    Notice* m_notice;
    Notice* m_library_notice;
    StatusStrip* m_status;
    WindowPlace* m_place = nullptr;
    QString m_library;
    PageId m_page = PageId::Models;
    qint64 m_session = 0; ///< whose page was restored
    struct Entry {
        PageId id;
        QWidget* page;
        QString name;
        QMenu* menu = nullptr; ///< its own, where it has one
    };
    [[nodiscard]] const Entry& entry() const; ///< of the page that is shown
    std::vector<Entry> m_pages;
};

} // namespace retort
