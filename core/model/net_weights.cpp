#include "core/model/net_weights.h"

#include "core/kernels/team.h"
#include "core/model/quant_format.h"
#include "core/model/tensor_entry.h"
#include "core/model/weight_table.h"

#include <algorithm>
#include <string>

namespace retort {

namespace {

constexpr std::size_t kCacheLine = 64;

Result<void> check_weights(const DecoderShape& spec, const WeightSet& weights)
{
    for (const WeightSlot& expected : weight_table(spec)) {
        const auto found = weights.find(expected.name);
        if (found == weights.end()) {
            return failure(Error::Kind::Mismatch,
                           "The weights lack the tensor \"" + expected.name + "\" that a " + spec.family + " model of this shape has.");
        }
        if (found->second.shape != expected.shape) {
            return failure(Error::Kind::Mismatch, "Tensor \"" + expected.name + "\" has shape " + shape_text(found->second.shape) +
                                                      "; the model's shape asks for " + shape_text(expected.shape) + ".");
        }
    }
    return {};
}

/// Matrices that are packed as one.
struct Joined {
    std::vector<std::string> names;
    GroupOrder order = GroupOrder::Following;
};

/// The matrices of the model in the order in which a token meets them: a projection in, four for each layer, a projection out and the head.
std::vector<Joined> matrices_of(const DecoderShape& spec)
{
    std::vector<Joined> all;
    if (spec.embedding_width > 0) {
        all.push_back({{weight_name(Part::ProjectIn)}});
    }
    for (std::int64_t i = 0; i < spec.layers; ++i) {
        all.push_back({{weight_name(Part::Query, i), weight_name(Part::Key, i), weight_name(Part::Value, i)}});
        all.push_back({{weight_name(Part::Output, i)}});
        if (spec.feed_forward.gated) {
            all.push_back({{weight_name(Part::Gate, i), weight_name(Part::Up, i)}, GroupOrder::Alternating});
        } else {
            all.push_back({{weight_name(Part::Up, i)}});
        }
        all.push_back({{weight_name(Part::Down, i)}});
    }
    if (spec.embedding_width > 0) {
        all.push_back({{weight_name(Part::ProjectOut)}});
    }
    all.push_back({{weight_name(spec.tied ? Part::Embedding : Part::Head)}});
    return all;
}

/// Sizes and types as the kernels take them, the bytes still to come.
PackingPlan plan_of(const Joined& joined, const WeightSet& weights)
{
    PackingPlan plan{{}, joined.order};
    for (const std::string& name : joined.names) {
        const Weight& weight = weights.find(name)->second;
        plan.matrices.push_back({packed_format(weight.dtype), weight.rows(), weight.columns(), nullptr});
    }
    return plan;
}

std::size_t on_cache_lines(std::size_t bytes)
{
    return (bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
}

std::vector<float> values_of(const WeightSet& weights, Part part, std::int64_t layer, bool bias = false)
{
    const auto found = weights.find(weight_name(part, layer, bias));
    return found == weights.end() ? std::vector<float>() : decoded(found->second);
}

NormWeights norm_of(const WeightSet& weights, Part part, std::int64_t layer = -1)
{
    return {values_of(weights, part, layer), values_of(weights, part, layer, true)};
}

/// The biases of matrices that follow each other, each filled up to whole groups as they are; empty where there are none.
std::vector<float> joined_biases(const WeightSet& weights, std::initializer_list<Part> parts, std::int64_t layer)
{
    std::vector<float> all;
    for (const Part part : parts) {
        std::vector<float> values = values_of(weights, part, layer, true);
        values.resize(static_cast<std::size_t>(padded_rows(static_cast<std::int64_t>(values.size()))));
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

/// The same for gate and up, whose groups alternate.
std::vector<float> alternating_biases(const WeightSet& weights, std::int64_t layer)
{
    const std::vector<float> following = joined_biases(weights, {Part::Gate, Part::Up}, layer);
    std::vector<float> all;
    for (std::size_t group = 0; group < following.size() / 2; group += kGroupRows) {
        for (const std::size_t from : {group, following.size() / 2 + group}) {
            const auto begin = following.begin() + static_cast<std::ptrdiff_t>(from);
            all.insert(all.end(), begin, begin + kGroupRows);
        }
    }
    return all;
}

} // namespace

/// The work of pack(): arenas first, then matrix after matrix into them.
struct PackedWeights::Packing {
    PackedWeights packed;
    int parts;
    std::vector<std::size_t> used;

    Packing(const std::vector<Joined>& matrices, const WeightSet& weights, int count) : parts(count), used(static_cast<std::size_t>(count), 0)
    {
        for (int part = 0; part < parts; ++part) {
            std::size_t bytes = 0;
            for (const Joined& joined : matrices) {
                bytes += on_cache_lines(plan_of(joined, weights).bytes_of(part, parts));
            }
            packed.m_arenas.emplace_back(bytes);
        }
    }

    PackedMatrix pack(const Joined& joined, WeightSet& weights)
    {
        PackingPlan plan = plan_of(joined, weights);
        std::vector<PackableWeight> held; // what is made for packing lives until it is packed
        for (std::size_t i = 0; i < joined.names.size(); ++i) {
            held.push_back(as_packable(weights.find(joined.names[i])->second));
            plan.matrices[i].bytes = held.back().bytes.data();
        }
        std::vector<std::vector<GroupRun>> runs(static_cast<std::size_t>(parts));
        for_chunks(parts, [&](std::int64_t chunk, int) {
            const auto p = static_cast<std::size_t>(chunk);
            const int part = static_cast<int>(chunk);
            runs[p] = plan.pack(part, parts, packed.m_arenas[p].data() + used[p]);
            used[p] += on_cache_lines(plan.bytes_of(part, parts));
        });
        for (const std::string& name : joined.names) {
            weights.erase(name);
        }
        return {plan.columns(), runs};
    }
};

Result<PackedWeights> PackedWeights::pack(const DecoderShape& spec, WeightSet weights, int parts, const Progress& progress)
{
    if (auto checked = check_weights(spec, weights); !checked) {
        return failure(checked.error());
    }
    const std::vector<Joined> matrices = matrices_of(spec);
    Packing packing(matrices, weights, parts);
    PackedWeights& packed = packing.packed;
    for (std::int64_t i = 0; i < spec.layers; ++i) {
        PackedLayer layer;
        layer.attention_norm = norm_of(weights, Part::AttentionNorm, i);
        layer.after_attention_norm = norm_of(weights, Part::AfterAttentionNorm, i);
        layer.ffn_norm = norm_of(weights, Part::FfnNorm, i);
        layer.after_ffn_norm = norm_of(weights, Part::AfterFfnNorm, i);
        layer.query_norm = norm_of(weights, Part::QueryNorm, i);
        layer.key_norm = norm_of(weights, Part::KeyNorm, i);
        layer.qkv_bias = joined_biases(weights, {Part::Query, Part::Key, Part::Value}, i);
        layer.output_bias = joined_biases(weights, {Part::Output}, i);
        layer.gate_up_bias = spec.feed_forward.gated ? alternating_biases(weights, i) : joined_biases(weights, {Part::Up}, i);
        layer.down_bias = joined_biases(weights, {Part::Down}, i);
        packed.m_layers.push_back(std::move(layer));
    }
    packed.m_final_norm = norm_of(weights, Part::FinalNorm);
    packed.m_head_bias = values_of(weights, Part::Head, -1, true);
    if (!spec.tied) {
        packed.m_embedding = weights.find(weight_name(Part::Embedding))->second;
    }
    if (spec.positions == DecoderShape::Positions::Learned) {
        packed.m_positions = weights.find(weight_name(Part::Positions))->second;
    }
    std::vector<PackedMatrix*> places;
    if (spec.embedding_width > 0) {
        places.push_back(&packed.m_project_in);
    }
    for (PackedLayer& layer : packed.m_layers) {
        places.insert(places.end(), {&layer.qkv, &layer.output, &layer.gate_up, &layer.down});
    }
    if (spec.embedding_width > 0) {
        places.push_back(&packed.m_project_out);
    }
    places.push_back(&packed.m_head);
    for (std::size_t i = 0; i < matrices.size(); ++i) {
        if (progress.cancelled()) {
            return cancelled();
        }
        progress.at("Packing weights", static_cast<double>(i) / static_cast<double>(matrices.size()));
        *places[i] = packing.pack(matrices[i], weights);
    }
    return std::move(packed);
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
