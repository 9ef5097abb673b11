#pragma once
#include "core/distil/plan.h"

#include <QWidget>

class QDoubleSpinBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QSpinBox;

namespace retort {

class ChoiceBox;
class Workbench;

/// What is to be trained and how: the fields of a plan that a person changes most.
class DistilSetup : public QWidget {
    Q_OBJECT

public:
    explicit DistilSetup(Workbench& workbench, QWidget* parent = nullptr);
    [[nodiscard]] DistilPlan plan() const;
    void show(const DistilPlan& plan);

Q_SIGNALS:
    void changed();

private:
    void usePreset(int preset);
    void namePresets();
    void showMemory();
    [[nodiscard]] bool teacherIsDemo() const;
    QDoubleSpinBox* addSlider(QFormLayout& form, const QString& name, const QString& tip, double least, double most, double step, int decimals,
                              const char* object_name);

    Workbench& m_workbench;
    ChoiceBox* m_preset;
    ChoiceBox* m_student;
    ChoiceBox* m_method;
    QDoubleSpinBox* m_alpha;
    QDoubleSpinBox* m_temperature;
    QSpinBox* m_steps;
    QSpinBox* m_sequences;
    QSpinBox* m_length;
    QDoubleSpinBox* m_rate;
    QSpinBox* m_seed;
    QLineEdit* m_probe;
    QLabel* m_memory;
    DistilPlan m_base; ///< the fields that have no widget here
    bool m_showing = false;
};

} // namespace retort
