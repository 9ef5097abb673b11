#include "core/store/session_store.h"

#include <QTemporaryDir>
#include <QTest>

using namespace retort;
namespace fs = std::filesystem;

/// Sessions are found by the words of their titles, prompts and answers.
class TextIndexTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void findsTitlesPromptsAndAnswers();
    void allWordsMustStandInOnePlace();
    void findsWords_data();
    void findsWords();
    void marksWhatItFound();
    void followsANewTitle();
    void leavesOutTheBinAndForgetsWhatIsPurged();
    void nothingInAQueryIsAnOperator_data();
    void nothingInAQueryIsAnOperator();

private:
    RowId add(const std::string& title, const std::string& prompt, const std::string& answer);
    [[nodiscard]] std::size_t hits(const std::string& words) const { return m_store->sessions().search(words).value().size(); }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<SessionStore> m_store;
};

void TextIndexTest::init()
{
    m_store.reset();
    m_folder = std::make_unique<QTemporaryDir>();
    m_store = SessionStore::open(fs::path(m_folder->path().toStdString()) / "library.retort-db").value();
}

RowId TextIndexTest::add(const std::string& title, const std::string& prompt, const std::string& answer)
{
    const RowId session = m_store->sessions().create(title).value();
    const RowId row = m_store->exchanges().add_prompt(session, {{"system", "Be brief."}, {"user", prompt}}, {prompt, {1}}).value();
    ModelInfo info;
    info.name = "alembic";
    const RowId model = m_store->models().add(session, "teacher", info, "").value();
    Answer given;
    given.text = answer;
    (void)m_store->exchanges().add_response(row, {model}, "teacher", given, {}).value();
    return session;
}

void TextIndexTest::findsTitlesPromptsAndAnswers()
{
    const RowId session = add("Temperature sweep", "Who has the kite?", "Mia flies it.");
    const SearchHit title = m_store->sessions().search("temperature").value().at(0);
    QCOMPARE(title.session, session);
    QCOMPARE(title.prompt, RowId{0});
    const SearchHit prompt = m_store->sessions().search("kite").value().at(0);
    QVERIFY(prompt.prompt > 0 && prompt.role.empty());
    const SearchHit answer = m_store->sessions().search("flies").value().at(0);
    QCOMPARE(answer.prompt, prompt.prompt);
    QCOMPARE(answer.role, std::string("teacher"));
    QCOMPARE(answer.session_title, std::string("Temperature sweep"));
    QCOMPARE(hits("brief"), 1u); // of any message
    QCOMPARE(hits("nowhere"), 0u);
    QCOMPARE(hits("   "), 0u);
}

void TextIndexTest::allWordsMustStandInOnePlace()
{
    add("A", "red kite", "blue hat");
    QCOMPARE(hits("red kite"), 1u);
    QCOMPARE(hits("kite red"), 1u);
    QCOMPARE(hits("red hat"), 0u);
}

void TextIndexTest::findsWords_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("words");
    QTest::addColumn<int>("expected");
    QTest::newRow("case") << QStringLiteral("The Teacher") << QStringLiteral("tEACHER") << 1;
    QTest::newRow("beginning") << QStringLiteral("distillation") << QStringLiteral("distil") << 1;
    QTest::newRow("not the middle") << QStringLiteral("distillation") << QStringLiteral("still") << 0;
    QTest::newRow("accents") << QStringLiteral("ein Café") << QStringLiteral("cafe") << 1;
    QTest::newRow("umlaut") << QStringLiteral("Müller") << QStringLiteral("müller") << 1;
    QTest::newRow("Cyrillic") << QStringLiteral("Привет, мир") << QStringLiteral("мир") << 1;
    QTest::newRow("Chinese, within a sentence") << QStringLiteral("红色的风筝在天上") << QStringLiteral("风筝") << 1;
    QTest::newRow("Chinese, absent") << QStringLiteral("红色的风筝在天上") << QStringLiteral("帽子") << 0;
    QTest::newRow("Japanese") << QStringLiteral("東京へ行きます") << QStringLiteral("行き") << 1;
    QTest::newRow("Thai") << QStringLiteral("ฉันชอบว่าวสีแดง") << QStringLiteral("ว่าว") << 1;
    QTest::newRow("number") << QStringLiteral("27+15=42") << QStringLiteral("42") << 1;
}

void TextIndexTest::findsWords()
{
    QFETCH(QString, text);
    QFETCH(QString, words);
    QFETCH(int, expected);
    add("A", text.toStdString(), "-");
    QCOMPARE(static_cast<int>(hits(words.toStdString())), expected);
}

void TextIndexTest::marksWhatItFound()
{
    add("A", "Mia has a red kite.\nShe gives it to Tom.", std::string(300, 'x') + " 风筝 " + std::string(300, 'y'));
    const SearchHit hit = m_store->sessions().search("red kit").value().at(0);
    std::vector<std::string> words;
    for (const auto& [at, length] : hit.words) {
        words.push_back(hit.snippet.substr(at, length));
    }
    QCOMPARE(words, (std::vector<std::string>{"red", "kite"}));
    QVERIFY(hit.snippet.find('\n') == std::string::npos);
    const SearchHit far = m_store->sessions().search("风筝").value().at(0);
    QCOMPARE(far.snippet.substr(far.words.at(0).first, far.words.at(0).second), std::string("风筝"));
    QVERIFY(far.snippet.size() < 200);
}

void TextIndexTest::followsANewTitle()
{
    const RowId session = add("Old", "p", "a");
    QVERIFY(m_store->sessions().rename(session, "Fresh").has_value());
    QCOMPARE(hits("old"), 0u);
    QCOMPARE(hits("fresh"), 1u);
}

void TextIndexTest::leavesOutTheBinAndForgetsWhatIsPurged()
{
    const RowId session = add("A", "kite", "kite");
    QCOMPARE(hits("kite"), 2u);
    QVERIFY(m_store->sessions().move_to_bin(session, true).has_value());
    QCOMPARE(hits("kite"), 0u);
    QVERIFY(m_store->sessions().purge(session).has_value());
    add("B", "something else", "here"); // may get the numbers of what is gone
    QCOMPARE(hits("kite"), 0u);
}

void TextIndexTest::nothingInAQueryIsAnOperator_data()
{
    QTest::addColumn<QString>("words");
    for (const char* words :
         {"\"", "kite\"", "NOT", "kite AND", "text:kite", "(", "*", "kite*", "^kite", "-", "NEAR(kite", "'; DROP TABLE search; --", "\xFF"}) {
        QTest::newRow(words) << QString::fromLatin1(words);
    }
}

void TextIndexTest::nothingInAQueryIsAnOperator()
{
    QFETCH(QString, words);
    add("A", "kite", "-");
    const auto found = m_store->sessions().search(words.toStdString());
    QVERIFY2(found.has_value(), found ? "" : found.error().message.c_str());
    QVERIFY(m_store->sessions().search(words.toLatin1().toStdString()).has_value());
    QCOMPARE(hits("kite"), 1u);
}

QTEST_APPLESS_MAIN(TextIndexTest)
#include "text_index_test.moc"
