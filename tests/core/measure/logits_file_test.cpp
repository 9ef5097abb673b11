#include "core/measure/logits_file.h"

#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <cstring>
#include <fstream>

using namespace retort;

namespace {

std::vector<float> log_softmax(const std::vector<double>& logits)
{
    double sum = 0.0;
    for (const double x : logits) {
        sum += std::exp(x);
    }
    std::vector<float> result;
    for (const double x : logits) {
        result.push_back(static_cast<float>(x - std::log(sum)));
    }
    return result;
}

ScoringText four_tokens()
{
    ScoringText text;
    text.context = 4;
    text.ids = {0, 1, 2, 3};
    return text;
}

std::string content_of(const std::filesystem::path& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

class LogitsFileTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init()
    {
        m_path = std::filesystem::path(m_folder.path().toStdString()) / "base.logits";
        std::filesystem::remove(m_path);
    }

    /// Logits 1, 2, 3, 4, -20 as llama-perplexity wrote them.
    void rowsAreThePeers()
    {
        const auto row = log_softmax({1, 2, 3, 4, -20});
        auto writer = LogitsFileWriter::create(m_path, four_tokens(), 5);
        QVERIFY(writer.has_value());
        QVERIFY(writer->add(row, 1).has_value());
        QVERIFY(writer->commit().has_value());

        const std::string bytes = content_of(m_path);
        QCOMPARE(bytes.size(), std::size_t{8 + 12 + 16 + 20});
        QCOMPARE(bytes.substr(0, 8), std::string("_logits_"));
        float scale = 0, lowest = 0;
        std::uint16_t values[5];
        std::memcpy(&scale, bytes.data() + 36, 4);
        std::memcpy(&lowest, bytes.data() + 40, 4);
        std::memcpy(values, bytes.data() + 44, 10);
        QVERIFY(std::abs(scale - 0.00024414435F) < 1e-9F);
        QVERIFY(std::abs(lowest + 16.4401894F) < 1e-5F);
        const std::uint16_t expected[5] = {53247, 57343, 61439, 65535, 0};
        for (std::size_t i = 0; i < 5; ++i) {
            QVERIFY(std::abs(static_cast<int>(values[i]) - static_cast<int>(expected[i])) <= 1); // a step of rounding
        }

        auto file = LogitsFile::open(m_path);
        QVERIFY(file.has_value());
        QCOMPARE(file->vocabulary(), std::int64_t{5});
        QCOMPARE(file->context(), std::int64_t{4});
        const auto text = file->text(std::nullopt);
        QVERIFY(text.has_value());
        QCOMPARE(text->ids, four_tokens().ids);
        std::vector<float> read;
        QVERIFY(file->read(*text, 0, {}).has_value());
        QVERIFY(file->log_probs(0, 1, 5, read).has_value());
        for (std::size_t i = 0; i < 4; ++i) {
            QVERIFY(std::abs(read[i] - row[i]) < 1.3e-4F); // half a step
        }
    }

    void allPiecesAlikeIsARowToo()
    {
        auto writer = LogitsFileWriter::create(m_path, four_tokens(), 4);
        QVERIFY(writer->add(log_softmax({7, 7, 7, 7}), 1).has_value());
        QVERIFY(writer->commit().has_value());
        auto file = LogitsFile::open(m_path);
        std::vector<float> read;
        QVERIFY(file->log_probs(0, 1, 4, read).has_value());
        QVERIFY(std::abs(read[3] + std::log(4.0F)) < 1e-6F);
    }

    void nothingIsThereBeforeCommit()
    {
        {
            auto writer = LogitsFileWriter::create(m_path, four_tokens(), 4);
            QVERIFY(writer.has_value());
        }
        QVERIFY(!std::filesystem::exists(m_path));
    }

    void damagedFilesAreRefused()
    {
        auto writer = LogitsFileWriter::create(m_path, four_tokens(), 5);
        QVERIFY(writer->add(log_softmax({1, 2, 3, 4, -20}), 1).has_value());
        QVERIFY(writer->commit().has_value());
        const std::string whole = content_of(m_path);
        const auto refused = [this](std::string content) {
            std::ofstream(m_path, std::ios::binary) << content;
            const auto file = LogitsFile::open(m_path);
            return !file && file.error().kind == Error::Kind::BadFile;
        };
        for (std::size_t length = 0; length < whole.size(); ++length) {
            QVERIFY2(refused(whole.substr(0, length)), std::to_string(length).c_str());
        }
        QVERIFY(refused(whole + 'x'));
        for (const std::size_t place : {8, 12, 16}) { // context, pieces, chunks: 0, negative, huge
            for (const std::int32_t value : {0, -1, 0x7FFFFFFF, 1 << 20}) {
                std::string bad = whole;
                std::memcpy(bad.data() + place, &value, 4);
                QVERIFY(refused(bad));
            }
        }
        std::string not_finite = whole;
        const float nan = std::nanf("");
        std::memcpy(not_finite.data() + 36, &nan, 4);
        std::ofstream(m_path, std::ios::binary) << not_finite;
        auto file = LogitsFile::open(m_path);
        std::vector<float> read;
        QVERIFY(file.has_value());
        QVERIFY(!file->log_probs(0, 1, 5, read));
    }

private:
    QTemporaryDir m_folder;
    std::filesystem::path m_path;
};

QTEST_APPLESS_MAIN(LogitsFileTest)
#include "logits_file_test.moc"
