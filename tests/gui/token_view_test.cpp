#include "ui/theme/theme.h"
#include "ui/widgets/kl_strip.h"
#include "ui/widgets/token_cursor.h"
#include "ui/widgets/token_view.h"

#include <QAccessible>
#include <QClipboard>
#include <QGuiApplication>
#include <QSignalSpy>
#include <QTest>

using namespace retort;

namespace {

using Bytes = std::vector<std::string>;

std::vector<ShownToken> tokens_of(const Bytes& bytes)
{
    std::vector<ShownToken> tokens;
    for (const std::string& b : bytes) {
        tokens.push_back({b, false});
    }
    return tokens;
}

/// The bytes that the cells say they draw, token by token and in order; empty when a byte is missing, doubled or out of place.
std::string drawn_bytes(const TokenView& view)
{
    std::string out;
    std::size_t token = 0, byte = 0;
    for (const DisplayCell& cell : view.tokenLayout().cells()) {
        while (token < cell.token) {
            if (byte != view.tokens()[token].bytes.size()) {
                return {};
            }
            ++token;
            byte = 0;
        }
        if (cell.token != token || cell.byte_begin != byte) {
            return {};
        }
        byte = cell.byte_end;
        out += view.tokens()[token].bytes.substr(cell.byte_begin, cell.byte_end - cell.byte_begin);
    }
    return out;
}

std::string joined(const Bytes& bytes)
{
    std::string all;
    for (const std::string& b : bytes) {
        all += b;
    }
    return all;
}

Bytes long_text(int tokens)
{
    const Bytes words = {" the", " kite", " is", " in", " the", " shed", ".", "\n", " Mia", " g", "ave", " it", " to", " T", "om", ","};
    Bytes out;
    for (int i = 0; i < tokens; ++i) {
        out.push_back(words[static_cast<std::size_t>(i * 7 + i / 16) % words.size()]);
    }
    return out;
}

} // namespace

/// Tokens are drawn from their bytes, whatever the bytes are, and one cursor serves all views.
class TokenViewTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aCharacterThatNoFontHasShowsItsCodePoint();
    void zeroHasNoSign();
    void showsThatItHasTheFocus();
    void enterIsSaidAtTheCursor();
    void tabPassesByUntilAKeyMovesTheCursor();
    void init();
    void drawsEveryByteOnce_data();
    void drawsEveryByteOnce();
    void joinsCharactersThatAreSplitBetweenTokens();
    void showsBytesThatAreNoTextInHex();
    void streamingDrawsTheSameAsAllAtOnce();
    void everyTokenCanBePointedAt();
    void keysMoveTheCursorOfBothViews();
    void clickChoosesTheTokenUnderThePointer();
    void copiesTheSelectedTokens();
    void tellsAScreenReaderTheTextAndTheToken();
    void holdsTwentyThousandTokens();
    void stripShowsOneValueForEachTokenAndMovesTheCursor();
    void weightOfTheUnderlineGrowsWithTheTint();

private:
    std::unique_ptr<TokenCursor> m_cursor;
    std::unique_ptr<TokenView> m_view;
};

void TokenViewTest::init()
{
    m_view.reset();
    m_cursor = std::make_unique<TokenCursor>();
    m_view = std::make_unique<TokenView>(*m_cursor);
    m_view->resize(420, 300);
    m_view->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_view.get()));
}

