#include "tests/gui/desk.h"
#include "ui/main_window.h"
#include "ui/pages/distributions/distribution_view.h"
#include "ui/pages/distributions/distributions_page.h"
#include "ui/plot/candidate_table.h"
#include "ui/plot/contribution_table.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/token_view.h"

#include <QAbstractButton>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QGuiApplication>
#include <QHeaderView>
#include <QLabel>
#include <QScrollArea>
#include <QScrollBar>
#include <QSignalSpy>
#include <QSlider>
#include <cmath>
#include <random>

using namespace retort;

namespace {

std::vector<float> some_logits(unsigned seed, std::size_t count)
{
    std::mt19937 random(seed);
    std::normal_distribution<float> values(0.0F, 2.0F);
    std::vector<float> logits(count);
    for (float& logit : logits) {
        logit = values(random);
    }
    return logits;
}

std::vector<double> softmax(const std::vector<float>& logits, double temperature)
{
    std::vector<double> p;
    double sum = 0;
    for (const float logit : logits) {
        p.push_back(std::exp(logit / temperature));
        sum += p.back();
    }
    for (double& x : p) {
        x /= sum;
    }
    return p;
}

double kl_of(const std::vector<double>& p, const std::vector<double>& q)
{
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
        sum += p[i] * std::log(p[i] / q[i]);
    }
    return sum;
}

std::shared_ptr<const Softening> softening_of(DistributionSnapshot snapshot)
{
    return std::make_shared<const Softening>(
        std::move(snapshot), [](TokenId id) { return QStringLiteral("t%1").arg(id); }, std::nullopt);
}

QString figure(const QWidget& widget, const char* name)
{
    const auto* label = widget.findChild<QLabel*>(QLatin1String(name));
    return label == nullptr ? QString() : label->text();
}

double number(const QString& text)
{
    return text.split(QLatin1Char(' ')).front().toDouble();
}

} // namespace

/// The figures follow from the logits at the slider's temperature, by formulas written a second time here.
class DistributionsPageTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void figuresFollowTheTemperature_data();
    void figuresFollowTheTemperature();
    void teacherAgainstItselfIsZeroEverywhere();
    void showsWhatPartOfEachModelItShows();
    void rowsKeepTheirPlacesWhileTheTemperatureChanges();
    void allPiecesOfASmallVocabularyCanBeShown();
    void savesTheSameNumbersAsCsv();
    void readsAStoredPositionWithoutTheModels();
    void sliderAsksNoModel();
    void whatIsBelowTheLastDigitIsSaidOnce();
    void whatRoundsToZeroHasNoSign();
    void walksThroughTheText();
    void saysThatItWaitsUntilTheFirstDistributionIsThere();
    void givesTheTextNoMoreRoomThanItNeeds();
    void showsFiveRowsOfTheKlInASmallWindow_data();
    void showsFiveRowsOfTheKlInASmallWindow();

private:
    QTemporaryDir m_resources;
};

void DistributionsPageTest::initTestCase()
{
    const auto used = use_tiny_demo(m_resources.path().toStdString());
    QVERIFY2(used, used ? "" : used.error().message.c_str());
}

void DistributionsPageTest::figuresFollowTheTemperature_data()
{
    QTest::addColumn<int>("step");
    QTest::addColumn<double>("temperature");
    QTest::newRow("0.25") << 0 << 0.25;
    QTest::newRow("1") << 80 << 1.0;
    QTest::newRow("2") << 120 << 2.0;
    QTest::newRow("8") << 200 << 8.0;
}

void DistributionsPageTest::figuresFollowTheTemperature()
{
    QFETCH(int, step);
    QFETCH(double, temperature);
    DistributionSnapshot snapshot;
    snapshot.teacher.logits = some_logits(1, 300);
    snapshot.student.logits = some_logits(2, 300);
    DistributionView view;
    view.showWhole(softening_of(snapshot));
    view.findChild<QSlider*>(QStringLiteral("temperature"))->setValue(step);
    QCoreApplication::processEvents();
    const auto p = softmax(snapshot.teacher.logits, temperature), q = softmax(snapshot.student.logits, temperature);
    QVERIFY(std::abs(number(figure(view, "kl")) - kl_of(p, q)) < 6e-4);
    QVERIFY(std::abs(number(figure(view, "reverseKl")) - kl_of(q, p)) < 6e-4);
    for (const CandidateRow& row : view.shown().candidates.rows) {
        QVERIFY(std::abs(*row.teacher - p[static_cast<std::size_t>(row.id)]) < 1e-5);
        QVERIFY(std::abs(*row.student - q[static_cast<std::size_t>(row.id)]) < 1e-5);
    }
}

