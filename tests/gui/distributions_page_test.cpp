#include "tests/gui/desk.h"
#include "ui/main_window.h"
#include "ui/pages/distributions/distribution_view.h"
#include "ui/pages/distributions/distributions_page.h"
#include "ui/plot/candidate_table.h"
#include "ui/plot/contribution_table.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/export.h"
#include "ui/widgets/export_picture.h"
#include "ui/widgets/figure_text.h"
#include "ui/widgets/notice.h"
#include "ui/widgets/token_view.h"

#include <QAbstractButton>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QContextMenuEvent>
#include <QFileDialog>
#include <QGuiApplication>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QPointer>
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

/// A CSV file's fields, by the grammar of RFC 4180.
QList<QStringList> parsed(const QString& csv)
{
    QList<QStringList> lines = {{QString()}};
    bool quoted = false;
    for (qsizetype i = 0; i < csv.size(); ++i) {
        const QChar c = csv[i];
        if (quoted && c == QLatin1Char('"') && i + 1 < csv.size() && csv[i + 1] == QLatin1Char('"')) {
            lines.back().back() += csv[++i];
        } else if (c == QLatin1Char('"')) {
            quoted = !quoted;
        } else if (!quoted && c == QLatin1Char(',')) {
            lines.back() << QString();
        } else if (!quoted && c == QLatin1Char('\n')) {
            lines.push_back({QString()});
        } else {
            lines.back().back() += c;
        }
    }
    lines.removeLast(); // after the last line's end
    return lines;
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
    void savesOneTableWithAllDigits();
    void aNameWithoutAnEndingGetsOne();
    void aPictureHasEveryRowAndNothingToPress();
    void aMenuOnEachFigureSaysWhereItWasSaved();
    void truthIsSoftenedLikeTheModels();
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

void DistributionsPageTest::savesOneTableWithAllDigits()
{
    DistributionSnapshot snapshot;
    snapshot.teacher.logits = some_logits(10, 50);
    snapshot.student.logits = some_logits(11, 50);
    const auto softening = std::make_shared<const Softening>(
        snapshot,
        [](TokenId id) {
            return id == 0 ? TokenName{QStringLiteral("shown"), " a\xff"} : TokenName{QStringLiteral("\u00b7b,\"%1").arg(id), " b,\"\n"};
        },
        std::nullopt);
    DistributionView view;
    view.showWhole(softening);
    view.setOrigin(
        {QStringLiteral("Q, \"x\"\n"), QStringLiteral("before"), QStringLiteral("T1"), QStringLiteral("S1"), QStringLiteral("teacher"), 3, 9});
    QTemporaryDir folder;
    const auto saved = export_to(view.whole(), folder.filePath(QStringLiteral("d.csv")));
    QVERIFY(saved.has_value());
    QFile csv(*saved);
    QVERIFY(csv.open(QIODevice::ReadOnly));
    const QList<QStringList> lines = parsed(QString::fromUtf8(csv.readAll()));
    const auto at = [&](qsizetype row, const char* column) { return lines[row][lines[0].indexOf(QLatin1String(column))]; };
    const CandidateRows& rows = view.shown().candidates;
    QCOMPARE(lines.size(), static_cast<qsizetype>(rows.rows.size()) + 1);
    const auto p = softmax(snapshot.teacher.logits, 1), q = softmax(snapshot.student.logits, 1);
    for (qsizetype row = 1; row < lines.size(); ++row) {
        QCOMPARE(lines[row].size(), lines[0].size());
        const CandidateRow& shown = rows.rows[static_cast<std::size_t>(row - 1)];
        QCOMPARE(at(row, "teacher_probability").toDouble(), *shown.teacher); // to the last digit
        QVERIFY(std::abs(at(row, "kl_nat").toDouble() - kl_of(p, q)) < 1e-6);
        QCOMPARE(at(row, "piece_hex"), QString::fromLatin1(QByteArray::fromStdString(shown.bytes).toHex()));
        QCOMPARE(at(row, "piece"), shown.id == 0 ? QString() : QStringLiteral(" b,\"\n"));
        QCOMPARE(at(row, "prompt"), QStringLiteral("Q, \"x\"\n"));
        QCOMPARE(at(row, "teacher"), QStringLiteral("T1"));
        QCOMPARE(at(row, "student"), QStringLiteral("S1"));
        QCOMPARE(at(row, "token_number"), QStringLiteral("3"));
    }
}

void DistributionsPageTest::aNameWithoutAnEndingGetsOne()
{
    QTemporaryDir folder;
    Export what{.name = QStringLiteral("t"), .title = QStringLiteral("t")};
    what.table = {{QStringLiteral("a")}, {QStringLiteral("1")}};
    what.make_drawing = [] { return new QWidget; };
    for (const auto& [typed, ending, expected] : {std::tuple{"one", "", "one.csv"}, std::tuple{"two", "png", "two.png"},
                                                  std::tuple{"three.", "", "three.csv"}, std::tuple{"four.PDF", "", "four.PDF"}}) {
        const auto saved = export_to(what, folder.filePath(QLatin1String(typed)), QLatin1String(ending));
        QVERIFY2(saved.has_value(), typed);
        QCOMPARE(*saved, folder.filePath(QLatin1String(expected)));
        QVERIFY(QFileInfo(*saved).size() > 0);
    }
    for (const char* typed : {"five.xyz", "six.csv.bak", "seven.jpg"}) {
        const auto refused = export_to(what, folder.filePath(QLatin1String(typed)));
        QVERIFY2(!refused.has_value(), typed);
        QVERIFY(QString::fromStdString(refused.error().message).contains(QStringLiteral(".csv or .png or .pdf")));
        QVERIFY(!QFileInfo::exists(folder.filePath(QLatin1String(typed))));
    }
    QVERIFY(!export_to(what, QStringLiteral("/proc/nowhere/d.csv")).has_value());
    QVERIFY(!export_to(what, QStringLiteral("/proc/nowhere/d.png")).has_value());
}

void DistributionsPageTest::aPictureHasEveryRowAndNothingToPress()
{
    DistributionSnapshot snapshot;
    snapshot.teacher.logits = some_logits(12, 400);
    snapshot.student.logits = some_logits(13, 400);
    DistributionView view;
    view.resize(900, 500);
    view.showWhole(softening_of(snapshot));
    view.setOrigin(
        {QStringLiteral("the prompt"), QStringLiteral("before"), QStringLiteral("T1"), QStringLiteral("S1"), QStringLiteral("student"), 2, 9});
    auto* count = view.findChild<QComboBox*>(QStringLiteral("count"));
    count->setCurrentIndex(count->count() - 1);
    QCoreApplication::processEvents();
    const auto sheet = picture_sheet(view.whole());
    const auto* bars = sheet->findChild<CandidateTable*>();
    QVERIFY(bars->candidates().rowCount() > 100);
    QVERIFY(bars->visualRect(bars->candidates().index(bars->candidates().rowCount() - 1, 0)).bottom() <= bars->viewport()->height());
    for (const QAbstractButton* button : sheet->findChildren<QAbstractButton*>()) {
        QVERIFY2(!button->isVisible(), qPrintable(button->objectName()));
    }
    for (const QScrollBar* bar : sheet->findChildren<QScrollBar*>()) {
        QVERIFY(!bar->isVisible());
    }
    QString words;
    for (const QLabel* label : sheet->findChildren<QLabel*>()) {
        words += label->text() + QLatin1Char('\n');
    }
    for (const char* part : {"T1", "S1", "the prompt", "before", "Token 2 of 9 in the student's text", "T = 1"}) {
        QVERIFY2(words.contains(QLatin1String(part)), part);
    }
}

void DistributionsPageTest::aMenuOnEachFigureSaysWhereItWasSaved()
{
    DistributionSnapshot snapshot;
    snapshot.teacher.logits = some_logits(14, 50);
    snapshot.student.logits = some_logits(15, 50);
    DistributionView view;
    view.resize(900, 700);
    view.showWhole(softening_of(snapshot));
    view.show();
    QVERIFY(QTest::qWaitForWindowExposed(&view));
    QTemporaryDir folder;
    for (const char* name : {"bars", "contributions"}) {
        auto* table = view.findChild<QWidget*>(QLatin1String(name));
        QContextMenuEvent ask(QContextMenuEvent::Keyboard, QPoint(5, 5), table->mapToGlobal(QPoint(5, 5)));
        QApplication::sendEvent(table, &ask);
        auto* menu = table->findChild<QMenu*>(QStringLiteral("exportMenu"));
        QVERIFY2(menu != nullptr && menu->isVisible(), name);
        menu->findChild<QAction*>(QStringLiteral("copyCsv"))->trigger();
        QVERIFY(QGuiApplication::clipboard()->text().startsWith(QStringLiteral("id,piece,piece_hex,")));
        QVERIFY(menu->findChild<QAction*>(QStringLiteral("explain")) != nullptr);
        menu->findChild<QAction*>(QStringLiteral("exportTo"))->trigger();
        menu->close();
        QPointer<QFileDialog> dialog = view.findChild<QFileDialog*>(QStringLiteral("exportDialog"));
        QVERIFY(dialog != nullptr);
        const QString path = folder.filePath(QLatin1String(name));
        Q_EMIT dialog->fileSelected(path);
        dialog->close();
        QTRY_VERIFY(dialog.isNull());
        QVERIFY(QFileInfo::exists(path + QStringLiteral(".csv")));
        const auto* notice = view.findChild<Notice*>(QStringLiteral("exported"));
        QCOMPARE(notice->message(), QStringLiteral("Saved as %1.csv").arg(path));
    }
}

void DistributionsPageTest::truthIsSoftenedLikeTheModels()
{
    DistributionSnapshot snapshot;
    snapshot.teacher.logits = some_logits(16, 20);
    snapshot.student.logits = some_logits(17, 20);
    snapshot.truth.assign(20, 0.0F);
    snapshot.truth[3] = 0.8F;
    snapshot.truth[5] = 0.2F;
    const SoftenedView at_two = softening_of(snapshot)->at(2.0, 10);
    const auto p = softmax(snapshot.teacher.logits, 2.0);
    const double sum = std::sqrt(0.8) + std::sqrt(0.2), a = std::sqrt(0.8) / sum, b = std::sqrt(0.2) / sum;
    QVERIFY(std::abs(*at_two.truth_teacher_kl - (a * std::log(a / p[3]) + b * std::log(b / p[5]))) < 1e-5);
    // A truth that is the teacher's own distribution is 0 away from it at every temperature.
    const auto own = softmax(snapshot.teacher.logits, 1.0);
    std::ranges::transform(own, snapshot.truth.begin(), [](double x) { return static_cast<float>(x); });
    for (const double temperature : {0.5, 1.0, 4.0}) {
        QVERIFY(std::abs(*softening_of(snapshot)->at(temperature, 10).truth_teacher_kl) < 1e-5);
    }
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
