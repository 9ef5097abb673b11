#include "core/store/session_store.h"

#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <fstream>
#include <limits>

using namespace retort;
namespace fs = std::filesystem;

/// What was saved is found again, row by row, after closing and opening.
class SessionStoreTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void findsAnAnswerAgainTokenByToken();
    void findsAComparisonAgainExactly();
    void keepsTheLatestSnapshotsOfAPrompt();
    void findsARunAgainWithItsCurve();
    void marksARunThatNobodyEndedAsInterrupted();
    void aResumeNeverMixesWithTheFirstPart();
    void findsTheRunThatWroteACheckpoint();
    void aFreshStudentNeedsNoRow();
    void knowsAModelByItsContent();
    void theBinCanBeUndoneAndOnlyTheBinIsPurged();
    void purgingLeavesFoldersOutsideTheLibraryAlone();
    void textOfAnyKindSurvives();

private:
    void reopen();
    void close() { m_store.reset(); }
    void open();
    [[nodiscard]] RowId session() { return m_store->create_session("Untitled").value(); }
    [[nodiscard]] RowId model(RowId session, const std::string& sha256 = "a91f");

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<SessionStore> m_store;
};

void SessionStoreTest::init()
{
    m_store.reset();
    m_folder = std::make_unique<QTemporaryDir>();
    open();
}

void SessionStoreTest::open()
{
    auto store = SessionStore::open(fs::path(m_folder->path().toStdString()) / "library.retort-db");
    QVERIFY2(store.has_value(), store ? "" : store.error().message.c_str());
    m_store = std::move(*store);
}

void SessionStoreTest::reopen()
{
    close();
    open();
}

RowId SessionStoreTest::model(RowId session, const std::string& sha256)
{
    ModelInfo info;
    info.name = "alembic";
    info.sha256 = sha256;
    info.format = "safetensors";
    return m_store->add_model(session, "teacher", info, "f00d").value();
}

namespace {

Prompt some_prompt()
{
    return {"<|user|>Hi", {1, 2, 511, -1}};
}

Answer some_answer()
{
    Answer answer;
    answer.prompt = {1, 2, 511};
    answer.text = "Mia has \xF0\x9F\x98\x80";
    answer.tokens = {{5, "Mia", "Mia", -0.25f, 0, 1.5f}, {6, "", "\xF0\x9F", -1.0f, 3, 2.0f}, {7, "\xF0\x9F\x98\x80", "\x98\x80", -0.5f, 1, 0.0f}};
    answer.finish = Finish::Length;
    answer.first_token_seconds = 0.25;
    answer.decode_seconds = 0.75;
    return answer;
}

Comparison some_comparison()
{
    Comparison comparison;
    comparison.prompt_tokens = 3;
    for (int i = 0; i < 5; ++i) {
        ComparedPosition position;
        position.token = i;
        position.divergence = {0.1 * i, 0.2, 0.05, 0.1, 2.1, 1.7, i % 2 == 0, 7};
        position.teacher_log_probability = -0.5f;
        position.student_rank = 12;
        position.teacher_top = {{3, 0.5f, 0}, {4, 0.25f, 1}};
        comparison.positions.push_back(position);
    }
    return comparison;
}

DistributionSnapshot some_snapshot(std::int64_t position)
{
    DistributionSnapshot snapshot;
    snapshot.position = position;
    snapshot.context = {1, 2, 3};
    snapshot.teacher.logits = {0.5f, -1.0f, static_cast<float>(position)};
    snapshot.truth = {0.25f, 0.75f, 0.0f};
    return snapshot;
}

} // namespace

