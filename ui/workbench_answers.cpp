#include "core/base/text_format.h"
#include "core/desk/engine.h"
#include "core/desk/exchange.h"
#include "ui/on_gui.h"
#include "ui/workbench.h"

#include <algorithm>
#include <cmath>

namespace retort {

void Workbench::ask(const Question& question)
{
    beginExchange(question, {});
}

void Workbench::beginExchange(Question question, std::array<std::vector<GeneratedToken>, 2> kept)
{
    JobSlot::Job job = m_answering.begin();
    m_looking.cancel();
    m_exchange = Exchange{.number = job.number, .question = std::move(question)};
    m_stored_places.clear();
    for (const Role role : kRoles) {
        ExchangeSide& side = m_exchange.side(role);
        side.asked = m_roles[index_of(role)].ready() || (role == Role::Student && m_run.live);
        side.running = side.asked;
        side.model_name = m_roles[index_of(role)].name();
        side.model_sha256 = m_roles[index_of(role)].info ? m_roles[index_of(role)].info->sha256 : std::string();
    }
    m_cursor.reset();
    keepView(QStringLiteral("exchange"), QJsonValue::Undefined); // the newest is what a reopened session shows
    keepView(QStringLiteral("cursor"), QJsonValue::Undefined);
    Q_EMIT exchangeReset();
    Q_EMIT cursorChanged(m_cursor);
    if (!m_exchange.running()) {
        Q_EMIT problem({Error::Kind::Usage, tr("No model is loaded to answer. Open one on the Models page.").toStdString(), {}});
        return;
    }
    Q_EMIT answeringChanged(true);

    m_worker.post([self = QPointer<Workbench>(this), engine = m_engine, job,
                   asking = Engine::Asking{m_exchange.question, std::move(kept)}](std::stop_token worker_stop) {
        StopWithWorker link(std::move(worker_stop), [stop_source = job.stop]() mutable { stop_source.request_stop(); });
        const auto home = [&self, number = job.number](auto act) {
            on_gui(self, [number, act = std::move(act)](Workbench& w) mutable {
                if (w.m_answering.is_current(number)) {
                    act(w);
                }
            });
        };
        Engine::AskReport report;
        report.started = [&home](Role role, const std::string& model_name, const Prompt& prompt) {
            home([role, model_name, prompt](Workbench& w) { w.answerBegan(role, model_name, prompt); });
        };
        report.tokens = [&home](Role role, std::vector<GeneratedToken> tokens) {
            home([role, tokens = std::move(tokens)](Workbench& w) {
                std::vector<GeneratedToken>& all = w.m_exchange.side(role).answer.tokens;
                const std::size_t first = all.size();
                all.insert(all.end(), tokens.begin(), tokens.end());
                Q_EMIT w.tokensArrived(role, first);
            });
        };
        report.finished = [&home](Role role, Result<Answer> answer) {
            home([role, answer = std::move(answer)](Workbench& w) mutable { w.answerCame(role, std::move(answer)); });
        };
        engine->ask(asking, report, job.stop.get_token());
    });
}

void Workbench::answerBegan(Role role, const std::string& model_name, const Prompt& prompt)
{
    m_exchange.side(role).model_name = model_name;
    m_exchange.side(role).answer.prompt = prompt.ids;
    if (!m_exchange.prompt.ids.empty()) {
        return; // the other model read it first
    }
    m_exchange.prompt = prompt;
    write([number = m_exchange.number, messages = m_exchange.question.messages, prompt](SessionStore& store,
                                                                                        SessionKeeper::Ledger& ledger) -> Result<void> {
        auto row = store.exchanges().add_prompt(ledger.session, messages, prompt);
        if (!row) {
            return failure(std::move(row.error()));
        }
        ledger.prompts[number] = *row;
        return {};
    });
}

void Workbench::answerCame(Role role, Result<Answer> answer)
{
    ExchangeSide& side = m_exchange.side(role);
    side.running = false;
    if (answer) {
        const std::size_t known = side.answer.tokens.size();
        side.answer = std::move(*answer);
        if (side.answer.tokens.size() > known) {
            Q_EMIT tokensArrived(role, known);
        }
        keepAnswer(role);
    } else if (answer.error().kind == Error::Kind::Cancelled) {
        side.answer.finish = Finish::Cancelled;
    } else {
        side.error = std::move(answer.error());
    }
    Q_EMIT answerFinished(role);
    if (!m_exchange.running()) {
        Q_EMIT answeringChanged(false);
        m_session.prompts.push_back(head_of(m_exchange));
        Q_EMIT historyChanged();
        compareAnswers();
    }
}

void Workbench::keepAnswer(Role role)
{
    write([number = m_exchange.number, role, name = m_exchange.side(role).model_name, answer = m_exchange.side(role).answer,
           settings = m_exchange.question.settings](SessionStore& store, SessionKeeper::Ledger& ledger) -> Result<void> {
        auto row = store.exchanges().add_response(ledger.prompts[number], {ledger.model(role), name}, name_of(role), answer, settings);
        if (!row) {
            return failure(std::move(row.error()));
        }
        ledger.responses[{number, role}] = *row;
        return {};
    });
}

void Workbench::compareAnswers()
{
    const auto match = tokenizerMatch();
    if (!match || !match->same) {
        return;
    }
    for (const Role role : kRoles) {
        const ExchangeSide& side = m_exchange.side(role);
        if (!side.asked || side.error || side.answer.tokens.empty()) {
            continue;
        }
        // A question that comes meanwhile makes this one's comparison obsolete, not wrong: it is checked by number, not stopped half-way.
        m_worker.post(
            [self = QPointer<Workbench>(this), engine = m_engine, role, number = m_exchange.number, answer = side.answer](std::stop_token stop) {
                auto comparison = guard("Comparing the models", [&] { return engine->compare(answer, std::move(stop)); });
                on_gui(self, [number, role, comparison = std::move(comparison)](Workbench& w) mutable {
                    w.comparisonCame(number, role, std::move(comparison));
                });
            });
    }
}

void Workbench::comparisonCame(std::uint64_t number, Role role, Result<Comparison> comparison)
{
    if (!comparison) {
        if (comparison.error().kind != Error::Kind::Cancelled) {
            Q_EMIT problem(comparison.error());
        }
        return;
    }
    write([number, role, comparison = *comparison](SessionStore& store, SessionKeeper::Ledger& ledger) -> Result<void> {
        auto row = store.exchanges().add_comparison(ledger.prompts[number], name_of(role), ledger.responses[{number, role}], comparison);
        return row ? Result<void>() : failure(std::move(row.error()));
    });
    if (number == m_exchange.number) {
        m_exchange.side(role).forced = std::move(*comparison);
        Q_EMIT comparisonReady(role);
    }
}

void Workbench::continueFrom(TokenPlace place, TokenId alternative)
{
    const auto tokenizer = m_tokenizers[index_of(place.text_of)];
    const bool answerable = role(Role::Teacher).ready() || role(Role::Student).ready();
    if (m_exchange.empty() || place.position >= m_exchange.side(place.text_of).answer.tokens.size() || !tokenizer || !answerable) {
        return;
    }
    std::array<std::vector<GeneratedToken>, 2> kept;
    for (const Role role : kRoles) {
        kept[index_of(role)] = beginning_with(m_exchange, place, alternative, role, *tokenizer);
    }
    beginExchange(m_exchange.question, std::move(kept));
}

void Workbench::stopAnswering()
{
    m_answering.ask_to_stop();
}

void Workbench::showExchange(qint64 row)
{
    if (std::ranges::find(m_session.prompts, row, &ExchangeHead::id) == m_session.prompts.end()) {
        return;
    }
    const JobSlot::Job job = m_answering.begin();
    write([self = QPointer<Workbench>(this), row, number = job.number](SessionStore& store, SessionKeeper::Ledger& ledger) -> Result<void> {
        auto stored = store.exchanges().read(row > 0 ? row : ledger.prompts[static_cast<std::uint64_t>(-row)]);
        if (!stored) {
            return failure(std::move(stored.error()));
        }
        on_gui(self, [number, stored = std::move(*stored)](Workbench& w) {
            if (w.m_answering.is_current(number)) {
                w.showStored(stored, number);
            }
        });
        return {};
    });
}

void Workbench::showStored(const StoredPrompt& stored, std::uint64_t number)
{
    m_exchange = exchange_from(stored, number);
    m_stored_places = stored.snapshots;
    m_cursor.reset();
    m_snapshot.reset();
    m_snapshot_place.reset();
    keepView(QStringLiteral("exchange"), QJsonValue(static_cast<qint64>(stored.id)));
    keepView(QStringLiteral("cursor"), QJsonValue::Undefined);
    Q_EMIT answeringChanged(false);
    Q_EMIT exchangeReset();
    Q_EMIT cursorChanged(m_cursor);
}

void Workbench::setCursor(std::optional<TokenPlace> place)
{
    if (place != m_cursor) {
        m_cursor = place;
        keepView(QStringLiteral("cursor"), place ? QJsonValue(QJsonObject{{QStringLiteral("text_of"), QLatin1String(name_of(place->text_of))},
                                                                          {QStringLiteral("position"), static_cast<qint64>(place->position)}})
                                                 : QJsonValue(QJsonValue::Undefined));
        Q_EMIT cursorChanged(place);
    }
}

bool Workbench::answeredByPresentModels() const
{
    return !m_run.live && std::ranges::all_of(kRoles, [this](Role role) {
        const ExchangeSide& side = m_exchange.side(role);
        const RoleState& present = m_roles[index_of(role)];
        return present.ready() == side.asked && (!side.asked || (side.model_name == present.name() && side.model_sha256 == present.info->sha256));
    });
}

/// Which of history() stands in exchange(); empty while its answers are still coming.
std::optional<std::size_t> Workbench::exchangeInHistory() const
{
    const RowId row = m_exchange.row != 0 ? m_exchange.row : -static_cast<RowId>(m_exchange.number);
    const auto found = std::ranges::find(m_session.prompts, row, &ExchangeHead::id);
    return found == m_session.prompts.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - m_session.prompts.begin()));
}

