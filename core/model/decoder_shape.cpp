#include "core/model/decoder_shape.h"

#include "core/model/weight_table.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace retort {

namespace {

struct Bound {
    const char* what;
    std::int64_t value;
    std::int64_t least;
    std::int64_t most;
};

Result<void> check_sizes(const DecoderShape& shape, const std::string& origin)
{
    const Bound bounds[] = {
        {"layers", shape.layers, 1, 1024},
        {"width", shape.width, 1, 65536},
        {"attention heads", shape.heads, 1, 1024},
        {"key-value heads", shape.kv_heads, 1, 1024},
        {"values per head", shape.head_dim, 1, 1024},
        {"feed-forward width", shape.ffn, 1, 1 << 20},
        {"vocabulary", shape.vocabulary, 1, 1 << 21},
        {"context", shape.context, 1, 1 << 24},
        {"embedding width", shape.embedding_width, 0, 65536},
        {"position offset", shape.position_offset, 0, 1024},
    };
    for (const Bound& bound : bounds) {
        if (bound.value < bound.least || bound.value > bound.most) {
            return failure(Error::Kind::BadFile, origin + ": " + bound.what + " is " + std::to_string(bound.value) + "; from " +
                                                     std::to_string(bound.least) + " to " + std::to_string(bound.most) + " is possible.");
        }
    }
    if (shape.heads % shape.kv_heads != 0) {
        return failure(Error::Kind::BadFile, origin + ": " + std::to_string(shape.heads) + " attention heads cannot share " +
                                                 std::to_string(shape.kv_heads) + " key-value heads evenly.");
    }
    return {};
}

bool positive(double value)
{
    return std::isfinite(value) && value > 0.0;
}

Result<void> check_positions(const DecoderShape& shape, const std::string& origin)
{
    if (shape.positions == DecoderShape::Positions::Learned) {
        return {};
    }
    const std::int64_t dims = shape.turning_dims();
    if (dims % 2 != 0 || dims < 2 || dims > shape.head_dim) {
        return failure(Error::Kind::BadFile, origin + ": of a head's " + std::to_string(shape.head_dim) + " values " + std::to_string(dims) +
                                                 " turn with the position; RoPE turns pairs, so an even number of at most all of them is possible.");
    }
    if (auto checked = check(shape.rope, dims, origin); !checked) {
        return checked;
    }
    return check(shape.local_rope, dims, origin);
}

Result<void> check_numbers(const DecoderShape& shape, const std::string& origin)
{
    if (!positive(shape.norm_eps) || shape.norm_eps >= 1.0) {
        return failure(Error::Kind::BadFile,
                       origin + ": the normalisation's epsilon is " + std::to_string(shape.norm_eps) + "; a small positive number was expected.");
    }
    struct Number {
        const char* what;
        double value;
        bool may_be_zero;
    };
    const Number numbers[] = {
        {"attention scale", shape.attention.scale, true},
        {"attention soft-cap", shape.attention.soft_cap, true},
        {"residual multiplier", shape.residual.scale, false},
        {"embedding multiplier", shape.embedding_scale, false},
        {"logit scale", shape.logit_scale, false},
        {"logit soft-cap", shape.logit_cap, true},
    };
    for (const Number& number : numbers) {
        if (!positive(number.value) && !(number.may_be_zero && number.value == 0.0)) {
            return failure(Error::Kind::BadFile,
                           origin + ": the " + number.what + " is " + std::to_string(number.value) + "; a positive number was expected.");
        }
    }
    return {};
}

Result<void> check_layers(const DecoderShape& shape, const std::string& origin)
{
    if (!shape.each_layer.empty() && shape.each_layer.size() != static_cast<std::size_t>(shape.layers)) {
        return failure(Error::Kind::BadFile, origin + ": " + std::to_string(shape.each_layer.size()) + " layers are described; the model has " +
                                                 std::to_string(shape.layers) + ".");
    }
    for (const LayerShape& layer : shape.each_layer) {
        if (layer.window < 0) {
            return failure(Error::Kind::BadFile, origin + ": a sliding window of " + std::to_string(layer.window) + " positions is not possible.");
        }
    }
    return {};
}

} // namespace

double DecoderShape::attention_scale() const
{
    return attention.scale > 0.0 ? attention.scale : 1.0 / std::sqrt(static_cast<double>(head_dim));
}

std::uint64_t DecoderShape::parameters() const
{
    std::uint64_t total = 0;
    for (const WeightSlot& slot : weight_table(*this)) {
        total += static_cast<std::uint64_t>(std::accumulate(slot.shape.begin(), slot.shape.end(), std::int64_t{1}, std::multiplies<>()));
    }
    return total;
}

Result<void> check(const DecoderShape& shape, const std::string& origin)
{
    return check_sizes(shape, origin)
        .and_then([&] { return check_numbers(shape, origin); })
        .and_then([&] { return check_layers(shape, origin); })
        .and_then([&] { return check_positions(shape, origin); });
}

std::vector<std::string> beyond_llama(const DecoderShape& shape)
{
    const auto differs = [&shape](auto layer_differs) {
        return std::ranges::any_of(shape.each_layer, [&](const LayerShape& layer) { return layer_differs(layer); });
    };
    const std::pair<bool, const char*> kinds[] = {
        {shape.norm != DecoderShape::Norm::Rms || shape.norm_bias, "LayerNorm"},
        {!shape.final_norm, "no final norm"},
        {shape.residual.norms != ResidualShape::Norms::Before, "norms after its branches"},
        {shape.positions == DecoderShape::Positions::Learned, "learned positions"},
        {shape.turning_dims() != shape.head_dim, "partly turned heads"},
        {shape.rope.scaling.kind == RopeScaling::Kind::LongRope || shape.rope.scaling.attention_factor != 1.0, "scaled rotary attention"},
        {shape.attention.bias || shape.attention.output_bias, "attention biases"},
        {shape.attention.norm != AttentionShape::Norm::None, "query and key norms"},
        {shape.attention.scale > 0.0, "an attention scale of its own"},
        {shape.attention.soft_cap > 0.0 || shape.logit_cap > 0.0, "soft-capped scores"},
        {differs([&](const LayerShape& layer) { return layer.window > 0 && layer.window < shape.context; }), "a sliding window"},
        {differs([](const LayerShape& layer) { return layer.rotation != LayerShape::Rotation::Global; }), "layers with other positions"},
        {!shape.feed_forward.gated || shape.feed_forward.activation != Activation::Silu, "a feed-forward other than SwiGLU"},
        {shape.feed_forward.bias || shape.feed_forward.down_bias, "feed-forward biases"},
        {shape.residual.parallel, "parallel branches"},
        {shape.residual.scale != 1.0 || shape.embedding_scale != 1.0 || shape.logit_scale != 1.0, "scaled embeddings, branches or logits"},
        {shape.embedding_width > 0, "a projected embedding"},
        {shape.head_bias, "a head bias"},
    };
    std::vector<std::string> names;
    for (const auto& [has, name] : kinds) {
        if (has) {
            names.emplace_back(name);
        }
    }
    return names;
}

} // namespace retort
