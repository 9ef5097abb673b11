#include "tests/support/library_fixture.h"

#include <QTest>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>

using namespace retort;
namespace fs = std::filesystem;

/// A run is found again as it went: its line without what a resume gave up, its name, its end, its checkpoints.
class RunsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_library = std::make_unique<test::LibraryFixture>(); }
    void findsARunAgainWithItsCurve();
    void marksARunThatNobodyEndedAsInterrupted();
    void aResumeLeavesOutWhatTheFirstPartDidBeyondIt();
    void aSegmentThatNobodyAnnouncedBeginsWithItsFirstPoint();
    void nothingIsWrittenOverAnEarlierCurve();
    void aRowThatCannotBeKeptHoldsUpNothingBehindIt();
    void keepsWhyARunFailed();
    void aRunGoesByTheNameItWasGiven();
    void aLongCurveIsFirstReadAsAnOverviewWithItsExtremes();
    void findsTheRunThatWroteACheckpoint();
    void aFreshStudentNeedsNoRow();
    void tellsWhichCheckpointsNoRunWants();
    void purgingLeavesFoldersOutsideTheLibraryAlone();

private:
    std::unique_ptr<test::LibraryFixture> m_library;
};

namespace {

std::vector<MetricPoint> points_from(std::int64_t begin, std::int64_t end, std::int64_t segment)
{
    std::vector<MetricPoint> points;
    for (std::int64_t step = begin; step < end; ++step) {
        MetricPoint point;
        point.step = step;
        point.segment = segment;
        point.loss = 5.0 / static_cast<double>(step + 1) + static_cast<double>(segment);
        points.push_back(point);
    }
    return points;
}

EvaluationPoint evaluation_at(std::int64_t step)
{
    return {step, 1.5, 0.2, 0.8, 100, 1.1};
}

} // namespace

