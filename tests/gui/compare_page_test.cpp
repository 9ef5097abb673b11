#include "core/base/worker.h"
#include "core/distil/catalogues.h"
#include "tests/gui/tiny_demo.h"
#include "ui/pages/compare/compare_page.h"
#include "ui/plot/candidate_table.h"
#include "ui/theme/theme.h"
#include "ui/widgets/kl_strip.h"
#include "ui/widgets/token_view.h"
#include "ui/workbench.h"

#include <QAbstractButton>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QContextMenuEvent>
#include <QLabel>
#include <QMenu>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QSignalSpy>
#include <QSpinBox>
#include <QSplitter>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>

using namespace retort;

namespace {

constexpr int kPatience = 60'000; // of a slow machine; nothing here is a timing

/// A workbench with the small demo loaded, and the page on it.
struct Desk {
    explicit Desk(bool with_session)
    {
        store = std::move(SessionStore::open(std::filesystem::path(library.filePath(QStringLiteral("library.retort-db")).toStdString())).value());
        if (with_session) {
            QVERIFY(add_sample_sessions(*store, qgetenv("RETORT_RESOURCES").toStdString()).has_value());
        }
        workbench = std::make_unique<Workbench>(*store, catalogues, engine);
        page = std::make_unique<ComparePage>(*workbench);
        page->resize(1240, 800);
        page->show();
        QVERIFY(QTest::qWaitForWindowExposed(page.get()));
        workbench->start();
        QTRY_VERIFY_WITH_TIMEOUT(workbench->bothReady() && (!with_session || !workbench->exchange().empty()), kPatience);
    }

    template <class Kind>
    [[nodiscard]] Kind& find(const char* name) const
    {
        auto* found = page->findChild<Kind*>(QLatin1String(name));
        if (found == nullptr) {
            qFatal("%s is not there", name);
        }
        return *found;
    }

    void click(const char* name) const { QTest::mouseClick(&find<QAbstractButton>(name), Qt::LeftButton); }
    [[nodiscard]] TokenView& text(Role role) const { return find<TokenView>(role == Role::Teacher ? "teacherText" : "studentText"); }
    [[nodiscard]] const ExchangeSide& side(Role role) const { return workbench->exchange().side(role); }

    /// Asks with the widgets and waits until both have read both texts.
    void ask(const QString& prompt, int tokens)
    {
        find<QPlainTextEdit>("prompt").setPlainText(prompt);
        find<QSpinBox>("maxTokens").setValue(tokens);
        click("run");
        QTRY_VERIFY_WITH_TIMEOUT(side(Role::Teacher).forced && side(Role::Student).forced, kPatience);
    }

    QTemporaryDir library;
    std::unique_ptr<SessionStore> store;
    Catalogues catalogues = Catalogues::with_built_ins();
    Worker engine;
    std::unique_ptr<Workbench> workbench;
    std::unique_ptr<ComparePage> page;
};

std::string bytes_of(std::span<const ShownToken> tokens)
{
    std::string all;
    for (const ShownToken& token : tokens) {
        all += token.bytes;
    }
    return all;
}

} // namespace

/// Real clicks on the page, on two small models that answer for real.
class ComparePageTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void bothColumnsShowWhatTheModelsWrote();
    void oneCursorStandsInBothColumns();
    void clickInTheStripMovesTheCursor();
    void sameTextStandsInBothColumnsWhenOneScoresTheOther();
    void saysWhereTheTextsPart();
    void nextDifferenceGoesWhereTheFirstChoicesDiffer();
    void aChosenAlternativeIsGoneOnFrom();
    void teacherAgainstItselfShowsZeros();
    void anExampleIsOneClick();
    void countsThePromptsTokens();
    void keysCycleTheTintAndMaximise();
    void columnsStackWhenNarrow();
    void showsAStoredExchange();
    void escapeClosesTheSampler();
    void aLowPanelKeepsItsRows();
    void f5OnAnEmptyPromptAsksTheExample();
    void theTeachersTextIsForkedByKeys();
    void aLineOfAnotherScriptHasNoScrollBar();
    void theStripGivesATableOfItsTokens();
    void theHeadOfANarrowColumnOverlapsNothing();

