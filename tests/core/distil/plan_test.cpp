#include "core/base/sha256.h"
#include "core/distil/plan.h"

#include <QTest>
#include <cmath>

namespace retort {

class PlanTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsWhatItWrites();
    void fillsInDefaults();
    void readsEveryKindOfStudent();
    void refusesWithASentence_data();
    void refusesWithASentence();
    void isTheSamePlanWhateverIsWrittenOutOfDefaults();
    void namesWhereTwoPlansDiffer();
    void warmsUpThenFollowsACosine();
    void fallsAlongALine();
    void followsPyTorchsCosine();
};

void PlanTest::readsWhatItWrites()
{
    DistilPlan plan;
    plan.teacher = "demo:teacher";
    plan.student.layer_list = {0, 3, 5};
    plan.data.files = {"a.txt", "b.txt"};
    plan.optimiser.beta2 = 0.999;
    plan.probes = {"Q: What model are you?\nA:"};
    plan.stop.loss_below = 0.25;
    plan.seed = 18446744073709551615ull;
    const std::string text = to_json(plan);
    const auto again = parse_plan(text, "plan.json");
    QVERIFY(again.has_value());
    QCOMPARE(to_json(*again), text);
    QCOMPARE(again->student.layer_list, plan.student.layer_list);
    QCOMPARE(*again->stop.loss_below, 0.25);
}

void PlanTest::fillsInDefaults()
{
    const auto plan = parse_plan(R"({"teacher": "t", "student": {"from": "s"}, "data": {"kind": "world"}, "optimiser": {"lr": 0.01}})", "plan.json");
    QVERIFY(plan.has_value());
    QCOMPARE(plan->student.from, std::string("s"));
    QCOMPARE(plan->optimiser.lr, 0.01);
    QCOMPARE(plan->optimiser.beta2, 0.95);
    QCOMPARE(plan->steps, std::int64_t{600});
    QVERIFY(!plan->stop.loss_below);
}

void PlanTest::readsEveryKindOfStudent()
{
    const auto student = [](const std::string& text) {
        return parse_plan(R"({"teacher": "t", "data": {}, "student": )" + text + "}", "plan.json").value().student;
    };
    QCOMPARE(student(R"({"layers": "every 2"})").layers, std::string("every 2"));
    QCOMPARE(student(R"({"layers": [0, 3, 5]})").layer_list, (std::vector<std::int64_t>{0, 3, 5}));
    const auto fresh = student(R"({"architecture": "llama", "layers": 3, "width": 96, "init_seed": 9})").fresh;
    QVERIFY(fresh.has_value());
    QCOMPARE(fresh->layers, std::int64_t{3});
    QCOMPARE(fresh->kv_heads, std::int64_t{2});
    QCOMPARE(fresh->init_seed, std::uint64_t{9});
}

void PlanTest::refusesWithASentence_data()
{
    QTest::addColumn<QString>("extra");
    QTest::addColumn<QString>("part");
    QTest::newRow("unknown field") << R"("objective": {"temprature": 2})"
                                   << R"(objective.temprature is no field of a plan; the nearest is "temperature".)";
    QTest::newRow("unknown choice") << R"("schedule": {"kind": "cosin"})"
                                    << R"(schedule.kind is "cosin"; known are "cosine", "linear" and "constant".)";
    QTest::newRow("out of range") << R"("objective": {"alpha_cross_entropy": 1.5})"
                                  << "objective.alpha_cross_entropy is 1.5; it must be between 0 and 1.";
    QTest::newRow("not a number") << R"("steps": "many")"
                                  << "steps is not a whole number.";
    QTest::newRow("half a step") << R"("steps": 1.5)"
                                 << "steps is not a whole number.";
    QTest::newRow("huge") << R"("steps": 1e300)"
                          << "steps is 1e+300; it must be between";
    QTest::newRow("betas") << R"("optimiser": {"betas": [0.9, 1.0]})"
                           << "optimiser.betas is not a list of two numbers";
    QTest::newRow("not an object") << R"("batch": 4)"
                                   << "batch is not an object";
    QTest::newRow("both kinds") << R"("stop": {"loss_below": "low"})"
                                << "stop.loss_below is not a number.";
}

void PlanTest::refusesWithASentence()
{
    QFETCH(QString, extra);
    QFETCH(QString, part);
    const auto plan = parse_plan(R"({"teacher": "t", "student": {"from": "s"}, "data": {}, )" + extra.toStdString() + "}", "plan.json");
    QVERIFY(!plan.has_value());
    QVERIFY2(plan.error().message.find(part.toStdString()) != std::string::npos, plan.error().message.c_str());
    QVERIFY(plan.error().message.find("plan.json: ") == 0);
}

