// Packed weights and the products that read them, against a plain loop in double over the decoded values: every format, every instruction set that
// this processor has, odd sizes.
#include "core/kernels/attention.h"
#include "core/kernels/gemv.h"
#include "core/kernels/packed_matrix.h"
#include "core/kernels/panel.h"
#include "core/kernels/row_ops.h"

#include <QTest>
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <hwy/targets.h>
#include <limits>
#include <random>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

using namespace retort;

namespace {

constexpr PackFormat kFormats[] = {PackFormat::F32,  PackFormat::F16,  PackFormat::BF16, PackFormat::Q8_0,
                                   PackFormat::Q4_0, PackFormat::Q4_1, PackFormat::K4,   PackFormat::K8};

std::size_t file_block_bytes(PackFormat format)
{
    constexpr std::size_t kBytes[] = {4, 2, 2, 34, 18, 20, sizeof(SuperBlock), sizeof(SuperBlock)};
    return kBytes[static_cast<std::size_t>(format)];
}

/// Half precision numbers without a fraction of their own: 2^e for e from -6 to 0, with a sign.
std::uint16_t random_half(std::mt19937& random)
{
    const unsigned exponent = 15u - random() % 7;
    return static_cast<std::uint16_t>((random() % 2) << 15 | exponent << 10 | (random() % 1024));
}

float float_of_half(std::uint16_t half)
{
    const int exponent = (half >> 10) & 31;
    return (half & 0x8000 ? -1.0f : 1.0f) * std::ldexp(1.0f + static_cast<float>(half & 1023) / 1024.0f, exponent - 15);
}

bool has_super_blocks(PackFormat format)
{
    return format == PackFormat::K4 || format == PackFormat::K8;
}

/// As many columns as asked for, filled up to whole blocks of the format.
std::int64_t columns_for(PackFormat format, std::int64_t columns)
{
    const std::int64_t block = has_super_blocks(format) ? SuperBlock::kValues : 1;
    return (columns + block - 1) / block * block;
}

/// Random weights as a file has them, with the values decoded by the formats' definition.
struct Matrix {
    std::vector<std::byte> bytes;
    std::vector<double> values;
    RowMajorWeights weights;
};

Matrix random_matrix(PackFormat format, std::int64_t rows, std::int64_t columns, std::mt19937& random)
{
    Matrix matrix;
    const auto put = [&](const auto& value) {
        const auto* raw = reinterpret_cast<const std::byte*>(&value);
        matrix.bytes.insert(matrix.bytes.end(), raw, raw + sizeof value);
    };
    std::normal_distribution<float> normal;
    const std::int64_t blocks = rows * columns / (has_super_blocks(format) ? SuperBlock::kValues : is_quantised(format) ? kBlock : 1);
    for (std::int64_t i = 0; i < blocks; ++i) {
        if (format == PackFormat::F32) {
            const float value = normal(random);
            put(value);
            matrix.values.push_back(value);
        } else if (format == PackFormat::F16) {
            const std::uint16_t half = random_half(random);
            put(half);
            matrix.values.push_back(float_of_half(half));
        } else if (format == PackFormat::BF16) {
            const auto bits = std::bit_cast<std::uint32_t>(normal(random)) & 0xFFFF0000u;
            put(static_cast<std::uint16_t>(bits >> 16));
            matrix.values.push_back(std::bit_cast<float>(bits));
        } else if (has_super_blocks(format)) {
            SuperBlock super;
            super.scale = float_of_half(random_half(random));
            super.minimum = float_of_half(random_half(random));
            for (int k = 0; k < 16; ++k) {
                super.scales[k] = static_cast<std::int8_t>(random() % 256 - 128);
                super.minimums[k] = static_cast<std::int8_t>(random() % 256 - 128);
            }
            for (int k = 0; k < SuperBlock::kValues; ++k) {
                super.raw[k] = static_cast<std::uint8_t>(random() % (format == PackFormat::K4 ? 16 : 256));
                matrix.values.push_back(static_cast<double>(super.scale) * super.scales[k / 16] * super.raw[k] -
                                        static_cast<double>(super.minimum) * super.minimums[k / 16]);
            }
            put(super);
        } else {
            const std::uint16_t scale = random_half(random);
            const std::uint16_t minimum = random_half(random);
            put(scale);
            if (format == PackFormat::Q4_1) {
                put(minimum);
            }
            std::vector<std::uint8_t> raw(format == PackFormat::Q8_0 ? 32 : 16);
            for (std::uint8_t& byte : raw) {
                byte = static_cast<std::uint8_t>(random());
                put(byte);
            }
            for (std::size_t j = 0; j < 32; ++j) {
                const int nibble = format == PackFormat::Q8_0 ? 0 : (j < 16 ? raw[j] & 15 : raw[j - 16] >> 4);
                const double d = float_of_half(scale);
                matrix.values.push_back(format == PackFormat::Q8_0   ? d * static_cast<std::int8_t>(raw[j])
                                        : format == PackFormat::Q4_0 ? d * (nibble - 8)
                                                                     : d * nibble + static_cast<double>(float_of_half(minimum)));
            }
        }
    }
    Q_ASSERT(matrix.bytes.size() == static_cast<std::size_t>(blocks) * file_block_bytes(format));
    matrix.weights = {format, rows, columns, matrix.bytes.data()};
    return matrix;
}

std::vector<float> random_floats(std::int64_t count, std::mt19937& random)
{
    std::normal_distribution<float> normal;
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) {
        value = normal(random);
    }
    return values;
}

