#include "core/desk/exchange.h"
#include "ui/on_gui.h"
#include "ui/workbench.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QLocale>
#include <algorithm>

namespace retort {

namespace {

using Ledger = SessionKeeper::Ledger;

constexpr std::size_t kPointsAtFirst = 2000; ///< of a curve: more than a plot has pixels; the rest follows when the session is drawn

struct Opened {
    SessionContent content;
    std::optional<StoredPrompt> shown; ///< the exchange that was looked at last
};

/// The exchange that was looked at last, else the latest; empty when there is none.
Result<std::optional<StoredPrompt>> read_shown(SessionStore& store, const SessionContent& content)
{
    if (content.prompts.empty()) {
        return std::nullopt;
    }
    const QJsonObject view = QJsonDocument::fromJson(QByteArray::fromStdString(content.view_state_json)).object();
    const auto looked_at = static_cast<RowId>(view.value(QStringLiteral("exchange")).toInteger());
    const bool there = std::ranges::find(content.prompts, looked_at, &ExchangeHead::id) != content.prompts.end();
    return store.exchanges().read(there ? looked_at : content.prompts.back().id).map([](StoredPrompt&& prompt) {
        return std::optional(std::move(prompt));
    });
}

/// Opens `id` and makes it the session that is written to.
Result<Opened> turn_to(SessionStore& store, Ledger& ledger, RowId id)
{
    auto content = store.sessions().read(id);
    auto shown = content ? read_shown(store, *content) : failure(content.error());
    if (!shown) {
        return failure(std::move(shown.error()));
    }
    if (!content->runs.empty()) {
        auto run = store.runs().read(content->runs.back().id, kPointsAtFirst);
        if (!run) {
            return failure(std::move(run.error()));
        }
        content->runs.back() = std::move(*run);
    }
    store.sessions().note_opened_later(id);
    ledger = Ledger{.session = id};
    ledger.models = {content->teacher ? content->teacher->id : 0, content->student ? content->student->id : 0};
    return Opened{std::move(*content), std::move(*shown)};
}

/// Where the cursor stood, if that is a token of the exchange.
std::optional<TokenPlace> place_from(const QJsonValue& view, const Exchange& exchange)
{
    const Role text_of = view[QLatin1String("text_of")].toString() == QLatin1String(name_of(Role::Student)) ? Role::Student : Role::Teacher;
    const qint64 position = view[QLatin1String("position")].toInteger(-1);
    const auto count = static_cast<qint64>(exchange.side(text_of).answer.tokens.size());
    return position >= 0 && position < count ? std::optional(TokenPlace{text_of, static_cast<std::size_t>(position)}) : std::nullopt;
}

std::optional<Recording> recording_from(const QJsonValue& view)
{
    if (!view.isObject()) {
        return std::nullopt;
    }
    return Recording{view[QLatin1String("on")].toString().toStdString(), view[QLatin1String("machine")].toString().toStdString(),
                     view[QLatin1String("last_prompt")].toInteger(), view[QLatin1String("last_run")].toInteger()};
}

} // namespace

void Workbench::start()
{
    const QString first_title = tr("First session");
    write([self = QPointer<Workbench>(this), title = first_title.toStdString()](SessionStore& store, Ledger& ledger) -> Result<void> {
        auto listed = store.sessions().list();
        if (!listed) {
            return failure(std::move(listed.error()));
        }
        RowId id = listed->empty() ? 0 : listed->front().id;
        const bool first = id == 0;
        if (first) {
            auto created = store.sessions().create(title);
            if (!created) {
                return failure(std::move(created.error()));
            }
            id = *created;
        }
        auto opened = turn_to(store, ledger, id);
        if (!opened) {
            return failure(std::move(opened.error()));
        }
        on_gui(self, [opened = std::move(*opened), first](Workbench& w) mutable {
            w.showContent(std::move(opened.content), opened.shown);
            if (first) {
                w.useDemo();
            }
        });
        return {};
    });
    listSessions();
}

void Workbench::listSessions()
{
    write([self = QPointer<Workbench>(this)](SessionStore& store, Ledger& /*ledger*/) -> Result<void> {
        auto sessions = store.sessions().list(false);
        auto bin = store.sessions().list(true);
        if (!sessions || !bin) {
            return failure(!sessions ? std::move(sessions.error()) : std::move(bin.error()));
        }
        on_gui(self, [sessions = std::move(*sessions), bin = std::move(*bin)](Workbench& w) mutable {
            w.m_sessions = std::move(sessions);
            w.m_bin = std::move(bin);
            Q_EMIT w.sessionsListed();
        });
        return {};
    });
}

void Workbench::openSession(qint64 id)
{
    if (m_run.live) {
        Q_EMIT problem({Error::Kind::Usage, tr("A student is in training in this session. Stop the run before opening another.").toStdString(), {}});
        return;
    }
    m_answering.cancel();
    write([self = QPointer<Workbench>(this), id](SessionStore& store, Ledger& ledger) -> Result<void> {
        auto opened = turn_to(store, ledger, id);
        if (!opened) {
            return failure(std::move(opened.error()));
        }
        on_gui(self, [opened = std::move(*opened)](Workbench& w) mutable { w.showContent(std::move(opened.content), opened.shown); });
        return {};
    });
}

void Workbench::newSession(const QString& title)
{
    if (m_run.live) {
        Q_EMIT problem(
            {Error::Kind::Usage, tr("A student is in training in this session. Stop the run before beginning another.").toStdString(), {}});
        return;
    }
    const QString name = title.isEmpty() ? tr("Session of %1").arg(QLocale().toString(QDateTime::currentDateTime(), QLocale::ShortFormat)) : title;
    m_answering.cancel();
    write([self = QPointer<Workbench>(this), name = name.toStdString()](SessionStore& store, Ledger& ledger) -> Result<void> {
        auto id = store.sessions().create(name);
        if (!id) {
            return failure(std::move(id.error()));
        }
        auto opened = turn_to(store, ledger, *id);
        if (!opened) {
            return failure(std::move(opened.error()));
        }
        on_gui(self, [opened = std::move(*opened)](Workbench& w) mutable {
            // The models that are loaded stay where they are: a new session with the same two is what one wants most often.
            w.showContent(std::move(opened.content), opened.shown);
            for (const Role role : kRoles) {
                if (w.role(role).ready()) {
                    w.keepModel(role);
                }
            }
        });
        return {};
    });
    listSessions();
}

void Workbench::renameSession(qint64 id, const QString& title)
{
    if (title.trimmed().isEmpty()) {
        return;
    }
    if (id == m_session.summary.id) {
        m_session.summary.title = title.trimmed().toStdString();
        Q_EMIT sessionChanged();
    }
    write([id, title = title.trimmed().toStdString()](SessionStore& store, Ledger& /*ledger*/) { return store.sessions().rename(id, title); });
    listSessions();
}

void Workbench::moveToBin(qint64 id, bool in_bin)
{
    if (in_bin && m_run.live && id == m_session.summary.id) {
        Q_EMIT problem(
            {Error::Kind::Usage, tr("A student is in training in this session. Stop the run before moving it to the bin.").toStdString(), {}});
        return;
    }
    write([id, in_bin](SessionStore& store, Ledger& /*ledger*/) { return store.sessions().move_to_bin(id, in_bin); });
    listSessions();
    if (in_bin && id == m_session.summary.id) {
        const auto next = std::ranges::find_if(m_sessions, [id](const SessionSummary& session) { return session.id != id; });
        next != m_sessions.end() ? openSession(next->id) : newSession();
    }
}

void Workbench::purgeSession(qint64 id)
{
    write([id](SessionStore& store, Ledger& /*ledger*/) { return store.sessions().purge(id); });
    listSessions();
}

void Workbench::keepView(const QString& name, const QJsonValue& value)
{
    if (m_session.summary.id == 0 || m_view.value(name) == value) {
        return;
    }
    if (value.isUndefined()) {
        m_view.remove(name);
    } else {
        m_view.insert(name, value);
    }
    m_view_changed = true;
    m_view_due.start();
}

void Workbench::saveView()
{
    m_view_due.stop();
    if (!std::exchange(m_view_changed, false)) {
        return;
    }
    write([session = m_session.summary.id, json = QJsonDocument(m_view).toJson(QJsonDocument::Compact).toStdString()](
              SessionStore& store, SessionKeeper::Ledger& /*ledger*/) -> Result<void> {
        store.sessions().save_view_state_later(session, json);
        return {};
    });
}

/// The session as it was looked at last: which exchange, and where in it.
void Workbench::restoreView(const std::optional<StoredPrompt>& shown)
{
    m_view = QJsonDocument::fromJson(QByteArray::fromStdString(m_session.view_state_json)).object();
    m_recording = recording_from(m_view.value(QStringLiteral("recorded")));
    const std::uint64_t number = m_answering.begin().number;
    m_exchange = shown ? exchange_from(*shown, number) : Exchange{};
    m_stored_places = shown ? shown->snapshots : std::vector<SnapshotPlace>();
    m_cursor = place_from(m_view.value(QStringLiteral("cursor")), m_exchange);
}

std::optional<Recording> Workbench::recordingOfExchange() const
{
    return m_recording && m_exchange.row > 0 && m_exchange.row <= m_recording->last_prompt ? m_recording : std::nullopt;
}

std::optional<Recording> Workbench::recordingOfRun() const
{
    return m_recording && m_run.record.id > 0 && m_run.record.id <= m_recording->last_run && !m_run.live ? m_recording : std::nullopt;
}

void Workbench::showContent(SessionContent content, const std::optional<StoredPrompt>& shown)
{
    saveView();
    m_looking.cancel();
    m_session = std::move(content);
    for (const Role role : kRoles) {
        const auto& remembered = role == Role::Teacher ? m_session.teacher : m_session.student;
        RoleState& state = m_roles[index_of(role)];
        const bool same = state.ready() && remembered &&
                          (state.spec == remembered->path || (!remembered->sha256.empty() && state.info->sha256 == remembered->sha256));
        if (remembered && !same) {
            state = RoleState{.phase = RoleState::Phase::Remembered, .spec = remembered->path, .remembered = remembered};
            m_tokenizers[index_of(role)].reset();
        }
        Q_EMIT roleChanged(role);
    }
    restoreView(shown);
    m_snapshot.reset();
    m_snapshot_place.reset();
    m_run = m_session.runs.empty() ? RunView{} : view_of(m_session.runs.back());
    Q_EMIT sessionChanged();
    Q_EMIT historyChanged();
    Q_EMIT exchangeReset();
    Q_EMIT cursorChanged(m_cursor);
    Q_EMIT runReset();
    Q_EMIT runStateChanged(m_run.state);
    requestWholeCurve();
    loadRemembered();
}

/// In the place of the overview that a long run was drawn from.
void Workbench::requestWholeCurve()
{
    if (!m_run.record.thinned) {
        return;
    }
    write([self = QPointer<Workbench>(this), id = m_run.record.id](SessionStore& store, Ledger& /*ledger*/) -> Result<void> {
        auto run = store.runs().read(id);
        if (!run) {
            return failure(std::move(run.error()));
        }
        on_gui(self, [run = std::move(*run)](Workbench& w) mutable {
            if (w.m_run.record.id == run.id && !w.m_run.live) {
                w.m_run.record = std::move(run);
                Q_EMIT w.runReset();
            }
        });
        return {};
    });
}

} // namespace retort