void PlanTest::isTheSamePlanWhateverIsWrittenOutOfDefaults()
{
    const auto identity = [](const std::string& more) {
        return plan_identity(parse_plan(R"({"teacher": "t", "student": {"from": "s"}, "data": {"kind": "world"})" + more + "}", "plan.json").value());
    };
    const std::string plain = identity("");
    QCOMPARE(
        identity(R"(, "steps": 600, "objective": {"name": "forward_kl", "temperature": 2}, "optimiser": {"eps": 1e-8}, "stop": {}, "probes": [])"),
        plain);
    QCOMPARE(plain.size(), std::size_t{64});
    QVERIFY(identity(R"(, "steps": 601)") != plain);
    QVERIFY(identity(R"(, "probes": ["a"])") != plain);
    QVERIFY(identity(R"(, "objective": {"name": "gjsd", "beta": 0.4})") != identity(R"(, "objective": {"name": "gjsd"})"));
    // What it is made of, so that another version can make the same: the fields that are no defaults, flat and in order.
    QCOMPARE(plain, sha256_hex(R"({"/student/from":"s","/teacher":"t"})"));
}

void PlanTest::namesWhereTwoPlansDiffer()
{
    DistilPlan plan;
    QCOMPARE(first_difference(plan, plan), std::string());
    DistilPlan other = plan;
    other.batch.length = 64;
    QCOMPARE(first_difference(plan, other), std::string("batch.length"));
    other = plan;
    other.probes = {"a"};
    QVERIFY(first_difference(plan, other).starts_with("probes"));
    QVERIFY(first_difference(other, plan).starts_with("probes"));
}

void PlanTest::fallsAlongALine()
{
    DistilPlan plan;
    plan.steps = 12;
    plan.optimiser.lr = 1;
    plan.schedule = {.kind = "linear", .warmup_steps = 2, .final_fraction = 0.2};
    QCOMPARE(learning_rate(plan, 0), 0.5);
    QCOMPARE(learning_rate(plan, 2), 1.0);
    QVERIFY(std::abs(learning_rate(plan, 7) - 0.6) < 1e-15);
    QVERIFY(std::abs(learning_rate(plan, 12) - 0.2) < 1e-15);
}

void PlanTest::warmsUpThenFollowsACosine()
{
    DistilPlan plan;
    plan.optimiser.lr = 3e-3;
    plan.steps = 20;
    plan.schedule.warmup_steps = 4;
    QCOMPARE(learning_rate(plan, 0), 0.00075);
    QCOMPARE(learning_rate(plan, 3), 0.003);
    QVERIFY(std::abs(learning_rate(plan, 5) - 0.002974060128544361) < 1e-15);
    QVERIFY(std::abs(learning_rate(plan, 12) - 0.00165) < 1e-15);
    plan.schedule.kind = "constant";
    QCOMPARE(learning_rate(plan, 19), 0.003);
}

void PlanTest::followsPyTorchsCosine()
{
    // torch.optim.lr_scheduler.SequentialLR of LinearLR(start_factor=1/5, total_iters=4) and CosineAnnealingLR(T_max=25, eta_min=1e-4), milestone
    // 5, on a base rate of 1e-3; PyTorch 2.13, float64.
    const double rates[] = {0.0002,
                            0.0004,
                            0.0006000000000000001,
                            0.0008,
                            0.001,
                            0.001,
                            0.000996451615591515,
                            0.0009858624225078838,
                            0.000968399418649713,
                            0.0009443380060197385,
                            0.0009140576474687263,
                            0.0008780358823396352,
                            0.0008368407953869104,
                            0.0007911220577405484,
                            0.0007416006812042826,
                            0.0006890576474687262,
                            0.0006343215915635761,
                            0.000578255733788191,
                            0.000521744266211809,
                            0.0004656784084364239,
                            0.0004109423525312738,
                            0.0003583993187957173,
                            0.0003088779422594514,
                            0.0002631592046130896,
                            0.0002219641176603649,
                            0.0001859423525312737,
                            0.0001556619939802614,
                            0.00013160058135028692,
                            0.00011413757749211608,
                            0.00010354838440848502};
    DistilPlan plan;
    plan.optimiser.lr = 1e-3;
    plan.steps = 30;
    plan.schedule.warmup_steps = 5;
    plan.schedule.final_fraction = 0.1;
    for (std::int64_t step = 0; step < 30; ++step) {
        QVERIFY2(std::abs(learning_rate(plan, step) - rates[step]) < 1e-15, QByteArray::number(static_cast<qlonglong>(step)));
    }
    plan.schedule.warmup_steps = 0;
    QCOMPARE(learning_rate(plan, 0), 1e-3);
    QVERIFY(std::abs(learning_rate(plan, 30) - 1e-4) < 1e-18); // and stays there
    QVERIFY(std::abs(learning_rate(plan, 300) - 1e-4) < 1e-18);
}

} // namespace retort

QTEST_APPLESS_MAIN(retort::PlanTest)
#include "plan_test.moc"
