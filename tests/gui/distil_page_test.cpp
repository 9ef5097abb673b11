#include "tests/gui/desk.h"
#include "ui/pages/distil/distil_page.h"
#include "ui/pages/distil/probe_strip.h"
#include "ui/plot/loss_plot.h"
#include "ui/widgets/tile_grid.h"

#include <QAbstractButton>
#include <QComboBox>
#include <QScrollArea>
#include <QScrollBar>
#include <QSignalSpy>

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
    void promisesAMinuteWithTheDemosTeacherOnly();

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
        const auto saved = plot.savePicture(QLatin1String(path));
        QVERIFY2(!saved && saved.error().message.starts_with(path), path);
    }
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

QTEST_MAIN(DistilPageTest)
#include "distil_page_test.moc"
