#include "core/base/worker.h"
#include "core/distil/catalogues.h"
#include "core/store/first_library.h"
#include "tests/gui/tiny_demo.h"
#include "ui/main_window.h"
#include "ui/pages/distributions/distribution_view.h"
#include "ui/plot/loss_plot.h"
#include "ui/run_watcher.h"
#include "ui/widgets/token_view.h"
#include "ui/workbench.h"

#include <QAbstractButton>
#include <QComboBox>
#include <QLabel>
#include <QSignalSpy>
#include <QSlider>
#include <QSpinBox>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

using namespace retort;
namespace fs = std::filesystem;

namespace {

constexpr int kPatience = 60'000; // of a slow machine; nothing here is a timing

/// The program as main() puts it together: the recorded session first, where there is no library yet.
struct Program {
    Program(const fs::path& recorded, const fs::path& library)
    {
        begun = begin_library_with(recorded, library).value_or(false);
        store = std::move(SessionStore::open(library).value());
        workbench = std::make_unique<Workbench>(*store, catalogues, engine);
        window = std::make_unique<MainWindow>(*workbench);
        workbench->start();
        window->show();
        QVERIFY(QTest::qWaitForWindowActive(window.get()));
        QTRY_VERIFY_WITH_TIMEOUT(workbench->session().id != 0, kPatience);
    }

    template <class Kind>
    [[nodiscard]] Kind& find(const char* name) const
    {
        auto* found = window->findChild<Kind*>(QLatin1String(name));
        if (found == nullptr) {
            qFatal("no widget %s", name);
        }
        return *found;
    }

    bool begun = false;
    std::unique_ptr<SessionStore> store;
    Catalogues catalogues = Catalogues::with_built_ins();
    Worker engine;
    std::unique_ptr<Workbench> workbench;
    std::unique_ptr<MainWindow> window;
};

} // namespace

/// What somebody sees who starts Retort for the first time, and what a session still shows when its models are gone.
class FirstLaunchTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();

    void firstLaunchShowsTheRecordedSession();
    void aNewAnswerAndANewRunAreNotRecorded();
    void startDistillingBeginsWithTheUntrainedReceiver();
    void anExistingLibraryIsNeverTouched();
    void rememberedDistributionsAreDrawnWithoutTheModels();
    void aSessionIsLookedAtAsItWasLeft();

private:
    [[nodiscard]] fs::path at(const char* name) const { return fs::path(m_folder->path().toStdString()) / name; }
    void open() { m_program = std::make_unique<Program>(m_recorded, at("library.retort-db")); }
    void hideModels(bool hidden) const;

    QTemporaryDir m_resources;
    fs::path m_recorded;
    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<Program> m_program;
};

void FirstLaunchTest::initTestCase()
{
    QStandardPaths::setTestModeEnabled(true);
    const fs::path resources(m_resources.path().toStdString());
    const auto used = use_tiny_demo(resources);
    QVERIFY2(used, used ? "" : used.error().message.c_str());

    m_recorded = resources / "demo" / "session.retort-db";
    auto store = std::move(SessionStore::open(m_recorded).value());
    const RowId session = add_sample_sessions(*store, resources).value();
    const SessionContent content = store->sessions().read(session).value();
    const QByteArray view = QStringLiteral(R"({"page": "compare", "cursor": {"text_of": "teacher", "position": 2},
        "recorded": {"on": "2026-11-22", "machine": "A machine", "last_prompt": %1, "last_run": %2}})")
                                .arg(content.prompts.back().id)
                                .arg(content.runs.back().id)
                                .toUtf8();
    store->sessions().save_view_state_later(session, view.toStdString());
    QVERIFY(store->flush());
}

void FirstLaunchTest::init()
{
    m_folder = std::make_unique<QTemporaryDir>();
}

void FirstLaunchTest::cleanup()
{
    m_program.reset();
    hideModels(false);
}

