#include "core/base/files.h"
#include "core/inference/prompt.h"
#include "core/model/gguf.h"
#include "core/text/gguf_tokenizer_json.h"

#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace retort;

namespace {

std::string peers()
{
    return qEnvironmentVariable("RETORT_PEERS").toStdString();
}

Result<std::shared_ptr<const Tokenizer>> tokenizer_in(const std::string& path)
{
    const auto opened = InputFile::open(path);
    const auto file = opened ? read_gguf(*opened) : failure(opened.error());
    const auto fields = file ? tokenizer_fields(*file, path) : failure(file.error());
    if (!fields || !*fields) {
        return fields ? failure(Error::Kind::BadFile, "There is no tokenizer in it.") : failure(fields.error());
    }
    return Tokenizer::from_gguf(**fields, "vocab.gguf");
}

std::vector<std::string> parts_of(const std::string& text, const std::string& between)
{
    std::vector<std::string> parts;
    std::size_t from = 0;
    for (std::size_t at = text.find(between); at != std::string::npos; at = text.find(between, from)) {
        parts.push_back(text.substr(from, at - from));
        from = at + between.size();
    }
    parts.push_back(text.substr(from));
    return parts;
}

std::vector<TokenId> ids_of_line(const std::string& line)
{
    std::istringstream in(line);
    return {std::istream_iterator<TokenId>(in), {}};
}

QByteArray shown(const std::string& text, const std::vector<TokenId>& ours)
{
    std::string out = nlohmann::json(text.substr(0, 60)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + " gave";
    for (const TokenId id : ours) {
        out += ' ' + std::to_string(id);
    }
    return QByteArray::fromStdString(out);
}

/// What a byte-level file without surprises says: 256 bytes, three longer pieces, two special ones.
GgufTokenizer small_fields()
{
    GgufTokenizer fields;
    fields.model = "gpt2";
    fields.pre = "gpt-2";
    fields.tokens = {"<s>",
                     "<|im_end|>",
                     "a",
                     "b",
                     "c",
                     "\xC4\xA0",
                     "ab",
                     "\xC4\xA0"
                     "ab"};
    fields.types = {3, 3, 1, 1, 1, 1, 1, 1};
    fields.merges = {"a b", "\xC4\xA0 ab"};
    fields.bos = 0;
    fields.eos = 1;
    return fields;
}

/// A vocabulary of SentencePiece's kind, with or without the pieces of bytes.
GgufTokenizer scored_fields(const std::string& model, bool prefix, bool bytes)
{
    GgufTokenizer fields;
    fields.model = model;
    const auto add = [&fields](const std::string& spelling, float score, std::int32_t type) {
        fields.tokens.push_back(spelling);
        fields.scores.push_back(score);
        fields.types.push_back(type);
    };
    add("<unk>", 0, 2);
    add("<s>", 0, 3);
    add("</s>", 0, 3);
    for (int byte = 0; bytes && byte < 256; ++byte) {
        char spelling[8];
        std::snprintf(spelling, sizeof spelling, "<0x%02X>", static_cast<unsigned>(byte));
        add(spelling, 0, 6);
    }
    float score = -1;
    for (const char* spelling : {"\xE2\x96\x81\xE2\x96\x81", "ab",
                                 "\xE2\x96\x81"
                                 "ab",
                                 "\xE2\x96\x81", "a", "b", "abc", "c", "aa", "aaa"}) {
        add(spelling, score, 1);
        score -= 1;
    }
    add("<user>", 0, 4);
    add("[PAD]", 0, 5);
    fields.bos = 1;
    fields.eos = 2;
    fields.unknown = 0;
    fields.add_space_prefix = prefix;
    return fields;
}

std::string refusal_of(const GgufTokenizer& fields)
{
    const auto tokenizer = Tokenizer::from_gguf(fields, "vocab.gguf");
    return tokenizer ? std::string() : tokenizer.error().message;
}

} // namespace

/// Tokenizers as GGUF files carry them: by the ids that llama.cpp ships with its vocabularies, and by those that transformers gives for SmolLM2.
class GgufTokenizerTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void cutsTextAsTheFilesOfLlamaCppSay_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("refused");
        const auto known = [](const char* name) { QTest::newRow(name) << name << ""; };
        const auto refused = [](const char* name, const char* word) { QTest::newRow(name) << name << word; };
        for (const char* name : {"command-r", "deepseek-coder", "deepseek-llm", "falcon", "gpt-2", "llama-bpe", "llama-spm", "mpt", "phi-3", "qwen2",
                                 "qwen35", "refact", "starcoder"}) {
            known(name);
        }
        refused("bert-bge", "\"bert\"");
        refused("gemma-4", "\"gemma4\"");
    }

    void cutsTextAsTheFilesOfLlamaCppSay()
    {
        QFETCH(QString, name);
        QFETCH(QString, refused);
        const std::string path = peers() + "/llama.cpp/models/ggml-vocab-" + name.toStdString() + ".gguf";
        if (!QFile::exists(QString::fromStdString(path))) {
            QSKIP("needs RETORT_PEERS, a folder with llama.cpp/models/ggml-vocab-*.gguf");
        }
        const auto tokenizer = tokenizer_in(path);
        if (!refused.isEmpty()) {
            QVERIFY(!tokenizer.has_value());
            QVERIFY2(tokenizer.error().message.find(refused.toStdString()) != std::string::npos, tokenizer.error().message.c_str());
            return;
        }
        QVERIFY2(tokenizer.has_value(), tokenizer ? "" : tokenizer.error().message.c_str());
        const auto texts = parts_of(read_file(path + ".inp", 1U << 20).value_or(""), "\n__ggml_vocab_test__\n");
        const auto lines = parts_of(read_file(path + ".out", 1U << 20).value_or(""), "\n");
        QVERIFY(texts.size() > 40 && lines.size() >= texts.size());
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const auto ids = (*tokenizer)->encode(texts[i]);
            QVERIFY2(ids == ids_of_line(lines[i]), (shown(texts[i], ids) + ", expected" + lines[i].c_str()).constData());
            QCOMPARE((*tokenizer)->decode(ids), texts[i]);
        }
    }

    /// Ids and templates by transformers.
    void readsSmolLm2AsTransformersDoes()
    {
        const std::string path = peers() + "/smollm2.gguf";
        if (!QFile::exists(QString::fromStdString(path))) {
            QSKIP("needs RETORT_PEERS, a folder with smollm2.gguf");
        }
        const auto golden = nlohmann::json::parse(read_text_file(RETORT_SOURCE_DIR "/tests/golden/smollm2.json", 1U << 26).value_or(""));
        const auto model = load_model(path);
        QVERIFY2(model.has_value(), model ? "" : model.error().message.c_str());
        QVERIFY(model->has_tokenizer() && model->chat_template() != nullptr);
        for (const auto& row : golden.at("texts")) {
            const auto text = row.at("text").get<std::string>();
            const auto ids = make_text_prompt(*model, text).ids;
            QVERIFY2(ids == row.at("ids").get<std::vector<TokenId>>(), shown(text, ids).constData());
            QCOMPARE(model->tokenizer().decode(ids), text);
        }
        for (const auto& chat : golden.at("chats")) {
            std::vector<ChatMessage> messages;
            for (const auto& message : chat.at("messages")) {
                messages.push_back({message.at("role").get<std::string>(), message.at("content").get<std::string>()});
            }
            const auto prompt = make_chat_prompt(*model, messages);
            QVERIFY2(prompt.has_value(), prompt ? "" : prompt.error().message.c_str());
            QCOMPARE(prompt->rendered, chat.at("rendered").get<std::string>());
            QVERIFY2(prompt->ids == chat.at("prompt_ids").get<std::vector<TokenId>>(), shown(prompt->rendered, prompt->ids).constData());
            QCOMPARE(model->tokenizer().decode(chat.at("greedy_ids").get<std::vector<TokenId>>()), chat.at("greedy_text").get<std::string>());
        }
    }

    void keepsTextApartFromSpecialTokens()
    {
        const auto tokenizer = Tokenizer::from_gguf(small_fields(), "vocab.gguf");
        QVERIFY2(tokenizer.has_value(), tokenizer ? "" : tokenizer.error().message.c_str());
        QCOMPARE((*tokenizer)->encode("ab ab<|im_end|>", Tokenizer::Special::AsTokens), (std::vector<TokenId>{6, 7, 1}));
        const auto as_text = (*tokenizer)->encode("ab<|im_end|>");
        QVERIFY(std::find(as_text.begin(), as_text.end(), 1) == as_text.end());
        QCOMPARE((*tokenizer)->stop_tokens(), std::vector<TokenId>{1});
        QCOMPARE((*tokenizer)->bos(), std::optional<TokenId>(0));
    }

    void addsBosAndEosOnlyWhereTheFileAsks()
    {
        GgufTokenizer fields = small_fields();
        QCOMPARE((*Tokenizer::from_gguf(fields, ""))->with_additions({6}), std::vector<TokenId>{6});
        fields.add_bos = true;
        fields.add_eos = true;
        QCOMPARE((*Tokenizer::from_gguf(fields, ""))->with_additions({6}), (std::vector<TokenId>{0, 6, 1}));
    }

    /// llama.cpp compares spellings, so a merge of pieces that are not there has no effect.
    void writesATokenizerJsonThatCutsAlike()
    {
        for (const char* pre : {"gpt-2", "smollm", "llama3", "qwen2", "deepseek-coder", ""}) {
            GgufTokenizer fields = small_fields();
            fields.pre = pre;
            fields.merges.insert(fields.merges.begin(), "a zz");
            const auto ours = Tokenizer::from_gguf(fields, "vocab.gguf").value();
            const auto json = tokenizer_json_of(fields);
            QVERIFY(json && !json->empty());
            const auto read = Tokenizer::from_json(*json, "tokenizer.json");
            QVERIFY2(read.has_value(), read ? "" : read.error().message.c_str());
            QCOMPARE((*read)->fingerprint(), ours->fingerprint());
            for (const char* text : {"abc ab", " ab<|im_end|>cab", "a  b", "<s>"}) {
                QCOMPARE((*read)->encode(text), ours->encode(text));
                QCOMPARE((*read)->encode(text, Tokenizer::Special::AsTokens), ours->encode(text, Tokenizer::Special::AsTokens));
                QCOMPARE((*read)->with_additions({2}), ours->with_additions({2}));
            }
        }
        GgufTokenizer embedded = small_fields();
        embedded.huggingface_json = "{}";
        QCOMPARE(tokenizer_json_of(embedded).value(), std::string("{}"));
    }

    /// A placeholder is a hole to the student, too; else the two would have different vocabularies.
    void leavesPlaceholdersOutOfWhatItWrites()
    {
        GgufTokenizer fields = small_fields();
        fields.tokens.emplace_back("[PAD8]");
        fields.types.push_back(5);
        const auto ours = Tokenizer::from_gguf(fields, "vocab.gguf").value();
        const auto read = Tokenizer::from_json(tokenizer_json_of(fields).value(), "tokenizer.json").value();
        const auto match = compare_tokenizers(*ours, *read);
        QVERIFY2(match.same && match.reason.starts_with("Both cut text"), match.reason.c_str());
    }

    /// SentencePiece's scores become an order of merges.
    void writesScoredVocabulariesThatCutAlike_data()
    {
        QTest::addColumn<bool>("prefix");
        QTest::addColumn<bool>("bytes");
        QTest::addColumn<QByteArray>("model");
        for (const char* model : {"llama", "t5"}) {
            for (const bool prefix : {true, false}) {
                for (const bool bytes : {true, false}) {
                    QTest::addRow("%s %d %d", model, prefix, bytes) << prefix << bytes << QByteArray(model);
                }
            }
        }
    }
    void writesScoredVocabulariesThatCutAlike()
    {
        QFETCH(bool, prefix);
        QFETCH(bool, bytes);
        QFETCH(QByteArray, model);
        const GgufTokenizer fields = scored_fields(model.toStdString(), prefix, bytes);
        const auto ours = Tokenizer::from_gguf(fields, "vocab.gguf").value();
        const auto read = Tokenizer::from_json(tokenizer_json_of(fields).value(), "tokenizer.json");
        QVERIFY2(read.has_value(), read ? "" : read.error().message.c_str());
        const auto match = compare_tokenizers(*ours, **read);
        QVERIFY2(match.same && match.reason.starts_with("Both cut text"), match.reason.c_str());
        for (const char* text : {"ab abc", "  two", "", " ", "c\xC3\xA9 ab\n", "aab<user>ab", "\xE2\x96\x81\xE2\x96\x81 ab"}) {
            const auto ids = ours->encode(text);
            QCOMPARE((*read)->encode(text), ids);
            QCOMPARE((*read)->encode(text, Tokenizer::Special::AsTokens), ours->encode(text, Tokenizer::Special::AsTokens));
            QCOMPARE((*read)->decode(ids), ours->decode(ids));
            QCOMPARE((*read)->with_additions(ids), ours->with_additions(ids));
        }
    }

    void tokenizersReadsWhatIsWrittenForSmolLm2()
    {
        const std::string path = peers() + "/smollm2.gguf";
        const QString python = qEnvironmentVariable("RETORT_PYTHON");
        if (!QFile::exists(QString::fromStdString(path)) || python.isEmpty()) {
            QSKIP("needs RETORT_PEERS, a folder with smollm2.gguf, and RETORT_PYTHON, a Python with tokenizers");
        }
        const auto model = load_model(path).value();
        const auto options = save_options_of(model.info());
        QVERIFY2(options.has_value(), options ? "" : options.error().message.c_str());
        const auto again = Tokenizer::from_json(options->tokenizer_json, "tokenizer.json").value();
        QCOMPARE(again->fingerprint(), model.tokenizer().fingerprint());
        const QTemporaryDir folder;
        const auto file = [&folder](const char* name) { return folder.filePath(name).toStdString(); };
        QVERIFY(write_file_atomically(file("tokenizer.json"), options->tokenizer_json).has_value());
        QVERIFY(write_file_atomically(file("tokenizer_config.json"), options->tokenizer_config_json).has_value());
        nlohmann::json texts = nlohmann::json::array();
        const auto golden = nlohmann::json::parse(read_text_file(RETORT_SOURCE_DIR "/tests/golden/smollm2.json", 1U << 26).value_or(""));
        for (const auto& row : golden.at("texts")) {
            texts.push_back(row.at("text"));
        }
        texts.push_back("<|im_start|>user\nnaïve 你好 12345 😀  \r\n\ttabs<|im_end|>\n");
        QVERIFY(write_file_atomically(file("texts.json"), texts.dump()).has_value());
        QProcess process;
        process.start(python, {"-c",
                               "import json,sys; from transformers import AutoTokenizer; d=sys.argv[1]; t=AutoTokenizer.from_pretrained(d);"
                               "print(json.dumps({'ids':[t(x)['input_ids'] for x in json.load(open(d+'/texts.json'))],"
                               "'chat':t.apply_chat_template([{'role':'user','content':'Hi'}],tokenize=False,add_generation_prompt=True)}))",
                               folder.path()});
        QVERIFY(process.waitForFinished(120'000));
        const auto theirs = nlohmann::json::parse(process.readAllStandardOutput().toStdString(), nullptr, false);
        QVERIFY2(theirs.is_object(), process.readAllStandardError().constData());
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const auto text = texts[i].get<std::string>();
            const auto ids = model.tokenizer().encode(text, Tokenizer::Special::AsTokens);
            QVERIFY2(ids == theirs["ids"][i].get<std::vector<TokenId>>(), shown(text, ids).constData());
        }
        QCOMPARE(make_chat_prompt(model, {{"user", "Hi"}})->rendered, theirs["chat"].get<std::string>());
    }

    void passesOverMergesOfPiecesThatAreNotThere()
    {
        GgufTokenizer fields = small_fields();
        fields.merges.insert(fields.merges.begin(), {"a zz", "zz a"});
        const auto tokenizer = Tokenizer::from_gguf(fields, "vocab.gguf");
        QVERIFY2(tokenizer.has_value(), tokenizer ? "" : tokenizer.error().message.c_str());
        QCOMPARE((*tokenizer)->encode("abc"), (std::vector<TokenId>{6, 4}));
    }

    void refusesHostileFieldsWithOneSentence()
    {
        const auto with = [](auto change) {
            GgufTokenizer fields = small_fields();
            change(fields);
            return refusal_of(fields);
        };
        const auto says = [](const std::string& message, const char* words) {
            const bool found = message.starts_with("vocab.gguf: ") && message.find(words) != std::string::npos;
            if (!found) {
                qWarning("%s", message.c_str());
            }
            return found;
        };
        QVERIFY(says(with([](auto& f) { f.model = "rwkv"; }), "\"rwkv\""));
        QVERIFY(says(with([](auto& f) { f.pre = "nobody's"; }), "nobody's"));
        QVERIFY(says(with([](auto& f) { f.tokens.clear(); }), "0 entries"));
        QVERIFY(says(with([](auto& f) { f.types.pop_back(); }), "7"));
        QVERIFY(says(with([](auto& f) { f.merges[0] = "ab"; }), "\"ab\""));
        QVERIFY(says(with([](auto& f) { f.merges[0] = "b c"; }), "\"bc\""));
        QVERIFY(says(with([](auto& f) { f.bos = 8; }), "8"));
        QVERIFY(says(with([](auto& f) { f.eos = -1; }), "-1"));
        QVERIFY(says(with([](auto& f) { f.tokens[1] = std::string(5000, 'x'); }), "5000"));
        QVERIFY(says(with([](auto& f) { f.model = "llama"; }), "scores"));
        QVERIFY(says(with([](auto& f) {
                         f.model = "llama";
                         f.scores.assign(f.tokens.size(), std::nanf(""));
                     }),
                     "not a number"));
        QVERIFY(says(with([](auto& f) {
                         f.model = "llama";
                         f.scores.assign(f.tokens.size(), 0.0F);
                         f.types[2] = 6;
                     }),
                     "<0x0A>"));
    }
};

QTEST_APPLESS_MAIN(GgufTokenizerTest)
#include "gguf_tokenizer_test.moc"
