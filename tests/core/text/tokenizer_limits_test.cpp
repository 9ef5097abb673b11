#include "core/base/files.h"
#include "core/base/text_format.h"
#include "core/text/tokenizer.h"

#include <QTest>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

using namespace retort;
using Json = nlohmann::json;

namespace {

std::string source_of(const std::string& family)
{
    return read_text_file(std::string(RETORT_SOURCE_DIR "/tests/golden/text/") + family + "/tokenizer.json", 1U << 26).value_or("");
}

Json golden(const std::string& family = "smollm")
{
    return Json::parse(source_of(family));
}

std::shared_ptr<const Tokenizer> tokenizer_from(const Json& json)
{
    const auto tokenizer = Tokenizer::from_json(json.dump(), "tokenizer.json");
    return tokenizer ? *tokenizer : nullptr;
}

std::string refusal_of(const std::string& text)
{
    const auto tokenizer = Tokenizer::from_json(text, "tokenizer.json");
    return tokenizer ? std::string() : tokenizer.error().message;
}

std::string repeated(const std::string& text, std::size_t size)
{
    std::string out;
    while (out.size() < size) {
        out += text;
    }
    return out;
}

/// Pushes ids one by one and checks that every part that comes out is whole characters.
std::string streamed(const std::shared_ptr<const Tokenizer>& tokenizer, const std::vector<TokenId>& ids)
{
    StreamDecoder decoder(tokenizer, false);
    std::string out;
    for (const TokenId id : ids) {
        const std::string part = decoder.push(id);
        if (valid_utf8_prefix(part) != part.size()) {
            return "half a character came out";
        }
        out += part;
    }
    return out + decoder.finish();
}

/// The ids of the bytes of `text`, one each: how a model may write what no merge covers.
std::vector<TokenId> byte_by_byte(const Tokenizer& tokenizer, std::string_view text)
{
    std::vector<TokenId> ids;
    for (const char c : text) {
        for (TokenId id = 0; id < static_cast<TokenId>(tokenizer.size()); ++id) {
            if (tokenizer.bytes(id) == std::string_view(&c, 1) && !tokenizer.is_special(id)) {
                ids.push_back(id);
                break;
            }
        }
    }
    return ids;
}

Json nested_sequence(int depth)
{
    Json inner = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}};
    for (int i = 0; i < depth; ++i) {
        inner = {{"type", "Sequence"}, {"pretokenizers", Json::array({inner})}};
    }
    return inner;
}

} // namespace

