#pragma once
#include "ui/widgets/card.h"

class QBoxLayout;
class QLabel;
class QPushButton;
class QStackedWidget;

namespace retort {

class EmptyState;
class LossFormula;
class LossPlot;

/// A run's curve under its formula, with its scale and smoothing; before the first run, what to do for one. GUI thread.
class CurveCard : public Card {
    Q_OBJECT

public:
    explicit CurveCard(QWidget* parent = nullptr);

    [[nodiscard]] LossPlot& plot() const { return *m_plot; }
    [[nodiscard]] LossFormula& formula() const { return *m_formula; }
    void setTitle(const QString& title, const QString& tip, const char* tone);
    void showCurve();
    void showEmpty(bool can_start);
    /// What belongs to the curve goes below the formula.
    void setNarrow(bool narrow);

Q_SIGNALS:
    void startWanted();
    void modelsWanted();

private:
    void buildEmpty();
    void buildHead();

    LossFormula* m_formula;
    LossPlot* m_plot;
    QBoxLayout* m_head;
    QLabel* m_title;
    QStackedWidget* m_stack;
    EmptyState* m_empty;
    QPushButton* m_start = nullptr;
    QPushButton* m_models = nullptr;
};

} // namespace retort