void DistributionsPageTest::teacherAgainstItselfIsZeroEverywhere()
{
    DistributionSnapshot snapshot;
    snapshot.teacher.logits = some_logits(3, 512);
    snapshot.student.logits = snapshot.teacher.logits;
    DistributionView view;
    view.showWhole(softening_of(snapshot));
    for (const int step : {0, 80, 200}) {
        view.findChild<QSlider*>(QStringLiteral("temperature"))->setValue(step);
        QCoreApplication::processEvents();
        QCOMPARE(figure(view, "kl"), QStringLiteral("0.000 nat"));
        QCOMPARE(figure(view, "reverseKl"), QStringLiteral("0.000 nat"));
        QCOMPARE(figure(view, "js"), QStringLiteral("0.000 nat"));
        QCOMPARE(figure(view, "tv"), QStringLiteral("0.000"));
        QCOMPARE(figure(view, "overlap"), QStringLiteral("10 of 10"));
        QCOMPARE(figure(view, "sameTop"), QStringLiteral("yes"));
        QVERIFY(std::ranges::all_of(view.shown().contributions, [](const ContributionRow& row) { return row.contribution.amount == 0.0; }));
    }
}

void DistributionsPageTest::showsWhatPartOfEachModelItShows()
{
    DistributionSnapshot snapshot;
    snapshot.teacher.logits = some_logits(4, 1000);
    snapshot.student.logits = some_logits(5, 1000);
    DistributionView view;
    view.showWhole(softening_of(snapshot));
    const auto p = softmax(snapshot.teacher.logits, 1);
    double shown = 0;
    for (const CandidateRow& row : view.shown().candidates.rows) {
        shown += p[static_cast<std::size_t>(row.id)];
    }
    QVERIFY(figure(view, "coverage").contains(percent(shown) + QStringLiteral(" of teacher")));
}

void DistributionsPageTest::rowsKeepTheirPlacesWhileTheTemperatureChanges()
{
    DistributionSnapshot snapshot;
    snapshot.teacher.logits = some_logits(6, 400);
    snapshot.student.logits = some_logits(7, 400);
    const auto softening = softening_of(snapshot);
    const auto ids = [&](double temperature) {
        std::vector<TokenId> out;
        for (const CandidateRow& row : softening->at(temperature, 20).candidates.rows) {
            out.push_back(row.id);
        }
        return out;
    };
    QCOMPARE(ids(0.25), ids(1));
    QCOMPARE(ids(8), ids(1));
}

void DistributionsPageTest::allPiecesOfASmallVocabularyCanBeShown()
{
    DistributionSnapshot snapshot;
    snapshot.teacher.logits = some_logits(8, 512);
    snapshot.student.logits = some_logits(9, 512);
    snapshot.truth.assign(512, 0.0F);
    snapshot.truth[7] = 1.0F;
    DistributionView view;
    view.showWhole(softening_of(snapshot));
    auto* count = view.findChild<QComboBox*>(QStringLiteral("count"));
    count->setCurrentIndex(count->count() - 1);
    QCoreApplication::processEvents();
    QCOMPARE(view.shown().candidates.rows.size(), std::size_t(512));
    const auto* bars = view.findChild<CandidateTable*>(QStringLiteral("bars"));
    QVERIFY(!bars->isColumnHidden(CandidateModel::Truth));
    // KL(truth || teacher) of a certain truth is the teacher's surprise at it.
    QVERIFY(std::abs(*view.shown().truth_teacher_kl + std::log(softmax(snapshot.teacher.logits, 1)[7])) < 1e-4);
}