void SessionStoreTest::findsAnAnswerAgainTokenByToken()
{
    const RowId id = session();
    const RowId prompt = m_store->add_prompt(id, {{"system", "Be brief."}, {"user", "Hi"}}, some_prompt()).value();
    GenerateSettings settings;
    settings.sampler.seed = std::numeric_limits<std::uint64_t>::max();
    QVERIFY(m_store->add_response(prompt, model(id), "teacher", some_answer(), settings).has_value());
    reopen();
    const SessionContent content = m_store->session(id).value();
    QCOMPARE(content.prompts.size(), 1u);
    const StoredPrompt& found = content.prompts[0];
    QCOMPARE(found.messages.size(), 2u);
    QCOMPARE(found.messages[0].role, std::string("system"));
    QCOMPARE(found.rendered, some_prompt().rendered);
    QCOMPARE(found.ids, some_prompt().ids);
    QCOMPARE(found.responses.size(), 1u);
    const StoredResponse& response = found.responses[0];
    QCOMPARE(response.text, some_answer().text);
    QCOMPARE(response.finish, std::string("length"));
    QCOMPARE(response.seed, std::numeric_limits<std::uint64_t>::max());
    QCOMPARE(response.prompt_tokens, 3);
    QCOMPARE(response.first_token_ms, 250.0);
    QCOMPARE(response.generation_ms, 1000.0);
    QCOMPARE(response.tokens.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        QCOMPARE(response.tokens[i].id, some_answer().tokens[i].id);
        QCOMPARE(response.tokens[i].bytes, some_answer().tokens[i].bytes);
        QCOMPARE(response.tokens[i].log_probability, some_answer().tokens[i].log_probability);
        QCOMPARE(response.tokens[i].rank, some_answer().tokens[i].rank);
    }
}

void SessionStoreTest::findsAComparisonAgainExactly()
{
    const RowId id = session();
    const RowId prompt = m_store->add_prompt(id, {{"user", "Hi"}}, some_prompt()).value();
    const RowId response = m_store->add_response(prompt, model(id), "teacher", some_answer(), {}).value();
    QVERIFY(m_store->add_comparison(prompt, "teacher", response, some_comparison()).has_value());
    reopen();
    const SessionContent content = m_store->session(id).value();
    QVERIFY(content.notes.empty());
    const StoredComparison& found = content.prompts.at(0).comparisons.at(0);
    QCOMPARE(found.response_id, response);
    QCOMPARE(found.text_of, std::string("teacher"));
    QCOMPARE(found.comparison.prompt_tokens, 3u);
    QCOMPARE(found.comparison.positions.size(), 5u);
    const ComparedPosition& last = found.comparison.positions[4];
    QCOMPARE(last.divergence.kl, some_comparison().positions[4].divergence.kl);
    QCOMPARE(last.divergence.overlap, 7);
    QVERIFY(last.divergence.same_top);
    QCOMPARE(last.student_rank, 12);
    QCOMPARE(last.teacher_top.size(), 2u);
    QCOMPARE(last.teacher_top[1].probability, 0.25f);
    QVERIFY(last.student_top.empty());
}

void SessionStoreTest::keepsTheLatestSnapshotsOfAPrompt()
{
    const RowId id = session();
    const RowId prompt = m_store->add_prompt(id, {}, some_prompt()).value();
    for (std::int64_t position = 0; position < 20; ++position) {
        m_store->add_snapshot_later(prompt, "teacher", some_snapshot(position));
    }
    m_store->add_snapshot_later(prompt, "teacher", some_snapshot(10)); // looked at again: the latest now
    reopen();
    const auto snapshots = m_store->session(id).value().prompts.at(0).snapshots;
    QCOMPARE(snapshots.size(), 16u);
    QCOMPARE(snapshots.back().snapshot.position, 10);
    QCOMPARE(snapshots.back().snapshot.teacher.logits, some_snapshot(10).teacher.logits);
    QVERIFY(snapshots.back().snapshot.student.logits.empty());
    QCOMPARE(snapshots.back().snapshot.truth, some_snapshot(10).truth);
}

