#include "core/base/text_format.h"
#include "core/data/random.h"
#include "core/distil/fresh_spec.h"
#include "core/distil/run.h"
#include "core/model/weight_table.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace retort {
namespace {

/// Deviation 1 / sqrt(inputs), so that a product of normalised inputs begins with deviation 1 at any width (LeCun et al. 1998, Efficient BackProp);
/// what writes into the residual stream is scaled down by its depth (Radford et al. 2019). GPT-2's fixed 0.02 suits widths of a few thousand: at a
/// width of 192 attention begins so even that a model learns to look back many times later.
double initial_deviation(const DecoderShape& spec, const WeightSlot& weight)
{
    const double of_inputs = 1.0 / std::sqrt(static_cast<double>(weight.shape.back()));
    return weight.writes_to_residual() ? of_inputs / std::sqrt(2.0 * static_cast<double>(spec.layers)) : of_inputs;
}

/// Box and Muller's transform, one of the pair.
float normal(Random& random, double deviation)
{
    const double radius = std::sqrt(-2.0 * std::log(1.0 - random.uniform()));
    return static_cast<float>(deviation * radius * std::cos(2.0 * std::numbers::pi * random.uniform()));
}

std::shared_ptr<const WeightSet> random_weights(const DecoderShape& spec, std::uint64_t seed)
{
    auto weights = std::make_shared<WeightSet>();
    std::uint64_t stream = 0;
    for (const WeightSlot& wanted : weight_table(spec)) {
        std::size_t count = 1;
        for (const std::int64_t size : wanted.shape) {
            count *= static_cast<std::size_t>(size);
        }
        std::vector<float> values(count, 1.0f); // a norm's gain
        if (wanted.shape.size() > 1) {
            const double deviation = initial_deviation(spec, wanted);
            Random random(seed, stream, 0);
            for (float& value : values) {
                value = normal(random, deviation);
            }
        }
        weights->emplace(wanted.name, weight_from_floats(wanted.shape, values));
        ++stream;
    }
    return weights;
}

/// What a student takes over from its teacher whatever its weights: how to talk with it, and where it comes from.
Model student_of(const Model& teacher, DecoderShape spec, std::shared_ptr<const WeightSet> weights, std::string dtype)
{
    ModelInfo info;
    info.name = "student of " + teacher.info().name;
    info.format = "safetensors";
    info.dtype = std::move(dtype);
    info.parameters = spec.parameters();
    info.spec = std::move(spec);
    info.licence = teacher.info().licence;
    info.derived_from = teacher.info().sha256.empty() ? teacher.info().name : teacher.info().sha256;
    info.stop_tokens = teacher.info().stop_tokens;
    info.bos_text = teacher.info().bos_text;
    info.eos_text = teacher.info().eos_text;
    return {std::move(info), std::move(weights), teacher.shared_tokenizer(), teacher.shared_chat_template()};
}

Result<Model> fresh_student(const DistilPlan::Student::Fresh& fresh, const Model& teacher)
{
    if (fresh.width % fresh.heads != 0 || (fresh.width / fresh.heads) % 2 != 0) {
        return failure(Error::Kind::Usage, "A student of width " + std::to_string(fresh.width) + " cannot have " + std::to_string(fresh.heads) +
                                               " heads; the width must be an even multiple of the heads.");
    }
    DecoderShape spec = fresh_spec(fresh, teacher.spec());
    if (auto checked = check(spec, "the student's sizes"); !checked) {
        return failure(std::move(checked.error()));
    }
    return student_of(teacher, spec, random_weights(spec, fresh.init_seed), "F32");
}

/// The teacher with only `layers` of its layers, renumbered; weights are shared, not copied.
Result<Model> cut_student(const std::vector<std::int64_t>& layers, const Model& teacher)
{
    DecoderShape spec = teacher.spec();
    spec.layers = static_cast<std::int64_t>(layers.size());
    const auto whole = teacher.with_weights();
    if (!whole) {
        return failure(whole.error());
    }
    auto weights = std::make_shared<WeightSet>();
    for (const auto& [name, weight] : whole->weights()) {
        if (layer_of(name).layer < 0) {
            weights->emplace(name, weight);
        }
    }
    spec.each_layer.clear();
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (layers[i] < 0 || layers[i] >= teacher.spec().layers) {
            return failure(Error::Kind::Usage, "The student asks for layer " + std::to_string(layers[i]) + " of its teacher, which has layers 0 to " +
                                                   std::to_string(teacher.spec().layers - 1) + ".");
        }
        if (!teacher.spec().each_layer.empty()) {
            spec.each_layer.push_back(teacher.spec().layer(layers[i]));
        }
        const std::string from = layer_name(layers[i], {});
        for (auto found = whole->weights().lower_bound(from); found != whole->weights().end() && found->first.starts_with(from); ++found) {
            weights->emplace(layer_name(static_cast<std::int64_t>(i), layer_of(found->first).rest), found->second);
        }
    }
    return student_of(teacher, std::move(spec), std::move(weights), teacher.info().dtype);
}

Result<std::vector<std::int64_t>> every_nth(const std::string& text, std::int64_t layers)
{
    constexpr std::string_view kEvery = "every ";
    std::int64_t step = 0;
    for (std::size_t i = kEvery.size(); i < text.size() && text[i] >= '0' && text[i] <= '9' && step <= layers; ++i) {
        step = 10 * step + (text[i] - '0');
    }
    if (!text.starts_with(kEvery) || step < 1 || step > layers) {
        return failure(Error::Kind::Usage, "The student's layers are \"" + printable(text) + "\"; \"every N\" with N from 1 to " +
                                               std::to_string(layers) + " is expected.");
    }
    std::vector<std::int64_t> result;
    for (std::int64_t layer = 0; layer < layers; layer += step) {
        result.push_back(layer);
    }
    return result;
}

} // namespace

DecoderShape fresh_spec(const DistilPlan::Student::Fresh& fresh, const DecoderShape& teacher)
{
    DecoderShape spec;
    spec.family = fresh.architecture;
    spec.layers = fresh.layers;
    spec.width = fresh.width;
    spec.heads = fresh.heads;
    spec.kv_heads = fresh.kv_heads;
    spec.head_dim = fresh.width / std::max<std::int64_t>(1, fresh.heads);
    spec.ffn = fresh.ffn;
    spec.vocabulary = teacher.vocabulary;
    spec.context = teacher.context;
    spec.norm_eps = teacher.norm_eps;
    spec.tied = true;
    return spec;
}

Result<Model> make_student(const DistilPlan& plan, const Model& teacher, const std::optional<Model>& from)
{
    if (!plan.student.from.empty()) {
        if (!from) {
            return failure(Error::Kind::Usage, "The student goes on from " + printable(plan.student.from) + ", which is not loaded.");
        }
        return *from;
    }
    if (!plan.student.layer_list.empty()) {
        return cut_student(plan.student.layer_list, teacher);
    }
    if (!plan.student.layers.empty()) {
        return every_nth(plan.student.layers, teacher.spec().layers).and_then([&](const std::vector<std::int64_t>& layers) {
            return cut_student(layers, teacher);
        });
    }
    return fresh_student(plan.student.fresh.value_or(DistilPlan::Student::Fresh{}), teacher);
}

} // namespace retort