void DistributionsPageTest::savesTheSameNumbersAsCsv()
{
    DistributionSnapshot snapshot;
    snapshot.teacher.logits = some_logits(10, 50);
    snapshot.student.logits = some_logits(11, 50);
    DistributionView view;
    view.resize(900, 600);
    view.showWhole(softening_of(snapshot));
    QTemporaryDir folder;
    QVERIFY(view.save(folder.filePath(QStringLiteral("d.csv"))).has_value());
    QVERIFY(view.save(folder.filePath(QStringLiteral("d.png"))).has_value());
    QVERIFY(view.save(folder.filePath(QStringLiteral("d.pdf"))).has_value());
    QVERIFY(!view.save(QStringLiteral("/proc/nowhere/d.csv")).has_value());
    QFile csv(folder.filePath(QStringLiteral("d.csv")));
    QVERIFY(csv.open(QIODevice::ReadOnly));
    const QString text = QString::fromUtf8(csv.readAll());
    const CandidateRow& first = view.shown().candidates.rows.front();
    QVERIFY(text.contains(QStringLiteral("%1,%2,%3").arg(first.label).arg(first.id).arg(*first.teacher, 0, 'g', 6)));
    QVERIFY(text.contains(QStringLiteral("# KL(teacher ‖ student): ")));
}

void DistributionsPageTest::readsAStoredPositionWithoutTheModels()
{
    ComparedPosition position;
    position.token = 3;
    position.divergence.kl = 0.5;
    position.teacher_top = {{3, 0.6F, 0}, {4, 0.3F, 1}};
    position.student_top = {{5, 0.5F, 0}, {3, 0.2F, 1}};
    position.teacher_log_probability = std::log(0.6F);
    position.student_log_probability = std::log(0.2F);
    DistributionView view;
    view.showBest(view_of(position, [](TokenId id) { return QString::number(id); }));
    QVERIFY(!view.findChild<QSlider*>(QStringLiteral("temperature"))->isEnabled());
    const auto* bars = view.findChild<CandidateTable*>(QStringLiteral("bars"));
    QCOMPARE(bars->candidates().rowCount(), 3);
    for (int row = 0; row < 3; ++row) {
        if (bars->candidates().rows().rows[static_cast<std::size_t>(row)].id == 5) {
            QCOMPARE(bars->candidates().index(row, CandidateModel::Teacher).data().toString(), QStringLiteral("< 30.0 %"));
        }
    }
    QCOMPARE(figure(view, "kl"), QStringLiteral("0.500 nat"));
}

void DistributionsPageTest::whatIsBelowTheLastDigitIsSaidOnce()
{
    CandidateRows rows;
    rows.has_teacher = rows.has_student = true;
    rows.teacher_floor = 1e-7;
    rows.rows.push_back({.id = 1, .label = QStringLiteral("a"), .teacher = std::nullopt, .student = 0.5, .truth = std::nullopt});
    CandidateModel model;
    model.setRows(rows);
    QCOMPARE(model.index(0, CandidateModel::Teacher).data().toString(), QStringLiteral("< 0.001 %"));
}

void DistributionsPageTest::whatRoundsToZeroHasNoSign()
{
    QCOMPARE(figure(-0.0004, 3), QStringLiteral("0.000"));
    QCOMPARE(figure(-0.0006, 3), QStringLiteral("-0.001"));
    ContributionModel model;
    model.setRows({{{.id = 1, .amount = -0.0002}, QStringLiteral("a")}});
    QCOMPARE(model.index(0, ContributionModel::Amount).data().toString(), QStringLiteral("0.000"));
}

void DistributionsPageTest::sliderAsksNoModel()
{
    const Desk<DistributionsPage> desk;
    QSignalSpy ready(desk.workbench.get(), &Workbench::snapshotReady);
    desk.workbench->setCursor(TokenPlace{Role::Teacher, 2});
    QTRY_COMPARE_WITH_TIMEOUT(ready.count(), 1, kPatience);
    const QString before = figure(*desk.window, "kl");
    desk.window->findChild<QSlider*>(QStringLiteral("temperature"))->setValue(160);
    QTRY_VERIFY(figure(*desk.window, "kl") != before);
    QTest::qWait(300);
    QCOMPARE(ready.count(), 1);
}

void DistributionsPageTest::walksThroughTheText()
{
    const Desk<DistributionsPage> desk;
    desk.workbench->setCursor(TokenPlace{Role::Student, 0});
    auto* text = desk.window->findChild<TokenView*>(QStringLiteral("text"));
    QTRY_VERIFY(text->isVisible());
    QTest::mouseClick(desk.window->findChild<QAbstractButton*>(QStringLiteral("nextToken")), Qt::LeftButton);
    QTest::keyClick(text, Qt::Key_Right);
    QCOMPARE(desk.workbench->cursor(), std::optional(TokenPlace{Role::Student, 2}));
    QVERIFY(figure(*desk.window, "where").startsWith(QStringLiteral("Token 3 of")));
    QSignalSpy ready(desk.workbench.get(), &Workbench::snapshotReady);
    QTRY_COMPARE_WITH_TIMEOUT(desk.workbench->snapshotPlace(), desk.workbench->cursor(), kPatience);
    QVERIFY(!figure(*desk.window, "kl").isEmpty());
}

