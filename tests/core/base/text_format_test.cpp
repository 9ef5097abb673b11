#include "core/base/error.h"
#include "core/base/text_format.h"

#include <QTest>
#include <new>
#include <stdexcept>

using namespace retort;

/// Numbers and hostile text as a person reads them, and exceptions turned into sentences.
class TextFormatTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sizesHaveThreeDigits();
    void utf8IsValidAsQtSaysIt_data();
    void utf8IsValidAsQtSaysIt();
    void controlCharactersCannotReachATerminal();
    void whatIsThrownBecomesAnError();
};

void TextFormatTest::sizesHaveThreeDigits()
{
    QCOMPARE(format_bytes(999), std::string("999 B"));
    QCOMPARE(format_bytes(11'211'776), std::string("11.2 MB"));
    QCOMPARE(format_bytes(999'600), std::string("1.00 MB"));
    QCOMPARE(format_count(2'764'992), std::string("2.76 M"));
    QCOMPARE(format_count(134'515'008), std::string("135 M"));
    QCOMPARE(format_count(9'999), std::string("9999"));
}

void TextFormatTest::utf8IsValidAsQtSaysIt_data()
{
    QTest::addColumn<QByteArray>("bytes");
    const auto row = [](const char* name, const char* hex) { QTest::newRow(name) << QByteArray::fromHex(hex); };
    row("ascii", "616263");
    row("two, three and four bytes", "c3a9e282acf09f9880");
    row("cut short", "61e282");
    row("lone continuation", "8061");
    row("overlong slash", "c0af");
    row("overlong three", "e08080");
    row("surrogate", "eda080");
    row("beyond the last", "f4908080");
    row("last", "f48fbfbf");
    row("never a lead", "fe61");
}

void TextFormatTest::utf8IsValidAsQtSaysIt()
{
    QFETCH(QByteArray, bytes);
    const std::string_view view(bytes.constData(), static_cast<std::size_t>(bytes.size()));
    const std::size_t valid = valid_utf8_prefix(view);
    QCOMPARE(valid == view.size(), bytes.isValidUtf8());
    QVERIFY(QByteArray(bytes.constData(), static_cast<qsizetype>(valid)).isValidUtf8());
    const std::string mended = with_valid_utf8(view);
    QVERIFY(QByteArray::fromStdString(mended).isValidUtf8());
}

void TextFormatTest::controlCharactersCannotReachATerminal()
{
    QCOMPARE(printable("a\x1b[31mb\xc2\x9b\xff\x7f\n"), std::string("a?[31mb????"));
    QCOMPARE(printable("abcdef", 3), std::string("abc..."));
    QCOMPARE(printable("ab\xc3\xa9", 3), std::string("ab...")); // never half a character
}

void TextFormatTest::whatIsThrownBecomesAnError()
{
    const auto thrown = [](auto what) { return guard("Loading x", [&]() -> Result<int> { throw what; }).error(); };
    QVERIFY(thrown(std::bad_alloc()).kind == Error::Kind::OutOfMemory);
    QCOMPARE(thrown(std::runtime_error("shape mismatch\nException raised from f at g.cpp:1")).message, std::string("Loading x: shape mismatch"));
    QVERIFY(thrown(std::runtime_error("[enforce fail at alloc_cpu.cpp:75] can't allocate memory: you tried to allocate 9 bytes")).kind ==
            Error::Kind::OutOfMemory);
    QVERIFY(thrown(7).kind == Error::Kind::Bug);
    QCOMPARE(guard("x", []() -> Result<int> { return 5; }).value(), 5);
}

QTEST_APPLESS_MAIN(TextFormatTest)
#include "text_format_test.moc"