private:
    QTemporaryDir m_resources;
};

void ComparePageTest::initTestCase()
{
    const auto written = write_tiny_demo(m_resources.path().toStdString());
    QVERIFY2(written.has_value(), written ? "" : written.error().message.c_str());
    qputenv("RETORT_RESOURCES", m_resources.path().toLocal8Bit());
}

void ComparePageTest::bothColumnsShowWhatTheModelsWrote()
{
    Desk desk(false);
    desk.ask(QStringLiteral("Mia has a red kite."), 12);
    for (const Role role : kRoles) {
        std::string written;
        for (const GeneratedToken& token : desk.side(role).answer.tokens) {
            written += token.bytes;
        }
        QVERIFY(!written.empty());
        QCOMPARE(QByteArray::fromStdString(bytes_of(desk.text(role).tokens())), QByteArray::fromStdString(written));
        QCOMPARE(desk.text(role).facts().size(), desk.side(role).answer.tokens.size());
    }
    QVERIFY(desk.find<QAbstractButton>("run").isVisible());
}

void ComparePageTest::oneCursorStandsInBothColumns()
{
    Desk desk(true);
    desk.text(Role::Teacher).setFocus();
    QTest::keyClick(&desk.text(Role::Teacher), Qt::Key_Right);
    QTest::keyClick(&desk.text(Role::Teacher), Qt::Key_Right);
    QCOMPARE(desk.text(Role::Teacher).cursorPosition(), std::optional<std::size_t>(1));
    QCOMPARE(desk.text(Role::Student).cursorPosition(), std::optional<std::size_t>(1));
    QCOMPARE(desk.workbench->cursor(), std::optional(TokenPlace{Role::Teacher, 1}));
    QVERIFY(desk.find<CandidateTable>("candidatesTable").isVisible());
    QVERIFY(desk.find<CandidateTable>("candidatesTable").candidates().rowCount() >= 10);
    QVERIFY(desk.find<QLabel>("candidatesTitle").text().contains(QStringLiteral("token 2 of the teacher")));
}

void ComparePageTest::clickInTheStripMovesTheCursor()
{
    Desk desk(true);
    auto& strip = desk.find<KlStrip>("strip");
    QCOMPARE(strip.values().size(), desk.side(Role::Teacher).answer.tokens.size());
    QTest::mouseClick(&strip, Qt::LeftButton, {}, QPoint(30, strip.height() / 2));
    QCOMPARE(desk.text(Role::Teacher).cursorPosition(), strip.tokenAt(30));
}

void ComparePageTest::sameTextStandsInBothColumnsWhenOneScoresTheOther()
{
    Desk desk(true);
    desk.click("viewTeacherText");
    QCOMPARE(bytes_of(desk.text(Role::Student).tokens()), bytes_of(desk.text(Role::Teacher).tokens()));
    const auto& position = desk.side(Role::Teacher).forced->positions[3];
    QVERIFY(std::abs(desk.text(Role::Teacher).facts()[3].probability - std::exp(double(position.teacher_log_probability))) < 1e-6);
    QVERIFY(std::abs(desk.text(Role::Student).facts()[3].probability - std::exp(double(position.student_log_probability))) < 1e-6);
    desk.click("viewStudentText");
    QCOMPARE(bytes_of(desk.text(Role::Teacher).tokens()), bytes_of(desk.text(Role::Student).tokens()));
    desk.click("viewFree");
    QVERIFY(bytes_of(desk.text(Role::Teacher).tokens()) != bytes_of(desk.text(Role::Student).tokens()));
}

void ComparePageTest::saysWhereTheTextsPart()
{
    Desk desk(true);
    const auto& teacher = desk.side(Role::Teacher).answer.tokens;
    const auto& student = desk.side(Role::Student).answer.tokens;
    const auto parting = std::mismatch(teacher.begin(), teacher.end(), student.begin(), student.end(),
                                       [](const GeneratedToken& a, const GeneratedToken& b) { return a.id == b.id; });
    const auto& label = desk.find<QLabel>("parting");
    QVERIFY(label.isVisible());
    QVERIFY(label.text().startsWith(QStringLiteral("From token %1 on").arg(parting.first - teacher.begin() + 1)));
    desk.click("viewTeacherText");
    QVERIFY(!label.isVisible());
}