void DistributionsPageTest::saysThatItWaitsUntilTheFirstDistributionIsThere()
{
    const Desk<DistributionsPage> desk;
    QSignalSpy ready(desk.workbench.get(), &Workbench::snapshotReady);
    desk.workbench->setCursor(TokenPlace{Role::Teacher, 2});
    const auto* nothing = desk.find<EmptyState>("noDistribution");
    QVERIFY(nothing->isVisible());
    QVERIFY(!nothing->sentence().isEmpty());
    QVERIFY(!desk.find<QAbstractButton>("export")->isEnabled());
    QTRY_COMPARE_WITH_TIMEOUT(ready.count(), 1, kPatience);
    QTRY_VERIFY(!nothing->isVisible());
    QVERIFY(desk.find<QAbstractButton>("export")->isEnabled());
    desk.workbench->setCursor(TokenPlace{Role::Teacher, 3}); // walking on, the page stays as it is until the next one comes
    QVERIFY(!nothing->isVisible());
}

void DistributionsPageTest::givesTheTextNoMoreRoomThanItNeeds()
{
    const Desk<DistributionsPage> desk;
    desk.workbench->setCursor(TokenPlace{Role::Teacher, 2});
    const auto* text = desk.find<TokenView>("text");
    QTRY_VERIFY(text->isVisible());
    QTRY_VERIFY(text->height() <= text->contentHeight());
    QVERIFY(text->height() <= text->heightOf(3));
    QVERIFY(text->height() >= text->heightOf(1));
}

void DistributionsPageTest::showsFiveRowsOfTheKlInASmallWindow_data()
{
    QTest::addColumn<QSize>("size");
    QTest::addColumn<bool>("scrolls");
    QTest::newRow("1280x720") << QSize(1280, 720) << false;
    QTest::newRow("960x600") << QSize(960, 600) << true;
}

void DistributionsPageTest::showsFiveRowsOfTheKlInASmallWindow()
{
    QFETCH(QSize, size);
    QFETCH(bool, scrolls);
    const Desk<MainWindow> desk;
    desk.window->setWindowState(Qt::WindowNoState);
    desk.window->resize(size);
    desk.window->showPage(PageId::Distributions);
    desk.workbench->setCursor(TokenPlace{Role::Teacher, 2});
    const auto* table = desk.find<ContributionTable>("contributions");
    QTRY_VERIFY_WITH_TIMEOUT(table->isVisible() && table->contributions().rowCount() > 5, kPatience);
    QCOMPARE(desk.window->size(), size);
    QTRY_VERIFY2(table->visualRect(table->contributions().index(4, 0)).bottom() < table->viewport()->height(),
                 qPrintable(QStringLiteral("%1 px for rows of %2").arg(table->viewport()->height()).arg(table->rowHeight(0))));
    int columns = 0;
    for (int column = 0; column < ContributionModel::ColumnCount; ++column) {
        const QHeaderView& header = *table->horizontalHeader();
        QVERIFY2(header.sectionSize(column) >= header.sectionSizeHint(column), qPrintable(QStringLiteral("column %1").arg(column)));
        columns += header.sectionSize(column);
    }
    QVERIFY(columns <= table->viewport()->width());
    const auto* scroll = desk.find<QScrollArea>("distributions_scroll");
    QVERIFY(scroll != nullptr);
    QCOMPARE(scroll->verticalScrollBar()->maximum() > 0, scrolls);
    QCOMPARE(scroll->horizontalScrollBar()->maximum(), 0);
    const auto* rank = desk.find<QWidget>("rankPlot");
    const int difference = rank->parentWidget()->parentWidget()->height() - table->parentWidget()->height();
    QVERIFY2(std::abs(difference) <= 1 || scrolls, qPrintable(QString::number(difference)));
}

QTEST_MAIN(DistributionsPageTest)
#include "distributions_page_test.moc"
