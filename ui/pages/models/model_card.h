#pragma once
#include "core/desk/role.h"
#include "ui/widgets/card.h"

#include <vector>

class QLabel;
class QProgressBar;
class QPushButton;
class QStackedWidget;

namespace retort {

class EmptyState;
class FactList;
class Notice;
class RoleMark;
class Workbench;
struct RoleState;

/// Who stands in one role, on the Models page: facts, loading with cancel, the reason when it could not be opened, or what to do when nobody does.
class ModelCard : public Card {
    Q_OBJECT

public:
    ModelCard(Workbench& workbench, Role role, QWidget* parent = nullptr);

private:
    void addDemo(const QString& text, const char* spec, const char* name);
    QWidget* buildLoaded();
    QWidget* buildLoading();
    void showRole();
    void showEmpty();
    void showStage(const RoleState& state);
    void showFacts();
    void openDialog();

    Workbench& m_workbench;
    Role m_role;
    RoleMark* m_mark;
    QStackedWidget* m_stack;
    EmptyState* m_empty = nullptr;
    std::vector<QPushButton*> m_demos; ///< what of the demo can stand here
    QWidget* m_loaded = nullptr;
    QWidget* m_loading = nullptr;
    QLabel* m_name = nullptr;
    FactList* m_facts = nullptr;
    QLabel* m_notes = nullptr;
    QLabel* m_stage = nullptr;
    QLabel* m_loading_name = nullptr;
    QProgressBar* m_progress = nullptr;
    QPushButton* m_again = nullptr;
    QPushButton* m_stop_answer = nullptr;
    Notice* m_notice;
};

} // namespace retort
