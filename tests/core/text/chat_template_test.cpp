#include "core/base/files.h"
#include "core/text/chat_template.h"

#include <QDir>
#include <QTest>
#include <nlohmann/json.hpp>

using namespace retort;

namespace {

std::string file(const std::string& path)
{
    return read_text_file(path, 1U << 26).value_or("");
}

std::vector<ChatMessage> messages_of(const nlohmann::json& chat)
{
    std::vector<ChatMessage> messages;
    for (const auto& message : chat) {
        messages.push_back({message.at("role").get<std::string>(), message.at("content").get<std::string>()});
    }
    return messages;
}

ChatTemplate::Options options(bool prompt)
{
    ChatTemplate::Options given;
    given.add_generation_prompt = prompt;
    given.bos_token = "<BOS>";
    given.eos_token = "<EOS>";
    given.now = 1767323045; // 2026-01-02 03:04:05 UTC
    return given;
}

/// The rendered text of each chat with and without the prompt; null where it fails.
nlohmann::json rendered(const std::string& source, const nlohmann::json& chats, std::string* why = nullptr)
{
    nlohmann::json rows = nlohmann::json::array();
    const auto chat_template = ChatTemplate::parse(source);
    for (const auto& chat : chats) {
        for (const bool prompt : {true, false}) {
            const auto text = chat_template ? (*chat_template)->render(messages_of(chat), options(prompt)) : failure(chat_template.error());
            rows.push_back(text ? nlohmann::json(*text) : nlohmann::json());
            if (!text && why) {
                *why = text.error().message;
            }
        }
    }
    return rows;
}

std::string refusal_of(const std::string& source)
{
    const auto chat_template = ChatTemplate::parse(source);
    const auto text = chat_template ? (*chat_template)->render({{"user", "hi"}}, options(true)) : failure(chat_template.error());
    return text ? std::string() : text.error().message;
}

} // namespace

