#include "core/store/session_store.h"

#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

namespace retort {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int kQuickKills = 5;     ///< RETORT_KILLS asks for more
constexpr int kPatience = 120'000; // ms

/// What the library holds of one run.
struct RowsOfRun {
    std::vector<MetricPoint> metrics;
    std::size_t checkpoints = 0;
    std::int64_t last_step = 0;
};

bool same_point(const MetricPoint& a, const MetricPoint& b)
{
    return a.segment == b.segment && a.step == b.step && a.tokens == b.tokens && a.loss == b.loss && a.wall_ms == b.wall_ms;
}

/// Whole checkpoints, oldest first.
std::vector<fs::path> checkpoints_in(const fs::path& folder)
{
    std::vector<fs::path> found;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder, none)) {
        if (entry.path().filename().string().starts_with("step-") && entry.path().extension() != ".part") {
            found.push_back(entry.path());
        }
    }
    std::ranges::sort(found);
    return found;
}

} // namespace

/// kill -9 of a real run at random moments: the library stays whole, no row that was in it goes, and the newest checkpoint goes on.
class KillRunTest : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::mt19937 m_random{std::random_device{}()};
    std::map<RowId, RowsOfRun> m_known; ///< by run, as the library held them after the last kill
    int m_resumed = 0;

    [[nodiscard]] fs::path at(const char* name) const { return fs::path(m_folder.path().toStdString()) / name; }
    [[nodiscard]] QString path(const char* name) const { return QString::fromStdString(at(name).string()); }

    void write_plan() const
    {
        const Json plan = {{"teacher", "demo:teacher"},
                           {"student", {{"from", "demo:student"}}},
                           {"data", {{"kind", "world"}}},
                           {"steps", 1'000'000},
                           {"batch", {{"sequences", 2}, {"length", 32}}},
                           {"precision", "fp32"},
                           {"evaluate", {{"every", 25}, {"sequences", 2}}},
                           {"probes", {"Mia has"}},
                           {"probe_every", 50},
                           {"checkpoint", {{"every_s", 0.2}, {"keep", 2}}}};
        QFile file(path("plan.json"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(QByteArray::fromStdString(plan.dump()));
    }

    /// Runs the plan, on from `resume` if there is one, and kills it at a random moment: of its start, or after a step (and, with nothing to go on
    /// from yet, a checkpoint). Whether it got as far as a step.
    bool run_and_kill(const fs::path& resume, bool while_starting)
    {
        QStringList arguments{"distil", path("plan.json"), "--session", path("library.retort-db"), "--out", path("student"), "--json"};
        if (!resume.empty()) {
            arguments << "--resume" << QString::fromStdString(resume.string());
        }
        QProcess process;
        process.start(RETORT_BINARY_DIR "/bin/retort-cli", arguments);
        QByteArray said;
        const auto has_stepped = [&] {
            process.waitForReadyRead(20);
            said += process.readAllStandardOutput();
            return said.contains("grad_norm") && (!resume.empty() || !checkpoints_in(at("student") / "checkpoints").empty());
        };
        if (!while_starting && !QTest::qWaitFor([&] { return process.state() == QProcess::NotRunning || has_stepped(); }, kPatience)) {
            QTest::qFail("the run made no step", __FILE__, __LINE__);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(m_random() % 1500));
        process.kill();
        process.waitForFinished(kPatience);
        if (process.exitStatus() != QProcess::CrashExit) {
            QTest::qFail(("the run ended by itself: " + process.readAllStandardError()).constData(), __FILE__, __LINE__);
        }
        return (said + process.readAllStandardOutput()).contains("grad_norm");
    }

    /// The library as it is now, against what it held before.
    void check_library()
    {
        if (!fs::exists(at("library.retort-db"))) {
            QVERIFY(m_known.empty());
            return;
        }
        const auto store = SessionStore::open(at("library.retort-db"));
        QVERIFY2(store.has_value(), store ? "" : store.error().message.c_str());
        const auto sound = (*store)->check();
        QVERIFY2(sound.has_value(), sound ? "" : sound.error().message.c_str());
        QCOMPARE(*sound, std::string("The library is sound."));
        const auto sessions = (*store)->sessions().list();
        QVERIFY2(sessions.has_value(), sessions ? "" : sessions.error().message.c_str());
        std::map<RowId, RowsOfRun> now;
        for (const SessionSummary& summary : *sessions) {
            const auto content = (*store)->sessions().read(summary.id);
            QVERIFY2(content.has_value(), content ? "" : content.error().message.c_str());
            for (const StoredRun& head : content->runs) {
                const auto read = (*store)->runs().read(head.id);
                QVERIFY2(read.has_value(), read ? "" : read.error().message.c_str());
                const StoredRun& run = *read;
                QCOMPARE(run.state, std::string("interrupted"));
                for (std::size_t i = 1; i < run.metrics.size(); ++i) { // no hole in a curve
                    QVERIFY(run.metrics[i].segment != run.metrics[i - 1].segment || run.metrics[i].step == run.metrics[i - 1].step + 1);
                }
                now[run.id] = {run.metrics, run.checkpoints.size(), run.last_step};
            }
        }
        for (const auto& [id, before] : m_known) {
            QVERIFY(now.contains(id));
            const RowsOfRun& after = now[id];
            for (std::size_t i = 0; i < before.metrics.size(); ++i) { // but for what a resume gave up, and may have done again
                if (i >= after.metrics.size()) {
                    QVERIFY(before.metrics[i].step >= after.last_step);
                } else if (after.metrics[i].segment == before.metrics[i].segment) {
                    QVERIFY(same_point(before.metrics[i], after.metrics[i]));
                } else {
                    QVERIFY(after.metrics[i].segment > before.metrics[i].segment && after.metrics[i].step == before.metrics[i].step);
                }
            }
            QVERIFY(after.checkpoints >= before.checkpoints);
        }
        m_known = std::move(now);
    }

private Q_SLOTS:
    void losesNothingAndGoesOn()
    {
        write_plan();
        const int asked = qEnvironmentVariableIntValue("RETORT_KILLS");
        const int kills = asked > 0 ? asked : kQuickKills;
        for (int number = 0; number < kills; ++number) {
            const auto before = checkpoints_in(at("student") / "checkpoints");
            const bool stepped = run_and_kill(before.empty() ? fs::path() : before.back(), number % 5 == 4);
            m_resumed += !before.empty() && stepped ? 1 : 0;
            check_library();
            if (QTest::currentTestFailed()) {
                return;
            }
            const auto after = checkpoints_in(at("student") / "checkpoints");
            QVERIFY2(before.empty() || (!after.empty() && after.back() >= before.back()), "the newest checkpoint is gone");
        }
        QVERIFY2(m_resumed > 0, "no run went on from a checkpoint");
        std::size_t rows = 0;
        for (const auto& [id, run] : m_known) {
            rows += run.metrics.size();
        }
        qInfo("%d kills: %zu points of %zu runs in the library, none lost; %d times on from a checkpoint", kills, rows, m_known.size(), m_resumed);
        QVERIFY2(!fs::exists(at("student") / "config.json"), "a student was saved that nobody finished");
    }
};

} // namespace retort

QTEST_GUILESS_MAIN(retort::KillRunTest)
#include "kill_run_test.moc"
