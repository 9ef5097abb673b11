#include "core/base/worker.h"
#include "core/distil/catalogues.h"
#include "tests/gui/tiny_demo.h"
#include "ui/main_window.h"
#include "ui/plot/loss_plot.h"
#include "ui/run_watcher.h"
#include "ui/widgets/notice.h"
#include "ui/workbench.h"

#include <QAbstractItemView>
#include <QAccessible>
#include <QAction>
#include <QComboBox>
#include <QElapsedTimer>
#include <QFile>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QStackedWidget>
#include <QStandardPaths>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>

using namespace retort;

namespace {

constexpr int kPatience = 60'000; // of a slow machine; nothing here is a timing

/// The program as main() puts it together, on a library of its own.
struct Program {
    explicit Program(const QString& library)
    {
        store = std::move(SessionStore::open(std::filesystem::path(library.toStdString())).value());
        workbench = std::make_unique<Workbench>(*store, catalogues, engine);
        window = std::make_unique<MainWindow>(*workbench);
        window->show();
        QVERIFY(QTest::qWaitForWindowActive(window.get()));
        workbench->start();
    }

    template <class Kind>
    [[nodiscard]] Kind* find(const char* name) const
    {
        return window->findChild<Kind*>(QLatin1String(name));
    }

    void click(const char* name) const
    {
        auto* button = find<QAbstractButton>(name);
        QVERIFY2(button != nullptr, name);
        QVERIFY2(button->isEnabled(), name);
        QTest::mouseClick(button, Qt::LeftButton);
    }

    std::unique_ptr<SessionStore> store;
    Catalogues catalogues = Catalogues::with_built_ins();
    Worker engine;
    std::unique_ptr<Workbench> workbench;
    std::unique_ptr<MainWindow> window;
};

DistilPlan short_plan(std::int64_t steps)
{
    DistilPlan plan;
    plan.teacher = "demo:teacher";
    plan.student.fresh = DistilPlan::Student::Fresh{.layers = 1, .width = 32, .heads = 2, .kv_heads = 1, .ffn = 64};
    plan.steps = steps;
    plan.batch = {.sequences = 2, .length = 32};
    plan.evaluate = {.every = 10, .sequences = 2};
    plan.schedule.warmup_steps = 2;
    plan.precision = "fp32";
    return plan;
}

} // namespace

class MainWindowTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();

    void loadsTheDemoOnFirstLaunch();
    void goesToEveryPageByRailAndByKey();
    void namesEveryWidgetThatTakesFocus();
    void saysWhatEveryActionDoes();
    void saysInPlaceThatAFileIsNoModel();
    void ejectsAndSwaps();
    void makesAStudentOfTheChosenSizes();
    void streamsBothAnswersAndComparesThem();
    void distilsPausesStepsAndKeeps();
    void discardsAStudent();
    void aPauseOfTheRunsOwnSaysWhy();
    void findsItsWorkAgainAfterARestart();
    void offersAnInterruptedRunForGoingOn();
    void renamesAndBinsSessions();
    void staysAliveWhileTraining();

private:
    [[nodiscard]] QString library() const { return m_folder->filePath(QStringLiteral("library.retort-db")); }
    void waitForDemo() { QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->bothReady(), kPatience); }

    QTemporaryDir m_resources;
    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<Program> m_program;
};

void MainWindowTest::initTestCase()
{
    QStandardPaths::setTestModeEnabled(true);
    const auto used = use_tiny_demo(m_resources.path().toStdString());
    QVERIFY2(used, used ? "" : used.error().message.c_str());
}

void MainWindowTest::init()
{
    m_folder = std::make_unique<QTemporaryDir>();
    m_program = std::make_unique<Program>(library());
}

void MainWindowTest::cleanup()
{
    m_program.reset();
}

void MainWindowTest::loadsTheDemoOnFirstLaunch()
{
    waitForDemo();
    QCOMPARE(m_program->workbench->role(Role::Teacher).info->spec.layers, 4);
    QVERIFY(m_program->workbench->tokenizerMatch()->same);
    QVERIFY(m_program->workbench->session().id > 0);
}