void RunsTest::findsARunAgainWithItsCurve()
{
    const RowId id = m_library->session();
    const RowId teacher = m_library->model(id);
    DistilPlan plan;
    plan.steps = 40;
    const RowId run = m_library->store().runs().add(id, {plan, teacher, teacher}).value();
    m_library->store().runs().set_state_later(run, RunState::Running, 0, 0, "");
    std::vector<MetricPoint> points(40);
    for (std::size_t i = 0; i < points.size(); ++i) {
        points[i].step = static_cast<std::int64_t>(i);
        points[i].loss = 5.0 / static_cast<double>(i + 1);
        points[i].wall_ms = 1'700'000'000'000 + static_cast<std::int64_t>(i);
    }
    points[7].loss = std::numeric_limits<double>::quiet_NaN();
    m_library->store().runs().add_metrics_later(run, points);
    m_library->store().runs().add_evaluations_later(run, {{10, 1.5, 0.2, 0.8, 100, 1.1}, {20, 1.4, 0.1, 0.9, 100, 1.1}});
    m_library->store().runs().add_probes_later(run, {{0, 0, "xq;e"}, {10, 0, "Mia has"}});
    QVERIFY(m_library->store().runs().add_checkpoint(run, {20, "/somewhere/step-20", "beef", 123, false}).has_value());
    m_library->store().runs().set_state_later(run, RunState::Stopped, 40, 1234.0, "");
    m_library->reopen();
    QVERIFY(m_library->store().sessions().read(id).value().runs.at(0).metrics.empty()); // it is read when it is asked for
    const StoredRun found = m_library->store().runs().read(run).value();
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

void RunsTest::marksARunThatNobodyEndedAsInterrupted()
{
    const RowId id = m_library->session();
    const RowId teacher = m_library->model(id);
    const RowId run = m_library->store().runs().add(id, {{}, teacher, teacher}).value();
    m_library->store().runs().set_state_later(run, RunState::Paused, 5, 10, "");
    m_library->reopen();
    QCOMPARE(m_library->store().sessions().read(id).value().runs.at(0).state, std::string("interrupted"));
    QVERIFY(m_library->store().sessions().list().value().at(0).has_interrupted_run);
}

void RunsTest::aResumeLeavesOutWhatTheFirstPartDidBeyondIt()
{
    const RowId id = m_library->session();
    const RowId run = m_library->store().runs().add(id, {}).value();
    m_library->store().runs().add_metrics_later(run, points_from(0, 11, 0));
    m_library->store().runs().add_evaluations_later(run, {evaluation_at(0), evaluation_at(5), evaluation_at(10)});
    m_library->store().runs().add_probes_later(run, {{0, 0, "a"}, {5, 0, "b"}, {10, 0, "given up"}});
    QVERIFY(m_library->store().runs().begin_segment(run, 1, 6).has_value()); // from the checkpoint after six steps
    QCOMPARE(m_library->store().runs().read(run)->last_step, 6);
    m_library->store().runs().add_metrics_later(run, points_from(6, 9, 1));
    m_library->store().runs().add_evaluations_later(run, {evaluation_at(9)});
    m_library->store().runs().add_probes_later(run, {{9, 0, "c"}});
    QVERIFY(m_library->store().flush().has_value());
    const StoredRun found = m_library->store().runs().read(run).value();
    QCOMPARE(found.next_segment, 2);
    QCOMPARE(found.last_step, 9);
    QCOMPARE(found.metrics.size(), 9u);
    for (std::size_t i = 0; i < found.metrics.size(); ++i) {
        QCOMPARE(found.metrics[i].step, static_cast<std::int64_t>(i));
        QCOMPARE(found.metrics[i].segment, i < 6 ? 0 : 1);
    }
    QCOMPARE(found.evaluations.size(), 3u);
    QCOMPARE(found.evaluations.back().step, 9);
    QCOMPARE(found.probes.size(), 3u);
    QCOMPARE(found.probes.back().text, std::string("c"));
}

void RunsTest::aSegmentThatNobodyAnnouncedBeginsWithItsFirstPoint()
{
    const RowId run = m_library->store().runs().add(m_library->session(), {}).value();
    m_library->store().runs().add_metrics_later(run, points_from(0, 11, 0));
    m_library->store().runs().add_metrics_later(run, points_from(3, 5, 1));
    m_library->store().runs().add_metrics_later(run, points_from(4, 6, 2));
    QVERIFY(m_library->store().flush().has_value());
    const StoredRun found = m_library->store().runs().read(run).value();
    std::vector<std::int64_t> segments;
    std::ranges::transform(found.metrics, std::back_inserter(segments), &MetricPoint::segment);
    QCOMPARE(segments, (std::vector<std::int64_t>{0, 0, 0, 1, 2, 2}));
    QCOMPARE(found.last_step, 6);
}

void RunsTest::nothingIsWrittenOverAnEarlierCurve()
{
    const RowId run = m_library->store().runs().add(m_library->session(), {}).value();
    m_library->store().runs().add_metrics_later(run, points_from(0, 10, 0));
    m_library->store().runs().add_evaluations_later(run, {evaluation_at(5)});
    QVERIFY(m_library->store().flush().has_value());
    std::vector<std::string> told;
    m_library->store().set_on_failure([&told](const Error& error) { told.push_back(error.message); });
    auto other = points_from(0, 10, 0);
    other[3].loss = 99;
    m_library->store().runs().add_metrics_later(run, other);
    EvaluationPoint again = evaluation_at(5);
    again.kl = 99;
    m_library->store().runs().add_evaluations_later(run, {again});
    QVERIFY(!m_library->store().flush().has_value());
    m_library->store().set_on_failure({});
    QCOMPARE(told.size(), 2u);
    const StoredRun found = m_library->store().runs().read(run).value();
    QCOMPARE(found.metrics.at(3).loss, points_from(3, 4, 0).at(0).loss);
    QCOMPARE(found.evaluations.at(0).kl, evaluation_at(5).kl);
}

void RunsTest::aRowThatCannotBeKeptHoldsUpNothingBehindIt()
{
    const RowId run = m_library->store().runs().add(m_library->session(), {}).value();
    std::atomic<int> told = 0;
    m_library->store().set_on_failure([&told](const Error&) { ++told; });
    m_library->store().runs().add_metrics_later(run + 1000, points_from(0, 1, 0)); // of a run that is gone
    m_library->store().runs().add_metrics_later(run, points_from(0, 3, 0));
    const auto flushed = m_library->store().flush();
    QVERIFY(!flushed.has_value()); // said once
    QVERIFY(m_library->store().flush().has_value());
    QCOMPARE(told.load(), 1);
    m_library->reopen();
    QCOMPARE(m_library->store().runs().read(run)->metrics.size(), 3u);
}

void RunsTest::keepsWhyARunFailed()
{
    const RowId id = m_library->session();
    const RowId run = m_library->store().runs().add(id, {}).value();
    m_library->store().runs().set_state_later(run, RunState::Failed, 7, 100, "At step 7 the loss was not a number.");
    m_library->reopen();
    QCOMPARE(m_library->store().sessions().read(id)->runs.at(0).error_text, std::string("At step 7 the loss was not a number."));
}

void RunsTest::aRunGoesByTheNameItWasGiven()
{
    const RowId id = m_library->session();
    NewRun named;
    named.uuid = "f81d4fae-7dec-41d0-8765-00a0c91e6bf6";
    named.name = "Run of Sunday";
    named.checkpoint_folder = "/somewhere/" + named.uuid;
    const RowId run = m_library->store().runs().add(id, named).value();
    QVERIFY(m_library->store().runs().add_checkpoint(run, {5, named.checkpoint_folder + "/step-000005", "", 1, false}).has_value());
    QVERIFY(m_library->store().runs().add(id, {}).has_value());
    m_library->reopen();
    const auto runs = m_library->store().sessions().read(id)->runs;
    QCOMPARE(runs.at(0).uuid, named.uuid);
    QCOMPARE(runs.at(0).name, named.name);
    QCOMPARE(runs.at(0).checkpoint_folder, named.checkpoint_folder);
    QCOMPARE(runs.at(1).name, std::string("run 2"));
    QVERIFY(runs.at(1).uuid.size() == 36 && runs.at(1).uuid != named.uuid);
    const auto earlier = m_library->store().runs().of_checkpoint(named.checkpoint_folder + "/step-000005/").value(); // with the slash
    QCOMPARE(earlier->uuid, named.uuid);
    QCOMPARE(earlier->step, 5);
}

void RunsTest::aLongCurveIsFirstReadAsAnOverviewWithItsExtremes()
{
    const RowId run = m_library->store().runs().add(m_library->session(), {}).value();
    auto points = points_from(0, 20'000, 0);
    points[4321].loss = 1000; // for one step
    points[15'000].loss = -1000;
    points[15'000].lr = 7;
    m_library->store().runs().add_metrics_later(run, points);
    const StoredRun overview = m_library->store().runs().read(run, 900).value();
    QVERIFY(overview.thinned);
    QVERIFY(overview.metrics.size() > 300 && overview.metrics.size() <= 910);
    QVERIFY(std::ranges::is_sorted(overview.metrics, {}, &MetricPoint::step));
    QCOMPARE(overview.metrics.front().step, 0);
    QCOMPARE(overview.metrics.back().step, 19'999);
    const auto [low, high] = std::ranges::minmax_element(overview.metrics, {}, &MetricPoint::loss);
    QCOMPARE(low->step, 15'000);
    QCOMPARE(low->lr, 7.0);
    QCOMPARE(high->step, 4321);
    const StoredRun whole = m_library->store().runs().read(run).value();
    QVERIFY(!whole.thinned);
    QCOMPARE(whole.metrics.size(), 20'000u);
    QCOMPARE(whole.metrics[15'000].lr, 7.0);
}

void RunsTest::findsTheRunThatWroteACheckpoint()
{
    const RowId id = m_library->session();
    const RowId teacher = m_library->model(id);
    const RowId run = m_library->store().runs().add(id, {{}, teacher, teacher}).value();
    const RowId other = m_library->store().runs().add(id, {{}, teacher, teacher}).value();
    MetricPoint resumed;
    resumed.segment = 3;
    m_library->store().runs().add_metrics_later(run, {resumed});
    const fs::path folder = fs::current_path() / "student" / "checkpoints";
    const auto at = [&](const char* name) {
        CheckpointNote note;
        note.path = (folder / name).string();
        return note;
    };
    QVERIFY(m_library->store().runs().add_checkpoint(run, at("step-5")).has_value());
    QVERIFY(m_library->store().runs().add_checkpoint(other, at("step-50")).has_value());

    const auto earlier = m_library->store().runs().of_checkpoint("student/../student/checkpoints/step-5").value(); // however it is spelled
    QVERIFY(earlier.has_value());
    QCOMPARE(earlier->run, run);
    QCOMPARE(earlier->next_segment, std::int64_t{4});
    QCOMPARE(m_library->store().runs().of_checkpoint(folder / "step-50").value()->next_segment, std::int64_t{1}); // no point of it is kept
    QVERIFY(!m_library->store().runs().of_checkpoint(folder / "step-500").value().has_value());
    QVERIFY(m_library->store().sessions().move_to_bin(id, true).has_value());
    QVERIFY(!m_library->store().runs().of_checkpoint(folder / "step-5").value().has_value());
}

void RunsTest::aFreshStudentNeedsNoRow()
{
    const RowId id = m_library->session();
    const auto run = m_library->store().runs().add(id, {{}, m_library->model(id), 0});
    QVERIFY2(run.has_value(), run ? "" : run.error().message.c_str());
    QCOMPARE(m_library->store().sessions().read(id).value().runs.at(0).student_model, RowId{0});
}

void RunsTest::tellsWhichCheckpointsNoRunWants()
{
    const fs::path home = m_library->folder() / "checkpoints";
    const auto with_weights = [&](const fs::path& folder) {
        fs::create_directories(folder);
        std::ofstream(folder / "model.safetensors") << std::string(1000, 'w');
        return folder.string();
    };
    const RowId id = m_library->session();
    const auto run_with = [&](const char* name) {
        NewRun run;
        run.checkpoint_folder = (home / name).string();
        const RowId row = m_library->store().runs().add(id, run).value();
        with_weights(home / name / "step-000001");
        return row;
    };
    run_with("kept");
    const RowId discarded = run_with("discarded");
    with_weights(home / "of nobody" / "step-000009");
    NewRun elsewhere;
    elsewhere.checkpoint_folder = with_weights(home.parent_path() / "precious");
    m_library->store().runs().discard_later(m_library->store().runs().add(id, elsewhere).value());
    m_library->store().runs().discard_later(discarded);

    std::map<std::string, CheckpointFolder> folders;
    const auto found = m_library->store().runs().checkpoint_folders().value();
    for (const CheckpointFolder& folder : found) {
        folders[fs::path(folder.folder).filename().string()] = folder;
    }
    QCOMPARE(folders.size(), 4u);
    QCOMPARE(folders["kept"].bytes, 1000u);
    QVERIFY(folders["kept"].wanted && !folders["kept"].removable);
    QVERIFY(folders["discarded"].run == discarded && folders["discarded"].removable);
    QVERIFY(folders["of nobody"].run == 0 && folders["of nobody"].removable);
    QVERIFY(!folders["precious"].wanted && !folders["precious"].removable); // not in the library's own folder
    QCOMPARE(m_library->store().runs().remove_unwanted_checkpoints().value(), 2000u);
    QVERIFY(fs::exists(home / "kept" / "step-000001"));
    QVERIFY(!fs::exists(home / "discarded") && !fs::exists(home / "of nobody"));
    QVERIFY(fs::exists(home.parent_path() / "precious" / "model.safetensors"));
}

void RunsTest::purgingLeavesFoldersOutsideTheLibraryAlone()
{
    const fs::path home = m_library->folder();
    const fs::path inside = home / "checkpoints" / "run" / "step-1";
    const fs::path outside = home / "precious";
    const RowId id = m_library->session();
    const RowId teacher = m_library->model(id);
    const RowId run = m_library->store().runs().add(id, {{}, teacher, teacher}).value();
    for (const fs::path& folder : {inside, outside}) {
        fs::create_directories(folder);
        std::ofstream(folder / "model.safetensors") << "weights";
    }
    for (const fs::path& named : {inside, outside, home / "checkpoints" / ".." / "precious", home / "checkpoints"}) {
        QVERIFY(m_library->store().runs().add_checkpoint(run, {1, named.string(), "", 7, false}).has_value());
    }
    QVERIFY(m_library->store().sessions().move_to_bin(id, true).has_value());
    QVERIFY(m_library->store().sessions().purge(id).has_value());
    QVERIFY(!fs::exists(inside));
    QVERIFY(fs::exists(outside / "model.safetensors"));
    QVERIFY(fs::exists(home / "checkpoints"));
}

QTEST_APPLESS_MAIN(RunsTest)
#include "runs_test.moc"
