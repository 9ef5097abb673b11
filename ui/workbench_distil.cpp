#include "core/base/text_format.h"
#include "core/base/uuid.h"
#include "core/desk/engine.h"
#include "core/distil/fresh_spec.h"
#include "ui/on_gui.h"
#include "ui/run_watcher.h"
#include "ui/workbench.h"

#include <QDateTime>

namespace retort {

std::uint64_t Workbench::trainingMemory(const DistilPlan& plan) const
{
    const RoleState& teacher = role(Role::Teacher);
    if (!teacher.info) {
        return 0;
    }
    DecoderShape student;
    if (plan.student.fresh) {
        student = fresh_spec(*plan.student.fresh, teacher.info->spec);
    } else if (role(Role::Student).info) {
        student = role(Role::Student).info->spec;
    } else {
        return 0;
    }
    return training_memory(plan, teacher.info->spec, student);
}

void Workbench::startDistilling(const DistilPlan& plan)
{
    if (!m_run.live) {
        beginRun(plan, std::nullopt);
    }
}

void Workbench::resumeRun()
{
    if (m_run.live || !m_run.interrupted || m_run.record.checkpoints.empty()) {
        return;
    }
    const CheckpointNote from = m_run.record.checkpoints.back();
    give_up_beyond(m_run.record, from.step);
    beginRun(m_run.plan, Resume{from, m_run.record.next_segment++});
}

void Workbench::beginRun(const DistilPlan& plan, const std::optional<Resume>& resume)
{
    if (!resume) {
        m_run = RunView{.plan = plan};
        m_run.record.name = tr("Run of %1").arg(QLocale().toString(QDateTime::currentDateTime(), QLocale::ShortFormat)).toStdString();
        m_run.record.total_steps = plan.steps;
        m_run.record.uuid = new_uuid();
    }
    m_run.exists = true;
    m_run.live = true;
    m_run.interrupted = false;
    m_run.error = {};
    m_run.state = RunState::Waiting;
    m_keep_student = true;
    Q_EMIT runReset();
    Q_EMIT runStateChanged(m_run.state);

    if (m_run.record.checkpoint_folder.empty()) {
        m_run.record.checkpoint_folder = (m_keeper->folder() / "checkpoints" / m_run.record.uuid).string();
    }
    m_worker.post([self = QPointer<Workbench>(this), engine = m_engine, &known = m_catalogues, plan, resume,
                   checkpoints = std::filesystem::path(m_run.record.checkpoint_folder), uuid = m_run.record.uuid](std::stop_token /*stop*/) {
        auto run = guard("Preparing the run", [&] {
            return engine->make_run(plan, known, checkpoints, resume ? resume->from.path : "", resume ? resume->segment : 0, uuid);
        });
        if (run) {
            engine->begin_run(*run);
        }
        on_gui(self, [run = std::move(run), resume](Workbench& w) mutable {
            if (run) {
                w.runMade(std::move(*run), resume);
                return;
            }
            w.m_run.live = false;
            w.m_run.error = std::move(run.error());
            w.setRunState(RunState::Failed);
        });
    });
}

void Workbench::runMade(std::shared_ptr<DistillationRun> run, const std::optional<Resume>& resume)
{
    write([begun = NewRun{m_run.plan, 0, 0, m_run.record.uuid, m_run.record.name, m_run.record.checkpoint_folder}, resume,
           row = m_run.record.id](SessionStore& store, SessionKeeper::Ledger& ledger) mutable -> Result<void> {
        if (resume) {
            ledger.run = row;
            return store.runs().begin_segment(row, resume->segment, resume->from.step);
        }
        ledger.run = 0; // until this one has a row, nothing of it goes to another's
        begun.teacher_model = ledger.model(Role::Teacher);
        begun.student_model = ledger.model(Role::Student);
        auto added = store.runs().add(ledger.session, begun);
        if (!added) {
            return failure(std::move(added.error()));
        }
        ledger.run = *added;
        return {};
    });
    start_run(m_worker, run);
    m_watcher->watch(std::move(run));
}

void Workbench::hear(const RunNews& news)
{
    StoredRun& record = m_run.record;
    record.metrics.insert(record.metrics.end(), news.metrics.begin(), news.metrics.end());
    record.evaluations.insert(record.evaluations.end(), news.evaluations.begin(), news.evaluations.end());
    record.probes.insert(record.probes.end(), news.probes.begin(), news.probes.end());
    record.checkpoints.insert(record.checkpoints.end(), news.checkpoints.begin(), news.checkpoints.end());
    if (!news.metrics.empty()) {
        record.last_step = news.metrics.back().step + 1;
        record.active_ms = static_cast<std::int64_t>(news.metrics.back().active_ms);
    }
    write([news](SessionStore& store, SessionKeeper::Ledger& ledger) -> Result<void> {
        if (ledger.run == 0) {
            return {}; // it was told that the run could not be kept
        }
        store.runs().add_metrics_later(ledger.run, news.metrics);
        store.runs().add_evaluations_later(ledger.run, news.evaluations);
        store.runs().add_probes_later(ledger.run, news.probes);
        for (const CheckpointNote& checkpoint : news.checkpoints) {
            if (auto added = store.runs().add_checkpoint(ledger.run, checkpoint); !added) {
                return added;
            }
        }
        return {};
    });
    Q_EMIT runAppended();
}

void Workbench::setRunState(RunState state)
{
    m_run.state = state;
    if (m_watcher->run()) { // a run also pauses by itself, where a checkpoint cannot be written
        m_run.error = state == RunState::Failed || state == RunState::Paused ? m_watcher->run()->error() : Error{};
    }
    m_run.record.state = std::string(name_of(state));
    if (m_watcher->run()) {
        write([state, step = m_run.record.last_step, active = static_cast<double>(m_run.record.active_ms),
               error = m_run.error.message](SessionStore& store, SessionKeeper::Ledger& ledger) -> Result<void> {
            if (ledger.run != 0) {
                store.runs().set_state_later(ledger.run, state, step, active, error);
            }
            return {};
        });
    }
    if (!is_over(state)) { // the end is told by runEnded(), when the run is no longer live
        Q_EMIT runStateChanged(state);
    }
}

void Workbench::runEnded()
{
    m_run.live = false;
    const bool keep = m_keep_student && m_run.state != RunState::Failed && m_run.record.last_step > 0;
    m_watcher->stop();
    if (!m_keep_student) {
        write([](SessionStore& store, SessionKeeper::Ledger& ledger) -> Result<void> {
            store.runs().discard_later(ledger.run);
            return {};
        });
    }
    const std::string name =
        tr("student of %1, %2 steps").arg(QString::fromStdString(role(Role::Teacher).name())).arg(m_run.record.last_step).toStdString();
    m_worker.post([self = QPointer<Workbench>(this), engine = m_engine, keep, name](std::stop_token /*stop*/) {
        auto student = guard("Keeping the student", [&] { return engine->end_run(keep, name); });
        on_gui(self, [student = std::move(student)](Workbench& w) mutable {
            if (!student) {
                Q_EMIT w.problem(student.error());
            } else if (*student) {
                w.m_roles[index_of(Role::Student)].spec.clear();
                w.setModel(Role::Student, std::move(**student));
                w.keepModel(Role::Student);
            }
        });
    });
    Q_EMIT runStateChanged(m_run.state);
}

void Workbench::togglePause()
{
    if (m_run.live && m_watcher->run()) {
        m_watcher->run()->request_pause(m_run.state != RunState::Paused);
    }
}

void Workbench::stepOnce()
{
    if (m_run.live && m_watcher->run()) {
        m_watcher->run()->request_step();
    }
}

void Workbench::stopAndKeep()
{
    if (m_run.live && m_watcher->run()) {
        m_keep_student = true;
        m_watcher->run()->request_stop();
    }
}

void Workbench::stopAndDiscard()
{
    if (m_run.live && m_watcher->run()) {
        m_keep_student = false;
        m_watcher->run()->request_stop();
    }
}

} // namespace retort