/// What a product should be, and the sum of the magnitudes it is made of, which its rounding is measured by.
struct Expected {
    double value = 0.0;
    double magnitude = 0.0;
};

Expected plain_dot(const Matrix& matrix, std::int64_t row, const float* x)
{
    Expected expected;
    for (std::int64_t k = 0; k < matrix.weights.columns; ++k) {
        const double product = matrix.values[static_cast<std::size_t>(row * matrix.weights.columns + k)] * static_cast<double>(x[k]);
        expected.value += product;
        expected.magnitude += std::abs(product);
    }
    return expected;
}

/// Packs a whole matrix as one part.
void pack(const Matrix& matrix, AlignedBuffer<std::byte>& arena, std::vector<GroupRun>& runs)
{
    const PackingPlan plan = {{matrix.weights}, GroupOrder::Following};
    arena = AlignedBuffer<std::byte>(plan.bytes_of(0, 1));
    runs = plan.pack(0, 1, arena.data());
}

/// Highway's targets that this processor has, one at a time, and 0 for its own choice.
std::vector<std::int64_t> targets()
{
    std::vector<std::int64_t> result = {0};
    hwy::SetSupportedTargetsForTest(0);
    for (std::int64_t rest = hwy::SupportedTargets(); rest != 0; rest &= rest - 1) {
        result.push_back(rest & -rest);
    }
    return result;
}

} // namespace

class PackedProductsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void unpacksWhatWasPacked();
    void decodesAsThePlainLoop_data();
    void decodesAsThePlainLoop();
    void multipliesTilesAsThePlainLoop_data() { decodesAsThePlainLoop_data(); }
    void multipliesTilesAsThePlainLoop();
    void alternatesGroupsWithoutTearingPairs();
    void touchesNothingBeyondARow();
    void attendsAsThePlainLoop();
    void rowOperationsAreTheirFormulas();
    void cleanup() { hwy::SetSupportedTargetsForTest(0); }
};

void PackedProductsTest::unpacksWhatWasPacked()
{
    std::mt19937 random(1);
    for (const PackFormat format : kFormats) {
        const std::int64_t columns = columns_for(format, 96);
        const std::int64_t padded = padded_columns(columns);
        const Matrix matrix = random_matrix(format, 21, columns, random);
        AlignedBuffer<std::byte> arena;
        std::vector<GroupRun> runs;
        pack(matrix, arena, runs);
        std::vector<float> row(static_cast<std::size_t>(padded));
        for (std::int64_t r = 0; r < 21; ++r) {
            unpack_row(format, runs[0].group(r / kGroupRows, padded), r % kGroupRows, row);
            for (std::size_t k = 0; k < static_cast<std::size_t>(columns); ++k) {
                QCOMPARE(row[k], static_cast<float>(matrix.values[static_cast<std::size_t>(r * columns) + k]));
            }
        }
    }
}