void TokenViewTest::drawsEveryByteOnce_data()
{
    QTest::addColumn<Bytes>("bytes");
    QTest::newRow("leading spaces") << Bytes{" Mia", " has", "  ", " a", " kite", " "};
    QTest::newRow("emoji in one token") << Bytes{"a", "\U0001F389", "b"};
    QTest::newRow("emoji split in four") << Bytes{"\xF0", "\x9F", "\x8E", "\x89", "!"};
    QTest::newRow("family joined by ZWJ, split badly") << Bytes{"\xF0\x9F\x91", "\xA9\xE2\x80", "\x8D\xF0\x9F\x91\xA7"};
    QTest::newRow("CJK") << Bytes{"\xE6\x9D", "\xB1\xE4\xBA", "\xAC", "\u306E\u5929\u6C17"};
    QTest::newRow("right to left") << Bytes{" \u0645\u0631", "\u062D\u0628\u0627", " abc"};
    QTest::newRow("combining mark in the next token") << Bytes{"e", "\u0301", "t\u00e9"};
    QTest::newRow("invalid UTF-8") << Bytes{"ok\xFF", "\xFE", "\xC0\x80", "\xED\xA0\x80", "ok"};
    QTest::newRow("cut off at the end") << Bytes{"abc", "\xE2\x82"};
    QTest::newRow("line ends, tabs and controls") << Bytes{"a\n", "\n\n", "\tb\r\n", std::string("\0", 1), "\x1b[31m", "\u202e"};
    QTest::newRow("nothing") << Bytes{"a", "", "b", ""};
    QTest::newRow("a word longer than the line") << Bytes{std::string(5000, 'w'), std::string(300, ' '), "x"};
    QTest::newRow("long") << long_text(3000);
}

void TokenViewTest::drawsEveryByteOnce()
{
    QFETCH(Bytes, bytes);
    m_view->append(tokens_of(bytes));
    QCOMPARE(QByteArray::fromStdString(drawn_bytes(*m_view)), QByteArray::fromStdString(joined(bytes)));
    m_view->grab(); // draws without harm
}

void TokenViewTest::joinsCharactersThatAreSplitBetweenTokens()
{
    const DisplayText shown = display_text(tokens_of({"\xE2\x82", "\xAC"}), {}, 100); // a euro sign, which every font has
    QCOMPARE(shown.text, QString::fromUtf8("\u20ac"));
    QCOMPARE(shown.cells.size(), std::size_t(2));
    QCOMPARE(int(shown.cells[1].slice), 1);
    QCOMPARE(int(shown.cells[1].slices), 2);
}

void TokenViewTest::showsBytesThatAreNoTextInHex()
{
    QCOMPARE(display_text(tokens_of({"a\xFF\xE2\x82", "b"}), {}, 100).text, QStringLiteral("aFFE282b"));
    QCOMPARE(token_label({" \xFFkite\n", false}), QStringLiteral("·FFkite⏎"));
}

void TokenViewTest::streamingDrawsTheSameAsAllAtOnce()
{
    const Bytes bytes = long_text(1500);
    m_view->append(tokens_of(bytes));
    TokenView streamed(*m_cursor);
    streamed.resize(m_view->size());
    streamed.show();
    QVERIFY(QTest::qWaitForWindowExposed(&streamed));
    for (const ShownToken& token : tokens_of(bytes)) {
        streamed.append({token});
    }
    QCoreApplication::processEvents(); // the scroll bars come
    QCOMPARE(streamed.tokenLayout().height(), m_view->tokenLayout().height());
    for (std::size_t i = 0; i < bytes.size(); i += 37) {
        QCOMPARE(streamed.tokenLayout().rects_of(i), m_view->tokenLayout().rects_of(i));
    }
}

void TokenViewTest::everyTokenCanBePointedAt()
{
    const Bytes bytes = {"Mia", " has", " a", " red", " kite", ".", " \xF0\x9F", "\x8E\x89", "\xFF", "", "\n", "She", " gives", " it"};
    m_view->append(tokens_of(bytes));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const QRectF rect = m_view->tokenRect(i);
        QVERIFY2(rect.width() > 0, qPrintable(QString::number(i)));
        QCOMPARE(m_view->tokenAt(rect.center().toPoint()), std::optional(i));
    }
}

