#include "core/store/session_store.h"

#include <QTemporaryDir>
#include <QTest>
#include <array>
#include <csignal>
#include <random>
#include <sys/wait.h>
#include <unistd.h>

using namespace retort;
namespace fs = std::filesystem;

/// Killing the program at any moment loses nothing that it was told is saved.
class StoreKillTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void nothingCommittedIsLost();
};

namespace {

const int kKills = qEnvironmentVariableIntValue("RETORT_KILLS") > 0 ? qEnvironmentVariableIntValue("RETORT_KILLS") : 15; // more by hand

/// Writes sessions, prompts and metrics for ever and reports on `pipe` each session that the store said is saved.
[[noreturn]] void write_until_killed(const fs::path& file, int pipe)
{
    auto store = SessionStore::open(file);
    if (!store) {
        _exit(1);
    }
    ModelInfo info;
    info.name = "m";
    info.sha256 = "00";
    for (std::int64_t i = 0;; ++i) {
        const auto session = (*store)->sessions().create("s");
        const auto prompt = session ? (*store)->exchanges().add_prompt(*session, {{"user", "Hi"}}, {"Hi", {1}}) : session;
        const auto model = prompt ? (*store)->models().add(*session, "teacher", info, "f") : prompt;
        const auto run = model ? (*store)->runs().add(*session, {{}, *model, *model}) : model;
        if (!run) {
            _exit(2);
        }
        std::vector<MetricPoint> points(20);
        for (std::size_t step = 0; step < points.size(); ++step) {
            points[step].step = static_cast<std::int64_t>(step);
        }
        (*store)->runs().add_metrics_later(*run, std::move(points));
        (*store)->runs().set_state_later(*run, RunState::Running, i, 0, "");
        if (write(pipe, &*session, sizeof *session) != sizeof *session) {
            _exit(3);
        }
    }
}

} // namespace

void StoreKillTest::nothingCommittedIsLost()
{
    const QTemporaryDir folder;
    const fs::path file = fs::path(folder.path().toStdString()) / "library.retort-db";
    std::mt19937 random(std::random_device{}());
    std::vector<RowId> committed;
    for (int kill_number = 0; kill_number < kKills; ++kill_number) {
        std::array<int, 2> ends{};
        QCOMPARE(pipe(ends.data()), 0);
        const pid_t child = fork();
        if (child == 0) {
            ::close(ends[0]);
            write_until_killed(file, ends[1]);
        }
        ::close(ends[1]);
        RowId session = 0;
        if (kill_number % 5 != 0 && read(ends[0], &session, sizeof session) == sizeof session) { // every fifth dies while it still opens the library
            committed.push_back(session);
        }
        usleep(random() % 40'000);
        kill(child, SIGKILL);
        while (read(ends[0], &session, sizeof session) == sizeof session) {
            committed.push_back(session);
        }
        ::close(ends[0]);
        int status = 0;
        waitpid(child, &status, 0);
        QVERIFY2(WIFSIGNALED(status), qPrintable(QStringLiteral("the writing process ended by itself, with %1").arg(WEXITSTATUS(status))));
        if (kill_number % 10 != 9 && kill_number != kKills - 1) {
            continue;
        }
        auto store = SessionStore::open(file);
        QVERIFY2(store.has_value(), store ? "" : store.error().message.c_str());
        QCOMPARE((*store)->check().value(), std::string("The library is sound."));
        for (const RowId id : committed) {
            const auto content = (*store)->sessions().read(id);
            QVERIFY2(content.has_value(), "a committed session is gone");
            QCOMPARE(content->prompts.size(), 1u);
            QCOMPARE(content->runs.size(), 1u);
            QCOMPARE(content->runs[0].state, std::string("interrupted"));
        }
    }
    qInfo("%d kills, %zu committed sessions, none lost", kKills, committed.size());
    QVERIFY(committed.size() >= static_cast<std::size_t>(kKills / 2));
}

QTEST_APPLESS_MAIN(StoreKillTest)
#include "store_kill_test.moc"