void PackedProductsTest::decodesAsThePlainLoop_data()
{
    QTest::addColumn<int>("format");
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("columns");
    for (const PackFormat format : kFormats) {
        for (const auto& [rows, wanted] : {std::pair(16, 32), std::pair(33, 64), std::pair(17, 576), std::pair(40, 1536)}) {
            const int columns = static_cast<int>(columns_for(format, wanted));
            QTest::addRow("%s %d x %d", std::string(name_of(format)).c_str(), rows, columns) << static_cast<int>(format) << rows << columns;
        }
    }
}

void PackedProductsTest::decodesAsThePlainLoop()
{
    QFETCH(int, format);
    QFETCH(int, rows);
    QFETCH(int, columns);
    std::mt19937 random(7);
    const Matrix matrix = random_matrix(static_cast<PackFormat>(format), rows, columns, random);
    AlignedBuffer<std::byte> arena;
    std::vector<GroupRun> runs;
    pack(matrix, arena, runs);
    auto x = random_floats(columns, random);
    x.resize(static_cast<std::size_t>(padded_columns(columns)), 0.0f);
    const auto check = [&](MultiplyGroups multiply, const char* how) {
        QuantisedVector input(padded_columns(columns));
        quantise(x.data(), padded_columns(columns), input);
        std::vector<float> out(static_cast<std::size_t>(padded_rows(rows)));
        multiply(runs[0].format, runs[0].data, runs[0].groups, padded_columns(columns), input, out.data());
        for (std::int64_t row = 0; row < rows; ++row) {
            const Expected expected = plain_dot(matrix, row, x.data());
            const double error = std::abs(static_cast<double>(out[static_cast<std::size_t>(row)]) - expected.value);
            QVERIFY2(error < 3e-5 * expected.magnitude, qPrintable(QString("%1, row %2: off by %3").arg(how).arg(row).arg(error)));
        }
    };
    for (const std::int64_t target : targets()) {
        hwy::SetSupportedTargetsForTest(target);
        check(portable_gemv(), target == 0 ? "best target" : hwy::TargetName(target));
    }
    hwy::SetSupportedTargetsForTest(0);
    if (vnni_gemv() != nullptr) {
        check(vnni_gemv(), "VNNI");
    }
}

void PackedProductsTest::multipliesTilesAsThePlainLoop()
{
    QFETCH(int, format);
    QFETCH(int, columns);
    std::mt19937 random(9);
    const Matrix matrix = random_matrix(static_cast<PackFormat>(format), 32, columns, random);
    AlignedBuffer<std::byte> arena;
    std::vector<GroupRun> runs;
    pack(matrix, arena, runs);
    const std::int64_t depth = padded_columns(columns);
    const auto x = random_floats(kTileRows * columns, random);

    const auto check = [&](const PanelKernels& kernels, const char* how, double tolerance) {
        AlignedBuffer<std::byte> rows(static_cast<std::size_t>(kTileRows * depth) * kernels.element_bytes);
        AlignedBuffer<std::byte> panels(static_cast<std::size_t>(kTileColumns * depth) * kernels.element_bytes);
        for (std::int64_t row = 0; row < kTileRows; ++row) {
            std::byte* place = rows.data() + static_cast<std::size_t>(row * depth) * kernels.element_bytes;
            // In two pieces that no vector fits, as attention writes them.
            kernels.convert(x.data() + row * columns, 9, place, 0);
            kernels.convert(x.data() + row * columns + 9, columns - 9, place, 9);
        }
        const std::byte* first = kernels.expand(matrix.weights.format, runs[0].group(0, depth), depth, panels.data());
        const std::byte* second = kernels.expand(matrix.weights.format, runs[0].group(1, depth), depth, panels.data() + panels.size() / 2);
        for (const std::int64_t count : {1, 2, 3, 4, 5, 6, 7, 16, 17, 32}) {
            AlignedBuffer<float> out(kTileRows * kTileColumns);
            kernels.begin();
            kernels.multiply({rows.data(), depth, count, depth, {first, second}, out.data(), kTileColumns});
            kernels.end();
            for (std::int64_t row = 0; row < count; ++row) {
                for (std::int64_t column = 0; column < kTileColumns; ++column) {
                    const Expected expected = plain_dot(matrix, column, x.data() + row * columns);
                    const double error = std::abs(static_cast<double>(out[static_cast<std::size_t>(row * kTileColumns + column)]) - expected.value);
                    QVERIFY2(error < tolerance * expected.magnitude,
                             qPrintable(QString("%1, %2 rows: (%3, %4) off by %5").arg(how).arg(count).arg(row).arg(column).arg(error)));
                }
            }
        }
    };
    for (const std::int64_t target : targets()) {
        hwy::SetSupportedTargetsForTest(target);
        check(float32_kernels(), target == 0 ? "best target" : hwy::TargetName(target), 1e-6);
    }
    hwy::SetSupportedTargetsForTest(0);
    if (bf16_dot_kernels() != nullptr) {
        check(*bf16_dot_kernels(), "bf16 dot", 8e-3);
    }
    if (bf16_tile_kernels() != nullptr) {
        check(*bf16_tile_kernels(), "bf16 tiles", 3e-5);
    }
}

