#include "core/distil/catalogues.h"
#include "core/distil/run.h"
#include "core/distil/step.h"
#include "core/kernels/team.h"
#include "core/model/net.h"

#include <QTest>
#include <atomic>
#include <bit>
#include <thread>
#include <vector>

namespace retort {
namespace {

/// Threads that turn in a loop, more than there are processors, so that members of a team lose theirs in the middle of things.
class BusyMachine {
public:
    explicit BusyMachine(bool busy)
    {
        for (unsigned i = 0; busy && i <= std::thread::hardware_concurrency(); ++i) {
            m_threads.emplace_back([](const std::stop_token& stop) {
                std::atomic<std::uint64_t> turns = 0;
                while (!stop.stop_requested()) {
                    turns.fetch_add(1, std::memory_order_relaxed);
                }
            });
        }
    }

private:
    std::vector<std::jthread> m_threads;
};

Model fresh_model(std::uint64_t seed)
{
    ModelInfo info;
    info.spec.vocabulary = 1000;
    info.spec.context = 700;
    DistilPlan plan;
    plan.student.fresh = DistilPlan::Student::Fresh{.layers = 2, .width = 96, .heads = 6, .kv_heads = 2, .ffn = 200, .init_seed = seed};
    return make_student(plan, Model(info, std::make_shared<const WeightSet>(), nullptr, nullptr), std::nullopt).value();
}

std::vector<TokenId> some_ids(std::int64_t count)
{
    std::vector<TokenId> ids;
    for (std::int64_t i = 0; i < count; ++i) {
        ids.push_back(static_cast<TokenId>((i * i * 31 + 7 * i) % 1000));
    }
    return ids;
}

/// The parameters after three steps.
std::vector<float> learn(TrainableNet::Precision precision)
{
    const Model teacher_model = fresh_model(1);
    const Model student_model = fresh_model(2);
    const auto net = [precision](const Model& model, TrainableNet::Purpose purpose) {
        return TrainableNet::create(model.spec(), model.weights(), "fresh", precision, purpose).value();
    };
    Teacher teacher(net(teacher_model, TrainableNet::Purpose::Teacher));
    Student student(net(student_model, TrainableNet::Purpose::Training), {});
    Batch batch{6, 70, some_ids(6 * 70), {}};
    batch.mask.assign(batch.ids.size(), 1);
    const std::vector<Batch> batches{batch};
    const auto objective = built_in_catalogues().objective({.name = "forward_kl"}).value();
    for (int step = 0; step < 3; ++step) {
        const StepReport report =
            distil_step(&teacher, student, batches, *objective,
                        {.temperature = 2, .alpha_cross_entropy = 0.3, .clip_norm = 1, .learning_rate = 1e-3, .vocabulary = 1000});
        if (!report.finite) {
            return {};
        }
    }
    return {student.net().parameters().begin(), student.net().parameters().end()};
}

/// Logits of a prefill in two chunks and of a few tokens after it.
std::vector<float> answer()
{
    const auto net = Net::create(fresh_model(3)).value();
    const auto cache = net->new_cache();
    std::vector<float> all;
    std::vector<float> logits;
    const std::vector<TokenId> ids = some_ids(600);
    if (!net->forward(*cache, ids, Net::Rows::All, logits)) {
        return {};
    }
    all = logits;
    for (const TokenId id : {3, 500, 999}) {
        const TokenId one[] = {id};
        if (!net->forward(*cache, one, Net::Rows::Last, logits)) {
            return {};
        }
        all.insert(all.end(), logits.begin(), logits.end());
    }
    return all;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b)
{
    return !a.empty() &&
           std::ranges::equal(a, b, [](float x, float y) { return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y); });
}

} // namespace

/// What is computed does not depend on how many threads there are, nor on which of them happened to run.
class SameBitsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void learnsTheSameBitsWithAnyNumberOfMembers_data();
    void learnsTheSameBitsWithAnyNumberOfMembers();
    void answersWithTheSameBitsWithAnyNumberOfMembers();
    void cleanup() { use_threads(m_threads); }

private:
    int m_threads = team_size();
};

void SameBitsTest::learnsTheSameBitsWithAnyNumberOfMembers_data()
{
    QTest::addColumn<bool>("bf16");
    QTest::newRow("float32") << false;
    QTest::newRow("bfloat16") << true;
}

void SameBitsTest::learnsTheSameBitsWithAnyNumberOfMembers()
{
    QFETCH(bool, bf16);
    const auto precision = bf16 ? TrainableNet::Precision::Bf16 : TrainableNet::Precision::Fp32;
    use_threads(1);
    const std::vector<float> expected = learn(precision);
    for (const bool busy : {false, true}) {
        const BusyMachine machine(busy);
        for (const int members : {2, 3}) {
            use_threads(members);
            QVERIFY(same_bits(learn(precision), expected));
        }
    }
}

void SameBitsTest::answersWithTheSameBitsWithAnyNumberOfMembers()
{
    use_threads(1);
    const std::vector<float> expected = answer();
    for (const bool busy : {false, true}) {
        const BusyMachine machine(busy);
        for (const int members : {2, 3}) {
            use_threads(members);
            QVERIFY(same_bits(answer(), expected));
        }
    }
}

} // namespace retort

QTEST_APPLESS_MAIN(retort::SameBitsTest)
#include "same_bits_test.moc"
