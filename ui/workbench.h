#pragma once
#include "core/base/worker.h"
#include "core/desk/exchange.h"
#include "core/desk/recording.h"
#include "core/desk/role_state.h"
#include "core/desk/run_reader.h"
#include "core/desk/run_view.h"
#include "core/desk/session_keeper.h"
#include "core/distil/catalogues.h"
#include "core/inference/distribution.h"
#include "core/store/session_store.h"
#include "ui/job_slot.h"
#include "ui/page_id.h"

#include <QJsonObject>
#include <QObject>
#include <QString>
#include <QTimer>
#include <array>
#include <memory>

namespace retort {

class Engine;
class RunWatcher;

/// The one object that pages talk to. GUI thread only; every call returns at once.
///
/// A page asks with a slot, hears with a signal, and draws from the const questions, which always hold the whole present state: a page made late,
/// or after a restart, sees what one saw that was there from the start. The models and all work on them live on the engine thread, the database on
/// its own; nothing but plain values comes from there. Whatever happens is saved to the current session without being asked.
///
/// A later request of a kind makes an earlier one obsolete: asking again stops the answer under way, opening another model cancels the loading one.
class Workbench : public QObject {
    Q_OBJECT

public:
    /// All three outlive the workbench.
    Workbench(SessionStore& store, const Catalogues& catalogues, Worker& engine, QObject* parent = nullptr);
    ~Workbench() override;

    // Models
    [[nodiscard]] const RoleState& role(Role role) const { return m_roles[index_of(role)]; }
    [[nodiscard]] std::shared_ptr<const Tokenizer> tokenizer(Role role) const { return m_tokenizers[index_of(role)]; } ///< null when not loaded
    /// Whether the two cut text alike; empty unless both are loaded and have a tokenizer.
    [[nodiscard]] std::optional<TokenizerMatch> tokenizerMatch() const;
    [[nodiscard]] bool bothReady() const { return role(Role::Teacher).ready() && role(Role::Student).ready(); }

    // Compare and Distributions
    [[nodiscard]] const Exchange& exchange() const { return m_exchange; }
    [[nodiscard]] const std::vector<ExchangeHead>& history() const { return m_session.prompts; } ///< the session's earlier exchanges, oldest first
    [[nodiscard]] std::optional<TokenPlace> cursor() const { return m_cursor; }
    [[nodiscard]] const std::optional<DistributionSnapshot>& snapshot() const { return m_snapshot; } ///< at snapshotPlace()
    [[nodiscard]] std::optional<TokenPlace> snapshotPlace() const { return m_snapshot_place; }

    [[nodiscard]] bool snapshotIsStored() const { return m_snapshot_stored; } ///< it comes from the session, not from the models
    /// Whether the session kept the distributions of this place.
    [[nodiscard]] bool hasStoredSnapshot(TokenPlace place) const;

    // Distil
    [[nodiscard]] const RunView& run() const { return m_run; }
    [[nodiscard]] const Catalogues& catalogues() const { return m_catalogues; }
    /// Bytes the plan would take while training with the present models; 0 when they are not known.
    [[nodiscard]] std::uint64_t trainingMemory(const DistilPlan& plan) const;

    // Sessions
    [[nodiscard]] const SessionSummary& session() const { return m_session.summary; }
    [[nodiscard]] const std::vector<SessionSummary>& sessions() const { return m_sessions; }
    [[nodiscard]] const std::vector<SessionSummary>& bin() const { return m_bin; }
    [[nodiscard]] bool saving() const { return m_unsaved > 0; }
    /// What the session remembers of how it was looked at, by name; undefined when nothing. A page reads it on sessionChanged.
    [[nodiscard]] QJsonValue view(const QString& name) const { return m_view.value(name); }
    /// Set while what stands in exchange(), or in run(), was recorded beforehand.
    [[nodiscard]] std::optional<Recording> recordingOfExchange() const;
    [[nodiscard]] std::optional<Recording> recordingOfRun() const;

public Q_SLOTS:
    /// `spec`: a folder, a file, "demo:teacher", "demo:student" or "demo:distilled".
    void openModel(retort::Role role, const QString& spec);
    void cancelLoading(retort::Role role);
    void ejectModel(retort::Role role);
    void swapRoles();
    /// A student cut from the teacher or made fresh, put into the student's role.
    void createStudent(const retort::DistilPlan::Student& student);
    void useDemo(); ///< the built-in teacher and student into both roles

    /// Puts `question` to every model that is loaded, token by token in turn. To the student in training, should a run be under way.
    void ask(const retort::Question& question);
    /// Goes on from `place` with `alternative` in its stead, in both models: the tokens before it stay.
    void continueFrom(retort::TokenPlace place, retort::TokenId alternative);
    void stopAnswering();
    void showExchange(qint64 row); ///< an earlier one of history()
    void setCursor(std::optional<retort::TokenPlace> place);
    /// Exact distributions of both models at the place, and the world's truth where it is known; snapshotReady follows. While a model that answered
    /// is not in memory they come from the session, if it kept them.
    void requestSnapshot(retort::TokenPlace place);

