#include "core/measure/share.h"
#include "tests/support/golden.h"

#include <QTest>
#include <cmath>

using namespace retort;

class ShareTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void intervalIsWilsons()
    {
        const auto rows = test::golden("measure/shares.json");
        QVERIFY(rows.is_array() && !rows.empty());
        for (const auto& row : rows) {
            const Share share{row.at("right").get<std::int64_t>(), row.at("of").get<std::int64_t>()};
            QVERIFY(std::abs(share.low() - row.at("low").get<double>()) < 1e-8);
            QVERIFY(std::abs(share.high() - row.at("high").get<double>()) < 1e-8);
        }
    }

    void nothingAskedSaysNothing()
    {
        QCOMPARE(Share{}.low(), 0.0);
        QCOMPARE(Share{}.high(), 1.0);
    }
};

QTEST_APPLESS_MAIN(ShareTest)
#include "share_test.moc"