void PackedProductsTest::alternatesGroupsWithoutTearingPairs()
{
    std::mt19937 random(3);
    const Matrix gate = random_matrix(PackFormat::Q4_0, 88, 64, random);
    const Matrix up = random_matrix(PackFormat::Q8_0, 88, 64, random);
    const PackingPlan plan = {{gate.weights, up.weights}, GroupOrder::Alternating};
    QCOMPARE(plan.groups(), 12);
    for (const int parts : {1, 2, 3, 5}) {
        std::vector<AlignedBuffer<std::byte>> arenas;
        std::vector<std::vector<GroupRun>> runs;
        for (int part = 0; part < parts; ++part) {
            QCOMPARE(plan.range_of(part, parts).first % 2, 0);
            arenas.emplace_back(plan.bytes_of(part, parts));
            runs.push_back(plan.pack(part, parts, arenas.back().data()));
        }
        const PackedMatrix matrix(plan.columns(), runs);
        QCOMPARE(matrix.groups(), 12);
        for (std::int64_t group = 0; group < 12; ++group) {
            const PackedMatrix::Place place = matrix.place_of(group);
            const Matrix& source = group % 2 == 0 ? gate : up;
            QCOMPARE(place.format, source.weights.format);
            std::vector<float> row(64);
            unpack_row(place.format, place.data, 3, row);
            QCOMPARE(row[5], static_cast<float>(source.values[static_cast<std::size_t>((group / 2 * 16 + 3) * 64 + 5)]));
        }
    }
}

void PackedProductsTest::touchesNothingBeyondARow()
{
    // Rows that end where a page begins that may not be touched.
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    std::array<float*, 2> ends{};
    std::array<void*, 2> pages{};
    for (std::size_t i = 0; i < 2; ++i) {
        pages[i] = ::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        QVERIFY(pages[i] != MAP_FAILED);
        QCOMPARE(::mprotect(static_cast<std::byte*>(pages[i]) + page, page, PROT_NONE), 0);
        ends[i] = reinterpret_cast<float*>(static_cast<std::byte*>(pages[i]) + page);
    }
    for (const std::int64_t target : targets()) {
        hwy::SetSupportedTargetsForTest(target);
        for (std::int64_t count = 1; count <= 40; ++count) {
            float* const x = ends[0] - count;
            float* const y = ends[1] - count;
            std::fill(x, ends[0], 2.0f);
            std::fill(y, ends[1], 3.0f);
            QCOMPARE(dot(x, y, count), 6.0f * static_cast<float>(count));
            add(x, count, y);
            scale(2.0f, count, y);
            add_scaled(x, 1.5f, count, y);
            QVERIFY(std::all_of(y, ends[1], [](float value) { return value == 13.0f; }));
            QVERIFY(all_finite(y, count));
            QVERIFY(std::abs(exponentials(y, count) - static_cast<float>(count)) < 1e-5f);
            rms_norm(x, x, count, 0.0, y);
            QVERIFY(std::all_of(y, ends[1], [](float value) { return std::abs(value - 2.0f) < 1e-5f; }));
            swiglu(x, x, count, y);
            QVERIFY(std::all_of(y, ends[1], [](float value) { return std::abs(value - 4.0f / (1.0f + std::exp(-2.0f))) < 1e-5f; }));
        }
    }
    for (void* both : pages) {
        ::munmap(both, 2 * page);
    }
}

