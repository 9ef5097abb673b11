#pragma once
#include "core/distil/run.h"

#include <QStatusBar>
#include <QTimer>

class QLabel;
class QProgressBar;
class QToolButton;

namespace retort {

class Notice;
class Workbench;

/// The status bar: the job with its progress, range of time left, pause and stop; the device; memory; whether all is saved.
class StatusStrip : public QStatusBar {
    Q_OBJECT

public:
    explicit StatusStrip(Workbench& workbench, QWidget* parent = nullptr);
    void setKept(bool kept); ///< whether what happens outlives the program

private:
    void showRun();
    void showMemory();
    void showSaving();

    Workbench& m_workbench;
    QLabel* m_job;
    QProgressBar* m_progress;
    QLabel* m_time_left;
    QToolButton* m_pause;
    QToolButton* m_stop;
    QLabel* m_memory;
    QLabel* m_saved;
    bool m_kept = true;
    QTimer m_memory_timer;
};

} // namespace retort
