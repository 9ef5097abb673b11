#include "tests/gui/desk.h"
#include "ui/pages/distil/distil_page.h"
#include "ui/pages/distil/distil_setup.h"
#include "ui/pages/distil/probe_strip.h"
#include "ui/plot/loss_plot.h"
#include "ui/widgets/tile_grid.h"

#include <QAbstractButton>
#include <QComboBox>
#include <QScrollArea>
#include <QScrollBar>
#include <QSignalSpy>
#include <QSpinBox>

using namespace retort;

/// The page as it stands before a run, in small windows and beside what its plot's own keys do.
class DistilPageTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void withoutATeacherItSaysWhereToOpenOne();
    void fitsIntoTheNarrowestWindow();
    void scrollsWhereThereIsNoRoomAtAll();
    void theScalesButtonFollowsThePlotsKey();
    void saysThatAnAnswerIsEmpty();
    void saysWhereAPictureCannotBeWritten();
    void theTableNamesWhatItHoldsAndKeepsHeldOutPoints();
    void promisesAMinuteWithTheDemosTeacherOnly();
    void showsAPlanOfAnyStudent();
    void trainsTheStudentThatAPersonMade();
    void offersTheDemosStudentToItsTeacherOnly();
    void discardingAsksFirst();
    void keysWorkAfterAFieldLostTheFocus();

private:
    QTemporaryDir m_resources;
};

void DistilPageTest::initTestCase()
{
    const auto used = use_tiny_demo(m_resources.path().toStdString());
    QVERIFY2(used, used ? "" : used.error().message.c_str());
}

void DistilPageTest::withoutATeacherItSaysWhereToOpenOne()
{
    const Desk<DistilPage> desk(false);
    QVERIFY(!desk.find<QAbstractButton>("curve_start")->isVisible());
    QSignalSpy wanted(desk.workbench.get(), &Workbench::pageWanted);
    QTest::mouseClick(desk.find<QAbstractButton>("curve_models"), Qt::LeftButton);
    QCOMPARE(wanted.size(), 1);
    QCOMPARE(wanted.front().front().value<PageId>(), PageId::Models);
}

void DistilPageTest::fitsIntoTheNarrowestWindow()
{
    const Desk<DistilPage> desk;
    const auto* scroll = desk.find<QScrollArea>("distil_scroll");
    const auto* figures = desk.window->findChild<TileGrid*>();
    desk.window->resize(1200, 640);
    QTRY_COMPARE(figures->columns(), 5);
    desk.window->resize(866, 520); // what the window's least size leaves for a page
    QTRY_COMPARE(scroll->horizontalScrollBar()->maximum(), 0);
    QVERIFY(figures->columns() < 5);
    for (const char* name : {"loss_formula", "logarithmic", "smoothing", "probe_strip"}) {
        const auto* part = desk.find<QWidget>(name);
        const QRect place(part->mapTo(desk.window.get(), QPoint()), part->size());
        QVERIFY2(place.left() >= 0 && place.right() < desk.window->width(), name);
        QVERIFY2(part->width() >= part->minimumSizeHint().width(), name);
    }
}

void DistilPageTest::scrollsWhereThereIsNoRoomAtAll()
{
    const Desk<DistilPage> desk;
    const auto* scroll = desk.find<QScrollArea>("distil_scroll");
    desk.window->resize(560, 300);
    QTRY_VERIFY(scroll->horizontalScrollBar()->maximum() > 0);
    QVERIFY(scroll->verticalScrollBar()->maximum() > 0);
}

void DistilPageTest::theScalesButtonFollowsThePlotsKey()
{
    const Desk<DistilPage> desk;
    const auto* button = desk.find<QAbstractButton>("logarithmic");
    const auto* plot = desk.window->findChild<LossPlot*>();
    QVERIFY(button->isChecked() && plot->logarithmic());
    QTest::keyClick(desk.find<QWidget>("loss_plot"), Qt::Key_L);
    QVERIFY(!plot->logarithmic());
    QVERIFY(!button->isChecked());
}

