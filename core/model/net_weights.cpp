#include "core/model/net_weights.h"

#include "core/kernels/team.h"

#include <algorithm>
#include <atomic>
#include <string>

namespace retort {

namespace {

constexpr std::size_t kCacheLine = 64;

PackFormat format_of(DType dtype)
{
    switch (dtype) {
    case DType::F32:
        return PackFormat::F32;
    case DType::F16:
        return PackFormat::F16;
    case DType::BF16:
        return PackFormat::BF16;
    case DType::Q8_0:
        return PackFormat::Q8_0;
    case DType::Q4_0:
        return PackFormat::Q4_0;
    case DType::Q4_1:
        return PackFormat::Q4_1;
    }
    return PackFormat::F32;
}

std::string text_of(const std::vector<std::int64_t>& shape)
{
    std::string text = "(";
    for (const std::int64_t size : shape) {
        text += (text.size() > 1 ? ", " : "") + std::to_string(size);
    }
    return text + ")";
}

Result<void> check_weights(const ArchSpec& spec, const WeightSet& weights)
{
    for (const WeightShape& expected : expected_weights(spec)) {
        const auto found = weights.find(expected.name);
        if (found == weights.end()) {
            return failure(Error::Kind::Mismatch,
                           "The weights lack the tensor \"" + expected.name + "\" that a " + spec.family + " model of this shape has.");
        }
        if (found->second.shape != expected.shape) {
            return failure(Error::Kind::Mismatch, "Tensor \"" + expected.name + "\" has shape " + text_of(found->second.shape) +
                                                      "; the model's shape asks for " + text_of(expected.shape) + ".");
        }
    }
    return {};
}

/// Finds weights by name; they have been checked.
class Lookup {
public:
    explicit Lookup(const WeightSet& weights) : m_weights(weights) {}

    [[nodiscard]] RowMajorWeights matrix(const std::string& name) const
    {
        const Weight& weight = m_weights.find(name)->second;
        return {format_of(weight.dtype), weight.rows(), weight.columns(), weight.bytes.data()};
    }

    [[nodiscard]] std::vector<float> vector(const std::string& name) const
    {
        const Weight& weight = m_weights.find(name)->second;
        std::vector<float> values(static_cast<std::size_t>(weight.values()));
        decode_rows(weight, 0, weight.rows(), values);
        return values;
    }

private:
    const WeightSet& m_weights;
};

/// The matrices of the model in the order in which a token meets them; four for each layer and the head.
std::vector<PackingPlan> plan_matrices(const ArchSpec& spec, const Lookup& lookup)
{
    std::vector<PackingPlan> plans;
    for (std::int64_t i = 0; i < spec.layers; ++i) {
        const std::string layer = "model.layers." + std::to_string(i) + ".";
        const auto matrix = [&](const char* name) { return lookup.matrix(layer + name + ".weight"); };
        plans.push_back({{matrix("self_attn.q_proj"), matrix("self_attn.k_proj"), matrix("self_attn.v_proj")}, GroupOrder::Following});
        plans.push_back({{matrix("self_attn.o_proj")}, GroupOrder::Following});
        plans.push_back({{matrix("mlp.gate_proj"), matrix("mlp.up_proj")}, GroupOrder::Alternating});
        plans.push_back({{matrix("mlp.down_proj")}, GroupOrder::Following});
    }
    plans.push_back({{lookup.matrix(spec.tied ? "model.embed_tokens.weight" : "lm_head.weight")}, GroupOrder::Following});
    return plans;
}

std::size_t on_cache_lines(std::size_t bytes)
{
    return (bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
}

} // namespace

Result<PackedWeights> PackedWeights::pack(const ArchSpec& spec, const WeightSet& weights, int parts, const Progress& progress)
{
    if (auto checked = check_weights(spec, weights); !checked) {
        return failure(checked.error());
    }
    const Lookup lookup(weights);
    const std::vector<PackingPlan> plans = plan_matrices(spec, lookup);

    PackedWeights packed;
    for (int part = 0; part < parts; ++part) {
        std::size_t bytes = 0;
        for (const PackingPlan& plan : plans) {
            bytes += on_cache_lines(plan.bytes_of(part, parts));
        }
        packed.m_arenas.emplace_back(bytes);
    }

    // runs[plan][part]
    std::vector<std::vector<std::vector<GroupRun>>> runs(plans.size(), std::vector<std::vector<GroupRun>>(static_cast<std::size_t>(parts)));
    std::vector<std::size_t> used(static_cast<std::size_t>(parts), 0);
    for (std::size_t i = 0; i < plans.size(); ++i) {
        if (progress.cancelled()) {
            return cancelled();
        }
        progress.at("Packing weights", static_cast<double>(i) / static_cast<double>(plans.size()));
        for_chunks(parts, [&](std::int64_t chunk, int) {
            const auto p = static_cast<std::size_t>(chunk);
            const int part = static_cast<int>(chunk);
            runs[i][p] = plans[i].pack(part, parts, packed.m_arenas[p].data() + used[p]);
            used[p] += on_cache_lines(plans[i].bytes_of(part, parts));
        });
    }

    const auto matrix = [&](std::size_t plan) { return PackedMatrix(plans[plan].columns(), runs[plan]); };
    for (std::int64_t i = 0; i < spec.layers; ++i) {
        const std::string name = "model.layers." + std::to_string(i) + ".";
        const std::size_t first = static_cast<std::size_t>(i) * 4;
        packed.m_layers.push_back({lookup.vector(name + "input_layernorm.weight"), lookup.vector(name + "post_attention_layernorm.weight"),
                                   matrix(first), matrix(first + 1), matrix(first + 2), matrix(first + 3)});
    }
    packed.m_head = matrix(plans.size() - 1);
    packed.m_final_norm = lookup.vector("model.norm.weight");
    if (!spec.tied) {
        packed.m_embedding = weights.find("model.embed_tokens.weight")->second;
    }
    return packed;
}

void PackedWeights::embed(std::int64_t id, std::span<float> out) const
{
    if (!m_embedding.bytes.empty()) {
        decode_rows(m_embedding, id, 1, out);
        return;
    }
    const PackedMatrix::Place place = m_head.place_of(id / kGroupRows);
    unpack_row(place.format, place.data, id % kGroupRows, out);
}

} // namespace retort
