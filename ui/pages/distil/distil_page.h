#pragma once
#include "core/distil/run.h"

#include <QWidget>

class QAction;
class QLabel;
class QPushButton;
class QStackedWidget;

namespace retort {

class DistilSetup;
class FigureLabel;
class LossFormula;
class LossPlot;
class Notice;
class ProbeStrip;
class Workbench;

/// Page 4: set up a distillation, watch it learn, pause it, step it, stop it.
class DistilPage : public QWidget {
    Q_OBJECT

public:
    explicit DistilPage(Workbench& workbench, QWidget* parent = nullptr);

private:
    QWidget* buildSetup();
    QWidget* buildCurve();
    QWidget* buildFigures();
    QWidget* buildProbe();
    QWidget* buildControls();
    void buildActions();

    void start();
    void showState();
    void showRun(); ///< all of it, anew
    void showNews();
    void showFigures();
    void showFormula();

    Workbench& m_workbench;
    DistilSetup* m_setup = nullptr;
    LossFormula* m_formula = nullptr;
    LossPlot* m_curve = nullptr;
    QStackedWidget* m_curve_stack = nullptr;
    ProbeStrip* m_probe = nullptr;
    Notice* m_notice = nullptr;
    QLabel* m_title = nullptr;
    FigureLabel* m_kl = nullptr;
    FigureLabel* m_same_top = nullptr;
    FigureLabel* m_speed = nullptr;
    FigureLabel* m_rate = nullptr;
    FigureLabel* m_grad = nullptr;
    QPushButton* m_start = nullptr;
    QPushButton* m_pause = nullptr;
    QPushButton* m_step = nullptr;
    QPushButton* m_keep = nullptr;
    QPushButton* m_discard = nullptr;
    QAction* m_start_action = nullptr;
    QAction* m_pause_action = nullptr;
    QAction* m_step_action = nullptr;
    std::size_t m_metrics = 0, m_evaluations = 0, m_probes = 0; ///< of the record, shown so far
};

} // namespace retort
