#pragma once
#include "ui/pages/compare/column_content.h"

#include <QWidget>
#include <array>

class QCheckBox;
class QPushButton;

namespace retort {

class ChoiceBox;
class TintLegend;

/// How the two texts are looked at: what the tint tells, whose words stand in both columns, whether they scroll together. GUI thread.
class CompareTools : public QWidget {
    Q_OBJECT

public:
    explicit CompareTools(QWidget* parent = nullptr);

    void showTint(Tint tint);
    void showView(TextView view);
    void nextTint();
    [[nodiscard]] bool scrollsTogether() const;

Q_SIGNALS:
    void tintChosen(retort::Tint tint);
    void viewChosen(retort::TextView view);

private:
    QWidget* buildViewSwitch();

    ChoiceBox* m_tint;
    TintLegend* m_legend;
    std::array<QPushButton*, 3> m_views{};
    QCheckBox* m_sync;
};

} // namespace retort