/// What a tokenizer does at its edges: text that comes in pieces, text that is none, files that lie, and texts far too long.
class TokenizerLimitsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void streamsWholeCharactersOnly()
    {
        const auto tokenizer = tokenizer_from(golden());
        QVERIFY(tokenizer);
        const std::string text = "a\xF0\x9F\x98\x80z\xE6\xBC\xA2\xC3\xA9";
        const auto ids = byte_by_byte(*tokenizer, text);
        QCOMPARE(ids.size(), text.size());
        QCOMPARE(streamed(tokenizer, ids), text);
        StreamDecoder decoder(tokenizer);
        QCOMPARE(decoder.push(ids[0]), std::string("a"));
        for (std::size_t i = 1; i < 4; ++i) {
            QCOMPARE(decoder.push(ids[i]), std::string());
        }
        QCOMPARE(decoder.push(ids[4]), std::string("\xF0\x9F\x98\x80"));
    }

    /// Oracle: bytes.decode("utf-8", "replace") of Python.
    void streamsBrokenBytesAsPythonReplacesThem_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("text");
        const QByteArray bad = "\xEF\xBF\xBD";
        QTest::newRow("lonely continuation") << QByteArray("a\x80z") << "a" + bad + "z";
        QTest::newRow("cut short by a letter") << QByteArray("\xF0\x9F\x98z") << bad + "z";
        QTest::newRow("cut short by the end") << QByteArray("a\xF0\x9F\x98") << "a" + bad;
        QTest::newRow("overlong") << QByteArray("\xC0\xAF") << bad + bad;
        QTest::newRow("surrogate") << QByteArray("\xED\xA0\x80") << bad + bad + bad;
        QTest::newRow("beyond Unicode") << QByteArray("\xF4\x90\x80\x80") << bad + bad + bad + bad;
        QTest::newRow("two leads") << QByteArray("\xE6\xE6\xBC\xA2") << bad + QByteArray("\xE6\xBC\xA2");
    }

    void streamsBrokenBytesAsPythonReplacesThem()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, text);
        const auto tokenizer = tokenizer_from(golden());
        const auto ids = byte_by_byte(*tokenizer, bytes.toStdString());
        QCOMPARE(ids.size(), static_cast<std::size_t>(bytes.size()));
        QCOMPARE(streamed(tokenizer, ids), text.toStdString());
        QCOMPARE(tokenizer->decode(ids), text.toStdString());
    }

    void streamsAsItDecodes()
    {
        for (const char* family : {"gpt2", "llama2", "gemma", "metaspace"}) {
            const auto tokenizer = tokenizer_from(golden(family));
            for (const char* text : {"", " ", "  two spaces", "Hello, world", "\xF0\x9F\x98\x80 \xE6\xBC\xA2\xE5\xAD\x97 \t\n x", "<0x41>"}) {
                const auto ids = tokenizer->encode(text);
                QCOMPARE(streamed(tokenizer, ids), tokenizer->decode(ids));
            }
        }
    }

    void takesIdsOutOfRangeForNothing()
    {
        const auto tokenizer = tokenizer_from(golden());
        const auto end = static_cast<TokenId>(tokenizer->size());
        for (const TokenId id : {-1, end, std::numeric_limits<TokenId>::max(), std::numeric_limits<TokenId>::min()}) {
            QVERIFY(tokenizer->bytes(id).empty() && tokenizer->spelling(id).empty() && tokenizer->is_unused(id) && !tokenizer->is_special(id));
            QCOMPARE(tokenizer->decode(std::vector<TokenId>{id}), std::string());
            QCOMPARE(StreamDecoder(tokenizer).push(id), std::string());
        }
    }

    void takesBrokenUtf8AsReplacementCharacters()
    {
        for (const char* family : {"gpt2", "llama3", "llama2", "gemma"}) {
            const auto tokenizer = tokenizer_from(golden(family));
            for (const std::string text : {"\xFF", "a\xF0\x9F\x98", "\xC0\xAF", "ok \xED\xA0\x80 ok"}) {
                QVERIFY(tokenizer->encode(text) == tokenizer->encode(with_valid_utf8(text)));
            }
            std::mt19937 random(7);
            for (int round = 0; round < 200; ++round) {
                std::string noise(1 + random() % 40, ' ');
                for (char& c : noise) {
                    c = static_cast<char>(random());
                }
                const auto ids = tokenizer->encode(noise, Tokenizer::Special::AsTokens);
                const std::string text = tokenizer->decode(ids);
                QCOMPARE(valid_utf8_prefix(text), text.size());
            }
        }
    }

    void comparesTokenizersByWhatTheyCut()
    {
        const auto tokenizer = tokenizer_from(golden());
        const auto same = compare_tokenizers(*tokenizer, *tokenizer_from(golden()));
        QVERIFY2(same.same, same.reason.c_str());
        QVERIFY(same.reason.starts_with("Both cut text"));
        const auto foreign = compare_tokenizers(*tokenizer, *tokenizer_from(golden("llama2")));
        QVERIFY(!foreign.same && foreign.reason.find("byte-level BPE") != std::string::npos);
        const auto other = compare_tokenizers(*tokenizer, *tokenizer_from(golden("gpt2")));
        QVERIFY2(!other.same && other.reason.find("differ") != std::string::npos, other.reason.c_str());

        Json larger = golden();
        larger["added_tokens"].push_back({{"id", tokenizer->size()}, {"content", "<|more|>"}, {"special", true}});
        const auto more = compare_tokenizers(*tokenizer, *tokenizer_from(larger));
        QVERIFY2(!more.same && more.reason.find("<|more|>") != std::string::npos, more.reason.c_str());
        QVERIFY2(more.reason.find("student") != std::string::npos, more.reason.c_str());

        Json prepared = golden();
        prepared["normalizer"] = {{"type", "NFC"}};
        const auto close = compare_tokenizers(*tokenizer, *tokenizer_from(prepared));
        QVERIFY2(close.same && close.reason.find("differently") != std::string::npos, close.reason.c_str());
    }

    /// The same pre-tokenizer said in two ways, as a folder and a GGUF file of one model say it.
    void takesTwoWaysToSayTheSameForTheSame()
    {
        Json json = golden("gpt2");
        const auto one = tokenizer_from(json);
        json["pre_tokenizer"] = {
            {"type", "Sequence"},
            {"pretokenizers",
             Json::array({{{"type", "Split"},
                           {"pattern", {{"Regex", R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+|(?!))"}}},
                           {"behavior", "Isolated"}},
                          {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}})}};
        const auto other = tokenizer_from(json);
        QVERIFY(one && other && one->fingerprint() != other->fingerprint());
        const auto match = compare_tokenizers(*one, *other);
        QVERIFY2(match.same && match.reason.starts_with("Both cut text"), match.reason.c_str());
    }

    void losesNoBlankBetweenWhatWasReadAndWhatFollows()
    {
        for (const char* family : {"llama2", "metaspace", "unigram", "gemma"}) {
            const auto tokenizer = tokenizer_from(golden(family));
            QVERIFY(tokenizer);
            const auto ids = tokenizer->encode("the hat and the cat");
            for (std::size_t cut = 0; cut <= ids.size(); ++cut) {
                const std::vector<TokenId> before(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(cut));
                StreamDecoder decoder(tokenizer);
                decoder.read_before(before);
                std::string text = tokenizer->decode(before);
                for (std::size_t i = cut; i < ids.size(); ++i) {
                    text += decoder.push(ids[i]);
                }
                QCOMPARE(text + decoder.finish(), tokenizer->decode(ids));
            }
        }
    }

    void printsEveryChangeInItsFingerprint()
    {
        const std::string first = tokenizer_from(golden())->fingerprint();
        QCOMPARE(tokenizer_from(golden())->fingerprint(), first);
        QCOMPARE(first.size(), std::size_t{64});
        const std::function<void(Json&)> changes[] = {
            [](Json& json) { json["model"]["merges"].erase(json["model"]["merges"].size() - 1); },
            [](Json& json) { std::swap(json["model"]["merges"][0], json["model"]["merges"][1]); },
            [](Json& json) { json["added_tokens"][0]["special"] = !json["added_tokens"][0]["special"].get<bool>(); },
            [](Json& json) {
                json["added_tokens"].push_back({{"id", 5000}, {"content", "<|more|>"}, {"special", true}});
            },
            [](Json& json) {
                json["normalizer"] = {{"type", "NFC"}};
            },
            [](Json& json) { json["pre_tokenizer"] = nested_sequence(0); },
        };
        for (const auto& change : changes) {
            Json json = golden();
            change(json);
            const auto changed = tokenizer_from(json);
            QVERIFY(changed);
            QVERIFY(changed->fingerprint() != first);
        }
    }

    void cutsAMillionCharactersInBoundedTime_data()
    {
        QTest::addColumn<QString>("family");
        for (const char* family : {"gpt2", "qwen2", "deepseek", "llama2", "metaspace"}) {
            QTest::newRow(family) << family;
        }
    }

    void cutsAMillionCharactersInBoundedTime()
    {
        QFETCH(QString, family);
        const auto tokenizer = tokenizer_from(golden(family.toStdString()));
        constexpr std::size_t kMany = 1'000'000;
        const std::string spaces = repeated(" ", kMany);
        for (const std::string& text : {repeated("a", kMany), "x" + spaces + "x", repeated("\n", kMany), repeated("1", kMany), repeated("aB'", kMany),
                                        repeated("\xCC\x81", kMany), repeated("<|im_start", kMany)}) {
            const auto ids = tokenizer->encode(text, Tokenizer::Special::AsTokens);
            QVERIFY(tokenizer->decode(ids) == text); // a quadratic step anywhere would take minutes, and ctest's limit
        }
    }

    void givesUpOnAnExpressionThatNeverEnds()
    {
        for (const char* expression : {"(?:a|a)*b", "(a+)+[bc]", "(?:\\p{L}+\\s?)+[0-9]"}) {
            Json json = golden();
            json["pre_tokenizer"] = {
                {"type", "Sequence"},
                {"pretokenizers", Json::array({{{"type", "Split"}, {"pattern", {{"Regex", expression}}}, {"behavior", "Isolated"}},
                                               {{"type", "ByteLevel"}, {"use_regex", false}, {"add_prefix_space", false}}})}};
            const auto tokenizer = tokenizer_from(json);
            QVERIFY(tokenizer);
            const std::string text = repeated("a", 200);
            QCOMPARE(tokenizer->decode(tokenizer->encode(text)), text);
        }
    }

    void givesUpOnAnExpressionThatIsQuadratic()
    {
        // Each looks through the rest of the text from each of its places: minutes for so many of them.
        for (const char* expression : {"(?=[^b]*b)a", "a(?=[^b]*b)|\\p{L}", "[^b]*b|c"}) {
            Json json = golden();
            json["pre_tokenizer"] = {
                {"type", "Sequence"},
                {"pretokenizers", Json::array({{{"type", "Split"}, {"pattern", {{"Regex", expression}}}, {"behavior", "Isolated"}},
                                               {{"type", "ByteLevel"}, {"use_regex", false}, {"add_prefix_space", false}}})}};
            const auto tokenizer = tokenizer_from(json);
            QVERIFY(tokenizer);
            const std::string text = repeated("a", 300'000);
            QCOMPARE(tokenizer->decode(tokenizer->encode(text)), text);
        }
    }

    void refusesHostileFilesWithOneSentence_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("words");
        const auto row = [](const char* name, const char* words, const std::function<void(Json&)>& change) {
            Json json = golden();
            change(json);
            QTest::newRow(name) << QByteArray::fromStdString(json.dump()) << QByteArray(words);
        };
        const auto raw = [](const char* name, const char* words, const QByteArray& text) { QTest::newRow(name) << text << QByteArray(words); };
        row("negative id", "-5", [](Json& j) { j["model"]["vocab"]["zzz"] = -5; });
        row("huge id", "1099511627776", [](Json& j) { j["model"]["vocab"]["zzz"] = std::int64_t{1} << 40; });
        row("far id", "4000000", [](Json& j) { j["model"]["vocab"]["zzz"] = 4'000'000; });
        row("id beyond 64 bits", "zzz", [](Json& j) { j["model"]["vocab"]["zzz"] = 1e300; });
        row("id twice", "both have the id 300", [](Json& j) { j["model"]["vocab"]["zzz"] = 300; });
        row("id that is a string", "a string", [](Json& j) { j["model"]["vocab"]["zzz"] = "5"; });
        row("vocabulary is a list", "vocab", [](Json& j) { j["model"]["vocab"] = Json::array({1, 2}); });
        row("no vocabulary", "vocab", [](Json& j) { j["model"].erase("vocab"); });
        row("merge of an unknown piece", "lacks", [](Json& j) { j["model"]["merges"].push_back(Json::array({"qqqq", "zzzz"})); });
        row("merge of three", "merge", [](Json& j) { j["model"]["merges"].push_back("a b c"); });
        row("merge of a number", "merge", [](Json& j) { j["model"]["merges"][3] = 7; });
        row("merges is an object", "merges", [](Json& j) { j["model"]["merges"] = Json::object(); });
        row("added token without id", "id", [](Json& j) { j["added_tokens"].push_back({{"content", "x"}}); });
        row("added token out of range", "9999999999", [](Json& j) { j["added_tokens"].push_back({{"content", "x"}, {"id", 9999999999}}); });
        row("added token too long", "5000", [](Json& j) { j["added_tokens"].push_back({{"content", std::string(5000, 'x')}, {"id", 4000}}); });
        row("added token of another's id", "already", [](Json& j) { j["added_tokens"].push_back(j["added_tokens"][0]); });
        row("added tokens is a number", "a number", [](Json& j) { j["added_tokens"] = 3; });
        row("model is a string", "model", [](Json& j) { j["model"] = "BPE"; });
        row("another model", "WordPiece", [](Json& j) { j["model"]["type"] = "WordPiece"; });
        row("unknown normalizer", "Moses", [](Json& j) { j["normalizer"] = {{"type", "Moses"}}; });
        row("exploding normalizer", "times as long", [](Json& j) {
            const Json step = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aaaaaaaa"}};
            j["normalizer"] = {{"type", "Sequence"}, {"normalizers", Json::array({step, step, step})}};
        });
        row("broken expression", "cannot be read", [](Json& j) {
            j["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"Regex", "(a"}}}, {"behavior", "Isolated"}};
        });
        row("deep sequence", "deep", [](Json& j) { j["pre_tokenizer"] = nested_sequence(12); });
        row("very deep sequence", "nests deeper", [](Json& j) { j["pre_tokenizer"] = nested_sequence(500); });
        row("unknown special in the template", "nobody", [](Json& j) {
            j["post_processor"] = {{"type", "TemplateProcessing"}, {"single", Json::array({{{"SpecialToken", {{"id", "nobody"}, {"type_id", 0}}}}})}};
        });
        row("unknown decoder", "CTC", [](Json& j) { j["decoder"] = {{"type", "CTC"}}; });
        row("decoder of the whole text", "Fuse", [](Json& j) {
            j["decoder"] = {{"type", "Sequence"}, {"decoders", Json::array({{{"type", "Fuse"}}, {{"type", "ByteFallback"}}})}};
        });
        row("character map cut short", "character map", [](Json& j) {
            j["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", "/////w=="}};
        });
        row("scores that are none", "score", [](Json& j) {
            j["model"] = {{"type", "Unigram"}, {"unk_id", 0}, {"vocab", Json::array({Json::array({"a", "b"})})}};
        });
        raw("nothing", "not JSON", "");
        raw("a number", "model", "5");
        raw("brackets", "nests deeper", QByteArray(100'000, '['));
        raw("a key twice", "twice", R"({"model":{"type":"BPE"},"model":{}})");
        raw("broken UTF-8", "not JSON", "{\"model\":\"\xFF\"}");
        raw("cut short", "not JSON", QByteArray::fromStdString(source_of("smollm")).left(20'000));
    }

    void refusesHostileFilesWithOneSentence()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, words);
        const std::string message = refusal_of(text.toStdString());
        QVERIFY2(message.starts_with("tokenizer.json: "), message.c_str());
        QVERIFY2(message.find(words.toStdString()) != std::string::npos, message.c_str());
        QVERIFY2(message.size() < 400 && message.find('\n') == std::string::npos && message.ends_with('.'), message.c_str());
    }

    void survivesDamagedFiles()
    {
        std::mt19937 random(11);
        int opened = 0;
        for (const char* family : {"smollm", "llama2"}) {
            const std::string whole = source_of(family);
            for (int round = 0; round < 250; ++round) {
                std::string damaged = whole;
                if (round % 5 == 0) {
                    damaged.resize(random() % damaged.size());
                }
                for (int flips = 1 + round % 3; flips > 0 && !damaged.empty(); --flips) {
                    damaged[random() % damaged.size()] ^= static_cast<char>(1U << random() % 8);
                }
                const auto tokenizer = Tokenizer::from_json(damaged, "tokenizer.json");
                if (tokenizer) {
                    ++opened;
                    const auto ids = (*tokenizer)->encode("The <|im_start|> quick \xF0\x9F\x98\x80 \xFF 123", Tokenizer::Special::AsTokens);
                    const std::string text = (*tokenizer)->decode(ids);
                    QCOMPARE(valid_utf8_prefix(text), text.size());
                } else {
                    QVERIFY(!tokenizer.error().message.empty());
                }
            }
        }
        qInfo("%d of 500 damaged files could be opened all the same", opened);
    }
};

QTEST_APPLESS_MAIN(TokenizerLimitsTest)
#include "tokenizer_limits_test.moc"
