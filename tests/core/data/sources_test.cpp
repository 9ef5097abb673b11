#include "core/base/files.h"
#include "core/data/data_source.h"
#include "core/data/packing.h"
#include "core/data/shuffled.h"
#include "tests/core/data/world_fixture.h"
#include "tests/support/byte_model.h"

#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

using namespace retort;

namespace {

std::vector<std::vector<TokenId>> sequences_of(const Batch& batch)
{
    std::vector<std::vector<TokenId>> sequences;
    for (std::int64_t i = 0; i < batch.sequences; ++i) {
        const auto begin = batch.ids.begin() + i * batch.length;
        sequences.emplace_back(begin, begin + batch.length);
    }
    return sequences;
}

} // namespace

class SourcesTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(m_folder.isValid());
        m_tokenizer = test::trained_tokenizer(World{WorldSettings{}});
        const World world{WorldSettings{}};
        std::string text;
        std::string lines;
        for (std::uint64_t i = 0; i < 400; ++i) {
            const WorldTask task = world.task(WorldKind::Story, 0, i);
            text += task.prompt + task.answer + "\n";
            lines += nlohmann::json{{"prompt", task.prompt}, {"completion", task.answer}}.dump() + "\n";
        }
        m_text = write("text.txt", text);
        m_lines = write("lines.jsonl", lines + "{\"text\": \"Mia has a red kite.\"}\n\n");
        m_batches = write("batches.json",
                          R"({"input_ids": [[[1,2,3],[4,5,6]], [[7,8,9],[10,11,12]]], "target_mask": [[[0,1,1],[0,0,1]], [[1,1,0],[0,0,0]]]})");
    }

    void countsTargets()
    {
        QCOMPARE((Batch{.sequences = 2, .length = 3, .ids = {1, 2, 3, 4, 5, 6}, .mask = {1, 1, 0, 1, 0, 1}}).targets(), std::int64_t{2});
    }

    void batchesAreAFunctionOfSeedAndIndex_data() { add_sources(); }
    void batchesAreAFunctionOfSeedAndIndex()
    {
        const auto source = make(7);
        const auto again = make(7);
        const auto other = make(8);
        QVERIFY(source && again && other);
        const Batch late = source->batch(9, 4, 96).value();
        const Batch first = source->batch(0, 4, 96).value();
        QCOMPARE(again->batch(0, 4, 96)->ids, first.ids);
        QCOMPARE(again->batch(9, 4, 96)->ids, late.ids);
        QCOMPARE(again->batch(9, 4, 96)->mask, late.mask);
        QVERIFY(first.ids != late.ids);
        QVERIFY(other->batch(0, 4, 96)->ids != first.ids);
        QCOMPARE(other->held_out(0, 4, 96)->ids.size(), first.ids.size());
    }

    void batchesHaveTheirShape_data() { add_sources(); }
    void batchesHaveTheirShape()
    {
        const auto source = make(1);
        QVERIFY(source);
        const Batch batch = source->batch(3, 5, 64).value();
        QCOMPARE(batch.ids.size(), std::size_t{5 * 64});
        QCOMPARE(batch.mask.size(), batch.ids.size());
        QVERIFY(batch.targets() > 0);
        for (const TokenId id : batch.ids) {
            QVERIFY(id >= 0 && static_cast<std::size_t>(id) < m_tokenizer->size());
        }
        QCOMPARE(source->batch(0, 0, 64).error().kind, Error::Kind::Usage);
        QCOMPARE(source->batch(0, 4, 1).error().kind, Error::Kind::Usage);
        QCOMPARE(source->batch(0, std::int64_t{1} << 40, std::int64_t{1} << 40).error().kind, Error::Kind::Usage);
        QVERIFY(!source->description().empty());
    }

    void heldOutIsNeverTrainedOn_data() { add_sources(); }
    void heldOutIsNeverTrainedOn()
    {
        const auto source = make(1);
        QVERIFY(source);
        std::set<std::vector<TokenId>> held_out;
        for (std::uint64_t i = 0; i < 4; ++i) {
            for (auto& sequence : sequences_of(source->held_out(i, 8, 96).value())) {
                held_out.insert(std::move(sequence));
            }
        }
        for (std::uint64_t i = 0; i < 40; ++i) {
            for (const auto& sequence : sequences_of(source->batch(i, 8, 96).value())) {
                QVERIFY(!held_out.contains(sequence));
            }
        }
    }

    void worldIsPackedInWholeDocuments()
    {
        const auto world = std::make_shared<const World>(WorldSettings{});
        const auto truth = WorldTruth::create(world, m_tokenizer).value();
        const auto source = make_world_source(world, m_tokenizer, truth, 1).value();
        QCOMPARE(source->entropy_floor(), truth->entropy_rate());
        std::int64_t targets = 0;
        const Batch batch = source->batch(0, 64, 128).value();
        for (const auto& sequence : sequences_of(batch)) {
            QCOMPARE(sequence.front(), truth->separator());
            QCOMPARE(sequence.back(), truth->separator());
            std::size_t begin = 1;
            for (std::size_t at = 1; at < sequence.size(); ++at) {
                if (sequence[at] == truth->separator() && at > begin) {
                    const auto document = std::span(sequence).subspan(begin, at + 1 - begin);
                    QCOMPARE(truth->surprisals(document).size(), document.size());
                    targets += static_cast<std::int64_t>(document.size());
                }
                begin = sequence[at] == truth->separator() ? at + 1 : begin;
            }
        }
        QCOMPARE(batch.targets(), targets);
        QVERIFY(targets > 64 * 127 * 95 / 100); // little is left empty
    }

    void worldWithoutTruthPacksTheSamePieces()
    {
        const auto world = std::make_shared<const World>(WorldSettings{});
        const auto truth = WorldTruth::create(world, m_tokenizer).value();
        const auto known = make_world_source(world, m_tokenizer, truth, 3).value();
        const auto unknown = make_world_source(world, m_tokenizer, nullptr, 3).value();
        QCOMPARE(unknown->batch(2, 8, 100)->ids, known->batch(2, 8, 100)->ids);
        QVERIFY(unknown->entropy_floor() < 0.0);
    }

    void batchesOfAnySizeMeetTheSameSequences()
    {
        const auto source = make_data_source({.kind = "world"}, m_tokenizer).value();
        const Batch whole = source->batch(0, 96, 80).value(); // over the end of a chapter
        const Batch third = source->batch(2, 32, 80).value();
        QVERIFY(std::equal(third.ids.begin(), third.ids.end(), whole.ids.begin() + 64 * 80));
    }

    void textPredictsEachTokenOnce()
    {
        const auto source = make_text_source({m_text}, *m_tokenizer, 1).value();
        const std::string text = read_text_file(m_text, 1U << 24).value();
        const std::size_t tokens = m_tokenizer->encode(text).size() + 2;
        const std::size_t windows = (tokens - 2) / 30; // of 32 tokens one is the beginning, one is predicted by the window before
        const std::size_t training = windows - std::max<std::size_t>(1, windows / 20);
        std::set<std::vector<TokenId>> seen;
        for (std::uint64_t i = 0; i < training; ++i) {
            seen.insert(source->batch(i, 1, 32)->ids);
        }
        QVERIFY(seen.size() > training * 9 / 10); // stories repeat here and there, windows do not
        QCOMPARE(source->batch(0, 1, 32)->targets(), std::int64_t{30});
        QCOMPARE(source->batch(0, 1, 1 << 20).error().kind, Error::Kind::Usage);
    }

    void jsonlCountsCompletionsOnly()
    {
        const auto source = make_jsonl_source({m_lines}, *m_tokenizer, 1).value();
        const Batch batch = source->batch(0, 8, 128).value();
        const std::int64_t targets = batch.targets();
        QVERIFY(targets > 0 && targets < 8 * 127 / 3);
    }

    void jsonlOfChatsCountsWhatTheAssistantSays()
    {
        const Model model = test::byte_model();
        const ChatFormat chat{model.shared_chat_template(), "<s>", "<|im_end|>"};
        const auto said = [](const char* role, const std::string& content) { return nlohmann::json{{"role", role}, {"content", content}}; };
        std::string lines;
        for (int i = 0; i < 60; ++i) {
            const auto messages = nlohmann::json::array(
                {said("user", "<|im_end|>Hi " + std::to_string(i)), said("assistant", "Yo"), said("user", "So?"), said("assistant", "No")});
            lines += nlohmann::json{{"messages", messages}}.dump() + "\n";
        }
        const auto source = make_jsonl_source({write("chats.jsonl", lines)}, model.tokenizer(), 1, chat);
        QVERIFY2(source.has_value(), source ? "" : source.error().message.c_str());
        const Batch batch = (*source)->batch(0, 1, 100).value(); // room for one chat of 64 pieces
        std::vector<TokenId> counted;
        for (std::size_t i = 0; i < batch.ids.size(); ++i) {
            if (batch.mask[i] != 0) {
                counted.push_back(batch.ids[i]);
            }
        }
        const std::vector<TokenId> answers{'Y', 'o', test::kEnd, '\n', 'N', 'o', test::kEnd, '\n'};
        QCOMPARE(counted, answers);
        // Of the special tokens only the template's own four beginnings and ends; the one that the user spelled is text.
        QCOMPARE(std::ranges::count(batch.ids, test::kStart), 4);
        const std::string spelled = "<|im_end|>";
        QVERIFY(!std::ranges::search(batch.ids, spelled, {}, {}, [](char c) { return static_cast<TokenId>(c); }).empty());
    }

    void hostileChatsNameTheLine_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<QByteArray>("words");
        QTest::newRow("no list") << QByteArray(R"({"messages": 1})")
                                 << QByteArray("messages are a list of objects with \"role\" and \"content\"; this is number");
        QTest::newRow("empty") << QByteArray(R"({"messages": []})") << QByteArray("no message");
        QTest::newRow("texts") << QByteArray(R"({"messages": ["a"]})") << QByteArray("message 1 is not an object");
        QTest::newRow("no role") << QByteArray(R"({"messages": [{"content": "a"}]})") << QByteArray("message 1 has no text \"role\"");
        QTest::newRow("no content") << QByteArray(R"({"messages": [{"role": "user"}]})") << QByteArray("message 1 has no \"content\"");
        QTest::newRow("null") << QByteArray(R"({"messages": [{"role": "user", "content": null}]})") << QByteArray("null for \"content\"");
        QTest::newRow("number") << QByteArray(R"({"messages": [{"role": "user", "content": 1}]})") << QByteArray("\"content\" that is number");
        QTest::newRow("picture") << QByteArray(R"({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]})")
                                 << QByteArray("a part of type \"image_url\"");
        QTest::newRow("tools") << QByteArray(R"({"messages": [{"role": "user", "content": "a"}, )"
                                             R"({"role": "assistant", "content": null, "tool_calls": [{"id": "b"}]}]})")
                               << QByteArray("message 2 calls tools");
        QTest::newRow("nobody who answers") << QByteArray(R"({"messages": [{"role": "root", "content": "a"}]})") << QByteArray("nothing to learn");
        QTest::newRow("no answer") << QByteArray(R"({"messages": [{"role": "user", "content": "a"}]})") << QByteArray("nothing to learn");
        QTest::newRow("deep") << QByteArray(R"({"messages": )") + QByteArray(100'000, '[') << QByteArray("ends before its JSON is complete");
    }
    void hostileChatsNameTheLine()
    {
        QFETCH(const QByteArray, line);
        QFETCH(const QByteArray, words);
        const Model model = test::byte_model();
        const std::string file = write("bad-chats.jsonl", "\n{\"text\": \"fine\"}\n" + line.toStdString() + "\n");
        const auto source = make_jsonl_source({file}, model.tokenizer(), 1, {model.shared_chat_template(), {}, {}});
        QVERIFY(!source.has_value());
        QVERIFY2(source.error().message.starts_with(file + ", line 3"), source.error().message.c_str());
        QVERIFY2(source.error().message.find(words.toStdString()) != std::string::npos, source.error().message.c_str());
    }

    void chatsWithoutATemplateAreRefused()
    {
        const std::string file = write("chat.jsonl", R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})");
        const auto source = make_jsonl_source({file}, *m_tokenizer, 1);
        QVERIFY(!source.has_value() && source.error().kind == Error::Kind::Mismatch);
        QVERIFY(source.error().message.starts_with(file + ", line 1"));
    }

    void tokenBatchesAreTheFile()
    {
        const auto source = make_token_batches_source(m_batches, *m_tokenizer).value();
        const Batch second = source->batch(1, 2, 3).value();
        QCOMPARE(second.ids, (std::vector<TokenId>{7, 8, 9, 10, 11, 12}));
        QCOMPARE(second.mask, (std::vector<std::uint8_t>{1, 1, 0, 0, 0, 0}));
        QCOMPARE(source->batch(2, 2, 3).error().kind, Error::Kind::Usage);
        QCOMPARE(source->batch(0, 3, 2).error().kind, Error::Kind::Usage);
        QCOMPARE(source->held_out(0, 2, 3).error().kind, Error::Kind::Usage);
    }

    void hostileTokenBatchesAreRefused_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("no JSON") << QByteArray("{\"input_ids\": [");
        QTest::newRow("no object") << QByteArray("[1]");
        QTest::newRow("no mask") << QByteArray(R"({"input_ids": [[[1,2]]]})");
        QTest::newRow("no batch") << QByteArray(R"({"input_ids": [], "target_mask": []})");
        QTest::newRow("no lists") << QByteArray(R"({"input_ids": [1], "target_mask": [1]})");
        QTest::newRow("flat") << QByteArray(R"({"input_ids": [[1]], "target_mask": [[1]]})");
        QTest::newRow("one token") << QByteArray(R"({"input_ids": [[[1]]], "target_mask": [[[1]]]})");
        QTest::newRow("ragged") << QByteArray(R"({"input_ids": [[[1,2],[3]]], "target_mask": [[[1,1],[1]]]})");
        QTest::newRow("another shape") << QByteArray(R"({"input_ids": [[[1,2]]], "target_mask": [[[1,1],[1,1]]]})");
        QTest::newRow("out of range") << QByteArray(R"({"input_ids": [[[1,99999999999]]], "target_mask": [[[1,1]]]})");
        QTest::newRow("negative") << QByteArray(R"({"input_ids": [[[1,-2]]], "target_mask": [[[1,1]]]})");
        QTest::newRow("not whole") << QByteArray(R"({"input_ids": [[[1,2.5]]], "target_mask": [[[1,1]]]})");
        QTest::newRow("text") << QByteArray(R"({"input_ids": [[["a","b"]]], "target_mask": [[[1,1]]]})");
        QTest::newRow("mask of twos") << QByteArray(R"({"input_ids": [[[1,2]]], "target_mask": [[[1,2]]]})");
        QTest::newRow("deep") << QByteArray(1'000'000, '[');
    }

    void hostileTokenBatchesAreRefused()
    {
        QFETCH(QByteArray, content);
        const std::string file = write("hostile.json", content.toStdString());
        const auto source = make_token_batches_source(file, *m_tokenizer);
        QVERIFY(!source.has_value());
        QCOMPARE(source.error().kind, Error::Kind::BadFile);
        QVERIFY(source.error().message.starts_with(file));
    }

    void hostileJsonlNamesTheLine()
    {
        for (const char* bad : {"{", "[]", "{\"prompt\": 1}", "{\"prompt\": \"a\"}", "{\"text\": 7}", "\"a\"", "\xFF\xFE"}) {
            const std::string file = write("bad.jsonl", std::string("{\"text\": \"fine\"}\n") + bad + "\n");
            const auto source = make_jsonl_source({file}, *m_tokenizer, 1);
            QVERIFY2(!source.has_value(), bad);
            QVERIFY2(source.error().message.starts_with(file + ", line 2"), source.error().message.c_str());
        }
        QCOMPARE(make_jsonl_source({write("empty.jsonl", "\n")}, *m_tokenizer, 1).error().kind, Error::Kind::BadFile);
    }

    void textMustBeUtf8()
    {
        const auto source = make_text_source({write("latin.txt", "Mia has a kite.\nh\xE9\n")}, *m_tokenizer, 1);
        QVERIFY(!source.has_value());
        QVERIFY2(source.error().message.find("latin.txt, line 2 has bytes that are not UTF-8") != std::string::npos, source.error().message.c_str());
        QVERIFY(make_text_source({write("nothing.txt", "")}, *m_tokenizer, 1)
                    .value()
                    ->batch(0, 1, 16)
                    .error()
                    .message.starts_with("The text has 2 tokens"));
    }

    void brokenJsonlSaysWhatIsBrokenInWhichLine_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<QByteArray>("words");
        QTest::newRow("NaN") << QByteArray(R"({"text": "fine", "score": NaN})") << QByteArray("has the number NaN at column 27, which Python writes");
        QTest::newRow("Infinity") << QByteArray(R"({"score": Infinity, "text": "a"})") << QByteArray("has the number Infinity");
        QTest::newRow("-Infinity") << QByteArray(R"({"score": -Infinity, "text": "a"})") << QByteArray("has the number Infinity");
        QTest::newRow("first half of a pair") << QByteArray("{\"text\": \"half \\ud83d here\"}") << QByteArray("half of a surrogate pair");
        QTest::newRow("second half of a pair") << QByteArray("{\"text\": \"\\ude00\"}") << QByteArray("half of a surrogate pair");
        QTest::newRow("cut in a text") << QByteArray("{\"text\": \"the download ended in the mid") << QByteArray("ends before its JSON is complete");
        QTest::newRow("cut between") << QByteArray(R"({"text": "the", )") << QByteArray("ends before its JSON is complete");
        QTest::newRow("null") << QByteArray(R"({"text": null})") << QByteArray(R"("text" must be a text in quotes; it is null)");
        QTest::newRow("list") << QByteArray(R"({"prompt": [], "completion": "a"})")
                              << QByteArray(R"("prompt" must be a text in quotes; it is array)");
        QTest::newRow("words") << QByteArray("Mia has a kite.") << QByteArray("is not JSON from column 1 on");
    }
    void brokenJsonlSaysWhatIsBrokenInWhichLine()
    {
        QFETCH(const QByteArray, line);
        QFETCH(const QByteArray, words);
        const std::string file = write("broken.jsonl", "{\"text\": \"fine\"}\n\n" + line.toStdString() + "\n");
        const auto source = make_jsonl_source({file}, *m_tokenizer, 1);
        QVERIFY(!source.has_value());
        QVERIFY2(source.error().message.starts_with(file + ", line 3"), source.error().message.c_str());
        QVERIFY2(source.error().message.find(words.toStdString()) != std::string::npos, source.error().message.c_str());
    }

    void contentInPartsIsJoined()
    {
        const Model model = test::byte_model();
        const ChatFormat chat{model.shared_chat_template(), "<s>", "<|im_end|>"};
        const auto batch_of = [&](const char* name, const std::string& content) {
            std::string lines;
            for (int i = 0; i < 60; ++i) {
                lines += R"({"messages": [{"role": "user", "content": )" + content + R"(}, {"role": "assistant", "content": "Yo"}]})" + "\n";
            }
            const auto source = make_jsonl_source({write(name, lines)}, model.tokenizer(), 1, chat);
            return source ? (*source)->batch(0, 2, 64).value().ids : std::vector<TokenId>();
        };
        const auto whole = batch_of("whole.jsonl", R"("Number?")");
        QVERIFY(!whole.empty());
        QCOMPARE(batch_of("parts.jsonl", R"([{"type": "text", "text": "Num"}, {"type": "text", "text": "ber?"}])"), whole);
    }

    void everyTurnOfTheAssistantCountsAlsoTheFirst_data()
    {
        QTest::addColumn<QByteArray>("chat_template");
        QTest::newRow("plain") << QByteArray(test::kChatTemplate);
        QTest::newRow("with a system turn of its own")
            << QByteArray("{% for m in messages %}{% if loop.first and m.role != 'system' %}{{ '<|im_start|>system\nYo<|im_end|>\n' }}{% endif %}"
                          "{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
                          "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}");
    }
    void everyTurnOfTheAssistantCountsAlsoTheFirst()
    {
        QFETCH(const QByteArray, chat_template);
        const Model model = test::byte_model(chat_template.constData());
        std::string lines;
        for (int i = 0; i < 60; ++i) {
            lines +=
                R"({"messages": [{"role": "assistant", "content": "Yo"}, {"role": "user", "content": "So?"}, {"role": "assistant", "content": "No"}]})"
                "\n";
        }
        const auto source = make_jsonl_source({write("opens.jsonl", lines)}, model.tokenizer(), 1, {model.shared_chat_template(), "<s>", {}});
        QVERIFY2(source.has_value(), source ? "" : source.error().message.c_str());
        const Batch batch = (*source)->batch(0, 1, 80).value(); // room for one chat
        std::vector<TokenId> counted;
        for (std::size_t i = 0; i < batch.ids.size(); ++i) {
            if (batch.mask[i] != 0) {
                counted.push_back(batch.ids[i]);
            }
        }
        QCOMPARE(counted, (std::vector<TokenId>{'Y', 'o', test::kEnd, '\n', 'N', 'o', test::kEnd, '\n'}));
    }

    void examplesWithoutAnAnswerInTheSequenceAreLeftOutAndTold()
    {
        std::string lines;
        for (int i = 0; i < 60; ++i) {
            const std::string prompt = i % 2 == 0 ? "Number " + std::to_string(i) + ":" : std::string(200, 'x') + std::to_string(i);
            lines += nlohmann::json{{"prompt", prompt}, {"completion", " yes"}}.dump() + "\n";
        }
        const auto source = make_jsonl_source({write("some.jsonl", lines)}, *m_tokenizer, 1).value();
        for (std::uint64_t i = 0; i < 40; ++i) {
            const Batch batch = source->batch(i, 2, 32).value();
            QVERIFY(batch.targets() > 0);
            QCOMPARE(std::ranges::count(batch.ids, m_tokenizer->encode("xxxx").front()), 0);
        }
        QVERIFY2(source->remark(32).starts_with("30 of 60 examples are longer"), source->remark(32).c_str());
        QVERIFY2(source->remark(32).find("30 are left out") != std::string::npos, source->remark(32).c_str());
        QCOMPARE(source->remark(1024), std::string());
        const auto none = source->batch(0, 2, 4);
        QVERIFY(!none.has_value());
        QVERIFY2(none.error().message.find("none has an answer within 4 tokens") != std::string::npos, none.error().message.c_str());
    }

    void textsBeginAsPromptsDo_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<QByteArray>("post_processor");
        const nlohmann::json before = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
        const nlohmann::json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
        const nlohmann::json special = {{"<s>", {{"id", "<s>"}, {"ids", {test::kBos}}, {"tokens", {"<s>"}}}}};
        const nlohmann::json processor = {
            {"type", "TemplateProcessing"}, {"single", {before, text}}, {"pair", nlohmann::json::array()}, {"special_tokens", special}};
        const QByteArray bos = QByteArray::fromStdString(processor.dump());
        for (const char* kind : {"world", "text", "jsonl"}) {
            QTest::addRow("%s, with <s>", kind) << QString(kind) << bos;
            QTest::addRow("%s, with nothing", kind) << QString(kind) << QByteArray("null");
        }
    }
    void textsBeginAsPromptsDo()
    {
        QFETCH(const QString, kind);
        QFETCH(const QByteArray, post_processor);
        nlohmann::json json = nlohmann::json::parse(test::byte_tokenizer_json());
        json["post_processor"] = nlohmann::json::parse(post_processor.toStdString());
        const auto tokenizer = Tokenizer::from_json(json.dump(), "tokenizer.json").value();
        const std::string file = write("begin", kind == "jsonl" ? R"({"text": "Mia has a red kite."})"
                                                                  "\n"
                                                                : std::string(500, 'M'));
        const auto source = make_data_source({.kind = kind.toStdString(), .files = {file}}, tokenizer);
        QVERIFY2(source.has_value(), source ? "" : source.error().message.c_str());
        const auto batch = (*source)->batch(0, 4, 64);
        QVERIFY2(batch.has_value(), batch ? "" : batch.error().message.c_str());
        const std::vector<TokenId> beginning = tokenizer->with_additions({});
        for (const auto& sequence : sequences_of(*batch)) {
            QVERIFY(std::equal(beginning.begin(), beginning.end(), sequence.begin()));
            QVERIFY(sequence[beginning.size()] < 256); // then a letter, no separator
        }
    }

    void wrongSettingsAreExplained()
    {
        QCOMPARE(make_data_source({.kind = "wrld"}, m_tokenizer).error().message,
                 std::string(R"(data.kind is "wrld"; known are "world", "text", "jsonl" and "token_batches".)"));
        QCOMPARE(make_data_source({.kind = "text"}, m_tokenizer).error().kind, Error::Kind::Usage);
        QCOMPARE(make_data_source({.kind = "token_batches", .files = {"a", "b"}}, m_tokenizer).error().kind, Error::Kind::Usage);
        QCOMPARE(make_data_source({.kind = "text", .files = {"/nowhere/at all"}}, m_tokenizer).error().kind, Error::Kind::Io);
    }

    void packerPutsTextsWhereTheyFit()
    {
        SequencePacker packer(2, 6, 0);
        const auto add = [&packer](std::vector<TokenId> pieces) { return packer.add(pieces, std::vector<std::uint8_t>(pieces.size(), 1)); };
        QVERIFY(add({0, 1, 1, 0}));
        QVERIFY(add({2, 2, 2, 2}));
        QVERIFY(add({0, 3, 3})); // the separator before it stands there
        QVERIFY(add({4}));
        QVERIFY(!add({5, 5}));
        const Batch batch = packer.batch(0, 2);
        QCOMPARE(batch.ids, (std::vector<TokenId>{0, 1, 1, 0, 3, 3, 2, 2, 2, 2, 4, 0}));
        QCOMPARE(batch.mask, (std::vector<std::uint8_t>{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0}));
    }

    void shufflingVisitsEachOnceARound()
    {
        for (const std::uint64_t count : {1U, 2U, 7U, 64U, 1000U}) {
            std::set<std::uint64_t> seen;
            for (std::uint64_t i = 0; i < count; ++i) {
                seen.insert(shuffled(5, count * 3 + i, count));
            }
            QCOMPARE(seen.size(), static_cast<std::size_t>(count));
            QCOMPARE(*seen.rbegin(), count - 1);
        }
    }

private:
    void add_sources()
    {
        QTest::addColumn<QString>("kind");
        for (const char* kind : {"world", "text", "jsonl"}) {
            QTest::newRow(kind) << kind;
        }
    }

    std::shared_ptr<const DataSource> make(std::uint64_t seed)
    {
        const QString kind = *static_cast<QString*>(QTest::qData("kind", QMetaType::QString));
        const std::vector<std::string> files = {kind == "jsonl" ? m_lines : m_text};
        const auto source = make_data_source({.kind = kind.toStdString(), .seed = seed, .files = files}, m_tokenizer);
        return source ? *source : nullptr;
    }

    std::string write(const char* name, const std::string& content)
    {
        const std::string path = m_folder.filePath(name).toStdString();
        return write_file_atomically(path, content) ? path : std::string();
    }

    QTemporaryDir m_folder;
    std::shared_ptr<const Tokenizer> m_tokenizer;
    std::string m_text;
    std::string m_lines;
    std::string m_batches;
};

QTEST_APPLESS_MAIN(SourcesTest)
#include "sources_test.moc"
