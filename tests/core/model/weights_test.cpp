#include "core/model/weights.h"

#include "core/kernels/half.h"
#include "core/model/quant_format.h"

#include "tests/support/golden.h"

#include <QTest>
#include <algorithm>
#include <bit>
#include <cmath>

namespace {

using namespace retort;

Weight weight_of(DType dtype, std::vector<std::int64_t> shape, const std::vector<std::byte>& bytes)
{
    auto memory = allocate_weight(bytes.size());
    std::ranges::copy(bytes, memory.get());
    const std::span<const std::byte> span(memory.get(), bytes.size());
    return {.dtype = dtype, .shape = std::move(shape), .owner = std::move(memory), .bytes = span};
}

std::vector<std::byte> from_hex(const std::string& text)
{
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes.push_back(static_cast<std::byte>(std::stoi(text.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

/// What ggml itself decodes from byte i = (37 i + 11) mod 256 with scale 0.125 and, where there is one, minimum 0.0625.
struct GgmlBlock {
    DType dtype;
    float first, second, middle, last;
    double sum, squares;
};

} // namespace

class WeightsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void decodesAsGgufPyDoes_data()
    {
        QTest::addColumn<QString>("type");
        for (const QuantFormat& format : quant_formats()) {
            const std::string name(format.name);
            QTest::newRow(name.c_str()) << QString::fromStdString(name);
        }
    }
    void decodesAsGgufPyDoes()
    {
        QFETCH(const QString, type);
        const auto golden = test::golden("model/gguf_blocks.json");
        QVERIFY(!golden.is_discarded());
        const auto& values = golden["types"][type.toStdString()];
        const DType dtype = dtype_named(type.toStdString()).value();
        const auto expected = values["values"].get<std::vector<float>>();
        const auto count = static_cast<std::int64_t>(expected.size());
        const Weight weight = weight_of(dtype, {count}, from_hex(values["bytes"].get<std::string>()));
        QCOMPARE(block_values(dtype), values["block_elements"].get<std::size_t>());
        QCOMPARE(block_bytes(dtype), values["block_bytes"].get<std::size_t>());
        const std::vector<float> found = decoded(weight);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            QVERIFY2(found[i] == expected[i],
                     qPrintable(QString("value %1: %2, not %3").arg(i).arg(found[i], 0, 'g', 9).arg(expected[i], 0, 'g', 9)));
        }
        const PackableWeight packable = as_packable(weight); // and as the kernels hold it
        const RowMajorWeights rows{packed_format(dtype), 1, count, packable.bytes.data()};
        std::vector<std::byte> group(group_bytes(rows.format, padded_columns(count)));
        pack_group(rows, 0, group);
        std::vector<float> laid_out(static_cast<std::size_t>(padded_columns(count)));
        unpack_row(rows.format, group.data(), 0, laid_out);
        laid_out.resize(found.size());
        QVERIFY(laid_out == found);
    }

    void decodesAsGgmlDoes()
    {
        const GgmlBlock blocks[] = {
            {DType::Q4_0, -0.375f, 0.25f, -0.375f, 0.0f, -2.625, 10.078125},
            {DType::Q4_1, 1.9375f, 0.5625f, 1.1875f, 1.5625f, 32.625, 43.4375},
            {DType::Q8_0, 10.625f, 15.25f, -11.375f, -6.0f, -22.0, 2972.75},
            {DType::Q5_0, 1.125f, -0.25f, 1.75f, 0.125f, 1.875, 41.046875},
            {DType::Q5_1, 2.4375f, 3.0625f, 2.4375f, 0.6875f, 65.125, 176.53125},
            {DType::IQ4_NL, -4.375f, 3.125f, -4.375f, 0.125f, -32.125, 2098.328125},
        };
        for (const GgmlBlock& block : blocks) {
            std::vector<std::byte> bytes(block_bytes(block.dtype));
            for (std::size_t i = 0; i < bytes.size(); ++i) {
                bytes[i] = static_cast<std::byte>((37 * i + 11) % 256);
            }
            bytes[0] = std::byte{0};
            bytes[1] = std::byte{0x30};
            if (block.dtype == DType::Q4_1 || block.dtype == DType::Q5_1) {
                bytes[2] = std::byte{0};
                bytes[3] = std::byte{0x2C};
            }
            const std::vector<float> values = decoded(weight_of(block.dtype, {32}, bytes));
            double sum = 0.0;
            double squares = 0.0;
            for (const float value : values) {
                sum += static_cast<double>(value);
                squares += static_cast<double>(value) * static_cast<double>(value);
            }
            QCOMPARE(values[0], block.first);
            QCOMPARE(values[1], block.second);
            QCOMPARE(values[16], block.middle);
            QCOMPARE(values[31], block.last);
            QCOMPARE(sum, block.sum);
            QCOMPARE(squares, block.squares);
        }
    }

    void decodesTheRowsAskedFor()
    {
        const std::vector<float> values = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
        const Weight weight = weight_from_floats({4, 3}, values);
        std::vector<float> rows(6);
        decode_rows(weight, 1, 2, rows);
        QCOMPARE(rows, (std::vector<float>{3, 4, 5, 6, 7, 8}));
    }

    void everyHalfIsWhatTheStandardSays()
    {
        for (int bits = 0; bits < 65536; ++bits) {
            const int exponent = (bits >> 10) & 31;
            const int fraction = bits & 1023;
            const float found = float_from_half(static_cast<std::uint16_t>(bits));
            if (exponent == 31) {
                QVERIFY(fraction == 0 ? std::isinf(found) : std::isnan(found));
            } else {
                const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
                QCOMPARE(static_cast<double>(found), (bits & 0x8000) != 0 ? -magnitude : magnitude);
            }
            QCOMPARE(std::signbit(found), (bits & 0x8000) != 0);
        }
    }

    void roundsToTheNearestBfloat16()
    {
        QCOMPARE(bfloat16_from_float(1.0f), std::uint16_t{0x3F80});
        QCOMPARE(bfloat16_from_float(std::bit_cast<float>(0x3F808000u)), std::uint16_t{0x3F80}); // a tie goes to even
        QCOMPARE(bfloat16_from_float(std::bit_cast<float>(0x3F818000u)), std::uint16_t{0x3F82});
        QCOMPARE(bfloat16_from_float(std::bit_cast<float>(0x3F808001u)), std::uint16_t{0x3F81});
        QVERIFY(std::isnan(float_from_bfloat16(bfloat16_from_float(std::bit_cast<float>(0x7F800001u)))));
    }

    void noticesScalesThatAreNotFinite()
    {
        std::vector<std::byte> block(block_bytes(DType::Q4_1));
        QVERIFY(is_finite(weight_of(DType::Q4_1, {32}, block)));
        block[3] = std::byte{0x7C}; // the minimum becomes infinite
        QVERIFY(!is_finite(weight_of(DType::Q4_1, {32}, block)));
        QVERIFY(!is_finite(weight_from_floats({2}, std::vector<float>{1.0f, std::nanf("")})));
    }
};

QTEST_APPLESS_MAIN(WeightsTest)
#include "weights_test.moc"
