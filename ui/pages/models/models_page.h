#pragma once
#include "core/desk/role.h"

#include <QWidget>
#include <optional>

class QLabel;

namespace retort {

class MemoryBar;
class ModelCard;
class Notice;
class StudentDesigner;
class Workbench;

/// Page 1: who teaches, who learns, whether they fit each other and the machine, and a new student made to measure. A file dropped on the left half
/// becomes the teacher, on the right half the student.
class ModelsPage : public QWidget {
    Q_OBJECT

public:
    explicit ModelsPage(Workbench& workbench, QWidget* parent = nullptr);

protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragMoveEvent(QDragMoveEvent* event) override;
    void dragLeaveEvent(QDragLeaveEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    void showMatch();
    void showMemory();
    void markHalf(std::optional<Role> half);
    [[nodiscard]] Role halfAt(const QPointF& place) const;

    Workbench& m_workbench;
    ModelCard* m_teacher;
    ModelCard* m_student;
    QLabel* m_match;
    Notice* m_mismatch;
    MemoryBar* m_memory;
    StudentDesigner* m_designer;
};

} // namespace retort