void FirstLaunchTest::hideModels(bool hidden) const
{
    const fs::path demo = m_recorded.parent_path();
    for (const char* name : {"alembic", "receiver"}) {
        const fs::path here = demo / name, away = demo / (std::string(name) + ".away");
        if (fs::exists(hidden ? here : away)) {
            fs::rename(hidden ? here : away, hidden ? away : here);
        }
    }
}

void FirstLaunchTest::firstLaunchShowsTheRecordedSession()
{
    open();
    QVERIFY(m_program->begun);
    QCOMPARE(m_program->workbench->session().title, std::string("First distillation"));
    QCOMPARE(m_program->window->page(), PageId::Compare);
    QVERIFY(!m_program->find<TokenView>("teacherText").tokens().empty());
    QVERIFY(!m_program->find<TokenView>("studentText").facts().empty());
    for (const QLabel* mark : m_program->window->findChildren<QLabel*>(QStringLiteral("recorded"))) {
        QVERIFY(mark->isVisible());
        QCOMPARE(mark->text(), QStringLiteral("recorded"));
        QVERIFY2(mark->toolTip().contains(QStringLiteral("22 Nov 2026, A machine")), qPrintable(mark->toolTip()));
    }
    QTest::keyClick(m_program->window.get(), Qt::Key_4, Qt::ControlModifier);
    QCOMPARE(m_program->window->findChild<LossPlot*>()->pointCount(), 300);
    QVERIFY(m_program->find<QLabel>("run_title").text().contains(QStringLiteral("22 Nov 2026")));
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->bothReady(), kPatience);
    QVERIFY(m_program->find<QLabel>("run_title").text().contains(QStringLiteral("22 Nov 2026"))); // until something new replaces it
}

void FirstLaunchTest::aNewAnswerAndANewRunAreNotRecorded()
{
    open();
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->bothReady(), kPatience);
    Question question{{{"user", "27+15="}}, true, {}};
    question.settings.max_tokens = 4;
    m_program->workbench->ask(question);
    QVERIFY(!m_program->find<QLabel>("recorded").isVisible());
    QTRY_VERIFY_WITH_TIMEOUT(!m_program->workbench->exchange().running(), kPatience);
    m_program->workbench->showExchange(m_program->workbench->history().front().id);
    QTRY_VERIFY_WITH_TIMEOUT(m_program->find<QLabel>("recorded").isVisible(), kPatience); // the earlier one still is
    QVERIFY(m_program->workbench->recordingOfRun());
    QTest::keyClick(m_program->window.get(), Qt::Key_4, Qt::ControlModifier);
    m_program->find<QSpinBox>("distil_steps").setValue(2);
    m_program->find<QSpinBox>("distil_sequences").setValue(2);
    m_program->find<QSpinBox>("distil_length").setValue(32);
    QTest::mouseClick(&m_program->find<QAbstractButton>("distil_start"), Qt::LeftButton);
    QVERIFY(!m_program->workbench->recordingOfRun());
    QTRY_VERIFY_WITH_TIMEOUT(!m_program->workbench->run().live, kPatience);
    QVERIFY(!m_program->workbench->recordingOfRun());
    QVERIFY(!m_program->find<QLabel>("run_title").text().contains(QStringLiteral("recorded")));
}

void FirstLaunchTest::startDistillingBeginsWithTheUntrainedReceiver()
{
    open();
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->bothReady(), kPatience);
    m_program->workbench->openModel(Role::Student, QStringLiteral("demo:teacher")); // anybody may stand in the role
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->role(Role::Student).ready() && m_program->workbench->role(Role::Student).info->spec.width == 96,
                             kPatience);
    QTest::keyClick(&m_program->find<QComboBox>("distil_preset"), Qt::Key_Home); // the form shows the recorded run's own settings
    QTest::keyClick(m_program->window.get(), Qt::Key_R, Qt::ControlModifier);
    QCOMPARE(m_program->window->page(), PageId::Distil);
    QCOMPARE(m_program->workbench->run().plan.student.from, std::string("demo:student"));
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->run().record.last_step > 0, kPatience);
    QTest::mouseClick(&m_program->find<QAbstractButton>("distil_keep"), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(!m_program->workbench->run().live, kPatience);
    QTRY_COMPARE_WITH_TIMEOUT(m_program->workbench->role(Role::Student).info->spec.width, 48, kPatience); // the receiver's own
}