void TokenViewTest::keysMoveTheCursorOfBothViews()
{
    TokenView other(*m_cursor);
    m_view->append(tokens_of(long_text(60)));
    other.append(tokens_of(long_text(40)));
    m_cursor->setCount(60);
    QTest::keyClick(m_view.get(), Qt::Key_Right);
    QTest::keyClick(m_view.get(), Qt::Key_Right);
    QCOMPARE(m_view->cursorPosition(), std::optional<std::size_t>(1));
    QCOMPARE(other.cursorPosition(), std::optional<std::size_t>(1));
    QTest::keyClick(m_view.get(), Qt::Key_End);
    QCOMPARE(m_view->cursorPosition(), std::optional<std::size_t>(59));
    QCOMPARE(other.cursorPosition(), std::optional<std::size_t>()); // it has no such token
    QTest::keyClick(m_view.get(), Qt::Key_Up);
    QVERIFY(*m_view->cursorPosition() < 59);
    QTest::keyClick(m_view.get(), Qt::Key_Home);
    QCOMPARE(other.cursorPosition(), std::optional<std::size_t>(0));
}

void TokenViewTest::clickChoosesTheTokenUnderThePointer()
{
    m_view->append(tokens_of(long_text(60)));
    m_cursor->setCount(60);
    QTest::mouseClick(m_view->viewport(), Qt::LeftButton, {}, m_view->tokenRect(17).center().toPoint());
    QCOMPARE(m_cursor->position(), std::optional<std::size_t>(17));
}

void TokenViewTest::copiesTheSelectedTokens()
{
    m_view->append(tokens_of({"\xF0\x9F", "\x8E\x89", " kite", "."}));
    m_cursor->setCount(4);
    QTest::keyClick(m_view.get(), Qt::Key_Home);
    QTest::keyClick(m_view.get(), Qt::Key_Right, Qt::ShiftModifier);
    QTest::keyClick(m_view.get(), Qt::Key_Right, Qt::ShiftModifier);
    QCOMPARE(m_view->selectedText(), QString::fromUtf8("\U0001F389 kite"));
    QTest::keyClick(m_view.get(), Qt::Key_C, Qt::ControlModifier);
    QCOMPARE(QGuiApplication::clipboard()->text(), QString::fromUtf8("\U0001F389 kite"));
}

void TokenViewTest::tellsAScreenReaderTheTextAndTheToken()
{
    m_view->append(tokens_of({"Mia", " has"}));
    TokenFacts facts;
    facts.probability = 0.25;
    facts.entropy = 1;
    facts.rank = 2;
    facts.kl = 0.5;
    m_view->setFacts(1, {facts});
    m_cursor->setCount(2);
    m_cursor->moveTo(1);
    QAccessibleInterface* interface = QAccessible::queryAccessibleInterface(m_view.get());
    QVERIFY(interface != nullptr && interface->textInterface() != nullptr);
    QCOMPARE(interface->textInterface()->text(0, 100), QStringLiteral("Mia has"));
    QCOMPARE(interface->textInterface()->cursorPosition(), 3);
    QCOMPARE(interface->text(QAccessible::Description), QStringLiteral("Token 2 of 2: “·has”, 25.0 %, rank 3, entropy 1.00 nat, KL 0.500 nat"));
}

