#include "core/model/weight_table.h"

#include <charconv>

namespace retort {

namespace {

constexpr std::string_view kLayers = "model.layers.";

/// Hugging Face llama's spelling, and for what a llama does not have, that of the family which has it.
std::string_view spelling(Part part)
{
    switch (part) {
    case Part::Embedding:
        return "model.embed_tokens";
    case Part::Positions:
        return "model.embed_positions";
    case Part::ProjectIn:
        return "model.project_in";
    case Part::AttentionNorm:
        return "input_layernorm";
    case Part::Query:
        return "self_attn.q_proj";
    case Part::Key:
        return "self_attn.k_proj";
    case Part::Value:
        return "self_attn.v_proj";
    case Part::QueryNorm:
        return "self_attn.q_norm";
    case Part::KeyNorm:
        return "self_attn.k_norm";
    case Part::Output:
        return "self_attn.o_proj";
    case Part::AfterAttentionNorm:
        return "after_attention_layernorm";
    case Part::FfnNorm:
        return "post_attention_layernorm";
    case Part::Gate:
        return "mlp.gate_proj";
    case Part::Up:
        return "mlp.up_proj";
    case Part::Down:
        return "mlp.down_proj";
    case Part::AfterFfnNorm:
        return "after_feedforward_layernorm";
    case Part::FinalNorm:
        return "model.norm";
    case Part::ProjectOut:
        return "model.project_out";
    case Part::Head:
        return "lm_head";
    }
    return {};
}

/// Whether the shape has the part's weight, its bias, and how large they are.
struct PartShape {
    bool present = false;
    bool bias = false;
    std::vector<std::int64_t> shape;
};

PartShape shape_of_norm(const DecoderShape& shape, bool present)
{
    return {present, shape.norm_bias, {shape.width}};
}

PartShape shape_of_query_norm(const DecoderShape& shape, std::int64_t row)
{
    using Norm = AttentionShape::Norm;
    return {shape.attention.norm != Norm::None, false, {shape.attention.norm == Norm::Head ? shape.head_dim : row}};
}

PartShape shape_of(const DecoderShape& shape, Part part)
{
    using Norms = ResidualShape::Norms;
    const Norms norms = shape.residual.norms;
    const bool before = norms == Norms::Before || norms == Norms::Around || norms == Norms::OfSum;
    const bool after = norms == Norms::Around || norms == Norms::After;
    const AttentionShape& attention = shape.attention;
    const FeedForwardShape& feed_forward = shape.feed_forward;
    switch (part) {
    case Part::Embedding:
        return {true, false, {shape.vocabulary, shape.token_width()}};
    case Part::Positions:
        return {shape.positions == DecoderShape::Positions::Learned, false, {shape.context + shape.position_offset, shape.width}};
    case Part::ProjectIn:
        return {shape.embedding_width > 0, false, {shape.width, shape.token_width()}};
    case Part::AttentionNorm:
        return shape_of_norm(shape, before);
    case Part::Query:
        return {true, attention.bias, {shape.query_width(), shape.width}};
    case Part::Key:
    case Part::Value:
        return {true, attention.bias, {shape.kv_width(), shape.width}};
    case Part::QueryNorm:
        return shape_of_query_norm(shape, shape.query_width());
    case Part::KeyNorm:
        return shape_of_query_norm(shape, shape.kv_width());
    case Part::Output:
        return {true, attention.output_bias, {shape.width, shape.query_width()}};
    case Part::FfnNorm:
        return shape_of_norm(shape, before && !shape.residual.shared_norm);
    case Part::AfterAttentionNorm:
    case Part::AfterFfnNorm:
        return shape_of_norm(shape, after);
    case Part::Gate:
        return {feed_forward.gated, feed_forward.bias, {shape.ffn, shape.width}};
    case Part::Up:
        return {true, feed_forward.bias, {shape.ffn, shape.width}};
    case Part::Down:
        return {true, feed_forward.down_bias, {shape.width, shape.ffn}};
    case Part::FinalNorm:
        return shape_of_norm(shape, shape.final_norm);
    case Part::ProjectOut:
        return {shape.embedding_width > 0, false, {shape.token_width(), shape.width}};
    case Part::Head:
        return {!shape.tied, shape.head_bias, {shape.vocabulary, shape.token_width()}};
    }
    return {};
}

void add(const DecoderShape& shape, Part part, std::int64_t layer, std::vector<WeightSlot>& table)
{
    const PartShape found = shape_of(shape, part);
    if (found.present) {
        table.push_back({part, false, layer, weight_name(part, layer), found.shape});
    }
    if (found.bias && (found.present || part == Part::Head)) { // a tied head may still have a bias of its own
        table.push_back({part, true, layer, weight_name(part, layer, true), {found.shape.front()}});
    }
}

} // namespace

bool is_of_layer(Part part)
{
    return part >= Part::AttentionNorm && part <= Part::AfterFfnNorm;
}

bool is_norm(Part part)
{
    return part == Part::AttentionNorm || part == Part::QueryNorm || part == Part::KeyNorm || part == Part::AfterAttentionNorm ||
           part == Part::FfnNorm || part == Part::AfterFfnNorm || part == Part::FinalNorm;
}

std::string weight_name(Part part, std::int64_t layer, bool bias)
{
    const std::string stem(spelling(part));
    return (is_of_layer(part) ? layer_name(layer, stem) : stem) + (bias ? ".bias" : ".weight");
}

std::vector<WeightSlot> weight_table(const DecoderShape& shape)
{
    std::vector<WeightSlot> table;
    for (const Part part : kParts) {
        if (part < Part::AttentionNorm) {
            add(shape, part, -1, table);
        }
    }
    for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
        for (const Part part : kParts) {
            if (is_of_layer(part)) {
                add(shape, part, layer, table);
            }
        }
    }
    for (const Part part : kParts) {
        if (part > Part::AfterFfnNorm) {
            add(shape, part, -1, table);
        }
    }
    return table;
}

LayerName layer_of(std::string_view name)
{
    if (!name.starts_with(kLayers)) {
        return {-1, std::string(name)};
    }
    LayerName found;
    const std::string_view after = name.substr(kLayers.size());
    const auto [end, code] = std::from_chars(after.data(), after.data() + after.size(), found.layer);
    const auto rest = after.substr(static_cast<std::size_t>(end - after.data()));
    if (code != std::errc() || !rest.starts_with('.')) {
        return {-1, std::string(name)};
    }
    found.rest = rest.substr(1);
    return found;
}

std::string layer_name(std::int64_t layer, std::string_view rest)
{
    return std::string(kLayers) + std::to_string(layer) + "." + std::string(rest);
}

} // namespace retort