void MainWindowTest::goesToEveryPageByRailAndByKey()
{
    for (const PageId page : {PageId::Models, PageId::Compare, PageId::Distributions, PageId::Distil, PageId::Sessions}) {
        m_program->click(qPrintable(QStringLiteral("rail_%1").arg(static_cast<int>(page))));
        QCOMPARE(m_program->window->page(), page);
    }
    QTest::keyClick(m_program->window.get(), Qt::Key_1, Qt::ControlModifier);
    QCOMPARE(m_program->window->page(), PageId::Models);
    QTest::keyClick(m_program->window.get(), Qt::Key_4, Qt::ControlModifier);
    QCOMPARE(m_program->window->page(), PageId::Distil);
}

void MainWindowTest::namesEveryWidgetThatTakesFocus()
{
    waitForDemo();
    for (const PageId page : {PageId::Models, PageId::Compare, PageId::Distributions, PageId::Distil, PageId::Sessions}) {
        m_program->window->showPage(page);
        QTest::qWait(10);
        for (QWidget* widget : m_program->window->findChildren<QWidget*>()) {
            if (!widget->isVisible() || widget->focusPolicy() == Qt::NoFocus || widget->objectName().startsWith(QLatin1String("qt_"))) {
                continue;
            }
            QAccessibleInterface* interface = QAccessible::queryAccessibleInterface(widget);
            QVERIFY2(interface != nullptr && !interface->text(QAccessible::Name).isEmpty(),
                     qPrintable(QStringLiteral("page %1: %2 \"%3\" in %4")
                                    .arg(static_cast<int>(page))
                                    .arg(QLatin1String(widget->metaObject()->className()), widget->objectName(),
                                         QLatin1String(widget->parentWidget()->metaObject()->className()))));
        }
    }
}

void MainWindowTest::saysWhatEveryActionDoes()
{
    int seen = 0;
    for (const QAction* action : m_program->window->findChildren<QAction*>()) {
        if (action->isSeparator() || action->menu<QObject*>() != nullptr || qobject_cast<QLineEdit*>(action->parent()) != nullptr) {
            continue;
        }
        QVERIFY2(!action->text().isEmpty(), qPrintable(action->objectName()));
        QVERIFY2(!action->toolTip().isEmpty(), qPrintable(action->text()));
        ++seen;
    }
    QVERIFY(seen > 15);
}

