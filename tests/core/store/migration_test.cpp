#include "core/base/sha256.h"
#include "core/store/session_store.h"

#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <array>
#include <csignal>
#include <random>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace retort;
namespace fs = std::filesystem;

/// Libraries that 0.1.0 wrote (schema 1) open with every row, also when it was killed while writing, and however often the migration itself is
/// killed.
///
/// tests/golden/store was written by 0.1.0: recorded-1 is the session that came with it; killed-1 a run that was killed, resumed from its checkpoint
/// after one step and killed again, with the log that it left.
class MigrationTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_folder = std::make_unique<QTemporaryDir>(); }
    void theRecordedSessionKeepsEveryRow();
    void aLibraryOfAKilledProgramKeepsEveryRow();
    void whatAResumeGaveUpIsNoLongerDrawn();
    void aCopyIsKeptBeside();
    void isFoundByItsWords();
    void killsLoseNothing();

private:
    [[nodiscard]] fs::path file() const { return fs::path(m_folder->path().toStdString()) / "library.retort-db"; }
    void take(const std::string& golden) const;
    [[nodiscard]] std::size_t copies_beside() const;

    std::unique_ptr<QTemporaryDir> m_folder;
};

namespace {

/// Straight from SQLite, past the store.
class Sql {
public:
    explicit Sql(const fs::path& file) { sqlite3_open(file.c_str(), &m_connection); }
    ~Sql() { sqlite3_close(m_connection); }
    Sql(const Sql&) = delete;
    Sql& operator=(const Sql&) = delete;