void ComparePageTest::nextDifferenceGoesWhereTheFirstChoicesDiffer()
{
    Desk desk(false);
    desk.ask(QStringLiteral("x=3;"), 16);
    const auto& positions = desk.side(Role::Teacher).forced->positions;
    const auto expected = std::find_if(positions.begin(), positions.end(), [](const ComparedPosition& p) { return !p.divergence.same_top; });
    if (expected == positions.end()) {
        QSKIP("These two happen to agree everywhere.");
    }
    desk.text(Role::Teacher).setFocus();
    desk.click("nextDifference");
    QCOMPARE(desk.text(Role::Teacher).cursorPosition(), std::optional(static_cast<std::size_t>(expected - positions.begin())));
}

void ComparePageTest::aChosenAlternativeIsGoneOnFrom()
{
    Desk desk(false);
    desk.ask(QStringLiteral("Mia has"), 8);
    desk.workbench->setCursor(TokenPlace{Role::Teacher, 2});
    auto& table = desk.find<CandidateTable>("candidatesTable");
    QTRY_VERIFY(table.isVisible());
    const std::vector<GeneratedToken> before = desk.side(Role::Teacher).answer.tokens;
    const auto& rows = table.candidates().rows().rows;
    const auto other_row = std::find_if(rows.begin(), rows.end(), [](const CandidateRow& row) { return !row.chosen; });
    const TokenId other_id = other_row->id;
    table.setCurrentIndex(table.candidates().index(static_cast<int>(other_row - rows.begin()), 0));
    const auto number = desk.workbench->exchange().number;
    QTest::keyClick(&table, Qt::Key_Return);
    QTRY_VERIFY_WITH_TIMEOUT(desk.workbench->exchange().number != number && desk.side(Role::Student).forced, kPatience);
    for (const Role role : kRoles) {
        const auto& after = desk.side(role).answer.tokens;
        QVERIFY(after.size() > 3);
        QCOMPARE(after[0].id, before[0].id);
        QCOMPARE(after[1].id, before[1].id);
        QCOMPARE(after[2].id, other_id);
    }
}

void ComparePageTest::teacherAgainstItselfShowsZeros()
{
    Desk desk(false);
    desk.workbench->openModel(Role::Student, QStringLiteral("demo:teacher"));
    QTRY_VERIFY_WITH_TIMEOUT(desk.workbench->bothReady() && desk.workbench->role(Role::Student).name() == desk.workbench->role(Role::Teacher).name(),
                             kPatience);
    desk.ask(QStringLiteral("27+15="), 10);
    const auto& strip = desk.find<KlStrip>("strip");
    QCOMPARE(strip.values().size(), desk.side(Role::Teacher).answer.tokens.size());
    QVERIFY(std::ranges::all_of(strip.values(), [](double kl) { return kl == 0.0; }));
    QVERIFY(std::ranges::all_of(desk.text(Role::Student).facts(), [](const TokenFacts& f) { return f.delta_p == 0.0 && f.same_top; }));
    QVERIFY(!desk.find<QLabel>("parting").isVisible());
    QVERIFY(desk.find<QLabel>("mean").text().contains(QStringLiteral("100 %")));
}

void ComparePageTest::anExampleIsOneClick()
{
    Desk desk(false);
    desk.find<QSpinBox>("maxTokens").setValue(4);
    QTRY_VERIFY(desk.page->findChild<QAbstractButton*>(QStringLiteral("example0")) != nullptr);
    desk.click("example0");
    QTRY_VERIFY_WITH_TIMEOUT(!desk.workbench->exchange().empty() && !desk.workbench->exchange().running(), kPatience);
    QCOMPARE(desk.find<QPlainTextEdit>("prompt").toPlainText(), QString::fromStdString(desk.workbench->exchange().question.messages.back().content));
}

