#pragma once
#include "core/desk/role.h"

#include <QWidget>

class QLabel;

namespace retort {

class MemoryBar;
class ModelCard;
class Notice;
class StudentDesigner;
class Workbench;

/// Page 1: who teaches, who learns, whether they fit each other and the machine, and a new student made to measure.
class ModelsPage : public QWidget {
    Q_OBJECT

public:
    explicit ModelsPage(Workbench& workbench, QWidget* parent = nullptr);

private:
    void showMatch();
    void showMemory();

    Workbench& m_workbench;
    ModelCard* m_teacher;
    ModelCard* m_student;
    QLabel* m_match;
    Notice* m_mismatch;
    MemoryBar* m_memory;
    StudentDesigner* m_designer;
};

} // namespace retort
