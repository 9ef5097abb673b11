#pragma once
#include "core/distil/run.h"

#include <QWidget>

class QAction;
class QPushButton;

namespace retort {

class CurveCard;
class DistilSetup;
class Notice;
class ProbeStrip;
class RunFigures;
class Workbench;

/// Page 4: set up a distillation, watch it learn, pause it, step it, stop it.
class DistilPage : public QWidget {
    Q_OBJECT

public:
    explicit DistilPage(Workbench& workbench, QWidget* parent = nullptr);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    QWidget* buildSetup();
    QWidget* buildFigures();
    QWidget* buildProbe();
    QWidget* buildControls();
    void buildActions();

    void start();
    void end(bool keep);
    void askToDiscard();
    void keepFocus(const QWidget* before); ///< on a control that can be pressed, when the one that had it no longer can
    void showState();
    void showRun(); ///< all of it, anew
    void showNews();
    void showFormula();

    Workbench& m_workbench;
    DistilSetup* m_setup = nullptr;
    CurveCard* m_curve = nullptr;
    ProbeStrip* m_probe = nullptr;
    Notice* m_notice = nullptr;
    RunFigures* m_figures = nullptr;
    QPushButton* m_start = nullptr;
    QPushButton* m_pause = nullptr;
    QPushButton* m_step = nullptr;
    QPushButton* m_keep = nullptr;
    QPushButton* m_discard = nullptr;
    QPushButton* m_ask = nullptr;
    QAction* m_start_action = nullptr;
    QAction* m_pause_action = nullptr;
    QAction* m_step_action = nullptr;
    bool m_ending = false;                                      ///< asked to end, and not yet over: the step under way is finished first
    std::size_t m_metrics = 0, m_evaluations = 0, m_probes = 0; ///< of the record, shown so far
};

} // namespace retort
