#include "ui/workbench.h"

#include "core/desk/engine.h"
#include "ui/on_gui.h"
#include "ui/run_watcher.h"

#include <chrono>
#include <thread>

namespace retort {

Workbench::Workbench(SessionStore& store, const Catalogues& catalogues, Worker& engine, QObject* parent)
    : QObject(parent), m_catalogues(catalogues), m_worker(engine), m_engine(std::make_shared<Engine>()), m_watcher(new RunWatcher(this))
{
    const QPointer<Workbench> self(this);
    const auto fail = [self](const Error& error) { on_gui(self, [error](Workbench& w) { Q_EMIT w.problem(error); }); };
    store.set_on_failure(fail);
    m_keeper = std::make_unique<SessionKeeper>(store, [self](const Result<void>& written) {
        on_gui(self, [written](Workbench& w) {
            if (!written) {
                Q_EMIT w.problem(written.error());
            }
            if (--w.m_unsaved == 0) {
                Q_EMIT w.savingChanged(false);
            }
        });
    });
    m_view_due.setSingleShot(true);
    m_view_due.setInterval(500);
    connect(&m_view_due, &QTimer::timeout, this, &Workbench::saveView);
    connect(m_watcher, &RunWatcher::heard, this, &Workbench::hear);
    connect(m_watcher, &RunWatcher::stateChanged, this, &Workbench::setRunState);
    connect(m_watcher, &RunWatcher::ended, this, &Workbench::runEnded);
}

Workbench::~Workbench()
{
    for (JobSlot& job : m_loading) {
        job.cancel();
    }
    m_answering.cancel();
    m_looking.cancel();
    saveView();
    if (const auto run = m_watcher->run(); m_run.live && run) {
        // Ends after its step, with a checkpoint. What it wrote is heard; its end is not, so that the library holds it for a run that can go on.
        run->request_stop();
        const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (!is_over(run->state()) && std::chrono::steady_clock::now() < patience) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        disconnect(m_watcher, &RunWatcher::stateChanged, this, nullptr);
        disconnect(m_watcher, &RunWatcher::ended, this, nullptr);
        m_watcher->stop();
    }
}

void Workbench::write(SessionKeeper::Entry entry)
{
    if (m_unsaved++ == 0) {
        Q_EMIT savingChanged(true);
    }
    m_keeper->write(std::move(entry));
}

} // namespace retort
