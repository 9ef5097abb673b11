#include "core/kernels/train_attention.h"
#include "core/kernels/train_layers.h"
#include "core/kernels/train_optimiser.h"

#include <QTest>
#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

namespace retort {
namespace {

std::vector<float> wave(std::size_t count, double seed)
{
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = static_cast<float>(std::sin(seed + 0.7 * static_cast<double>(i) * (1 + 0.01 * seed)));
    }
    return values;
}

double dot(const std::vector<float>& a, const std::vector<float>& b)
{
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    }
    return sum;
}

} // namespace

class TrainLayersTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void roundsToTheNearestEven();
    void roundingKeepsANaN();
    void normalisesRowsOfAnyWidth_data() { widths(); }
    void normalisesRowsOfAnyWidth();
    void attendsAsThePlainFormulaDoes_data();
    void attendsAsThePlainFormulaDoes();
    void addsUpATokenMetTwice();
    void stepsAsAdamWIsWritten();
    void putsPickedRowsBackInTheirPlaces();

private:
    static void widths()
    {
        QTest::addColumn<int>("width");
        for (const int width : {1, 7, 16, 30, 33, 256}) {
            QTest::addRow("%d", width) << width;
        }
    }
};

void TrainLayersTest::roundsToTheNearestEven()
{
    const std::vector<float> values{1.0f, 1.00390625f, 1.01171875f, -3.14159f, 1e-30f, 65504.0f};
    std::vector<BFloat16> rounded(values.size());
    round_to_bfloat16(values, rounded.data());
    QCOMPARE(to_float(rounded[0]), 1.0f);
    QCOMPARE(to_float(rounded[1]), 1.0f);      // half way between 1 and 1.0078125: the even one
    QCOMPARE(to_float(rounded[2]), 1.015625f); // half way between 1.0078125 and 1.015625
    for (std::size_t i = 0; i < values.size(); ++i) {
        QCOMPARE(rounded[i].bits, to_bfloat16(values[i]).bits);
        QVERIFY(std::abs(to_float(rounded[i]) - values[i]) <= std::abs(values[i]) / 256);
    }
}

void TrainLayersTest::roundingKeepsANaN()
{
    std::vector<float> values; // whole vectors of them, and a rest
    for (const std::uint32_t bits : {0x7F800001u, 0x7FFFFFFFu, 0xFF800001u, 0xFFFFFFFFu, 0x7FC00000u}) {
        values.insert(values.end(), 13, std::bit_cast<float>(bits));
    }
    std::vector<BFloat16> rounded(values.size());
    round_to_bfloat16(values, rounded.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
        QVERIFY(std::isnan(to_float(rounded[i])));
        QVERIFY(std::isnan(to_float(to_bfloat16(values[i]))));
    }
}

void TrainLayersTest::normalisesRowsOfAnyWidth()
{
    QFETCH(int, width);
    const auto size = static_cast<std::size_t>(3 * width);
    const std::vector<float> residual = wave(size, 0.3);
    const std::vector<float> add = wave(size, 0.8);
    const std::vector<float> gain = wave(static_cast<std::size_t>(width), 1.9);
    std::vector<float> sum(size);
    std::vector<float> out(size);
    std::vector<float> inverse(3);
    rms_norm_forward(RmsNormForward<float>{.residual = residual.data(),
                                           .add = add.data(),
                                           .sum = sum.data(),
                                           .gain = gain.data(),
                                           .normalised = out.data(),
                                           .inverse_rms = inverse.data(),
                                           .rows = 3,
                                           .width = width,
                                           .eps = 1e-5f});
    for (std::size_t row = 0; row < 3; ++row) {
        double squares = 0;
        for (std::size_t i = 0; i < gain.size(); ++i) {
            const std::size_t at = row * gain.size() + i;
            QCOMPARE(sum[at], residual[at] + add[at]);
            squares += std::pow(static_cast<double>(sum[at]), 2);
        }
        const double scale = 1.0 / std::sqrt(squares / width + 1e-5);
        for (std::size_t i = 0; i < gain.size(); ++i) {
            const std::size_t at = row * gain.size() + i;
            QVERIFY(std::abs(static_cast<double>(out[at]) - static_cast<double>(sum[at]) * scale * static_cast<double>(gain[i])) < 1e-6);
        }
    }
}