void ComparePageTest::countsThePromptsTokens()
{
    Desk desk(false);
    const QString text = QStringLiteral("Mia has a red kite.");
    desk.find<QPlainTextEdit>("prompt").setPlainText(text);
    const auto expected = desk.workbench->tokenizer(Role::Teacher)->encode(text.toStdString()).size();
    QTRY_VERIFY(desk.find<QLabel>("tokenCount").text().startsWith(QString::number(expected)));
}

void ComparePageTest::keysCycleTheTintAndMaximise()
{
    Desk desk(true);
    desk.text(Role::Student).setFocus();
    QTRY_VERIFY(desk.text(Role::Student).hasFocus());
    const int before = desk.find<QComboBox>("tint").currentIndex();
    QTest::keyClick(&desk.text(Role::Student), Qt::Key_T);
    QCOMPARE(desk.find<QComboBox>("tint").currentIndex(), before + 1);
    QCOMPARE(desk.text(Role::Teacher).tint(), desk.text(Role::Student).tint());
    QTest::keyClick(&desk.text(Role::Student), Qt::Key_F9);
    QVERIFY(desk.text(Role::Student).isVisible());
    QVERIFY(!desk.text(Role::Teacher).isVisible());
    QTest::keyClick(&desk.text(Role::Student), Qt::Key_F9);
    QVERIFY(desk.text(Role::Teacher).isVisible());
}

void ComparePageTest::columnsStackWhenNarrow()
{
    Desk desk(true);
    const auto stacked = [&] {
        return desk.text(Role::Student).mapTo(desk.page.get(), QPoint()).y() > desk.text(Role::Teacher).mapTo(desk.page.get(), QPoint()).y() + 10;
    };
    QVERIFY(!stacked());
    for (const Role role : kRoles) {
        QFont large = desk.text(role).font();
        large.setPointSizeF(26);
        desk.text(role).setFont(large);
    }
    desk.page->resize(desk.page->width() + 1, 1100);
    QTRY_VERIFY(stacked());
}

void ComparePageTest::showsAStoredExchange()
{
    Desk desk(true);
    QCOMPARE(desk.text(Role::Teacher).plainText(), QString::fromStdString(desk.side(Role::Teacher).answer.text));
    QVERIFY(desk.find<QPlainTextEdit>("prompt").toPlainText().startsWith(QStringLiteral("Q: What model are you?")));
    const auto& history = desk.workbench->history();
    desk.workbench->showExchange(history.front().id);
    QTRY_COMPARE(desk.text(Role::Student).plainText(), QStringLiteral(" Tom has the hat."));
}

void ComparePageTest::escapeClosesTheSampler()
{
    const Desk desk(false);
    desk.click("sampler");
    auto* greedy = desk.page->findChild<QWidget*>(QStringLiteral("greedy"));
    QTRY_VERIFY(greedy->hasFocus());
    QTest::keyClick(greedy, Qt::Key_Escape); // which on the page stops the answers
    QTRY_VERIFY(!greedy->isVisible());
}

void ComparePageTest::aLowPanelKeepsItsRows()
{
    Desk desk(false);
    desk.ask(QStringLiteral("Mia has a red kite."), 8);
    desk.workbench->setCursor(TokenPlace{Role::Teacher, 2});
    const auto* table = desk.page->findChild<QTableView*>(QStringLiteral("candidatesTable"));
    QTRY_VERIFY(table->isVisible());
    desk.page->resize(866, 485); // what the window's least size leaves for a page
    QTRY_VERIFY(!desk.page->findChild<QWidget*>(QStringLiteral("candidatesShown"))->isVisible());
    QVERIFY(table->viewport()->height() >= table->rowHeight(0));
}

void ComparePageTest::f5OnAnEmptyPromptAsksTheExample()
{
    Desk desk(false);
    desk.find<QSpinBox>("maxTokens").setValue(4);
    auto& prompt = desk.find<QPlainTextEdit>("prompt");
    prompt.setFocus();
    QVERIFY(prompt.placeholderText().contains(QStringLiteral("Ctrl+Enter")));
    QTest::keyClick(&prompt, Qt::Key_F5);
    QTRY_VERIFY_WITH_TIMEOUT(!desk.workbench->exchange().empty() && !desk.workbench->exchange().running(), kPatience);
    QVERIFY(!prompt.toPlainText().isEmpty());
}

