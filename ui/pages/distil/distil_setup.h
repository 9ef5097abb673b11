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
    void offerStudents(); ///< those that can learn from the present teacher, and the plan's own where it is none of them
    void choose(int kind);
    [[nodiscard]] int chosen() const;
    [[nodiscard]] DistilPlan::Student studentOf(int kind) const;
    void followStudent(); ///< a student that a person put into the role is the one to train
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
    DistilPlan m_base;       ///< the fields that have no widget here
    QString m_loaded;        ///< the student that stood in the role when it was last looked at
    bool m_expected = false; ///< the next student in the role comes from a run or from the session, not from a person's hand
    bool m_showing = false;
};

} // namespace retort