void DistilPageTest::saysThatAnAnswerIsEmpty()
{
    ProbeStrip strip;
    const std::array samples = {ProbeSample{.step = 25, .probe = 0, .text = "\n "}};
    strip.append(samples.data(), samples.data() + samples.size());
    QCOMPARE(strip.accessibleDescription(), QStringLiteral("Step 25: an empty answer"));
}

void DistilPageTest::saysWhereAPictureCannotBeWritten()
{
    LossPlot plot;
    for (const char* path : {"/proc/nowhere/loss.pdf", "/proc/nowhere/loss.png"}) {
        const auto saved = export_to(plot.whole(), QLatin1String(path));
        QVERIFY2(!saved && saved.error().message.starts_with(path), path);
    }
}

void DistilPageTest::theTableNamesWhatItHoldsAndKeepsHeldOutPoints()
{
    LossPlot plot;
    const MetricPoint metric{.step = 0, .loss = 2.5, .divergence = 4, .cross_entropy = 1.0 / 3};
    const std::array evaluations = {EvaluationPoint{.step = 0, .cross_entropy = 3, .kl = 1.5, .same_top = 0.25, .targets = 7},
                                    EvaluationPoint{.step = 1, .cross_entropy = 2, .kl = 0.5, .same_top = 0.5, .targets = 7}};
    plot.append(&metric, &metric + 1);
    plot.append(evaluations.data(), evaluations.data() + evaluations.size());
    const QList<QStringList> table = plot.table();
    const auto at = [&](qsizetype row, const char* column) { return table[row][table[0].indexOf(QLatin1String(column))]; };
    QCOMPARE(table.size(), 3);
    QCOMPARE(at(1, "step"), QStringLiteral("0"));
    QCOMPARE(at(1, "loss_nats"), QString());
    QCOMPARE(at(1, "held_out_kl_nats").toDouble(), 1.5);
    QCOMPARE(at(2, "cross_entropy_nats").toDouble(), 1.0 / 3);
    QCOMPARE(at(2, "t_squared_times_divergence_nats").toDouble(), 4.0);
    QCOMPARE(at(2, "held_out_cross_entropy_nats").toDouble(), 2.0);
}

void DistilPageTest::promisesAMinuteWithTheDemosTeacherOnly()
{
    const Desk<DistilPage> desk;
    auto* preset = desk.find<QComboBox>("distil_preset");
    const auto minutes = [&] {
        return preset->itemText(0).contains(QStringLiteral("minute")) || preset->itemText(1).contains(QStringLiteral("minute"));
    };
    QVERIFY(preset->itemText(0).startsWith(QStringLiteral("1-minute")));
    QTest::keyClick(preset, Qt::Key_Home); // the session shows a run with settings of its own
    QCOMPARE(preset->currentIndex(), 0);
    QVERIFY2(preset->toolTip().contains(QStringLiteral("untrained")), qPrintable(preset->toolTip()));
    desk.workbench->swapRoles(); // a teacher of which nothing is known
    QVERIFY(!minutes());
    QVERIFY(preset->itemText(0).contains(QStringLiteral("300 steps")));
    QVERIFY2(preset->toolTip().contains(QStringLiteral("2 layers of 96")), qPrintable(preset->toolTip()));
    desk.workbench->swapRoles();
    QVERIFY(preset->itemText(0).startsWith(QStringLiteral("1-minute")));
}

void DistilPageTest::showsAPlanOfAnyStudent()
{
    const Desk<DistilPage> desk;
    DistilSetup setup(*desk.workbench);
    std::vector<DistilPlan::Student> students(5);
    students[0].fresh.emplace(DistilPlan::Student::Fresh{.layers = 4, .width = 192, .heads = 6, .kv_heads = 3, .ffn = 512});
    students[1].layers = "every 2";
    students[2].layer_list = {0, 3, 5};
    students[3].fresh.emplace();
    students[4].from = "demo:student";
    for (const DistilPlan::Student& student : students) {
        DistilPlan plan;
        plan.teacher = "demo:teacher";
        plan.student = student;
        setup.show(plan);
        QCOMPARE(to_json(setup.plan()), to_json(plan));
    }
}

