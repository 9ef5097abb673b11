#include "core/measure/score_table.h"
#include "tests/support/golden.h"

#include <QTest>
#include <cmath>
#include <nlohmann/json.hpp>

using namespace retort;

namespace {

TextScore golden_score(const nlohmann::json& golden)
{
    TextScore score;
    score.rows_per_chunk = golden.at("per_chunk").get<std::int64_t>();
    for (std::size_t i = 0; i < golden.at("kl_of_head").size(); ++i) {
        ScoredPosition position;
        position.log_probability = golden.at("log_probability")[i].get<double>();
        position.base_log_probability = golden.at("base_log_probability")[i].get<double>();
        position.kl_of_head = golden.at("kl_of_head")[i].get<double>();
        position.same_top = golden.at("same_top")[i].get<bool>();
        score.positions.push_back(position);
    }
    return score;
}

bool near(double found, const nlohmann::json& expected)
{
    return std::abs(found - expected.get<double>()) < 1e-10 * (1.0 + std::abs(expected.get<double>()));
}

} // namespace

class ScoreTableTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void figuresAreNumPys()
    {
        const auto golden = test::golden("measure/score.json");
        QVERIFY(golden.is_object());
        const auto table = table_of(golden_score(golden));
        QVERIFY(table.has_value());
        const auto& expected = golden.at("expected");
        const auto compare = [&](const char* name, const Estimate& found) {
            const auto& row = expected.at(name);
            QVERIFY2(near(found.value, row.at("value")), name);
            QVERIFY2(near(found.error, row.at("error")), name);
            if (row.contains("clustered_error")) {
                QVERIFY2(near(found.clustered_error, row.at("clustered_error")), name);
            }
        };
        compare("perplexity", table->perplexity);
        compare("base_perplexity", table->base_perplexity);
        compare("log_ratio", table->log_ratio);
        compare("ratio", table->ratio);
        compare("difference", table->difference);
        compare("kld", table->kld);
        compare("delta_p", table->delta_p);
        compare("rms_delta_p", table->rms_delta_p);
        compare("same_top", table->same_top);
        QVERIFY(near(table->correlation, expected.at("correlation")));
        for (const auto& [name, spread] : {std::pair{"kld_spread", table->kld_spread}, {"delta_p_spread", table->delta_p_spread}}) {
            const auto& row = expected.at(name);
            QVERIFY(near(spread.maximum, row.at("maximum")) && near(spread.p99_9, row.at("p99_9")) && near(spread.p99, row.at("p99")));
            QVERIFY(near(spread.p95, row.at("p95")) && near(spread.p90, row.at("p90")) && near(spread.p75, row.at("p75")));
            QVERIFY(near(spread.median, row.at("median")) && near(spread.p25, row.at("p25")) && near(spread.p10, row.at("p10")));
            QVERIFY(near(spread.p5, row.at("p5")) && near(spread.p1, row.at("p1")) && near(spread.p0_1, row.at("p0_1")));
            QVERIFY(near(spread.minimum, row.at("minimum")));
        }
    }

    void fewPositionsAreRefused()
    {
        TextScore score;
        score.rows_per_chunk = 33;
        score.positions.resize(99);
        QVERIFY(!table_of(score).has_value());
        score.positions.resize(132);
        QVERIFY(table_of(score).has_value());
    }
};

QTEST_APPLESS_MAIN(ScoreTableTest)
#include "score_table_test.moc"
