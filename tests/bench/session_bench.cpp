// How long a long session takes to open: 10^6 metric rows and 2,000 exchanges. Three things take turns, so that a busy machine slows all alike: what
// the window reads before it draws, reading everything as 0.1.0 did before it drew, and the window itself from the click to its session's curve and
// exchange painted. Run it offscreen (QT_QPA_PLATFORM=offscreen) or under an X server.

#include "core/base/cpu.h"
#include "core/base/worker.h"
#include "core/distil/catalogues.h"
#include "core/store/session_store.h"
#include "ui/main_window.h"
#include "ui/theme/theme.h"
#include "ui/workbench.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QSettings>
#include <QTemporaryDir>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <sqlite3.h>

namespace {

using namespace retort;
namespace fs = std::filesystem;

constexpr int kRounds = 5;
constexpr std::int64_t kSteps = 125'000; ///< eight rows each: the step's own and seven metrics
constexpr std::int64_t kExchanges = 2'000;
constexpr std::int64_t kTokens = 64; ///< of an answer
constexpr std::int64_t kVocabulary = 4'096;
constexpr std::size_t kPointsAtFirst = 2'000;
constexpr int kPatience = 120'000; // ms

template <class Value>
Value value_of(Result<Value> result)
{
    if (!result) {
        std::printf("%s\n", result.error().message.c_str());
        std::exit(1);
    }
    return std::move(*result);
}

Answer some_answer()
{
    Answer answer;
    answer.prompt = {1, 2, 3};
    for (std::int64_t i = 0; i < kTokens; ++i) {
        answer.tokens.push_back({static_cast<TokenId>(i), " word", " word", -0.5f, 0, 1.5f});
        answer.text += " word";
    }
    return answer;
}

Comparison some_comparison()
{
    Comparison comparison;
    comparison.prompt_tokens = 3;
    comparison.positions.resize(static_cast<std::size_t>(kTokens));
    for (ComparedPosition& position : comparison.positions) {
        position.teacher_top.assign(10, {7, 0.1f, 1});
        position.student_top = position.teacher_top;
    }
    return comparison;
}

void add_exchange(SessionStore& store, RowId session, const std::array<RowId, 2>& models)
{
    const RowId prompt =
        value_of(store.exchanges().add_prompt(session, {{"user", "Mia has a red kite. Who has it?"}}, {"Mia has a red kite.", {1, 2, 3}}));
    for (const std::size_t i : {0u, 1u}) {
        const char* role = i == 0 ? "teacher" : "student";
        const RowId response = value_of(store.exchanges().add_response(prompt, {models[i]}, role, some_answer(), {}));
        (void)value_of(store.exchanges().add_comparison(prompt, role, response, some_comparison()));
        DistributionSnapshot snapshot;
        snapshot.position = 5;
        snapshot.teacher.logits.assign(kVocabulary, 0.5f);
        snapshot.student.logits = snapshot.teacher.logits;
        store.exchanges().add_snapshot_later(prompt, {role, snapshot});
    }
}

/// The same exchange so often, by SQL: one by one, safe on the disk each, it would take minutes.
void multiply_exchanges(const fs::path& file)
{
    sqlite3* connection = nullptr;
    sqlite3_open(file.c_str(), &connection);
    const std::string numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(kExchanges - 1) + ") ";
    const std::string script =
        "PRAGMA synchronous = OFF; BEGIN;" + numbers +
        "INSERT INTO prompt SELECT 1 + i, session_id, messages_json, rendered, ids, created_at FROM n, prompt WHERE id = 1;" + numbers +
        "INSERT INTO response SELECT r.id + 2 * i, 1 + i, model_id, model_name, run_id, run_step, role, text, finish, settings_json, seed, "
        "prompt_tokens,"
        " first_token_ms, generation_ms, created_at FROM n, response r WHERE prompt_id = 1;" +
        numbers +
        "INSERT INTO token SELECT t.response_id + 2 * i, position, token_id, bytes, log_probability, rank, entropy FROM n, token t WHERE response_id "
        "<= 2;" +
        numbers +
        "INSERT INTO comparison SELECT c.id + 2 * i, 1 + i, c.response_id + 2 * i, text_of, teacher, student, tokenizer_id, mean_kl, same_top, "
        "positions,"
        " sha256, created_at FROM n, comparison c WHERE prompt_id = 1;" +
        numbers +
        "INSERT INTO snapshot SELECT s.id + 2 * i, 1 + i, text_of, position, content, sha256, created_at, teacher, student, tokenizer_id"
        " FROM n, snapshot s WHERE prompt_id = 1; COMMIT;";
    char* wrong = nullptr;
    if (sqlite3_exec(connection, script.c_str(), nullptr, nullptr, &wrong) != SQLITE_OK) {
        std::printf("%s\n", wrong);
        std::exit(1);
    }
    sqlite3_close(connection);
}

RowId make_session(const fs::path& file)
{
    RowId session = 0;
    {
        const auto store = value_of(SessionStore::open(file));
        session = value_of(store->sessions().create("long"));
        ModelInfo info;
        info.name = "gone"; // so that nothing is loaded
        info.path = "/nowhere";
        const std::array models{value_of(store->models().add(session, "teacher", info, "f")),
                                value_of(store->models().add(session, "student", info, "f"))};
        add_exchange(*store, session, models);
        NewRun run;
        run.plan.steps = kSteps;
        const RowId row = value_of(store->runs().add(session, run));
        for (std::int64_t begin = 0; begin < kSteps; begin += 5'000) {
            std::vector<MetricPoint> points(5'000);
            for (std::size_t i = 0; i < points.size(); ++i) {
                points[i].step = begin + static_cast<std::int64_t>(i);
                points[i].loss = 1.0 + 5.0 / static_cast<double>(points[i].step + 1) + 0.01 * static_cast<double>(points[i].step % 17);
            }
            store->runs().add_metrics_later(row, std::move(points));
        }
        store->runs().set_state_later(row, RunState::Finished, kSteps, 1e6, {});
        (void)value_of(store->flush().map([] { return true; }));
    }
    multiply_exchanges(file);
    return session;
}

/// What the window reads before it draws.
void read_first(SessionStore& store, RowId session)
{
    const SessionContent content = value_of(store.sessions().read(session));
    (void)value_of(store.exchanges().read(content.prompts.back().id));
    (void)value_of(store.runs().read(content.runs.back().id, kPointsAtFirst));
}

/// What 0.1.0 read before it drew.
void read_everything(SessionStore& store, RowId session)
{
    const SessionContent content = value_of(store.sessions().read(session));
    for (const ExchangeHead& head : content.prompts) {
        const StoredPrompt prompt = value_of(store.exchanges().read(head.id));
        for (const SnapshotPlace& place : prompt.snapshots) {
            (void)value_of(store.exchanges().snapshot(head.id, place));
        }
    }
    for (const StoredRun& run : content.runs) {
        (void)value_of(store.runs().read(run.id));
    }
}

double ms_of(const std::function<void()>& work)
{
    QElapsedTimer clock;
    clock.start();
    work();
    return static_cast<double>(clock.nsecsElapsed()) / 1e6;
}

double median(std::vector<double> values)
{
    std::ranges::sort(values);
    return values[values.size() / 2];
}

/// From the click to the session on the screen: its exchange and the curve, as first drawn.
void open_in_window(Workbench& workbench, MainWindow& window, RowId session)
{
    bool drawn = false;
    QObject context;
    QObject::connect(&workbench, &Workbench::runReset, &context, [&] {
        window.repaint();
        drawn = workbench.session().id == session; // not what was opened before
    });
    QElapsedTimer clock;
    clock.start();
    workbench.openSession(session);
    while (!drawn && clock.elapsed() < kPatience) {
        QCoreApplication::processEvents(QEventLoop::AllEvents, 5);
    }
}

} // namespace

int main(int argc, char** argv)
{
    QApplication application(argc, argv);
    const QTemporaryDir folder;
    QSettings::setDefaultFormat(QSettings::IniFormat);
    QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, folder.path());
    const CpuDescription cpu = describe_cpu();
    std::printf("%s, %d processors used\n", cpu.model.c_str(), static_cast<int>(usable_processors()));
    const fs::path library = fs::path(folder.path().toStdString()) / "library.retort-db";
    const RowId session = make_session(library);
    std::printf("%lld metric rows, %lld exchanges of two answers with %lld tokens, comparison and snapshot each: %.0f MB\n",
                static_cast<long long>(8 * kSteps), static_cast<long long>(kExchanges), static_cast<long long>(kTokens),
                static_cast<double>(fs::file_size(library)) / 1e6);

