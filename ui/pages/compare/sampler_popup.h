#pragma once
#include "core/inference/generator.h"

#include <QFrame>

class QAbstractSpinBox;
class QCheckBox;
class QDoubleSpinBox;
class QFormLayout;
class QSpinBox;

namespace retort {

/// How the next token is chosen, the same for both models: a small form that opens under its button. GUI thread.
class SamplerPopup : public QFrame {
    Q_OBJECT

public:
    explicit SamplerPopup(QWidget* parent = nullptr);

    [[nodiscard]] GenerateSettings settings() const; ///< without stop tokens
    void showSettings(const GenerateSettings& settings);
    /// For the button: "T 0.8 · top-p 0.95 · seed 7 · 256 tokens".
    [[nodiscard]] QString summary() const;
    void openBelow(const QWidget& button);

Q_SIGNALS:
    void changed();

protected:
    bool event(QEvent* event) override;

private:
    static void addRow(QFormLayout& form, const QString& name, const char* object_name, const QString& tip, QAbstractSpinBox& box);
    QDoubleSpinBox* addReal(QFormLayout& form, const QString& name, const char* object_name, double least, double most, double step,
                            const QString& tip);
    QSpinBox* addWhole(QFormLayout& form, const QString& name, const char* object_name, int least, int most, const QString& tip);
    void showGreedy();

    QCheckBox* m_greedy;
    QDoubleSpinBox* m_temperature;
    QSpinBox* m_top_k;
    QDoubleSpinBox* m_top_p;
    QDoubleSpinBox* m_min_p;
    QDoubleSpinBox* m_repeat_penalty;
    QSpinBox* m_seed;
    QSpinBox* m_max_tokens;
};

} // namespace retort
