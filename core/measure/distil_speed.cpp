#include "core/measure/distil_speed.h"

#include "core/data/random.h"
#include "core/distil/catalogues.h"
#include "core/distil/precision.h"
#include "core/distil/run.h"
#include "core/distil/step.h"
#include "core/kernels/product_speed.h"

#include <utility>

namespace retort {
namespace {

Batch random_batch(std::uint64_t index, std::int64_t sequences, std::int64_t length, std::int64_t pieces)
{
    Batch batch{sequences, length, {}, {}};
    Random random(1, 0, index);
    for (std::int64_t i = 0; i < sequences * length; ++i) {
        batch.ids.push_back(static_cast<TokenId>(random.below(static_cast<std::uint64_t>(pieces))));
    }
    batch.mask.assign(batch.ids.size(), 1);
    return batch;
}

/// Weights that a token is multiplied with.
double multiplied(const DecoderShape& spec)
{
    return static_cast<double>(spec.parameters()) - (spec.tied ? 0.0 : static_cast<double>(spec.vocabulary * spec.width));
}

} // namespace

PracticeRun::PracticeRun(Teacher teacher, Student student, std::int64_t sequences, std::int64_t length)
    : m_teacher(std::move(teacher)), m_student(std::move(student)), m_sequences(sequences), m_length(length)
{
}

Result<PracticeRun> PracticeRun::create(const Model& teacher, const Model& student, TrainableNet::Precision precision, std::int64_t sequences,
                                        std::int64_t length)
{
    auto teaching = TrainableNet::create(teacher.spec(), teacher.weights(), teacher.info().name, precision, TrainableNet::Purpose::Teacher);
    if (!teaching) {
        return failure(teaching.error());
    }
    auto learning = TrainableNet::create(student.spec(), student.weights(), student.info().name, precision, TrainableNet::Purpose::Training);
    if (!learning) {
        return failure(learning.error());
    }
    return PracticeRun(Teacher(std::move(*teaching)), Student(std::move(*learning), {}), sequences, length);
}

Result<std::int64_t> PracticeRun::step(const std::string& objective)
{
    const auto chosen = built_in_catalogues().objective({.name = objective});
    if (!chosen) {
        return failure(chosen.error());
    }
    const std::int64_t pieces = m_student.net().spec().vocabulary;
    const std::vector<Batch> batches{random_batch(m_steps++, m_sequences, m_length, pieces)};
    const StepReport report =
        distil_step(&m_teacher, m_student, batches, **chosen,
                    {.temperature = 2, .alpha_cross_entropy = 0.3, .clip_norm = 1, .learning_rate = 1e-3, .vocabulary = pieces});
    if (!report.finite) {
        return failure(Error::Kind::BadFile, "The loss of a step on made-up tokens is not a finite number; the model's weights are damaged.");
    }
    return m_sequences * m_length;
}

double PracticeRun::operations_per_token() const
{
    return 2.0 * multiplied(m_teacher.net().spec()) + 6.0 * multiplied(m_student.net().spec()); // forward, and twice as much on the way back
}

Result<Speed> distil_speed(const Model& teacher, const Model& student, TrainableNet::Precision precision, std::int64_t sequences, std::int64_t length,
                           int repeat)
{
    auto run = PracticeRun::create(teacher, student, precision, sequences, length);
    if (!run) {
        return failure(run.error());
    }
    auto speed = time_tokens(repeat, [&run] { return run->step(); });
    if (speed) {
        const ProductSpeed products = measure_product_speed();
        const double limit = 1e9 * (precision == TrainableNet::Precision::Bf16 ? products.bf16 : products.fp32);
        speed->precision = name_of(precision);
        speed->limit = "product speed";
        speed->limit_share = speed->tokens_per_s * run->operations_per_token() / limit;
    }
    return speed;
}

Result<Model> demo_shaped_model(std::uint64_t seed)
{
    ModelInfo info;
    info.spec.vocabulary = 4096;
    info.spec.context = 128;
    DistilPlan plan;
    plan.student.fresh = DistilPlan::Student::Fresh{.layers = 6, .width = 256, .heads = 8, .kv_heads = 8, .ffn = 688, .init_seed = seed};
    return make_student(plan, Model(info, std::make_shared<const WeightSet>(), nullptr, nullptr), std::nullopt);
}

} // namespace retort