void SessionStoreTest::findsARunAgainWithItsCurve()
{
    const RowId id = session();
    const RowId teacher = model(id);
    DistilPlan plan;
    plan.steps = 40;
    const RowId run = m_store->add_run(id, plan, teacher, teacher).value();
    m_store->set_run_state_later(run, RunState::Running, 0, 0, "");
    std::vector<MetricPoint> points(40);
    for (std::size_t i = 0; i < points.size(); ++i) {
        points[i].step = static_cast<std::int64_t>(i);
        points[i].loss = 5.0 / static_cast<double>(i + 1);
        points[i].wall_ms = 1'700'000'000'000 + static_cast<std::int64_t>(i);
    }
    points[7].loss = std::numeric_limits<double>::quiet_NaN();
    m_store->add_metrics_later(run, points);
    m_store->add_evaluations_later(run, {{10, 1.5, 0.2, 0.8, 100, 1.1}, {20, 1.4, 0.1, 0.9, 100, 1.1}});
    m_store->add_probes_later(run, {{0, 0, "xq;e"}, {10, 0, "Mia has"}});
    QVERIFY(m_store->add_checkpoint(run, {20, "/somewhere/step-20", "beef", 123, false}).has_value());
    m_store->set_run_state_later(run, RunState::Stopped, 40, 1234.0, "");
    reopen();
    const StoredRun found = m_store->session(id).value().runs.at(0);
    QCOMPARE(found.state, std::string("stopped"));
    QCOMPARE(found.last_step, 40);
    QCOMPARE(found.total_steps, 40);
    QCOMPARE(found.active_ms, 1234);
    QVERIFY(found.ended_at > 0);
    QCOMPARE(found.metrics.size(), 40u);
    QCOMPARE(found.metrics[3].loss, 1.25);
    QVERIFY(std::isnan(found.metrics[7].loss));
    QCOMPARE(found.metrics[39].wall_ms, points[39].wall_ms);
    QCOMPARE(found.evaluations.size(), 2u);
    QCOMPARE(found.evaluations[1].kl, 0.1);
    QCOMPARE(found.probes[1].text, std::string("Mia has"));
    QCOMPARE(found.checkpoints.at(0).path, std::string("/somewhere/step-20"));
    QVERIFY(parse_plan(found.plan_json, "stored plan").has_value());
}

void SessionStoreTest::marksARunThatNobodyEndedAsInterrupted()
{
    const RowId id = session();
    const RowId teacher = model(id);
    const RowId run = m_store->add_run(id, {}, teacher, teacher).value();
    m_store->set_run_state_later(run, RunState::Paused, 5, 10, "");
    reopen();
    QCOMPARE(m_store->session(id).value().runs.at(0).state, std::string("interrupted"));
    QVERIFY(m_store->sessions().value().at(0).has_interrupted_run);
}

void SessionStoreTest::aResumeNeverMixesWithTheFirstPart()
{
    const RowId id = session();
    const RowId teacher = model(id);
    const RowId run = m_store->add_run(id, {}, teacher, teacher).value();
    MetricPoint first;
    first.step = 5;
    first.loss = 1;
    MetricPoint again = first;
    again.segment = 1;
    again.loss = 2;
    m_store->add_metrics_later(run, {first});
    m_store->add_metrics_later(run, {again});
    QVERIFY(m_store->flush().has_value());
    const auto metrics = m_store->session(id).value().runs.at(0).metrics;
    QCOMPARE(metrics.size(), 2u);
    QCOMPARE(metrics[0].loss, 1.0);
    QCOMPARE(metrics[1].segment, 1);
}

void SessionStoreTest::findsTheRunThatWroteACheckpoint()
{
    const RowId id = session();
    const RowId teacher = model(id);
    const RowId run = m_store->add_run(id, {}, teacher, teacher).value();
    const RowId other = m_store->add_run(id, {}, teacher, teacher).value();
    MetricPoint resumed;
    resumed.segment = 3;
    m_store->add_metrics_later(run, {resumed});
    const fs::path folder = fs::current_path() / "student" / "checkpoints";
    const auto at = [&](const char* name) {
        CheckpointNote note;
        note.path = (folder / name).string();
        return note;
    };
    QVERIFY(m_store->add_checkpoint(run, at("step-5")).has_value());
    QVERIFY(m_store->add_checkpoint(other, at("step-50")).has_value());

    const auto earlier = m_store->run_of_checkpoint("student/../student/checkpoints/step-5").value(); // however it is spelled
    QVERIFY(earlier.has_value());
    QCOMPARE(earlier->run, run);
    QCOMPARE(earlier->next_segment, std::int64_t{4});
    QCOMPARE(m_store->run_of_checkpoint(folder / "step-50").value()->next_segment, std::int64_t{1}); // no point of it is kept
    QVERIFY(!m_store->run_of_checkpoint(folder / "step-500").value().has_value());
    QVERIFY(m_store->move_to_bin(id, true).has_value());
    QVERIFY(!m_store->run_of_checkpoint(folder / "step-5").value().has_value());
}