void DistilPageTest::trainsTheStudentThatAPersonMade()
{
    const Desk<DistilPage> desk;
    auto* students = desk.find<QComboBox>("distil_student");
    DistilPlan::Student half;
    half.layers = "every 2";
    desk.workbench->createStudent(half);
    QTRY_VERIFY_WITH_TIMEOUT(desk.workbench->role(Role::Student).ready() && !desk.workbench->role(Role::Student).spec.starts_with("demo:"),
                             kPatience);
    QTRY_COMPARE(students->currentText(), QStringLiteral("The loaded student"));
    QVERIFY(!desk.window->findChild<DistilSetup*>()->plan().student.fresh);
}

void DistilPageTest::offersTheDemosStudentToItsTeacherOnly()
{
    const Desk<DistilPage> desk;
    auto* students = desk.find<QComboBox>("distil_student");
    QVERIFY(students->findText(QStringLiteral("untrained"), Qt::MatchContains) >= 0);
    desk.workbench->swapRoles();
    QTRY_COMPARE(students->findText(QStringLiteral("untrained"), Qt::MatchContains), -1);
    QVERIFY(desk.window->findChild<DistilSetup*>()->plan().student.from != "demo:student");
}

void DistilPageTest::discardingAsksFirst()
{
    const Desk<DistilPage> desk;
    desk.find<QSpinBox>("distil_steps")->setValue(100'000);
    QTest::mouseClick(desk.find<QAbstractButton>("distil_start"), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(desk.workbench->run().live && !desk.workbench->run().record.metrics.empty(), kPatience);
    QTest::mouseClick(desk.find<QAbstractButton>("distil_discard"), Qt::LeftButton);
    auto* cancel = desk.find<QAbstractButton>("discard_cancel");
    QVERIFY(cancel != nullptr);
    QTest::mouseClick(cancel, Qt::LeftButton);
    QVERIFY(desk.workbench->run().live);
    QTest::mouseClick(desk.find<QAbstractButton>("distil_discard"), Qt::LeftButton);
    QTRY_VERIFY(desk.find<QAbstractButton>("discard_confirm") != nullptr);
    QTest::mouseClick(desk.find<QAbstractButton>("discard_confirm"), Qt::LeftButton);
    QCOMPARE(desk.find<QAbstractButton>("distil_keep")->text(), QStringLiteral("Ending …"));
    QTRY_VERIFY_WITH_TIMEOUT(!desk.workbench->run().live, kPatience);
    QCOMPARE(desk.find<QAbstractButton>("distil_keep")->text(), QStringLiteral("Stop and keep"));
}

/// Start switches the fields off; the key for one step must still be heard, and Space must not end the run.
void DistilPageTest::keysWorkAfterAFieldLostTheFocus()
{
    const Desk<DistilPage> desk;
    auto* steps = desk.find<QSpinBox>("distil_steps");
    steps->setValue(100'000);
    steps->setFocus();
    QTest::mouseClick(desk.find<QAbstractButton>("distil_start"), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(desk.workbench->run().state == RunState::Running, kPatience);
    QVERIFY(desk.window->focusWidget() != nullptr && desk.window->focusWidget()->hasFocus());
    QVERIFY(desk.window->focusWidget() != desk.find<QWidget>("distil_keep"));
    desk.workbench->togglePause();
    QTRY_VERIFY_WITH_TIMEOUT(desk.workbench->run().state == RunState::Paused, kPatience);
    const auto before = desk.workbench->run().record.last_step;
    QTest::keyClick(desk.window->focusWidget(), Qt::Key_Period);
    QTRY_COMPARE_WITH_TIMEOUT(desk.workbench->run().record.last_step, before + 1, kPatience);
    desk.workbench->stopAndDiscard();
    QTRY_VERIFY_WITH_TIMEOUT(!desk.workbench->run().live, kPatience);
}

QTEST_MAIN(DistilPageTest)
#include "distil_page_test.moc"