    void startDistilling(const retort::DistilPlan& plan);
    void resumeRun(); ///< the interrupted run that run() shows
    void togglePause();
    void stepOnce();
    void stopAndKeep();    ///< the student as it is becomes the student
    void stopAndDiscard(); ///< the student stays who it was

    void openSession(qint64 id);
    void newSession(const QString& title = {});
    void listSessions(); ///< reads the list anew; sessionsListed() follows
    void renameSession(qint64 id, const QString& title);
    void moveToBin(qint64 id, bool in_bin);
    void purgeSession(qint64 id);
    /// Lists the library, opens the latest session (or makes the first one) and loads its models.
    void start();

    /// Remembers `value` with the session; saved a moment later.
    void keepView(const QString& name, const QJsonValue& value);

    void showPage(retort::PageId page) { Q_EMIT pageWanted(page); }
    void dismissProblem() { Q_EMIT problemDismissed(); }

Q_SIGNALS:
    void roleChanged(retort::Role role);

    void exchangeReset();                                     ///< another exchange stands in exchange(): draw it anew
    void tokensArrived(retort::Role role, std::size_t first); ///< answer.tokens from `first` on are new; at most 30 times a second
    void answerFinished(retort::Role role);                   ///< or failed: side.error
    void answeringChanged(bool answering);
    void comparisonReady(retort::Role text_of); ///< side(text_of).forced
    void cursorChanged(std::optional<retort::TokenPlace> place);
    void snapshotReady(); ///< snapshot(), snapshotPlace()
    void snapshotFailed(const retort::Error& error);
    void historyChanged();

    void runReset();    ///< another run stands in run(): draw it anew
    void runAppended(); ///< run().record grew at the ends; at most 30 times a second
    void runStateChanged(retort::RunState state);

    void sessionChanged();
    void sessionsListed();
    void savingChanged(bool saving);

    void pageWanted(retort::PageId page);
    void problem(const retort::Error& error); ///< no page of its own: the status bar keeps it until dismissed
    void problemDismissed();

private:
    void write(SessionKeeper::Entry entry);

    void setModel(Role role, ModelFacts facts);
    void keepModel(Role role);
    void loadingFailed(Role role, Error error);
    void loadRemembered();
    void readRememberedTokenizer(Role role);

    void beginExchange(Question question, std::array<std::vector<GeneratedToken>, 2> kept);
    void answerBegan(Role role, const std::string& model_name, const Prompt& prompt);
    void answerCame(Role role, Result<Answer> answer);
    void compareAnswers();
    void comparisonCame(std::uint64_t number, Role role, Result<Comparison> comparison);
    void keepAnswer(Role role);
    void showSnapshot(TokenPlace place, DistributionSnapshot snapshot, bool stored);
    void keepSnapshot(TokenPlace place, const DistributionSnapshot& snapshot);
    [[nodiscard]] SnapshotPlace storedPlace(TokenPlace place) const;
    void requestStoredSnapshot(TokenPlace place);
    void showStored(const StoredPrompt& stored, std::uint64_t number);
    [[nodiscard]] bool answeredByPresentModels() const;
    [[nodiscard]] std::optional<std::size_t> exchangeInHistory() const;

    struct Resume {
        CheckpointNote from;
        std::int64_t segment = 1;
    };
    void beginRun(const DistilPlan& plan, const std::optional<Resume>& resume);
    void runMade(std::shared_ptr<DistillationRun> run, const std::optional<Resume>& resume);
    void hear(const RunNews& news);
    void setRunState(RunState state);
    void runEnded();

    void saveView();
    void restoreView(const std::optional<StoredPrompt>& shown);
    void showContent(SessionContent content, const std::optional<StoredPrompt>& shown);
    void requestWholeCurve();

    const Catalogues& m_catalogues;
    Worker& m_worker;
    std::shared_ptr<Engine> m_engine; ///< touched on the engine thread only
    std::unique_ptr<SessionKeeper> m_keeper;
    int m_unsaved = 0;

    std::array<RoleState, 2> m_roles;
    std::array<std::shared_ptr<const Tokenizer>, 2> m_tokenizers;
    std::array<RoleState, 2> m_before_loading;
    std::array<JobSlot, 2> m_loading;

    Exchange m_exchange;
    JobSlot m_answering;
    std::optional<TokenPlace> m_cursor;
    JobSlot m_looking;
    std::optional<DistributionSnapshot> m_snapshot;
    std::optional<TokenPlace> m_snapshot_place;
    bool m_snapshot_stored = false;
    std::vector<SnapshotPlace> m_stored_places; ///< of the exchange shown

    RunView m_run;
    RunWatcher* m_watcher = nullptr;
    bool m_keep_student = true;

    SessionContent m_session;
    QJsonObject m_view;          ///< the session's view state
    bool m_view_changed = false; ///< since it was saved
    QTimer m_view_due;
    std::optional<Recording> m_recording;
    std::vector<SessionSummary> m_sessions, m_bin;
};

} // namespace retort