void MainWindowTest::saysInPlaceThatAFileIsNoModel()
{
    waitForDemo();
    QFile file(m_folder->filePath(QStringLiteral("story.gguf")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("<b>not a model</b>");
    file.close();
    m_program->workbench->openModel(Role::Teacher, file.fileName());
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->role(Role::Teacher).error.has_value(), kPatience);
    QVERIFY(m_program->workbench->role(Role::Teacher).ready()); // who stood there stays
    const auto notices = m_program->find<QWidget>("teacher_card")->findChildren<Notice*>();
    QVERIFY(std::ranges::any_of(notices, [](const Notice* notice) { return notice->message().contains(QStringLiteral("story.gguf")); }));
}

void MainWindowTest::ejectsAndSwaps()
{
    waitForDemo();
    m_program->click("swap_roles");
    QCOMPARE(m_program->workbench->role(Role::Teacher).info->spec.layers, 2);
    m_program->window->showPage(PageId::Models);
    m_program->click("teacher_eject");
    QCOMPARE(m_program->workbench->role(Role::Teacher).phase, RoleState::Phase::Empty);
    m_program->click("teacher_use_demo");
    waitForDemo();
    QCOMPARE(m_program->workbench->role(Role::Teacher).info->spec.layers, 4);
}

void MainWindowTest::makesAStudentOfTheChosenSizes()
{
    waitForDemo();
    m_program->window->showPage(PageId::Models);
    m_program->find<QSpinBox>("designer_layers")->setValue(1);
    m_program->find<QSpinBox>("designer_width")->setValue(64);
    m_program->click("make_student");
    QTRY_COMPARE_WITH_TIMEOUT(m_program->workbench->role(Role::Student).phase, RoleState::Phase::Ready, kPatience);
    QTRY_COMPARE_WITH_TIMEOUT(m_program->workbench->role(Role::Student).info->spec.width, 64, kPatience);
}

void MainWindowTest::streamsBothAnswersAndComparesThem()
{
    waitForDemo();
    QSignalSpy tokens(m_program->workbench.get(), &Workbench::tokensArrived);
    QSignalSpy compared(m_program->workbench.get(), &Workbench::comparisonReady);
    Question question{{{"user", "Mia has a red kite."}}, true, {}};
    question.settings.max_tokens = 24;
    m_program->workbench->ask(question);
    QTRY_COMPARE_WITH_TIMEOUT(compared.size(), 2, kPatience);
    QVERIFY(!tokens.isEmpty());
    for (const Role role : kRoles) {
        const ExchangeSide& side = m_program->workbench->exchange().side(role);
        QVERIFY(!side.running);
        QCOMPARE(side.forced->positions.size(), side.answer.tokens.size());
    }
    m_program->workbench->continueFrom({Role::Teacher, 3}, 40);
    QTRY_VERIFY_WITH_TIMEOUT(!m_program->workbench->exchange().running(), kPatience);
    for (const Role role : kRoles) {
        QVERIFY(m_program->workbench->exchange().side(role).answer.tokens.size() > 3);
        QCOMPARE(m_program->workbench->exchange().side(role).answer.tokens[3].id, 40);
    }
}

void MainWindowTest::distilsPausesStepsAndKeeps()
{
    waitForDemo();
    m_program->window->showPage(PageId::Distil);
    m_program->find<QComboBox>("distil_student")->setCurrentIndex(0); // fresh, 2 layers of 96
    m_program->find<QSpinBox>("distil_steps")->setValue(100'000);
    m_program->find<QSpinBox>("distil_sequences")->setValue(2);
    m_program->find<QSpinBox>("distil_length")->setValue(32);
    m_program->click("distil_start");
    auto* plot = m_program->window->findChild<LossPlot*>();
    QTRY_VERIFY_WITH_TIMEOUT(plot->pointCount() >= 5, kPatience);
    m_program->click("distil_pause");
    QTRY_COMPARE_WITH_TIMEOUT(m_program->workbench->run().state, RunState::Paused, kPatience);
    QTest::qWait(100);
    const std::int64_t steps = m_program->workbench->run().record.last_step;
    m_program->click("distil_step");
    QTRY_COMPARE_WITH_TIMEOUT(m_program->workbench->run().record.last_step, steps + 1, kPatience);

    // The half-trained student answers while the run is paused.
    Question question{{{"user", "Mia has"}}, true, {}};
    question.settings.max_tokens = 4;
    m_program->workbench->ask(question);
    QTRY_VERIFY_WITH_TIMEOUT(!m_program->workbench->exchange().running(), kPatience);
    QVERIFY(!m_program->workbench->exchange().side(Role::Student).error);

    m_program->click("distil_keep");
    QTRY_VERIFY_WITH_TIMEOUT(!m_program->workbench->run().live, kPatience);
    QTRY_COMPARE_WITH_TIMEOUT(m_program->workbench->role(Role::Student).info->spec.width, 96, kPatience);
    QVERIFY(std::filesystem::exists(m_program->workbench->role(Role::Student).info->path));
}

void MainWindowTest::discardsAStudent()
{
    waitForDemo();
    m_program->workbench->startDistilling(short_plan(100'000));
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->run().record.last_step > 2, kPatience);
    m_program->window->showPage(PageId::Distil);
    m_program->click("distil_discard");
    m_program->click("discard_confirm");
    QTRY_VERIFY_WITH_TIMEOUT(!m_program->workbench->run().live, kPatience);
    QTest::qWait(200);
    QCOMPARE(m_program->workbench->role(Role::Student).info->spec.width, 48);
}

void MainWindowTest::aPauseOfTheRunsOwnSaysWhy()
{
    waitForDemo();
    QFile obstacle(m_folder->filePath(QStringLiteral("checkpoints"))); // where the folder of that name would have to be
    QVERIFY(obstacle.open(QIODevice::WriteOnly));
    m_program->window->showPage(PageId::Distil);
    DistilPlan plan = short_plan(100'000);
    plan.checkpoint.every_s = 0.01;
    m_program->workbench->startDistilling(plan);
    QTRY_COMPARE_WITH_TIMEOUT(m_program->workbench->run().state, RunState::Paused, kPatience);
    QVERIFY(!m_program->workbench->run().error.message.empty());
    QVERIFY(m_program->find<Notice>("distil_notice")->isVisible());
    m_program->click("distil_discard");
    m_program->click("discard_confirm");
    QTRY_VERIFY_WITH_TIMEOUT(!m_program->workbench->run().live, kPatience);
}

void MainWindowTest::findsItsWorkAgainAfterARestart()
{
    waitForDemo();
    Question question{{{"user", "Mia has a red kite."}}, true, {}};
    question.settings.max_tokens = 8;
    m_program->workbench->ask(question);
    QSignalSpy compared(m_program->workbench.get(), &Workbench::comparisonReady);
    QTRY_COMPARE_WITH_TIMEOUT(compared.size(), 2, kPatience);
    const std::string said = m_program->workbench->exchange().side(Role::Teacher).answer.text;
    m_program->workbench->startDistilling(short_plan(20));
    QTRY_VERIFY_WITH_TIMEOUT(is_over(m_program->workbench->run().state), kPatience);
    QCOMPARE(m_program->workbench->run().state, RunState::Finished);
    const double loss = m_program->workbench->run().record.metrics.back().loss;

    m_program.reset();
    m_program = std::make_unique<Program>(library());
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->run().exists, kPatience);
    QCOMPARE(m_program->workbench->run().record.metrics.size(), std::size_t{20});
    QCOMPARE(m_program->workbench->run().record.metrics.back().loss, loss);
    QCOMPARE(m_program->workbench->run().state, RunState::Finished);
    QCOMPARE(m_program->window->findChild<LossPlot*>()->pointCount(), 20);
    QCOMPARE(m_program->workbench->exchange().side(Role::Teacher).answer.text, said);
    QVERIFY(m_program->workbench->exchange().side(Role::Student).forced.has_value());
}

void MainWindowTest::offersAnInterruptedRunForGoingOn()
{
    waitForDemo();
    m_program->workbench->startDistilling(short_plan(40));
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->run().record.last_step > 2, kPatience);
    m_program.reset(); // the window closes in mid-run
    m_program = std::make_unique<Program>(library());
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->run().exists, kPatience);
    if (!m_program->workbench->run().interrupted) {
        QSKIP("The run had ended before the window closed.");
    }
    QVERIFY(!m_program->workbench->run().record.checkpoints.empty());
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->role(Role::Teacher).ready(), kPatience);
    m_program->workbench->resumeRun();
    QTRY_VERIFY_WITH_TIMEOUT(is_over(m_program->workbench->run().state), kPatience);
    QVERIFY2(m_program->workbench->run().state == RunState::Finished, m_program->workbench->run().error.message.c_str());
    QCOMPARE(m_program->workbench->run().record.last_step, 40);
}