void TrainLayersTest::attendsAsThePlainFormulaDoes_data()
{
    QTest::addColumn<int>("length");
    QTest::addColumn<int>("heads");
    QTest::addColumn<int>("kv_heads");
    QTest::addColumn<int>("dim");
    QTest::newRow("one position") << 1 << 1 << 1 << 2;
    QTest::newRow("grouped, odd sizes") << 35 << 6 << 2 << 10;
    QTest::newRow("whole blocks") << 64 << 2 << 2 << 32;
    QTest::newRow("one past a block") << 33 << 3 << 1 << 64;
}

/// Forward against a plain loop; backward against the change of sum(weights * out) along one direction, by finite differences.
void TrainLayersTest::attendsAsThePlainFormulaDoes()
{
    QFETCH(int, length);
    QFETCH(int, heads);
    QFETCH(int, kv_heads);
    QFETCH(int, dim);
    const auto width = static_cast<std::size_t>((heads + 2 * kv_heads) * dim);
    const auto rows = static_cast<std::size_t>(length);
    const std::size_t out_width = static_cast<std::size_t>(heads * dim);
    const std::vector<float> start = wave(rows * width, 0.5);
    std::vector<float> cosines;
    std::vector<float> sines;
    for (int t = 0; t < length; ++t) {
        for (int i = 0; i < dim / 2; ++i) {
            cosines.push_back(static_cast<float>(std::cos(t * std::pow(100.0, -2.0 * i / dim))));
            sines.push_back(static_cast<float>(std::sin(t * std::pow(100.0, -2.0 * i / dim))));
        }
    }
    std::vector<float> log_sums(rows * static_cast<std::size_t>(heads));
    const auto attend = [&](std::vector<float>& qkv, std::vector<float>& out) {
        const CausalAttention<float> call{.qkv = qkv.data(),
                                          .out = out.data(),
                                          .log_sums = log_sums.data(),
                                          .cosines = cosines.data(),
                                          .sines = sines.data(),
                                          .sequences = 1,
                                          .length = length,
                                          .heads = heads,
                                          .kv_heads = kv_heads,
                                          .head_dim = dim};
        attention_forward(call);
        return call;
    };
    std::vector<float> qkv = start;
    std::vector<float> out(rows * out_width);
    CausalAttention<float> call = attend(qkv, out);

    for (int h = 0; h < heads; ++h) {
        const int group = h / (heads / kv_heads);
        for (int i = 0; i < length; ++i) {
            std::vector<double> p(static_cast<std::size_t>(i) + 1);
            double sum = 0;
            for (int j = 0; j <= i; ++j) {
                double score = 0;
                for (int d = 0; d < dim; ++d) {
                    // qkv is rotated in place by now
                    score += static_cast<double>(qkv[static_cast<std::size_t>(i) * width + static_cast<std::size_t>(h * dim + d)]) *
                             static_cast<double>(qkv[static_cast<std::size_t>(j) * width + static_cast<std::size_t>((heads + group) * dim + d)]);
                }
                p[static_cast<std::size_t>(j)] = std::exp(score / std::sqrt(dim));
                sum += p[static_cast<std::size_t>(j)];
            }
            for (int d = 0; d < dim; ++d) {
                double expected = 0;
                for (int j = 0; j <= i; ++j) {
                    expected += p[static_cast<std::size_t>(j)] / sum *
                                static_cast<double>(
                                    qkv[static_cast<std::size_t>(j) * width + static_cast<std::size_t>((heads + kv_heads + group) * dim + d)]);
                }
                QVERIFY(std::abs(static_cast<double>(out[static_cast<std::size_t>(i) * out_width + static_cast<std::size_t>(h * dim + d)]) -
                                 expected) < 1e-5);
            }
        }
    }

    const std::vector<float> weights = wave(out.size(), 2.2);
    std::vector<float> gradient(start.size());
    call.out_gradient = weights.data();
    call.qkv_gradient = gradient.data();
    attention_backward(call);
    const std::vector<float> direction = wave(start.size(), 3.1);
    const auto value_at = [&](float step) {
        std::vector<float> moved = start;
        for (std::size_t i = 0; i < moved.size(); ++i) {
            moved[i] += step * direction[i];
        }
        std::vector<float> result(out.size());
        (void)attend(moved, result);
        return dot(weights, result);
    };
    const double along = dot(gradient, direction);
    const double measured = (value_at(0.005f) - value_at(-0.005f)) / 0.01;
    QVERIFY2(std::abs(along - measured) < 2e-3 * std::max(1.0, std::abs(along)), QByteArray::number(along) + " " + QByteArray::number(measured));
}