void TokenViewTest::holdsTwentyThousandTokens()
{
    m_view->append(tokens_of(long_text(20'000)));
    m_view->setFacts(0, std::vector<TokenFacts>(20'000));
    m_cursor->setCount(20'000);
    m_cursor->moveTo(19'000);
    QVERIFY(m_view->viewport()->rect().contains(m_view->tokenRect(19'000).center().toPoint()));
    QVERIFY(!m_view->grab().isNull());
}

void TokenViewTest::stripShowsOneValueForEachTokenAndMovesTheCursor()
{
    KlStrip strip(*m_cursor);
    strip.resize(500, 40);
    strip.show();
    strip.setValues({0.1, 2.0, std::numeric_limits<double>::quiet_NaN(), 0.3});
    m_cursor->setCount(4);
    QCOMPARE(strip.values()[2], 0.0);
    for (int x = 0; x < 60; x += 2) {
        QTest::mouseClick(&strip, Qt::LeftButton, {}, QPoint(x, 20));
        QCOMPARE(m_cursor->position(), strip.tokenAt(x));
    }
    QVERIFY(strip.accessibleDescription().contains(QStringLiteral("token 2")));
}

void TokenViewTest::weightOfTheUnderlineGrowsWithTheTint()
{
    int last = -1;
    for (const double kl : {0.0, 0.3, 1.2, 4.0}) {
        TokenFacts facts;
        facts.kl = kl;
        const int weight = underline_of(*tint_level(Tint::Kl, facts));
        QVERIFY(weight > last);
        last = weight;
    }
    for (const Theme* theme : {&Theme::light(), &Theme::dark_one()}) {
        double before = -1;
        for (double level = 0; level <= 1; level += 0.125) {
            const double away = std::abs(tint_color(Tint::Kl, level, *theme).lightnessF() - theme->surface.lightnessF());
            QVERIFY(away > before - 1e-9);
            before = away;
        }
    }
}

void TokenViewTest::aCharacterThatNoFontHasShowsItsCodePoint()
{
    const std::string unknown = "\xf4\x8f\xbf\xbd"; // the last but one character of the private planes
    QCOMPARE(token_label({" a" + unknown, false}), QStringLiteral("\u00b7aU+10FFFD"));
    QCOMPARE(token_label({"\xc3\xa9", false}), QStringLiteral("\u00e9"));
}

void TokenViewTest::zeroHasNoSign()
{
    TokenCursor cursor;
    TokenView view(cursor);
    view.append(tokens_of({" a"}));
    TokenFacts facts;
    facts.probability = 1e-9;
    facts.delta_p = -1e-9;
    facts.kl = -1e-12;
    view.setFacts(0, {facts});
    QVERIFY2(!view.describe(0).contains(QStringLiteral("-0")), qPrintable(view.describe(0)));
    QVERIFY2(view.describe(0).contains(QStringLiteral("< 0.001 %")), qPrintable(view.describe(0)));
}

void TokenViewTest::showsThatItHasTheFocus()
{
    QWidget window;
    TokenCursor cursor;
    auto* view = new TokenView(cursor, &window);
    auto* other = new QWidget(&window);
    other->setFocusPolicy(Qt::StrongFocus);
    view->resize(300, 100);
    view->append(tokens_of({" a", " b"}));
    window.resize(400, 200);
    window.show();
    QVERIFY(QTest::qWaitForWindowActive(&window));
    other->setFocus();
    const QImage without = view->grab().toImage();
    view->setFocus();
    QVERIFY(view->hasFocus());
    QVERIFY(view->grab().toImage() != without);
}

void TokenViewTest::enterIsSaidAtTheCursor()
{
    TokenCursor cursor;
    cursor.setCount(2);
    TokenView view(cursor);
    view.append(tokens_of({" a", " b"}));
    QSignalSpy activated(&view, &TokenView::activated);
    QTest::keyClick(&view, Qt::Key_Return);
    QCOMPARE(activated.count(), 1);
}

void TokenViewTest::tabPassesByUntilAKeyMovesTheCursor()
{
    QWidget window;
    TokenCursor cursor;
    cursor.setCount(2);
    auto* before = new QWidget(&window);
    before->setFocusPolicy(Qt::StrongFocus);
    auto* view = new TokenView(cursor, &window);
    view->append(tokens_of({" a", " b"}));
    window.show();
    QVERIFY(QTest::qWaitForWindowActive(&window));
    before->setFocus();
    QSignalSpy focused(view, &TokenView::focused);
    QTest::keyClick(before, Qt::Key_Tab);
    QVERIFY(view->hasFocus());
    QCOMPARE(focused.count(), 0);
    QTest::keyClick(view, Qt::Key_Right);
    QCOMPARE(focused.count(), 1);
}

QTEST_MAIN(TokenViewTest)
#include "token_view_test.moc"