void PackedProductsTest::attendsAsThePlainLoop()
{
    std::mt19937 random(5);
    for (const std::int64_t target : targets()) {
        hwy::SetSupportedTargetsForTest(target);
        for (const auto& [length, head_dim] : {std::pair(1, 8), std::pair(5, 64), std::pair(131, 80), std::pair(64, 128), std::pair(7, 6)}) {
            const auto query = random_floats(head_dim, random);
            const auto keys = random_floats(length * head_dim, random);
            const auto values = random_floats(length * head_dim, random);
            std::vector<float> scores(static_cast<std::size_t>(length));
            std::vector<float> out(static_cast<std::size_t>(head_dim));
            attend(query.data(), keys.data(), values.data(), length, head_dim, 0.0f, scores.data(), out.data());
            std::vector<double> expected(static_cast<std::size_t>(head_dim));
            double sum = 0.0;
            for (int p = 0; p < length; ++p) {
                double score = 0.0;
                for (int i = 0; i < head_dim; ++i) {
                    score += static_cast<double>(query[static_cast<std::size_t>(i)]) * keys[static_cast<std::size_t>(p * head_dim + i)];
                }
                sum += std::exp(score);
                for (int i = 0; i < head_dim; ++i) {
                    expected[static_cast<std::size_t>(i)] += std::exp(score) * values[static_cast<std::size_t>(p * head_dim + i)];
                }
            }
            for (std::size_t i = 0; i < out.size(); ++i) {
                QVERIFY(std::abs(out[i] - expected[i] / sum) < 1e-4);
            }
        }
    }
}

void PackedProductsTest::rowOperationsAreTheirFormulas()
{
    std::mt19937 random(11);
    for (const std::int64_t target : targets()) {
        hwy::SetSupportedTargetsForTest(target);
        for (const std::int64_t count : {1, 3, 8, 16, 31, 88, 576}) {
            const auto x = random_floats(count, random);
            const auto y = random_floats(count, random);
            std::vector<float> out(x.size());
            double squares = 0.0;
            for (const float value : x) {
                squares += static_cast<double>(value) * value;
            }
            rms_norm(x.data(), y.data(), count, 1e-5, out.data());
            for (std::size_t i = 0; i < x.size(); ++i) {
                QVERIFY(std::abs(out[i] - x[i] / std::sqrt(squares / static_cast<double>(count) + 1e-5) * y[i]) < 1e-5);
            }
            swiglu(x.data(), y.data(), count, out.data());
            for (std::size_t i = 0; i < x.size(); ++i) {
                QVERIFY(std::abs(out[i] - x[i] / (1.0 + std::exp(-static_cast<double>(x[i]))) * y[i]) < 1e-5);
            }
            out = x;
            const float sum = exponentials(out.data(), count);
            const float largest = *std::ranges::max_element(x);
            double expected_sum = 0.0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                expected_sum += std::exp(static_cast<double>(x[i]) - largest);
                QVERIFY(std::abs(out[i] - std::exp(static_cast<double>(x[i]) - largest)) < 1e-6);
            }
            QVERIFY(std::abs(sum - expected_sum) < 1e-5 * expected_sum);
            QVERIFY(all_finite(x.data(), count));
            out = x;
            out.back() = std::numeric_limits<float>::infinity();
            QVERIFY(!all_finite(out.data(), count));
        }
    }
}

QTEST_APPLESS_MAIN(PackedProductsTest)
#include "packed_products_test.moc"
