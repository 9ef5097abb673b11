#include "ui/status_strip.h"

#include "core/base/cpu.h"
#include "core/base/memory.h"
#include "core/base/text_format.h"
#include "ui/run_watcher.h"
#include "ui/theme/icons.h"
#include "ui/theme/theme.h"
#include "ui/time_left.h"
#include "ui/widgets/plain_label.h"
#include "ui/workbench.h"

#include <QHBoxLayout>
#include <QProgressBar>
#include <QToolButton>
#include <chrono>

namespace retort {

using namespace std::chrono_literals;

namespace {

QFrame* divider()
{
    auto* line = new QFrame;
    line->setProperty("hairline", true);
    line->setFixedSize(1, 16);
    return line;
}

} // namespace

StatusStrip::StatusStrip(Workbench& workbench, QWidget* parent)
    : QStatusBar(parent), m_workbench(workbench), m_job(plain_label(tr("Ready"), Type::Small, "muted")), m_progress(new QProgressBar),
      m_time_left(plain_label({}, Type::Small, "muted")), m_pause(new QToolButton), m_stop(new QToolButton),
      m_memory(plain_label({}, Type::Small, "muted")), m_saved(plain_label(tr("Saved"), Type::Small, "muted"))
{
    m_saved->setObjectName(QStringLiteral("status_saved"));
    setObjectName(QStringLiteral("status_strip"));
    setSizeGripEnabled(false);
    setFixedHeight(32);
    m_progress->setFixedWidth(160);
    m_progress->setTextVisible(false);
    m_progress->setAccessibleName(tr("Progress of the run"));
    for (QToolButton* button : {m_pause, m_stop}) {
        button->setIconSize({14, 14});
    }
    m_pause->setObjectName(QStringLiteral("status_pause"));
    m_stop->setObjectName(QStringLiteral("status_stop"));
    m_stop->setIcon(icon_of(Glyph::Stop));
    m_stop->setAccessibleName(tr("Stop the run and keep the student"));
    m_stop->setToolTip(tr("Stop and keep the student"));
    connect(m_pause, &QToolButton::clicked, &m_workbench, &Workbench::togglePause);
    connect(m_stop, &QToolButton::clicked, &m_workbench, &Workbench::stopAndKeep);

    auto* job = new QWidget;
    auto* row = new QHBoxLayout(job);
    row->setContentsMargins(space::m, 2, 0, 2);
    row->setSpacing(space::s);
    for (QWidget* part : std::initializer_list<QWidget*>{m_job, m_progress, m_time_left, m_pause, m_stop}) {
        row->addWidget(part);
    }
    addWidget(job);
    auto* right = new QWidget;
    auto* zones = new QHBoxLayout(right);
    zones->setContentsMargins(0, 2, space::m, 2);
    zones->setSpacing(space::m);
    const int threads = usable_processors();
    zones->addWidget(plain_label(threads == 1 ? tr("CPU, 1 thread") : tr("CPU, %1 threads").arg(threads), Type::Small, "muted"));
    zones->addWidget(divider());
    zones->addWidget(m_memory);
    zones->addWidget(divider());
    zones->addWidget(m_saved);
    addPermanentWidget(right);
    m_memory->setToolTip(tr("What Retort holds in memory, of what the machine has"));

    connect(&m_workbench, &Workbench::runAppended, this, &StatusStrip::showRun);
    connect(&m_workbench, &Workbench::runReset, this, &StatusStrip::showRun);
    connect(&m_workbench, &Workbench::runStateChanged, this, &StatusStrip::showRun);
    connect(&m_workbench, &Workbench::savingChanged, this, &StatusStrip::showSaving);
    connect(&m_memory_timer, &QTimer::timeout, this, &StatusStrip::showMemory);
    m_memory_timer.start(2s);
    showRun();
    showMemory();
}

void StatusStrip::showRun()
{
    const RunView& run = m_workbench.run();
    const bool paused = run.state == RunState::Paused;
    for (QWidget* part : std::initializer_list<QWidget*>{m_progress, m_time_left, m_pause, m_stop}) {
        part->setVisible(run.live);
    }
    if (!run.live) {
        m_job->setText(tr("Ready"));
        return;
    }
    const std::int64_t total = std::max<std::int64_t>(1, run.plan.steps);
    m_job->setText((paused ? tr("Paused at %1 of %2") : tr("Distilling %1 of %2")).arg(run.record.last_step).arg(total));
    m_progress->setMaximum(static_cast<int>(total));
    m_progress->setValue(static_cast<int>(run.record.last_step));
    m_time_left->setText(paused ? QString() : time_left(run.record.metrics, total));
    m_pause->setIcon(icon_of(paused ? Glyph::Play : Glyph::Pause));
    m_pause->setAccessibleName(paused ? tr("Resume") : tr("Pause"));
    m_pause->setToolTip(paused ? tr("Resume (Ctrl+Space)") : tr("Pause (Ctrl+Space)"));
}

void StatusStrip::setKept(bool kept)
{
    m_kept = kept;
    showSaving();
}

void StatusStrip::showSaving()
{
    m_saved->setText(!m_kept ? tr("Not saved") : m_workbench.saving() ? tr("Saving…") : tr("Saved"));
    m_saved->setToolTip(m_kept ? QString() : tr("The library could not be written; the message above the pages says why"));
    set_tone(*m_saved, m_kept ? "muted" : "warning");
}

void StatusStrip::showMemory()
{
    m_memory->setText(tr("%1 of %2").arg(to_qt(format_bytes(resident_memory())), to_qt(format_bytes(total_memory()))));
}

} // namespace retort
