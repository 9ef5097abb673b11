#include "core/model/safetensors.h"

#include "core/base/sha256.h"
#include "core/model/shard_index.h"
#include "tests/support/golden.h"

#include <QTemporaryDir>
#include <QTest>
#include <limits>

namespace {

using namespace retort;

std::filesystem::path golden_file(const char* name)
{
    return std::filesystem::path(RETORT_SOURCE_DIR "/tests/golden/model") / name;
}

QString complaint_of(const char* header, std::uint64_t data_bytes)
{
    const auto parsed = parse_safetensors_header(header, 8, data_bytes, "model.safetensors");
    return parsed ? QString() : QString::fromStdString(parsed.error().message);
}

} // namespace

class SafetensorsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsWhatPythonWrote()
    {
        const auto golden = test::golden("model/types.json");
        const auto content = read_safetensors(golden_file("types.safetensors"));
        QVERIFY2(content, content ? "" : content.error().message.c_str());
        QCOMPARE(content->metadata.at("format"), std::string("pt"));
        QCOMPARE(content->tensors.size(), golden["tensors"].size());
        for (const auto& [name, expected] : golden["tensors"].items()) {
            const Weight& weight = content->tensors.at(name);
            QCOMPARE(weight.shape, expected["shape"].get<std::vector<std::int64_t>>());
            QCOMPARE(decoded(weight), expected["values"].get<std::vector<float>>());
        }
    }

    void writesTheReferencesBytes()
    {
        const auto content = read_safetensors(golden_file("float_and_brain.safetensors"));
        QVERIFY(content);
        const QTemporaryDir folder;
        const std::filesystem::path path = std::filesystem::path(folder.path().toStdString()) / "again.safetensors";
        const auto written = write_safetensors(path, content->tensors, content->metadata);
        QVERIFY2(written, written ? "" : written.error().message.c_str());
        QCOMPARE(read_file(path, 1 << 20).value(), read_file(golden_file("float_and_brain.safetensors"), 1 << 20).value());
        QVERIFY(!std::filesystem::exists(path.string() + ".part"));
    }

    void refusesToWriteBlocks()
    {
        auto memory = allocate_weight(18);
        WeightSet tensors;
        tensors["w"] = Weight{.dtype = DType::Q4_0, .shape = {32}, .owner = memory, .bytes = {memory.get(), 18}};
        const QTemporaryDir folder;
        const auto written = write_safetensors(folder.filePath("x").toStdString(), tensors);
        QVERIFY(!written);
        QCOMPARE(written.error().kind, Error::Kind::Usage);
    }

    void refusesABrokenHeader_data()
    {
        QTest::addColumn<QByteArray>("header");
        QTest::addColumn<qulonglong>("data");
        QTest::addColumn<QString>("named");
        const auto row = [](const char* name, const char* header, qulonglong data, const char* named) {
            QTest::newRow(name) << QByteArray(header) << data << named;
        };
        row("no object", "[]", 0, "begin with '{'");
        row("no JSON", "{\"a\":", 0, "not valid JSON");
        row("rest", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 5, "the file has");
        row("past the end", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4, "ends at byte 8");
        row("hole", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8, "begins at byte 4");
        row("overlap", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4,
            "begins at byte 0");
        row("twice", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8,
            "comes twice");
        row("wrong size", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "needs 8 bytes");
        row("overflow", R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0, "more than any file");
        row("bits overflow", R"({"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,0]}})", 0, "more than any file");
        row("wraps to zero", R"({"a":{"dtype":"F32","shape":[2147483648,2147483648,4],"data_offsets":[0,0]}})", 0, "more than any file");
        row("negative", R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "whole numbers");
        row("fraction", R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4, "whole numbers");
        row("rank", R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})", 4, "at most 8");
        row("backwards", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "data_offsets");
        row("three offsets", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", 4, "data_offsets");
        row("dtype", R"({"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}})", 4, "F99");
        row("no dtype", R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4, "no dtype");
        row("half a byte", R"({"a":{"dtype":"F4","shape":[1],"data_offsets":[0,0]}})", 0, "bytes");
        row("control characters", R"({"a\u0001":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4, "control characters");
        row("metadata", R"({"__metadata__":{"a":1}})", 0, "not a text");
        row("deep", R"({"a":{"dtype":"F32","shape":[[[[1]]]],"data_offsets":[0,4]}})", 4, "nested");
        row("not UTF-8", "{\"\xff\":{}}", 0, "not valid JSON");
    }
    void refusesABrokenHeader()
    {
        QFETCH(const QByteArray, header);
        QFETCH(const qulonglong, data);
        QFETCH(const QString, named);
        const QString complaint = complaint_of(header.constData(), data);
        QVERIFY2(complaint.startsWith("model.safetensors: ") && complaint.contains(named), qPrintable(complaint));
    }

    void readsOtherTypesOnlyByName()
    {
        const auto parsed = parse_safetensors_header(R"({"mask":{"dtype":"BOOL","shape":[4],"data_offsets":[0,4]}})", 8, 4, "x");
        QVERIFY(parsed);
        QCOMPARE(parsed->tensors.front().type_name, std::string("BOOL"));
        QVERIFY(!parsed->tensors.front().dtype);
    }

    void refusesAHeaderLongerThanTheFile()
    {
        const QTemporaryDir folder;
        const std::string path = folder.filePath("long.safetensors").toStdString();
        for (const std::uint64_t length : {std::uint64_t{9}, std::uint64_t{1} << 40, std::numeric_limits<std::uint64_t>::max()}) {
            std::string text(reinterpret_cast<const char*>(&length), sizeof length);
            QVERIFY(write_file_atomically(path, text + "{}"));
            const auto content = read_safetensors(path);
            QVERIFY(!content);
            QVERIFY2(content.error().message.find("announces a header") != std::string::npos, content.error().message.c_str());
        }
    }

    void refusesAnIndexThatReachesOutside_data()
    {
        QTest::addColumn<QString>("file");
        for (const char* file : {"../model.safetensors", "/etc/passwd", "a/b", "a\\\\b", "..", ".", "", "a\\u0000b"}) {
            QTest::newRow(*file == '\0' ? "empty" : file) << file;
        }
    }
    void refusesAnIndexThatReachesOutside()
    {
        QFETCH(const QString, file);
        const auto index = parse_shard_index((R"({"weight_map":{"w":")" + file + R"("}})").toStdString(), "model.safetensors.index.json");
        QVERIFY(!index);
        QVERIFY2(index.error().message.find("plain name") != std::string::npos, index.error().message.c_str());
    }

    void stopsWhenAsked()
    {
        std::stop_source source;
        source.request_stop();
        const auto content = read_safetensors(golden_file("types.safetensors"), {.report = {}, .stop = source.get_token()});
        QVERIFY(!content);
        QCOMPARE(content.error().kind, Error::Kind::Cancelled);
    }
};

QTEST_APPLESS_MAIN(SafetensorsTest)
#include "safetensors_test.moc"
