#pragma once
#include "core/distil/plan.h"
#include "core/model/decoder_shape.h"
#include "ui/widgets/card.h"

class QLabel;
class QPushButton;
class QSlider;
class QSpinBox;

namespace retort {

class ChoiceBox;
class Workbench;

/// Makes a student from the teacher: fresh weights of chosen sizes, or some of the teacher's own layers. Says what it will weigh before it exists.
class StudentDesigner : public Card {
    Q_OBJECT

public:
    explicit StudentDesigner(Workbench& workbench, QWidget* parent = nullptr);
    [[nodiscard]] DistilPlan::Student student() const;

private:
    QSpinBox* addRow(class QGridLayout& grid, const QString& name, int least, int most, int step, int value, const char* object_name);
    void showSizes();
    void fitToTeacher();
    [[nodiscard]] bool isCut() const;
    [[nodiscard]] DecoderShape spec() const;

    Workbench& m_workbench;
    ChoiceBox* m_kind;
    QWidget* m_sizes;
    QSpinBox* m_layers;
    QSpinBox* m_width;
    QSpinBox* m_heads;
    FigureLabel* m_parameters;
    FigureLabel* m_bytes;
    FigureLabel* m_ratio;
    QPushButton* m_create;
};

} // namespace retort