/// Templates rendered by jinja2 in transformers' settings, and by us.
class ChatTemplateTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { qputenv("TZ", "UTC"); }

    void rendersAsJinjaDoes_data()
    {
        QTest::addColumn<int>("index");
        const auto golden = nlohmann::json::parse(file(RETORT_SOURCE_DIR "/tests/golden/text/templates.json"));
        for (int i = 0; i < static_cast<int>(golden.at("cases").size()); ++i) {
            QTest::newRow(std::to_string(i).c_str()) << i;
        }
    }

    void rendersAsJinjaDoes()
    {
        QFETCH(int, index);
        const auto golden = nlohmann::json::parse(file(RETORT_SOURCE_DIR "/tests/golden/text/templates.json"));
        const auto& row = golden.at("cases").at(static_cast<std::size_t>(index));
        std::string why;
        const auto rows = rendered(row.at("template").get<std::string>(), golden.at("chats"), &why);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            QVERIFY2(rows[i].is_null() == row.at("rendered")[i].is_null(), why.c_str());
            QCOMPARE(QString::fromStdString(rows[i].is_null() ? "" : rows[i].get<std::string>()),
                     QString::fromStdString(row.at("rendered")[i].is_null() ? "" : row.at("rendered")[i].get<std::string>()));
        }
    }

    void refusesWhatItDoesNotKnowByNameAndLine()
    {
        QVERIFY(refusal_of("a\n{% include 'x' %}").find("\"include\"") != std::string::npos);
        QVERIFY(refusal_of("a\n{% include 'x' %}").find("line 2") != std::string::npos);
        QVERIFY(refusal_of("{{ 'a'|urlize }}").find("\"urlize\"") != std::string::npos);
        QVERIFY(refusal_of("{% if true %}\n{{ 'a' is strange }}{% endif %}").find("\"strange\"") != std::string::npos);
        QVERIFY(refusal_of("{{ ''.__class__.__mro__ }}").find("undefined") != std::string::npos);
        QVERIFY(refusal_of("{{ open('/etc/passwd') }}").find("\"open\"") != std::string::npos);
        QVERIFY(refusal_of("{{ raise_exception('Roles must alternate') }}").find("Roles must alternate") != std::string::npos);
    }

    void endsHostileTemplates_data()
    {
        QTest::addColumn<QString>("source");
        const auto many = [](const char* text, int count) { return QString(text).repeated(count); };
        QTest::newRow("endless loops") << "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}";
        QTest::newRow("huge range") << "{{ range(1000000000)|list|length }}";
        QTest::newRow("doubling text") << "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}";
        QTest::newRow("doubling list") << "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}";
        QTest::newRow("list of lists")
            << "{% set ns = namespace(s=[1]) %}{% for i in range(90) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}";
        QTest::newRow("deep list") << "{% set ns = namespace(s=[1]) %}{% for i in range(9999) %}{% set ns.s = [ns.s] %}{% endfor %}";
        QTest::newRow("ring of namespaces") << "{% set n = namespace() %}{% set n.n = n %}{{ n }}";
        QTest::newRow("recursion") << "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}";
        QTest::newRow("recursion in brackets") << "{% macro f() %}" + many("{{ (1 + (", 1) + many("(", 60) + "f()" + many(")", 60) +
                                                      ")) }}{% endmacro %}{{ f() }}";
        QTest::newRow("brackets") << "{{ " + many("(", 100000) + "1" + many(")", 100000) + " }}";
        QTest::newRow("minus signs") << "{{ " + many("-", 100000) + "1 }}";
        QTest::newRow("long sum") << "{{ 1" + many("+1", 100000) + " }}";
        QTest::newRow("attributes") << "{{ a" + many(".a", 100000) + " }}";
        QTest::newRow("nested ifs") << many("{% if 1 %}", 100000);
        QTest::newRow("repeated text") << "{{ 'x' * 999999999 }}";
        QTest::newRow("wide indent") << "{{ ('a\n' * 9999)|indent(999) }}";
        QTest::newRow("replace") << "{{ ('a' * 9999)|replace('a', 'b' * 9999) }}";
        QTest::newRow("unfinished") << "{{ 'a";
        QTest::newRow("lonely end") << "{% endif %}";
    }

    void endsHostileTemplates()
    {
        QFETCH(QString, source);
        QVERIFY(!refusal_of(source.toStdString()).empty());
    }

    void rendersSmolLm2AsTransformersDoes()
    {
        const auto golden = nlohmann::json::parse(file(RETORT_SOURCE_DIR "/tests/golden/smollm2.json"));
        // The template of SmolLM2's tokenizer_config.json.
        const auto chat_template = ChatTemplate::parse(
            "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful AI "
            "assistant "
            "named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
            "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}");
        QVERIFY(chat_template.has_value());
        for (const auto& chat : golden.at("chats")) {
            const auto text = (*chat_template)->render(messages_of(chat.at("messages")), options(true));
            QVERIFY(text.has_value());
            QCOMPARE(*text, chat.at("rendered").get<std::string>());
        }
    }

    /// Real templates from RETORT_TEMPLATES (a folder of .jinja) against RETORT_TEMPLATES_RENDERED (name -> rows, by jinja2).
    void rendersRealTemplates()
    {
        const QDir folder(qEnvironmentVariable("RETORT_TEMPLATES"));
        const auto golden = nlohmann::json::parse(file(qEnvironmentVariable("RETORT_TEMPLATES_RENDERED").toStdString()), nullptr, false);
        if (!golden.is_object()) {
            QSKIP("needs RETORT_TEMPLATES and RETORT_TEMPLATES_RENDERED");
        }
        const auto chats = nlohmann::json::parse(file(RETORT_SOURCE_DIR "/tests/golden/text/templates.json")).at("chats");
        int equal = 0;
        for (const auto& [name, rows] : golden.items()) {
            std::string why;
            const auto ours = rendered(file(folder.filePath(QString::fromStdString(name)).toStdString()), chats, &why);
            if (ours == rows) {
                ++equal;
                continue;
            }
            std::size_t i = 0;
            while (ours[i] == rows[i]) {
                ++i;
            }
            qInfo("%s differs in row %zu: %s\n--- ours\n%s\n--- jinja2\n%s", name.c_str(), i, why.c_str(), ours[i].dump().substr(0, 400).c_str(),
                  rows[i].dump().substr(0, 400).c_str());
        }
        qInfo("%d of %zu templates render as jinja2 renders them", equal, golden.size());
        QVERIFY(static_cast<std::size_t>(equal) * 10 >= golden.size() * 8);
    }
};

QTEST_APPLESS_MAIN(ChatTemplateTest)
#include "chat_template_test.moc"