void FirstLaunchTest::anExistingLibraryIsNeverTouched()
{
    const fs::path library = at("library.retort-db");
    (void)(*SessionStore::open(library))->sessions().create("Mine").value();
    open();
    QVERIFY(!m_program->begun);
    QTRY_COMPARE_WITH_TIMEOUT(m_program->workbench->sessions().size(), std::size_t{1}, kPatience);
    QCOMPARE(m_program->workbench->session().title, std::string("Mine"));
    QVERIFY(!m_program->workbench->recordingOfRun());
}

void FirstLaunchTest::rememberedDistributionsAreDrawnWithoutTheModels()
{
    open();
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->bothReady(), kPatience);
    Question question{{{"user", "Mia has a red kite."}}, true, {}};
    question.settings.max_tokens = 6;
    QSignalSpy compared(m_program->workbench.get(), &Workbench::comparisonReady);
    m_program->workbench->ask(question);
    QTRY_COMPARE_WITH_TIMEOUT(compared.size(), 2, kPatience);
    m_program->workbench->setCursor(TokenPlace{Role::Student, 3});
    QTest::keyClick(m_program->window.get(), Qt::Key_3, Qt::ControlModifier);
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->snapshot().has_value(), kPatience);
    QVERIFY(!m_program->workbench->snapshotIsStored());
    const DistributionSnapshot computed = *m_program->workbench->snapshot();

    m_program.reset();
    hideModels(true);
    open();
    QCOMPARE(m_program->window->page(), PageId::Distributions);
    QTRY_COMPARE_WITH_TIMEOUT(m_program->workbench->role(Role::Teacher).phase, RoleState::Phase::Failed, kPatience);
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->snapshotIsStored(), kPatience);
    QCOMPARE(m_program->workbench->snapshotPlace(), (TokenPlace{Role::Student, 3}));
    QCOMPARE(m_program->workbench->snapshot()->teacher.logits, computed.teacher.logits);
    QCOMPARE(m_program->workbench->snapshot()->student.logits, computed.student.logits);
    auto& slider = m_program->find<QSlider>("temperature");
    QVERIFY(slider.isEnabled()); // the whole distributions are there, not only the ten best
    m_program->workbench->setCursor(TokenPlace{Role::Student, 1});
    QVERIFY(!slider.isEnabled()); // nobody looked at this one
}

void FirstLaunchTest::aSessionIsLookedAtAsItWasLeft()
{
    open();
    m_program->find<QComboBox>("tint").setCurrentIndex(2);
    m_program->find<QSpinBox>("maxTokens").setValue(33);
    QTRY_VERIFY_WITH_TIMEOUT(m_program->workbench->bothReady(), kPatience);
    QTest::keyClick(m_program->window.get(), Qt::Key_3, Qt::ControlModifier);
    QTRY_VERIFY_WITH_TIMEOUT(m_program->find<QSlider>("temperature").isEnabled(), kPatience);
    m_program->find<QSlider>("temperature").setValue(120);
    m_program->workbench->setCursor(TokenPlace{Role::Teacher, 3});

    m_program.reset();
    open();
    QCOMPARE(m_program->window->page(), PageId::Distributions);
    QCOMPARE(m_program->find<QComboBox>("tint").currentIndex(), 2);
    QCOMPARE(m_program->find<QSpinBox>("maxTokens").value(), 33);
    QCOMPARE(m_program->find<QSlider>("temperature").value(), 120);
    QCOMPARE(m_program->workbench->cursor(), (TokenPlace{Role::Teacher, 3}));
}

QTEST_MAIN(FirstLaunchTest)
#include "first_launch_test.moc"
