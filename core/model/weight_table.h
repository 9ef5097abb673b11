#pragma once
#include "core/model/decoder_shape.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

/// What a weight does in a decoder. Each has a weight and, where the shape says so, a bias.
enum class Part {
    Embedding,
    Positions,
    ProjectIn, ///< from the embedding's width to the model's
    AttentionNorm,
    Query,
    Key,
    Value,
    QueryNorm,
    KeyNorm,
    Output,
    AfterAttentionNorm, ///< of what attention adds
    FfnNorm,
    Gate,
    Up,
    Down,
    AfterFfnNorm,
    FinalNorm,
    ProjectOut,
    Head,
};
inline constexpr std::array kParts = {
    Part::Embedding, Part::Positions,    Part::ProjectIn, Part::AttentionNorm,      Part::Query,   Part::Key,  Part::Value,
    Part::QueryNorm, Part::KeyNorm,      Part::Output,    Part::AfterAttentionNorm, Part::FfnNorm, Part::Gate, Part::Up,
    Part::Down,      Part::AfterFfnNorm, Part::FinalNorm, Part::ProjectOut,         Part::Head};

[[nodiscard]] bool is_of_layer(Part part);
[[nodiscard]] bool is_norm(Part part);

/// One weight that a model of a shape has.
struct WeightSlot {
    Part part = Part::Embedding;
    bool bias = false;
    std::int64_t layer = -1;         ///< -1: of the whole model
    std::string name;                ///< canonical, by which a WeightSet holds it
    std::vector<std::int64_t> shape; ///< rows first

    /// Attention's and feed-forward's outputs, which the residual stream sums up.
    [[nodiscard]] bool writes_to_residual() const { return !bias && (part == Part::Output || part == Part::Down); }
};

/// The name of a weight in a WeightSet, whatever file it came from; `layer` is ignored for parts of the whole model. The one place that spells them.
[[nodiscard]] std::string weight_name(Part part, std::int64_t layer = -1, bool bias = false);

/// Every weight that a model of this shape has, once, in the order in which a token meets them. Checking, packing, training, cutting and saving go
/// by this list.
[[nodiscard]] std::vector<WeightSlot> weight_table(const DecoderShape& shape);

/// `name` with the number of its layer replaced; `name` itself where it is of the whole model, and empty where it is no weight's name.
struct LayerName {
    std::int64_t layer = -1;
    std::string rest; ///< "self_attn.q_proj.weight"
};
[[nodiscard]] LayerName layer_of(std::string_view name);
[[nodiscard]] std::string layer_name(std::int64_t layer, std::string_view rest);

} // namespace retort