SnapshotPlace Workbench::storedPlace(TokenPlace place) const
{
    return {name_of(place.text_of), static_cast<std::int64_t>(m_exchange.side(place.text_of).answer.prompt.size() + place.position)};
}

bool Workbench::hasStoredSnapshot(TokenPlace place) const
{
    return std::ranges::find(m_stored_places, storedPlace(place)) != m_stored_places.end();
}

void Workbench::showSnapshot(TokenPlace place, DistributionSnapshot snapshot, bool stored)
{
    m_snapshot = std::move(snapshot);
    m_snapshot_place = place;
    m_snapshot_stored = stored;
    Q_EMIT snapshotReady();
}

/// Only what those models say that answered: a later student's distributions do not belong to this answer.
void Workbench::keepSnapshot(TokenPlace place, const DistributionSnapshot& snapshot)
{
    const auto index = exchangeInHistory();
    if (!index || !answeredByPresentModels()) {
        return;
    }
    const SnapshotPlace at{name_of(place.text_of), snapshot.position};
    if (std::ranges::find(m_stored_places, at) == m_stored_places.end()) {
        m_stored_places.push_back(at);
    }
    write([row = m_session.prompts[*index].id, at, snapshot](SessionStore& store, SessionKeeper::Ledger& ledger) -> Result<void> {
        const RowId stored = row > 0 ? row : ledger.prompts[static_cast<std::uint64_t>(-row)];
        if (stored != 0) {
            store.exchanges().add_snapshot_later(stored, {at.text_of, snapshot});
        }
        return {};
    });
}

