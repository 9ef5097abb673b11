#include "core/base/files.h"
#include "core/text/gguf_tokenizer_json.h"
#include "core/text/sentencepiece_file.h"

#include <QTest>
#include <array>
#include <bit>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

using namespace retort;
using Json = nlohmann::json;

namespace {

Json golden(const std::string& family, const std::string& file)
{
    return Json::parse(read_text_file(RETORT_SOURCE_DIR "/tests/golden/text/" + family + "/" + file, 1U << 26).value_or(""));
}

// Protobuf's wire format, as its documentation has it.

std::string varint(std::uint64_t value)
{
    std::string out;
    for (; value >= 0x80; value >>= 7) {
        out += static_cast<char>(value | 0x80U);
    }
    return out + static_cast<char>(value);
}

std::string number(int field, std::uint64_t value)
{
    return varint(static_cast<std::uint64_t>(field) << 3) + varint(value);
}

std::string real(int field, float value)
{
    const auto bits = std::bit_cast<std::array<char, 4>>(value);
    return varint(static_cast<std::uint64_t>(field) << 3 | 5) + std::string(bits.data(), bits.size());
}

std::string bytes(int field, const std::string& value)
{
    return varint(static_cast<std::uint64_t>(field) << 3 | 2) + varint(value.size()) + value;
}

constexpr int kUnigram = 1;
constexpr int kBpe = 2;
enum Kind { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kByte = 6 };

std::string piece(const std::string& spelling, float score, int kind)
{
    return bytes(1, bytes(1, spelling) + real(2, score) + (kind == kNormal ? std::string() : number(3, static_cast<std::uint64_t>(kind))));
}

std::string trainer(int model, std::uint64_t unknown, std::uint64_t bos, std::uint64_t eos)
{
    return bytes(2, number(3, static_cast<std::uint64_t>(model)) + number(40, unknown) + number(41, bos) + number(42, eos));
}

std::string normalizer(bool adds_blank, bool removes_blanks)
{
    return bytes(3, bytes(1, "identity") + number(3, adds_blank ? 1 : 0) + number(4, removes_blanks ? 1 : 0));
}

/// The golden vocabulary of Llama 2's kind: a piece's score is the rank of the first merge that makes it.
std::string llama_model()
{
    const Json json = golden("llama2", "tokenizer.json");
    std::map<std::string, float> scores;
    float rank = 0.0F;
    for (const Json& merge : json["model"]["merges"]) {
        const std::string both = merge.is_string() ? merge.get<std::string>() : merge[0].get<std::string>() + " " + merge[1].get<std::string>();
        const std::size_t space = both.find(' ');
        scores.emplace(both.substr(0, space) + both.substr(space + 1), rank -= 1.0F);
    }
    std::map<std::int64_t, std::string> spellings;
    for (const auto& [spelling, id] : json["model"]["vocab"].items()) {
        spellings[id.get<std::int64_t>()] = spelling;
    }
    for (const Json& added : json["added_tokens"]) {
        spellings.emplace(added["id"].get<std::int64_t>(), added["content"].get<std::string>());
    }
    std::map<std::int64_t, bool> special;
    for (const Json& added : json["added_tokens"]) {
        special[added["id"].get<std::int64_t>()] = added["special"].get<bool>();
    }
    std::string file;
    for (const auto& [id, spelling] : spellings) {
        const bool is_byte = spelling.size() == 6 && spelling.starts_with("<0x");
        const int kind = spelling == "<unk>" ? kUnknown : special.contains(id) ? special[id] ? kControl : kUserDefined : is_byte ? kByte : kNormal;
        file += piece(spelling, scores.contains(spelling) ? scores[spelling] : kind == kNormal ? -1e6F : 0.0F, kind);
    }
    return file + trainer(kBpe, 0, 1, 2) + normalizer(true, false);
}

std::string unigram_model()
{
    return piece("<unk>", 0, kUnknown) + piece("<s>", 0, kControl) + piece("</s>", 0, kControl) + piece("\xE2\x96\x81", -2, kNormal) +
           piece("a", -3, kNormal) + piece("b", -3, kNormal) +
           piece("\xE2\x96\x81"
                 "ab",
                 -4, kNormal) +
           piece("<sep>", 0, kUserDefined) + trainer(kUnigram, 0, 1, 2) + normalizer(true, true);
}

std::shared_ptr<const Tokenizer> opened(const std::string& file)
{
    const auto fields = read_sentencepiece(file, "tokenizer.model");
    const auto tokenizer = fields ? Tokenizer::from_gguf(*fields, "tokenizer.model") : failure(fields.error());
    if (!tokenizer) {
        qWarning("%s", tokenizer.error().message.c_str());
    }
    return tokenizer ? *tokenizer : nullptr;
}

std::string refusal_of(const std::string& file)
{
    const auto fields = read_sentencepiece(file, "tokenizer.model");
    return fields ? std::string() : fields.error().message;
}

} // namespace