    [[nodiscard]] std::string text(const char* sql) const
    {
        std::string all;
        const auto take = [](void* out, int columns, char** values, char**) {
            for (int i = 0; i < columns; ++i) {
                *static_cast<std::string*>(out) += (values[i] == nullptr ? std::string("NULL") : values[i]) + (i + 1 < columns ? "|" : "\n");
            }
            return 0;
        };
        char* wrong = nullptr;
        if (sqlite3_exec(m_connection, sql, take, &all, &wrong) != SQLITE_OK) {
            all = wrong;
        }
        sqlite3_free(wrong);
        return all;
    }

private:
    sqlite3* m_connection = nullptr;
};

/// What both schemas can say, in the words of each: {1, 2}.
constexpr std::array kSameThing = {
    std::pair{"SELECT id, uuid, title, view_state, created_at, binned_at FROM session",
              "SELECT id, uuid, title, view_state, created_at, binned_at FROM session"},
    std::pair{"SELECT * FROM model", "SELECT * FROM model"},
    std::pair{"SELECT s.id, session_id, model_id, role, name, path, since FROM session_model s JOIN model m ON m.id = model_id ORDER BY 1",
              "SELECT id, session_id, model_id, role, name, path, since FROM session_model ORDER BY 1"},
    std::pair{"SELECT id, hex(ids), rendered, messages_json FROM prompt", "SELECT id, hex(ids), rendered, messages_json FROM prompt"},
    std::pair{"SELECT r.id, prompt_id, model_id, role, text, finish, settings_json, seed, first_token_ms, name FROM response r JOIN model m ON m.id "
              "= model_id"
              " ORDER BY 1",
              "SELECT id, prompt_id, model_id, role, text, finish, settings_json, seed, first_token_ms, model_name FROM response ORDER BY 1"},
    std::pair{"SELECT * FROM token", "SELECT * FROM token"},
    std::pair{"SELECT id, response_id, text_of, mean_kl, hex(positions), sha256 FROM comparison",
              "SELECT id, response_id, text_of, mean_kl, hex(positions), sha256 FROM comparison"},
    std::pair{"SELECT id, prompt_id, text_of, position, hex(content), sha256 FROM snapshot",
              "SELECT id, prompt_id, text_of, position, hex(content), sha256 FROM snapshot"},
    std::pair{"SELECT id, name, plan_json, seed, total_steps, active_ms, host_json, error_text FROM run",
              "SELECT id, name, plan_json, seed, total_steps, active_ms, host_json, error_text FROM run"},
    std::pair{"SELECT run_id, segment, step, tokens, active_ms, wall_ms, loss, lr, grad_norm FROM metric ORDER BY 1, 2, 3",
              "SELECT p.*, a.value, b.value, c.value FROM point p"
              " JOIN metric_value a ON a.run_id = p.run_id AND a.segment = p.segment AND a.step = p.step"
              "  AND a.name_id = (SELECT id FROM metric_name WHERE name = 'loss')"
              " JOIN metric_value b ON b.run_id = p.run_id AND b.segment = p.segment AND b.step = p.step"
              "  AND b.name_id = (SELECT id FROM metric_name WHERE name = 'lr')"
              " JOIN metric_value c ON c.run_id = p.run_id AND c.segment = p.segment AND c.step = p.step"
              "  AND c.name_id = (SELECT id FROM metric_name WHERE name = 'grad_norm') ORDER BY 1, 2, 3"},
    std::pair{"SELECT count(*), sum(divergence), sum(cross_entropy), sum(teacher_entropy), sum(tokens_per_s) FROM metric",
              "SELECT (SELECT count(*) FROM point), sum(value) FILTER (WHERE name = 'divergence'), sum(value) FILTER (WHERE name = 'cross_entropy'),"
              " sum(value) FILTER (WHERE name = 'teacher_entropy'), sum(value) FILTER (WHERE name = 'tokens_per_s')"
              " FROM metric_value JOIN metric_name ON id = name_id"},
    std::pair{"SELECT run_id, step, kl FROM evaluation ORDER BY 1, 2",
              "SELECT run_id, step, value FROM metric_value WHERE name_id = (SELECT id FROM metric_name WHERE name = 'held_out.kl') ORDER BY 1, 2"},
    std::pair{"SELECT count(*), sum(cross_entropy), sum(same_top), sum(targets), sum(entropy_floor) FROM evaluation",
              "SELECT count(*) FILTER (WHERE name = 'held_out.kl'), sum(value) FILTER (WHERE name = 'held_out.cross_entropy'),"
              " sum(value) FILTER (WHERE name = 'held_out.same_top'), CAST(sum(value) FILTER (WHERE name = 'held_out.targets') AS INTEGER),"
              " sum(value) FILTER (WHERE name = 'held_out.entropy_floor') FROM metric_value JOIN metric_name ON id = name_id"},
    std::pair{"SELECT run_id, step, probe, text FROM probe_sample ORDER BY 1, 2, 3",
              "SELECT run_id, step, probe, text FROM probe_sample ORDER BY 1, 2, 3"},
    std::pair{"SELECT * FROM checkpoint", "SELECT * FROM checkpoint"}};

std::vector<std::string> rows_before(const fs::path& file)
{
    const Sql sql(file);
    std::vector<std::string> rows;
    std::ranges::transform(kSameThing, std::back_inserter(rows), [&](const auto& query) { return sql.text(query.first); });
    return rows;
}

void check_rows_after(const fs::path& file, const std::vector<std::string>& before)
{
    const Sql sql(file);
    QCOMPARE(sql.text("PRAGMA user_version"), std::string("2\n"));
    QCOMPARE(sql.text("PRAGMA integrity_check"), std::string("ok\n"));
    QCOMPARE(sql.text("PRAGMA foreign_key_check"), std::string());
    for (std::size_t i = 0; i < kSameThing.size(); ++i) {
        const std::string after = sql.text(kSameThing[i].second);
        QVERIFY2(after == before[i], (std::string(kSameThing[i].first) + "\n" + before[i].substr(0, 300) + "\n" + after.substr(0, 300)).c_str());
    }
}

} // namespace

void MigrationTest::take(const std::string& golden) const
{
    const fs::path from = fs::path(RETORT_SOURCE_DIR "/tests/golden/store") / (golden + ".retort-db");
    fs::copy_file(from, file());
    if (const fs::path log = from.string() + "-wal"; fs::exists(log)) {
        fs::copy_file(log, file().string() + "-wal");
    }
}

std::size_t MigrationTest::copies_beside() const
{
    return static_cast<std::size_t>(QDir(m_folder->path()).entryList({QStringLiteral("library.retort-db.v1-*.bak")}).size());
}