void MainWindowTest::renamesAndBinsSessions()
{
    waitForDemo();
    const RowId first = m_program->workbench->session().id;
    m_program->workbench->renameSession(first, QStringLiteral("Lecture"));
    QTRY_COMPARE_WITH_TIMEOUT(m_program->workbench->sessions().size(), std::size_t{1}, kPatience);
    m_program->window->showPage(PageId::Sessions);
    m_program->click("new_session_button");
    QTRY_COMPARE_WITH_TIMEOUT(m_program->workbench->sessions().size(), std::size_t{2}, kPatience);
    QVERIFY(m_program->workbench->session().id != first);
    QVERIFY(m_program->workbench->bothReady()); // the models stay
    m_program->click("bin_session_button");
    QTRY_COMPARE_WITH_TIMEOUT(m_program->workbench->bin().size(), std::size_t{1}, kPatience);
    QTRY_COMPARE_WITH_TIMEOUT(m_program->workbench->session().title, std::string("Lecture"), kPatience);
    m_program->click("show_bin");
    m_program->click("purge_session_button");
    m_program->click("purge_confirm");
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->bin().empty(), kPatience);
}

void MainWindowTest::staysAliveWhileTraining()
{
    waitForDemo();
    m_program->window->showPage(PageId::Distil);
    m_program->workbench->startDistilling(short_plan(100'000));
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->run().record.last_step > 2, kPatience);
    QTimer heart;
    QElapsedTimer since;
    std::vector<qint64> gaps;
    heart.setTimerType(Qt::PreciseTimer);
    since.start();
    connect(&heart, &QTimer::timeout, this, [&] { gaps.push_back(since.restart()); });
    heart.start(5);
    QTest::qWait(2000);
    heart.stop();
    std::ranges::sort(gaps);
    QVERIFY(gaps.size() > 10);
    // How long a frame may take is measured, not judged, here: the machine may be busy with anything.
    qInfo("heartbeat every 5 ms while training: %zu beats, p50 %lld, p99 %lld, worst %lld ms", gaps.size(), gaps[gaps.size() / 2],
          gaps[gaps.size() * 99 / 100], gaps.back());
}

QTEST_MAIN(MainWindowTest)
#include "main_window_test.moc"
