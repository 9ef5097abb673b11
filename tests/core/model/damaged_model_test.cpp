#include "core/model/gguf.h"
#include "core/model/model.h"
#include "core/model/safetensors.h"
#include "tests/support/model_files.h"

#include <QTest>
#include <cstring>
#include <fstream>
#include <random>

namespace {

using namespace retort;
using test::golden_model;
using test::ModelFolder;

constexpr std::uint64_t kSparse = 512; // step of truncations beyond the header

std::vector<std::byte> bytes_of(const std::filesystem::path& path)
{
    const std::string text = read_file(path, 1 << 24).value();
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

/// Everything that looks at a GGUF header; the outcome does not matter, only that there is one.
bool survives(std::span<const std::byte> bytes)
{
    const auto file = read_gguf(bytes, "model.gguf");
    if (!file) {
        return file.error().message.starts_with("model.gguf");
    }
    const auto tokenizer = tokenizer_fields(*file, "model.gguf");
    return tokenizer || tokenizer.error().message.starts_with("model.gguf");
}

/// Flips one bit of the file at `path` for as long as this lives.
class FlippedBit {
public:
    FlippedBit(const std::filesystem::path& path, std::uint64_t bit) : m_path(path), m_bit(bit) { flip(); }
    ~FlippedBit() { flip(); }

private:
    void flip() const
    {
        std::fstream file(m_path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(m_bit / 8));
        const int byte = file.get();
        file.seekp(static_cast<std::streamoff>(m_bit / 8));
        file.put(static_cast<char>(byte ^ (1 << (m_bit % 8))));
    }
    std::filesystem::path m_path;
    std::uint64_t m_bit;
};

/// Cuts the file shorter and shorter: every byte of the header, then by steps. Loading must always refuse and name the file.
void refuses_every_truncation(const std::filesystem::path& file, const std::filesystem::path& opened, std::uint64_t header, std::uint64_t content_end)
{
    for (std::uint64_t size = content_end - 1;; size -= size > header ? std::min(kSparse, size - header) : 1) {
        std::filesystem::resize_file(file, size);
        const auto model = inspect_model(opened);
        QVERIFY2(!model, qPrintable(QString("cut to %1 bytes it was taken").arg(size)));
        QVERIFY2(model.error().message.find(file.filename().string()) != std::string::npos, model.error().message.c_str());
        if (size == 0) {
            break;
        }
    }
}

} // namespace

class DamagedModelTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void refusesEveryTruncationOfSafetensors()
    {
        const ModelFolder folder("llama_rope3");
        const auto file = folder.path() / "model.safetensors";
        const auto header = read_safetensors_header(InputFile::open(file).value());
        QVERIFY(header);
        refuses_every_truncation(file, folder.path(), header->data_begin, std::filesystem::file_size(file));
    }

    void refusesEveryTruncationOfGguf()
    {
        const QTemporaryDir folder;
        const std::filesystem::path file = folder.filePath("model.gguf").toStdString();
        std::filesystem::copy_file(golden_model("llama_rope3") / "model.gguf", file);
        const auto header = read_gguf(InputFile::open(file).value());
        QVERIFY(header);
        const TensorEntry& last = header->tensors.back();
        refuses_every_truncation(file, file, header->data_begin, last.offset + last.bytes);
    }

    void survivesFlippedBitsInAGgufHeader()
    {
        std::vector<std::byte> bytes = bytes_of(golden_model("llama_rope3") / "model.gguf");
        const std::uint64_t header = read_gguf(bytes, "model.gguf")->data_begin;
        for (std::uint64_t bit = 0; bit < header * 8; ++bit) {
            bytes[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
            QVERIFY2(survives(bytes), qPrintable(QString("bit %1").arg(bit)));
            bytes[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
        }
    }

    void survivesForeignNumbersInAGgufHeader()
    {
        const std::vector<std::byte> sound = bytes_of(golden_model("llama") / "model.gguf");
        const std::uint64_t header = read_gguf(sound, "model.gguf")->data_begin;
        const std::uint64_t numbers[] = {0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x100000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, ~std::uint64_t{0}};
        for (std::uint64_t at = 0; at + 8 <= header; ++at) {
            for (const std::uint64_t number : numbers) {
                std::vector<std::byte> bytes(sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(header));
                std::memcpy(bytes.data() + at, &number, sizeof number);
                QVERIFY2(survives(bytes), qPrintable(QString("%1 at byte %2").arg(number).arg(at)));
            }
        }
    }

    void survivesFlippedBitsInASafetensorsHeader()
    {
        const std::string text = read_file(golden_model("llama_rope3") / "model.safetensors", 1 << 24).value();
        std::uint64_t length = 0;
        std::memcpy(&length, text.data(), sizeof length);
        std::string header = text.substr(8, length);
        for (std::uint64_t bit = 0; bit < header.size() * 8; ++bit) {
            header[bit / 8] = static_cast<char>(header[bit / 8] ^ (1 << (bit % 8)));
            const auto parsed = parse_safetensors_header(header, 8 + length, text.size() - 8 - length, "model.safetensors");
            QVERIFY(parsed || parsed.error().message.starts_with("model.safetensors: "));
            header[bit / 8] = static_cast<char>(header[bit / 8] ^ (1 << (bit % 8)));
        }
    }

    void refusesFilesCutDownToNothing_data()
    {
        QTest::addColumn<QString>("file");
        for (const char* file : {"config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"}) {
            QTest::newRow(file) << file;
        }
    }
    void refusesFilesCutDownToNothing()
    {
        QFETCH(const QString, file);
        const ModelFolder folder("llama_rope3");
        std::ofstream(folder.path() / file.toStdString(), std::ios::trunc).close();
        const auto model = load_model(folder.path());
        QVERIFY(!model);
        QVERIFY2(model.error().message.find(file.toStdString()) != std::string::npos, model.error().message.c_str());
    }

    void loadsOrRefusesWithOneBitWrong_data()
    {
        QTest::addColumn<QString>("file");
        for (const char* file : {"config.json", "model.safetensors", "model.gguf"}) {
            QTest::newRow(file) << file;
        }
    }
    void loadsOrRefusesWithOneBitWrong()
    {
        QFETCH(const QString, file);
        const ModelFolder folder("llama_rope3");
        std::filesystem::copy_file(golden_model("llama_rope3") / "model.gguf", folder.path() / "model.gguf");
        const auto path = folder.path() / file.toStdString();
        const std::uint64_t header_bits = std::min<std::uint64_t>(std::filesystem::file_size(path), 2600) * 8;
        std::mt19937_64 random(20261122);
        for (int trial = 0; trial < 700; ++trial) {
            const FlippedBit flipped(path, random() % header_bits);
            const auto model = load_model(path);
            QVERIFY(model || !model.error().message.empty());
            QVERIFY(model || model.error().kind != Error::Kind::Bug);
        }
    }
};

QTEST_APPLESS_MAIN(DamagedModelTest)
#include "damaged_model_test.moc"
