#include "core/desk/engine.h"
#include "core/model/memory_estimate.h"
#include "core/model/model_spec.h"
#include "ui/on_gui.h"
#include "ui/workbench.h"

namespace retort {

namespace {

/// Forwards a loader's progress home, a few dozen times at most.
Progress progress_home(const QPointer<Workbench>& self, std::stop_token stop, std::function<void(Workbench&, const std::string&, double)> show)
{
    auto last = std::make_shared<double>(-1.0);
    return {.report =
                [self, last, show = std::move(show)](std::string_view stage, double fraction) {
                    if (fraction < *last || fraction - *last >= 0.02) {
                        *last = fraction;
                        on_gui(self, [show, stage = std::string(stage), fraction](Workbench& w) { show(w, stage, fraction); });
                    }
                },
            .stop = std::move(stop)};
}

} // namespace

std::optional<TokenizerMatch> Workbench::tokenizerMatch() const
{
    if (!m_tokenizers[0] || !m_tokenizers[1]) {
        return std::nullopt;
    }
    return compare_tokenizers(*m_tokenizers[0], *m_tokenizers[1]);
}

void Workbench::openModel(Role role, const QString& spec)
{
    const std::size_t i = index_of(role);
    if (m_roles[i].phase != RoleState::Phase::Loading) {
        m_before_loading[i] = m_roles[i];
    }
    JobSlot::Job job = m_loading[i].begin();
    RoleState& state = m_roles[i];
    state = RoleState{
        .phase = RoleState::Phase::Loading, .spec = spec.toStdString(), .remembered = state.remembered, .stage = tr("Waiting").toStdString()};
    Q_EMIT roleChanged(role);

    m_worker.post([self = QPointer<Workbench>(this), engine = m_engine, role, i, job, spec = spec.toStdString()](std::stop_token worker_stop) {
        StopWithWorker link(std::move(worker_stop), [stop_source = job.stop]() mutable { stop_source.request_stop(); });
        const auto current = [i, number = job.number](Workbench& w) { return w.m_loading[i].is_current(number); };
        const Progress progress =
            progress_home(self, job.stop.get_token(), [current, i, role](Workbench& w, const std::string& stage, double fraction) {
                if (current(w)) {
                    w.m_roles[i].stage = stage;
                    w.m_roles[i].fraction = fraction;
                    Q_EMIT w.roleChanged(role);
                }
            });
        const auto head = [&](const ModelInfo& info, const MemoryEstimate& estimate) {
            on_gui(self, [current, i, role, info, estimate](Workbench& w) {
                if (current(w)) {
                    w.m_roles[i].info = info;
                    w.m_roles[i].estimate = estimate;
                    Q_EMIT w.roleChanged(role);
                }
            });
        };
        auto facts = job.stop.stop_requested() ? Result<ModelFacts>(cancelled())
                                               : guard("Opening the model", [&] { return engine->load(role, spec, progress, head); });
        on_gui(self, [current, role, facts = std::move(facts)](Workbench& w) mutable {
            if (!current(w)) {
                return;
            }
            if (facts) {
                w.setModel(role, std::move(*facts));
                w.keepModel(role);
            } else {
                w.loadingFailed(role, std::move(facts.error()));
            }
        });
    });
}

void Workbench::setModel(Role role, ModelFacts facts)
{
    const std::size_t i = index_of(role);
    RoleState state{.phase = RoleState::Phase::Ready, .spec = m_roles[i].spec.empty() ? facts.info.path : m_roles[i].spec};
    state.estimate = estimate_memory(facts.info, std::min<std::int64_t>(facts.info.spec.context, 2048));
    if (facts.tokenizer) {
        state.tokenizer_kind = facts.tokenizer->kind();
        state.tokenizer_fingerprint = facts.tokenizer->fingerprint();
        state.tokenizer_size = facts.tokenizer->size();
    }
    state.info = std::move(facts.info);
    m_roles[i] = std::move(state);
    m_tokenizers[i] = std::move(facts.tokenizer);
    m_snapshot.reset(); // of the one who stood here before
    m_snapshot_place.reset();
    Q_EMIT roleChanged(role);
}

void Workbench::keepModel(Role role)
{
    const RoleState& state = m_roles[index_of(role)];
    ModelInfo known = *state.info;
    if (is_demo_spec(state.spec)) {
        known.path = state.spec; // found again wherever Retort is installed
    }
    write([role, info = std::move(known), fingerprint = state.tokenizer_fingerprint,
           tokenizer = m_tokenizers[index_of(role)]](SessionStore& store, SessionKeeper::Ledger& ledger) -> Result<void> {
        if (tokenizer) {
            store.models().add_tokenizer_later(tokenizer);
        }
        auto row = store.models().add(ledger.session, name_of(role), info, fingerprint);
        if (!row) {
            return failure(std::move(row.error()));
        }
        ledger.models[index_of(role)] = *row;
        return {};
    });
}

void Workbench::loadingFailed(Role role, Error error)
{
    const std::size_t i = index_of(role);
    const std::string asked = m_roles[i].spec;
    m_roles[i] = std::exchange(m_before_loading[i], {});
    if (error.kind != Error::Kind::Cancelled) {
        m_roles[i].error = std::move(error);
        if (!m_roles[i].ready()) {
            m_roles[i].phase = RoleState::Phase::Failed;
            m_roles[i].spec = asked;
        }
    }
    Q_EMIT roleChanged(role);
}

void Workbench::cancelLoading(Role role)
{
    m_loading[index_of(role)].ask_to_stop();
}

void Workbench::ejectModel(Role role)
{
    const std::size_t i = index_of(role);
    m_loading[i].cancel();
    m_roles[i] = {};
    m_tokenizers[i].reset();
    m_worker.post([engine = m_engine, role](std::stop_token /*stop*/) { engine->eject(role); });
    Q_EMIT roleChanged(role);
}

void Workbench::swapRoles()
{
    if (m_run.live) {
        Q_EMIT problem(
            {Error::Kind::Usage, tr("The student is in training. Stop the run before teacher and student change places.").toStdString(), {}});
        return;
    }
    for (JobSlot& job : m_loading) {
        job.cancel();
    }
    std::swap(m_roles[0], m_roles[1]);
    std::swap(m_tokenizers[0], m_tokenizers[1]);
    m_worker.post([engine = m_engine](std::stop_token /*stop*/) { engine->swap(); });
    for (const Role role : kRoles) {
        Q_EMIT roleChanged(role);
        if (m_roles[index_of(role)].ready()) {
            keepModel(role);
        }
    }
}

void Workbench::createStudent(const DistilPlan::Student& student)
{
    const std::size_t i = index_of(Role::Student);
    m_before_loading[i] = m_roles[i];
    JobSlot::Job job = m_loading[i].begin();
    m_roles[i] =
        RoleState{.phase = RoleState::Phase::Loading, .spec = tr("new student").toStdString(), .stage = tr("Making the student").toStdString()};
    Q_EMIT roleChanged(Role::Student);
    DistilPlan plan;
    plan.student = student;
    m_worker.post([self = QPointer<Workbench>(this), engine = m_engine, number = job.number, plan = std::move(plan)](std::stop_token /*stop*/) {
        auto facts = guard("Making the student", [&] { return engine->create_student(plan); });
        on_gui(self, [number, facts = std::move(facts)](Workbench& w) mutable {
            if (!w.m_loading[index_of(Role::Student)].is_current(number)) {
                return;
            }
            if (facts) {
                w.setModel(Role::Student, std::move(*facts));
                w.keepModel(Role::Student);
            } else {
                w.loadingFailed(Role::Student, std::move(facts.error()));
            }
        });
    });
}

void Workbench::useDemo()
{
    openModel(Role::Teacher, QStringLiteral("demo:teacher"));
    openModel(Role::Student, QStringLiteral("demo:student"));
}

/// Ahead of the weights, so that what the session kept can be read at once: candidates are ids, and only the tokenizer knows what they spell.
void Workbench::readRememberedTokenizer(Role role)
{
    const std::size_t i = index_of(role);
    m_worker.post([self = QPointer<Workbench>(this), role, i, session = m_session.summary.id, spec = m_roles[i].spec,
                   fingerprint = m_roles[i].remembered->tokenizer_fingerprint](std::stop_token /*stop*/) {
        auto read = guard("Reading the tokenizer", [&] { return load_tokenizer_spec(spec); });
        if (!read || (*read)->fingerprint() != fingerprint) {
            return; // loading the model says what is wrong
        }
        on_gui(self, [role, i, session, tokenizer = std::move(*read)](Workbench& w) mutable {
            if (w.m_session.summary.id == session && !w.m_roles[i].ready() && w.m_roles[i].phase != RoleState::Phase::Empty) {
                w.m_tokenizers[i] = std::move(tokenizer);
                Q_EMIT w.roleChanged(role);
            }
        });
    });
}

void Workbench::loadRemembered()
{
    const auto remembered = [this](Role role) {
        const RoleState& state = m_roles[index_of(role)];
        return state.phase == RoleState::Phase::Remembered && !state.spec.empty();
    };
    for (const Role role : kRoles) {
        if (remembered(role) && !m_exchange.empty()) {
            readRememberedTokenizer(role);
        }
    }
    for (const Role role : kRoles) {
        if (remembered(role)) {
            openModel(role, QString::fromStdString(m_roles[index_of(role)].spec));
        }
    }
}

} // namespace retort