void TrainLayersTest::addsUpATokenMetTwice()
{
    const std::vector<std::int32_t> ids{2, 0, 2};
    const std::vector<float> gradient = wave(3 * 19, 0.4);
    std::vector<float> table(4 * 19, 1.0f);
    embed_backward(gradient.data(), ids, 19, table.data());
    for (std::size_t i = 0; i < 19; ++i) {
        QCOMPARE(table[2 * 19 + i], 1.0f + gradient[i] + gradient[2 * 19 + i]);
        QCOMPARE(table[19 + i], 1.0f);
    }
}

void TrainLayersTest::stepsAsAdamWIsWritten()
{
    std::vector<float> p = wave(37, 0.1);
    std::vector<float> m = wave(37, 0.2);
    std::vector<float> v(37, 0.04f);
    const std::vector<float> g = wave(37, 0.3);
    const std::vector<float> p0 = p;
    const std::vector<float> m0 = m;
    adamw_update({.parameters = p,
                  .exp_avg = m.data(),
                  .exp_avg_sq = v.data(),
                  .gradients = g.data(),
                  .gradient_scale = 0.5,
                  .lr = 0.01,
                  .beta1 = 0.9,
                  .beta2 = 0.95,
                  .eps = 1e-8,
                  .weight_decay = 0.1,
                  .step = 3});
    for (std::size_t i = 0; i < p.size(); ++i) {
        const double gradient = 0.5 * static_cast<double>(g[i]);
        const double m1 = 0.9 * static_cast<double>(m0[i]) + 0.1 * gradient;
        const double v1 = 0.95 * 0.04 + 0.05 * gradient * gradient;
        const double expected = static_cast<double>(p0[i]) * (1 - 0.01 * 0.1) -
                                0.01 / (1 - std::pow(0.9, 3)) * m1 / (std::sqrt(v1) / std::sqrt(1 - std::pow(0.95, 3)) + 1e-8);
        QVERIFY(std::abs(static_cast<double>(p[i]) - expected) < 1e-6);
    }
}

void TrainLayersTest::putsPickedRowsBackInTheirPlaces()
{
    const std::vector<float> from = wave(5 * 3, 0.6);
    const std::vector<std::int64_t> picked{4, 1};
    std::vector<float> some(2 * 3);
    gather_rows(from.data(), picked, 3, some.data());
    std::vector<float> back(5 * 3, 9.0f);
    scatter_rows(some.data(), picked, 3, back.data(), 5);
    for (std::size_t i = 0; i < 3; ++i) {
        QCOMPARE(back[4 * 3 + i], from[4 * 3 + i]);
        QCOMPARE(back[1 * 3 + i], from[1 * 3 + i]);
        QCOMPARE(back[2 * 3 + i], 0.0f);
    }
}

} // namespace retort

QTEST_APPLESS_MAIN(retort::TrainLayersTest)
#include "train_layers_test.moc"