void Workbench::requestStoredSnapshot(TokenPlace place)
{
    const auto index = exchangeInHistory();
    if (!index) {
        return;
    }
    write([self = QPointer<Workbench>(this), row = m_session.prompts[*index].id, place, at = storedPlace(place),
           number = m_looking.begin().number](SessionStore& store, SessionKeeper::Ledger& ledger) -> Result<void> {
        auto stored = store.exchanges().snapshot(row > 0 ? row : ledger.prompts[static_cast<std::uint64_t>(-row)], at);
        if (!stored) {
            return failure(std::move(stored.error()));
        }
        on_gui(self, [number, place, stored = std::move(*stored)](Workbench& w) mutable {
            if (stored && w.m_looking.is_current(number)) {
                w.showSnapshot(place, std::move(stored->snapshot), true);
            }
        });
        return {};
    });
}

void Workbench::requestSnapshot(TokenPlace place)
{
    const ExchangeSide& side = m_exchange.side(place.text_of);
    if (place.position > side.answer.tokens.size()) {
        return;
    }
    const bool all_here = std::ranges::all_of(kRoles, [this](Role who) { return !m_exchange.side(who).asked || role(who).ready(); });
    if (!all_here && hasStoredSnapshot(place)) {
        requestStoredSnapshot(place);
        return;
    }
    if (!role(Role::Teacher).ready() && !role(Role::Student).ready()) {
        return;
    }
    std::vector<TokenId> context = side.answer.prompt;
    std::transform(side.answer.tokens.begin(), side.answer.tokens.begin() + static_cast<std::ptrdiff_t>(place.position), std::back_inserter(context),
                   [](const GeneratedToken& token) { return token.id; });
    JobSlot::Job job = m_looking.begin();
    m_worker.post(
        [self = QPointer<Workbench>(this), engine = m_engine, job, place, context = std::move(context)](std::stop_token worker_stop) mutable {
            StopWithWorker link(std::move(worker_stop), [stop_source = job.stop]() mutable { stop_source.request_stop(); });
            auto snapshot = job.stop.stop_requested()
                                ? Result<DistributionSnapshot>(cancelled())
                                : guard("Reading the distributions", [&] { return engine->snapshot(std::move(context), job.stop.get_token()); });
            on_gui(self, [number = job.number, place, snapshot = std::move(snapshot)](Workbench& w) mutable {
                if (!w.m_looking.is_current(number)) {
                    return;
                }
                if (snapshot) {
                    w.keepSnapshot(place, *snapshot);
                    w.showSnapshot(place, std::move(*snapshot), false);
                } else if (snapshot.error().kind != Error::Kind::Cancelled) {
                    Q_EMIT w.snapshotFailed(snapshot.error());
                }
            });
        });
}

} // namespace retort