/// tokenizer.model files, written here by hand in protobuf's wire format.
class SentencePieceFileTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    /// Oracle: the same vocabulary as tokenizer.json, cut by the tokenizers library.
    void cutsTextAsTheSameVocabularyInJson()
    {
        const auto tokenizer = opened(llama_model());
        QVERIFY(tokenizer);
        QCOMPARE(tokenizer->kind(), std::string("SentencePiece BPE"));
        QCOMPARE(tokenizer->with_additions({7}), (std::vector<TokenId>{1, 7}));
        QCOMPARE(tokenizer->stop_tokens(), std::vector<TokenId>{2});
        const auto same = Tokenizer::from_json(golden("llama2", "tokenizer.json").dump(), "tokenizer.json").value();
        int compared = 0;
        const Json cases = golden("llama2", "cases.json")["cases"];
        for (const Json& row : cases) {
            const auto text = row["text"].get<std::string>();
            const auto ids = tokenizer->encode(text, Tokenizer::Special::AsTokens);
            if (same->encode(text) ==
                same->encode(text, Tokenizer::Special::AsTokens)) { // pieces added to the JSON have flags that no file of this kind has
                QVERIFY2(ids == row["ids"].get<std::vector<TokenId>>(), text.c_str());
                QCOMPARE(tokenizer->decode(ids), row["decoded"].get<std::string>());
                ++compared;
            }
        }
        QVERIFY(compared > 20);
        const auto match = compare_tokenizers(*tokenizer, *same);
        QVERIFY2(match.same, match.reason.c_str());
    }

    /// By hand: of the ways to put "ab" together, the likeliest.
    void takesTheLikeliestPiecesOfAUnigramModel()
    {
        const auto tokenizer = opened(unigram_model());
        QVERIFY(tokenizer);
        QCOMPARE(tokenizer->kind(), std::string("SentencePiece Unigram"));
        QCOMPARE(tokenizer->encode("ab"), std::vector<TokenId>{6});
        QCOMPARE(tokenizer->encode("  ab   ba "), (std::vector<TokenId>{6, 3, 5, 4}));
        QCOMPARE(tokenizer->encode("axyb"), (std::vector<TokenId>{3, 4, 0, 5}));
        QCOMPARE(tokenizer->encode("a<sep>b"), (std::vector<TokenId>{3, 4, 7, 3, 5}));
        QCOMPARE(tokenizer->decode(std::vector<TokenId>{6, 3, 5, 4}), std::string("ab ba"));
    }

    void becomesATokenizerJsonThatCutsAlike()
    {
        for (const std::string& file : {llama_model(), unigram_model()}) {
            const auto ours = opened(file);
            const auto json = tokenizer_json_of(read_sentencepiece(file, "tokenizer.model").value());
            QVERIFY2(json.has_value(), json ? "" : json.error().message.c_str());
            const auto read = Tokenizer::from_json(*json, "tokenizer.json");
            QVERIFY2(read.has_value(), read ? "" : read.error().message.c_str());
            const auto match = compare_tokenizers(*ours, **read);
            QVERIFY2(match.same && match.reason.starts_with("Both cut text"), match.reason.c_str());
            std::mt19937 random(5);
            for (int round = 0; round < 300; ++round) {
                std::string text;
                for (std::size_t i = random() % 12; i > 0; --i) {
                    constexpr const char* kParts[] = {"a", "b", " ", "  ", "\xC3\xA9", "the", "\xE2\x96\x81", "\xF0\x9F\x98\x80", "\n", "aab", "12"};
                    text += kParts[random() % std::size(kParts)];
                }
                const auto ids = ours->encode(text);
                QVERIFY2((*read)->encode(text) == ids, text.c_str());
                QCOMPARE((*read)->decode(ids), ours->decode(ids));
                QCOMPARE((*read)->with_additions(ids), ours->with_additions(ids));
            }
        }
    }

    void refusesByNameWhatItDoesNotDo()
    {
        const std::string pieces = piece("<unk>", 0, kUnknown) + piece("a", -1, kNormal);
        QVERIFY(refusal_of(pieces + trainer(3, 0, 1, 2)).find("WORD") != std::string::npos);
        QVERIFY(refusal_of(pieces + trainer(4, 0, 1, 2)).find("CHAR") != std::string::npos);
        QVERIFY(refusal_of(pieces + bytes(2, number(24, 1))).find("treat_whitespace_as_suffix") != std::string::npos);
        QVERIFY(refusal_of(pieces + bytes(3, number(5, 0))).find("escape_whitespaces") != std::string::npos);
        QVERIFY(refusal_of(piece("a", -1, kNormal)).find("unknown") != std::string::npos);
        QVERIFY(refusal_of("").find("SentencePiece") != std::string::npos);
        QVERIFY(refusal_of(piece("a", -1, 9)).find("piece 0") != std::string::npos);
    }

    void survivesDamagedFiles()
    {
        const std::string whole = unigram_model() + bytes(3, bytes(2, std::string(64, '\x7F')));
        std::mt19937 random(3);
        for (int round = 0; round < 3000; ++round) {
            std::string damaged = whole;
            if (round % 4 == 0) {
                damaged.resize(random() % damaged.size());
            }
            for (int flips = 1 + round % 4; flips > 0 && !damaged.empty(); --flips) {
                damaged[random() % damaged.size()] = static_cast<char>(random());
            }
            const auto fields = read_sentencepiece(damaged, "tokenizer.model");
            const auto tokenizer = fields ? Tokenizer::from_gguf(*fields, "tokenizer.model") : failure(fields.error());
            if (tokenizer) {
                const auto ids = (*tokenizer)->encode("ab \xC3\xA9 <sep> x");
                QVERIFY(ids.size() < 100 && (*tokenizer)->decode(ids).size() < 10'000);
            } else {
                QVERIFY(!tokenizer.error().message.empty());
            }
        }
    }
};

QTEST_APPLESS_MAIN(SentencePieceFileTest)
#include "sentencepiece_file_test.moc"