void ComparePageTest::theTeachersTextIsForkedByKeys()
{
    Desk desk(true);
    auto& text = desk.text(Role::Teacher);
    auto& table = desk.find<CandidateTable>("candidatesTable");
    text.setFocus();
    QTest::keyClick(&text, Qt::Key_Right);
    QTest::keyClick(&text, Qt::Key_Right);
    QTRY_VERIFY(table.isVisible());
    for (int i = 0; i < 12 && !table.hasFocus(); ++i) {
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab); // by way of the student's text
    }
    QVERIFY(table.hasFocus());
    QVERIFY(desk.find<QLabel>("candidatesTitle").text().contains(QStringLiteral("teacher")));
    text.setFocus();
    QTest::keyClick(&text, Qt::Key_Return);
    QVERIFY(table.hasFocus());
    QVERIFY(table.currentIndex().isValid());
    const auto number = desk.workbench->exchange().number;
    QTest::keyClick(&table, Qt::Key_Return);
    QVERIFY(desk.workbench->exchange().number != number);
}

void ComparePageTest::aLineOfAnotherScriptHasNoScrollBar()
{
    Desk desk(false);
    auto& prompt = desk.find<QPlainTextEdit>("prompt");
    for (const QString& line : {QStringLiteral("\u4f60\u597d\uff0c\u4e16\u754c"), QStringLiteral("\u0645\u0631\u062d\u0628\u0627"),
                                QStringLiteral("Mia has"), QStringLiteral("\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\n\u0915\u094d\u0937")}) {
        prompt.setPlainText(line);
        QCoreApplication::processEvents();
        QVERIFY2(!prompt.verticalScrollBar()->isVisible() && prompt.verticalScrollBar()->maximum() == 0, qPrintable(line));
    }
    prompt.setPlainText(QStringLiteral("a\n").repeated(12));
    QTRY_VERIFY(prompt.verticalScrollBar()->isVisible());
}

void ComparePageTest::theStripGivesATableOfItsTokens()
{
    Desk desk(true);
    auto& strip = desk.find<KlStrip>("strip");
    QContextMenuEvent ask(QContextMenuEvent::Keyboard, QPoint(5, 5), strip.mapToGlobal(QPoint(5, 5)));
    QApplication::sendEvent(&strip, &ask);
    auto* menu = strip.findChild<QMenu*>(QStringLiteral("exportMenu"));
    QVERIFY(menu != nullptr && menu->isVisible());
    menu->findChild<QAction*>(QStringLiteral("copyTable"))->trigger();
    menu->close();
    const QStringList lines = QGuiApplication::clipboard()->text().split(QLatin1Char('\n'), Qt::SkipEmptyParts);
    QVERIFY(lines[0].startsWith(QStringLiteral("token_number\tid\tpiece")));
    const qsizetype kl = lines[0].split(QLatin1Char('\t')).indexOf(QStringLiteral("kl_nat"));
    QVERIFY(lines.size() > static_cast<qsizetype>(strip.values().size())); // a piece may hold a line's end
    QCOMPARE(lines[1].split(QLatin1Char('\t'))[kl].toDouble(), desk.side(Role::Teacher).forced->positions[0].divergence.kl);
}

void ComparePageTest::theHeadOfANarrowColumnOverlapsNothing()
{
    const Desk desk(true);
    desk.page->resize(866, 560);
    QTest::qWait(50);
    for (const char* name : {"teacherColumn", "studentColumn"}) {
        const auto* maximise = desk.find<QWidget>(name).findChild<QWidget*>(QStringLiteral("maximise"));
        const QWidget* head = maximise->parentWidget();
        QList<QRect> parts;
        for (const QWidget* part : head->findChildren<QWidget*>(Qt::FindDirectChildrenOnly)) {
            if (part->isVisible()) {
                QVERIFY2(head->rect().contains(part->geometry()), name);
                QVERIFY2(std::ranges::none_of(parts, [&](const QRect& other) { return other.intersects(part->geometry()); }), name);
                parts.push_back(part->geometry());
            }
        }
        QVERIFY(parts.size() >= 3);
    }
}

QTEST_MAIN(ComparePageTest)
#include "compare_page_test.moc"
