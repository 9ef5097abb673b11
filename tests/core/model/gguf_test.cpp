#include "core/model/gguf.h"

#include "tests/support/gguf_writer.h"

#include <QTest>
#include <limits>

namespace {

using namespace retort;
using test::GgufWriter;

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

QString complaint_of(const GgufWriter& writer)
{
    const auto file = read_gguf(writer.bytes(), "model.gguf");
    return file ? QString() : QString::fromStdString(file.error().message);
}

template <class T>
std::vector<std::byte> bytes_of(std::initializer_list<T> values)
{
    const auto bytes = std::as_bytes(std::span(values.begin(), values.size()));
    return {bytes.begin(), bytes.end()};
}

using Tensors = std::vector<GgufWriter::Tensor>;

GgufWriter with_tensors(const Tensors& tensors)
{
    GgufWriter writer;
    for (const auto& tensor : tensors) {
        writer.tensor(tensor);
    }
    return writer;
}

GgufWriter with_tokens()
{
    GgufWriter writer;
    writer.text("tokenizer.ggml.model", "gpt2");
    writer.texts("tokenizer.ggml.tokens", {"a", "b", "c"});
    return writer;
}

} // namespace

Q_DECLARE_METATYPE(GgufWriter)

class GgufTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsKeysAndPlacesOfBothVersions()
    {
        for (const std::uint32_t version : {2u, 3u}) {
            GgufWriter writer = with_tensors({{"a", {3, 2}, 0, 24}, {"b", {32, 2}, 8, 68}});
            writer.version = version;
            writer.text("general.name", "name");
            writer.u32("llama.block_count", 4);
            writer.f32("llama.eps", 1e-6f);
            writer.texts("words", {"x", "", "yz"});
            writer.list("heads", 4, 3, bytes_of<std::uint32_t>({8, 8, 8}));
            const auto file = read_gguf(writer.bytes(), "model.gguf");
            QVERIFY2(file, file ? "" : file.error().message.c_str());
            GgufFields fields(*file, "model.gguf", "llama.");
            QCOMPARE(fields.text("general.name").value(), std::string("name"));
            QCOMPARE(fields.required_whole(".block_count"), 4);
            QCOMPARE(fields.required_real(".eps"), 1e-6); // the decimal meant, not the float32 nearest to it
            QCOMPARE(fields.whole("heads").value(), 8);
            QCOMPARE(*fields.list<std::string>("words"), (std::vector<std::string>{"x", "", "yz"}));
            QVERIFY(fields.result());
            QCOMPARE(file->tensors[0].shape, (std::vector<std::int64_t>{2, 3}));
            QCOMPARE(file->tensors[1].offset, file->data_begin + 32);
            QCOMPARE(file->tensors[1].bytes, 68);
            QVERIFY(file->tensors[1].dtype == DType::Q8_0);
        }
    }

    void refusesImpossibleTensors_data()
    {
        QTest::addColumn<GgufWriter>("writer");
        QTest::addColumn<QString>("named");
        const auto row = [](const char* name, const Tensors& tensors, const char* named) { QTest::newRow(name) << with_tensors(tensors) << named; };
        constexpr std::uint64_t k32 = std::uint64_t{1} << 32;
        row("2^32 x 2^32", {{"t", {k32, k32}, 0, 0}}, "impossible");
        row("2^31 x 2^31 x 4", {{"t", {k32 / 2, k32 / 2, 4}, 0, 0}}, "impossible");
        row("2^62 x 4", {{"t", {std::uint64_t{1} << 62, 4}, 0, 0}}, "impossible");
        row("2^62 floats", {{"t", {std::uint64_t{1} << 62}, 0, 0}}, "impossible");
        row("2^42 + 1", {{"t", {(std::uint64_t{1} << 42) + 1, std::uint64_t{1} << 22}, 0, 0}}, "impossible");
        row("negative", {{"t", {kMax}, 0, 0}}, "impossible");
        row("zero", {{"t", {32, 0}, 8, 0}}, "impossible");
        row("part of a block", {{"t", {33}, 2, 36}}, "impossible");
        row("larger than the file", {{"t", {1000}, 0, 0}}, "the file has");
        row("no dimension", {{"t", {}, 0, 4}}, "0 dimensions");
        row("five dimensions", {{"t", {1, 1, 1, 1, 1}, 0, 4}}, "5 dimensions");
        row("unknown type", {{"t", {32}, 99, 0}}, "unknown type 99");
        row("removed type", {{"t", {32}, 4, 0}}, "unknown type 4");
        row("negative type", {{"t", {32}, -1, 0}}, "unknown type -1");
        row("twice", {{"t", {8}, 0, 32}, {"t", {8}, 0, 32}}, "comes twice");
        row("empty name", {{"", {8}, 0, 32}}, "empty");
        row("long name", {{std::string(64, 'n'), {8}, 0, 32}}, "64 bytes");
        row("overlap", {{"a", {8}, 0, 32}, {"b", {8}, 0, 32, 0}}, "byte 32 was expected");
        row("hole", {{"a", {8}, 0, 32}, {"b", {8}, 0, 32, 96}}, "byte 32 was expected");
        row("offset wraps", {{"a", {8}, 0, 32}, {"b", {8}, 0, 32, kMax - 15}}, "byte 32 was expected");
    }
    void refusesImpossibleTensors()
    {
        QFETCH(const GgufWriter, writer);
        QFETCH(const QString, named);
        const QString complaint = complaint_of(writer);
        QVERIFY2(complaint.startsWith("model.gguf") && complaint.contains(named), qPrintable(complaint));
    }

    void refusesCountsThatTheFileCannotHold()
    {
        for (const std::uint64_t count : {std::uint64_t{2}, std::uint64_t{100'000}, std::uint64_t{1} << 60, kMax - 1}) {
            GgufWriter tensors;
            tensors.claimed_tensors = count;
            QVERIFY(!complaint_of(tensors).isEmpty());
            GgufWriter keys;
            keys.claimed_keys = count;
            QVERIFY(!complaint_of(keys).isEmpty());
        }
        for (const std::uint64_t count : {std::uint64_t{100}, std::uint64_t{1} << 30, std::uint64_t{1} << 62, kMax}) {
            for (const std::int32_t type : {0, 4, 6, 8, 10}) {
                GgufWriter writer;
                writer.list("list", type, count, bytes_of<std::uint8_t>({1, 2, 3}));
                QVERIFY(complaint_of(writer).contains("are possible"));
            }
        }
    }

    void refusesTextsThatTheFileCannotHold()
    {
        for (const std::uint64_t length : {std::uint64_t{100}, std::uint64_t{1} << 40, kMax}) {
            GgufWriter writer;
            writer.raw("key", 8, bytes_of({length}));
            QVERIFY(complaint_of(writer).contains("are possible"));
        }
    }

    void refusesStrangeValues_data()
    {
        QTest::addColumn<GgufWriter>("writer");
        QTest::addColumn<QString>("named");
        const auto raw = [](const char* name, std::int32_t type, const std::vector<std::byte>& bytes, const char* named) {
            GgufWriter writer;
            writer.raw("key", type, bytes);
            QTest::newRow(name) << writer << named;
        };
        raw("unknown value type", 13, bytes_of<std::uint32_t>({0}), "unknown value type 13");
        raw("negative value type", -7, bytes_of<std::uint32_t>({0}), "unknown value type -7");
        raw("list of lists", 9, bytes_of<std::uint32_t>({9, 1, 0, 9, 0, 0}), "a list holds lists");
        raw("list of the unknown", 9, bytes_of<std::uint32_t>({77, 1, 0, 0}), "unknown element type 77");
        raw("neither true nor false", 7, bytes_of<std::uint8_t>({2}), "truth value");
        GgufWriter twice;
        twice.u32("key", 1);
        twice.u32("key", 2);
        QTest::newRow("key twice") << twice << "comes twice";
        GgufWriter empty;
        empty.u32("", 1);
        QTest::newRow("empty key") << empty << "empty";
        for (const std::uint32_t alignment : {0u, 3u, 48u, 0x80000000u, 0xFFFFFFFFu}) {
            GgufWriter writer;
            writer.u32("general.alignment", alignment);
            QTest::newRow(qPrintable(QString("alignment %1").arg(alignment))) << writer << "power of two";
        }
        GgufWriter text;
        text.text("general.alignment", "32");
        QTest::newRow("alignment in words") << text << "power of two";
    }
    void refusesStrangeValues()
    {
        QFETCH(const GgufWriter, writer);
        QFETCH(const QString, named);
        const QString complaint = complaint_of(writer);
        QVERIFY2(complaint.contains(named), qPrintable(complaint));
    }

    void refusesOtherVersionsAndByteOrders()
    {
        for (const auto& [version, named] :
             {std::pair(1u, "version 1"), std::pair(4u, "version 4"), std::pair(0u, "version 0"), std::pair(0x03000000u, "big-endian")}) {
            GgufWriter writer;
            writer.version = version;
            QVERIFY2(complaint_of(writer).contains(named), qPrintable(complaint_of(writer)));
        }
        const std::string text = "PK\x03\x04 and more";
        QVERIFY(!read_gguf(std::as_bytes(std::span(text)), "model.gguf"));
    }

    void readsTheTokenizersFields()
    {
        GgufWriter writer = with_tokens();
        writer.texts("tokenizer.ggml.merges", {"a b"});
        writer.list("tokenizer.ggml.token_type", 5, 3, bytes_of<std::int32_t>({1, 3, 6}));
        writer.list("tokenizer.ggml.scores", 6, 3, bytes_of<float>({0.5f, -1.0f, 2.0f}));
        writer.u32("tokenizer.ggml.bos_token_id", 1);
        writer.u32("tokenizer.ggml.padding_token_id", 0xFFFFFFFF);
        const auto file = read_gguf(writer.bytes(), "model.gguf");
        QVERIFY(file);
        const auto tokenizer = tokenizer_fields(*file, "model.gguf");
        QVERIFY(tokenizer && tokenizer->has_value());
        QCOMPARE((*tokenizer)->types, (std::vector<std::int32_t>{1, 3, 6}));
        QCOMPARE((*tokenizer)->scores, (std::vector<float>{0.5f, -1.0f, 2.0f}));
        QCOMPARE((*tokenizer)->bos.value(), 1);
        QVERIFY(!(*tokenizer)->padding && !(*tokenizer)->eos && !(*tokenizer)->add_bos);
    }

    void refusesTokenizersThatContradictThemselves_data()
    {
        QTest::addColumn<GgufWriter>("writer");
        QTest::addColumn<QString>("named");
        const auto row = [](const char* name, const char* named, auto change) {
            GgufWriter writer = with_tokens();
            change(writer);
            QTest::newRow(name) << writer << named;
        };
        row("id outside", "eos_token_id is 3", [](GgufWriter& w) { w.u32("tokenizer.ggml.eos_token_id", 3); });
        row("few types", "token_type has 1", [](GgufWriter& w) { w.list("tokenizer.ggml.token_type", 5, 1, bytes_of<std::int32_t>({1})); });
        row("types in floats", "not a list of the kind", [](GgufWriter& w) {
            w.list("tokenizer.ggml.token_type", 6, 3, bytes_of<float>({1, 1, 1}));
        });
        row("scores in bytes", "not a list of the kind", [](GgufWriter& w) {
            w.list("tokenizer.ggml.scores", 0, 3, bytes_of<std::uint8_t>({1, 1, 1}));
        });
        row("merges in numbers", "not a list of the kind",
            [](GgufWriter& w) { w.list("tokenizer.ggml.merges", 4, 1, bytes_of<std::uint32_t>({1})); });
        row("pre is a number", "not a text", [](GgufWriter& w) { w.u32("tokenizer.ggml.pre", 1); });
    }
    void refusesTokenizersThatContradictThemselves()
    {
        QFETCH(const GgufWriter, writer);
        QFETCH(const QString, named);
        const auto file = read_gguf(writer.bytes(), "model.gguf");
        QVERIFY(file);
        const auto tokenizer = tokenizer_fields(*file, "model.gguf");
        QVERIFY(!tokenizer);
        QVERIFY2(tokenizer.error().message.find(named.toStdString()) != std::string::npos, tokenizer.error().message.c_str());
    }
};

QTEST_APPLESS_MAIN(GgufTest)
#include "gguf_test.moc"