void SessionStoreTest::aFreshStudentNeedsNoRow()
{
    const RowId id = session();
    const auto run = m_store->add_run(id, {}, model(id), 0);
    QVERIFY2(run.has_value(), run ? "" : run.error().message.c_str());
    QCOMPARE(m_store->session(id).value().runs.at(0).student_model, RowId{0});
}

void SessionStoreTest::knowsAModelByItsContent()
{
    const RowId first = session();
    const RowId second = session();
    QCOMPARE(model(first, "same"), model(second, "same"));
    QVERIFY(model(first, "same") != model(first, "other"));
    QCOMPARE(m_store->session(second).value().teacher->name, std::string("alembic"));
}

void SessionStoreTest::theBinCanBeUndoneAndOnlyTheBinIsPurged()
{
    const RowId id = session();
    QVERIFY(!m_store->purge_session(id).has_value());
    QVERIFY(m_store->move_to_bin(id, true).has_value());
    QVERIFY(m_store->sessions(false).value().empty());
    QCOMPARE(m_store->sessions(true).value().size(), 1u);
    QVERIFY(m_store->move_to_bin(id, false).has_value());
    QCOMPARE(m_store->sessions(false).value().size(), 1u);
    QVERIFY(m_store->move_to_bin(id, true).has_value());
    QVERIFY(m_store->purge_session(id).has_value());
    QVERIFY(m_store->sessions(true).value().empty());
    QVERIFY(!m_store->session(id).has_value());
}

void SessionStoreTest::purgingLeavesFoldersOutsideTheLibraryAlone()
{
    const fs::path home = m_folder->path().toStdString();
    const fs::path inside = home / "checkpoints" / "run" / "step-1";
    const fs::path outside = home / "precious";
    const RowId id = session();
    const RowId teacher = model(id);
    const RowId run = m_store->add_run(id, {}, teacher, teacher).value();
    for (const fs::path& folder : {inside, outside}) {
        fs::create_directories(folder);
        std::ofstream(folder / "model.safetensors") << "weights";
    }
    for (const fs::path& named : {inside, outside, home / "checkpoints" / ".." / "precious", home / "checkpoints"}) {
        QVERIFY(m_store->add_checkpoint(run, {1, named.string(), "", 7, false}).has_value());
    }
    QVERIFY(m_store->move_to_bin(id, true).has_value());
    QVERIFY(m_store->purge_session(id).has_value());
    QVERIFY(!fs::exists(inside));
    QVERIFY(fs::exists(outside / "model.safetensors"));
    QVERIFY(fs::exists(home / "checkpoints"));
}

void SessionStoreTest::textOfAnyKindSurvives()
{
    const std::string hostile("'); DROP TABLE session; --\0\xFF<b>x</b>", 36);
    const RowId id = m_store->create_session(hostile).value();
    QVERIFY(m_store->add_prompt(id, {{"user", hostile}}, {hostile, {}}).has_value());
    reopen();
    const SessionContent content = m_store->session(id).value();
    QCOMPARE(content.summary.title, hostile);
    QCOMPARE(content.prompts.at(0).rendered, hostile);
    QVERIFY(content.prompts.at(0).messages.at(0).content.starts_with("'); DROP TABLE"));
}

QTEST_APPLESS_MAIN(SessionStoreTest)
#include "session_store_test.moc"
