#pragma once
#include "core/desk/role.h"
#include "ui/widgets/card.h"

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

/// Who stands in one role, on the Models page: facts, loading with cancel, the reason when it could not be opened, or what to do when nobody does.
class ModelCard : public Card {
    Q_OBJECT

public:
    ModelCard(Workbench& workbench, Role role, QWidget* parent = nullptr);
    void setDropTarget(bool target); ///< a file hovers over this half

private:
    QWidget* buildLoaded();
    QWidget* buildLoading();
    void showRole();
    void showFacts();
    void openDialog();

    Workbench& m_workbench;
    Role m_role;
    RoleMark* m_mark;
    QStackedWidget* m_stack;
    EmptyState* m_empty = nullptr;
    QWidget* m_loaded = nullptr;
    QWidget* m_loading = nullptr;
    QLabel* m_name = nullptr;
    FactList* m_facts = nullptr;
    QLabel* m_notes = nullptr;
    QLabel* m_stage = nullptr;
    QLabel* m_loading_name = nullptr;
    QProgressBar* m_progress = nullptr;
    QPushButton* m_again = nullptr;
    Notice* m_notice;
};

} // namespace retort