    const auto store = value_of(SessionStore::open(library));
    const RowId empty = value_of(store->sessions().create("empty"));
    const Catalogues catalogues = Catalogues::with_built_ins();
    Worker engine;
    Workbench workbench(*store, catalogues, engine);
    apply_theme(*qApp, Scheme::Light);
    MainWindow window(workbench);
    workbench.start();
    window.show();
    open_in_window(workbench, window, empty);

    std::vector<double> first, everything, in_window;
    for (int round = 0; round < kRounds; ++round) {
        first.push_back(ms_of([&] { read_first(*store, session); }));
        everything.push_back(ms_of([&] { read_everything(*store, session); }));
        in_window.push_back(ms_of([&] { open_in_window(workbench, window, session); }));
        (void)value_of(store->flush().map([] { return true; }));
        open_in_window(workbench, window, empty);
        std::printf("round %d: read before drawing %.0f ms, everything %.0f ms, drawn in the window %.0f ms\n", round + 1, first.back(),
                    everything.back(), in_window.back());
        std::fflush(stdout);
    }
    std::printf("medians: read before drawing %.0f ms, everything %.0f ms (ratio %.1f), drawn in the window %.0f ms\n", median(first),
                median(everything), median(everything) / median(first), median(in_window));
    return 0;
}