void MigrationTest::theRecordedSessionKeepsEveryRow()
{
    take("recorded-1");
    const auto before = rows_before(file());
    QVERIFY(before.at(9).size() > 20'000); // the queries see something
    QVERIFY(SessionStore::open(file()).has_value());
    check_rows_after(file(), before);
    auto store = SessionStore::open(file());
    const StoredRun run = (*store)->runs().read(1).value();
    QCOMPARE(run.metrics.size(), 601u);
    QCOMPARE(run.evaluations.size(), 25u);
    QCOMPARE(run.probes.size(), 75u);
    QCOMPARE(run.last_step, 1200);
    QCOMPARE((*store)->exchanges().read(1)->comparisons.size(), 2u);
}

void MigrationTest::aLibraryOfAKilledProgramKeepsEveryRow()
{
    take("killed-1");
    fs::copy(m_folder->path().toStdString(), m_folder->path().toStdString() + "-looked-at");
    const auto before = rows_before(fs::path(m_folder->path().toStdString() + "-looked-at") / "library.retort-db");
    fs::remove_all(m_folder->path().toStdString() + "-looked-at");
    QVERIFY(before.at(9).size() > 500);
    QVERIFY(SessionStore::open(file()).has_value());
    check_rows_after(file(), before);
    auto store = SessionStore::open(file());
    QCOMPARE((*store)->sessions().list()->at(0).has_interrupted_run, true);
}

void MigrationTest::whatAResumeGaveUpIsNoLongerDrawn()
{
    take("killed-1");
    auto store = SessionStore::open(file());
    const StoredRun run = (*store)->runs().read(1).value();
    std::vector<std::pair<std::int64_t, std::int64_t>> line;
    std::ranges::transform(run.metrics, std::back_inserter(line), [](const MetricPoint& p) { return std::pair(p.segment, p.step); });
    QCOMPARE(line, (std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 0}, {1, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 5}, {1, 6}, {1, 7}}));
    QCOMPARE(run.last_step, 8);
    QCOMPARE(run.checkpoint_folder, std::string("ck"));
}

void MigrationTest::aCopyIsKeptBeside()
{
    take("recorded-1");
    const auto before = rows_before(file());
    QVERIFY(SessionStore::open(file()).has_value());
    QVERIFY(SessionStore::open(file()).has_value());
    QCOMPARE(copies_beside(), 1u);
    const QString copy = QDir(m_folder->path()).entryList({QStringLiteral("*.bak")}).front();
    QVERIFY(rows_before(fs::path(m_folder->path().toStdString()) / copy.toStdString()) == before);
}

void MigrationTest::isFoundByItsWords()
{
    take("recorded-1");
    auto store = SessionStore::open(file());
    const auto hits = (*store)->sessions().search("red kite").value();
    QVERIFY(!hits.empty());
    QVERIFY(hits.front().prompt > 0);
}

void MigrationTest::killsLoseNothing()
{
    const int asked = qEnvironmentVariableIntValue("RETORT_KILLS");
    const int kills = asked > 0 ? asked : 8;
    take("recorded-1");
    { // so many points that a migration takes a while
        const Sql sql(file());
        QCOMPARE(sql.text("WITH RECURSIVE n(i) AS (SELECT 2000 UNION ALL SELECT i + 1 FROM n WHERE i < 42000) INSERT INTO metric"
                          " SELECT 1, 0, i, i, 1.0 / i, 0.5, 2.0, 1.0, 0.001, 0.1, 1000, i, i FROM n"),
                 std::string());
    }
    const fs::path pristine = m_folder->path().toStdString() + "-before";
    fs::copy_file(file(), pristine);
    const auto before = rows_before(pristine);
    std::mt19937 random(std::random_device{}());
    int within = 0, through = 0;
    unsigned long longest_us = 400'000;
    for (int number = 0; number < kills; ++number) {
        const pid_t child = fork();
        if (child == 0) {
            _exit(SessionStore::open(file()).has_value() ? 0 : 1);
        }
        usleep(static_cast<useconds_t>(random() % longest_us));
        kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        QVERIFY2(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "the library could not be opened");
        const bool whole = WIFEXITED(status);
        within += whole ? 0 : 1;
        if (whole || Sql(file()).text("PRAGMA user_version") == "2\n") { // it got through: once more from the start
            check_rows_after(file(), before);
            fs::copy_file(pristine, file(), fs::copy_options::overwrite_existing);
            longest_us = std::max(20'000UL, longest_us * 3 / 4); // so that kills gather about the end
            ++through;
        } else {
            longest_us = std::min(5'000'000UL, longest_us * 5 / 4);
            QVERIFY(rows_before(file()) == before);
        }
        if (QTest::currentTestFailed()) {
            return;
        }
    }
    QVERIFY(SessionStore::open(file()).has_value());
    check_rows_after(file(), before);
    qInfo("%d kills: %d programs died, %d times the migration was through; no row lost, %zu copies beside", kills, within, through, copies_beside());
    QVERIFY(within > 0);
    QVERIFY(copies_beside() <= 2);
    fs::remove(pristine);
}

QTEST_APPLESS_MAIN(MigrationTest)
#include "migration_test.moc"
