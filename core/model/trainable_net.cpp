#include "core/model/trainable_net.h"

#include "core/kernels/train_attention.h"
#include "core/kernels/train_layers.h"
#include "core/kernels/train_products.h"
#include "core/model/trainable_activations.h"
#include "core/model/trainable_parameters.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

namespace retort {
namespace {

template <class Act>
class NetOf final : public TrainableNet {
public:
    NetOf(const DecoderShape& spec, Purpose purpose) : TrainableNet(spec), m_trains(purpose == Purpose::Training), m_parameters(layout(), m_trains) {}

    void forward(std::span<const std::int32_t> ids, std::int64_t sequences, std::int64_t length) override;
    void pick(std::span<const std::int64_t> rows) override;
    Logits logits(std::int64_t first, std::int64_t count, std::int64_t vocabulary) override;
    void head_backward(std::int64_t first, const Logits& gradient) override;
    void backward() override;

    std::span<float> parameters() override { return m_parameters.values().span(); }
    std::span<const float> parameters() const override { return m_parameters.values().span(); }
    std::span<float> gradients() override { return m_parameters.gradients().span(); }
    std::span<BFloat16> rounded() override { return m_parameters.rounded().span(); }
    Result<void> load(const WeightSet& weights, const std::string& origin) override { return m_parameters.load(weights, origin); }

private:
    void reserve(std::int64_t sequences, std::int64_t length);
    void attend(std::size_t layer, const float* residual, const Act* add);
    void feed_forward(std::size_t layer);
    void feed_forward_backward(std::size_t layer);
    void attend_backward(std::size_t layer);
    CausalAttention<Act> attention(std::size_t layer);

    LayerActivations<Act>& activations(std::size_t layer) { return m_activations[m_trains ? layer : 0]; }
    const float* gain(std::int64_t offset) const { return m_parameters.values().data() + offset; }
    const Act* weight(std::int64_t offset) const { return m_parameters.weight(offset); }
    float* gradient_of(std::int64_t offset) { return m_parameters.gradients().data() + offset; }
    std::int64_t rows() const { return m_sequences * m_length; }
    std::int64_t qkv_width() const { return spec().query_width() + 2 * spec().kv_width(); }
    float eps() const { return static_cast<float>(spec().norm_eps); }

    bool m_trains;
    TrainableParameters<Act> m_parameters;

    std::int64_t m_sequences = 0, m_length = 0;
    std::vector<std::int32_t> m_ids;
    std::vector<float> m_cosines, m_sines;
    std::vector<LayerActivations<Act>> m_activations;
    std::unique_ptr<BackwardMemory<Act>> m_backward;
    AlignedBuffer<Act> m_branch; ///< what attention or feed-forward adds to the residual stream
    AlignedBuffer<float> m_final_residual, m_final_inverse_rms;
    AlignedBuffer<Act> m_final;

    std::vector<std::int64_t> m_picked_rows;
    AlignedBuffer<Act> m_picked, m_picked_gradient, m_logits;
};

/// cos and sin of t inv_freq[i], (length, head_dim / 2), for t from 0.
void fill_rotations(const DecoderShape& spec, std::int64_t length, std::vector<float>& cosines, std::vector<float>& sines)
{
    const std::vector<double> frequencies = rope_inverse_frequencies(spec.rope, spec.turning_dims());
    cosines.clear();
    sines.clear();
    for (std::int64_t t = 0; t < length; ++t) {
        for (const double frequency : frequencies) {
            cosines.push_back(static_cast<float>(std::cos(static_cast<double>(t) * frequency)));
            sines.push_back(static_cast<float>(std::sin(static_cast<double>(t) * frequency)));
        }
    }
}

template <class Act>
void NetOf<Act>::reserve(std::int64_t sequences, std::int64_t length)
{
    if (length != m_length) {
        fill_rotations(spec(), length, m_cosines, m_sines);
    }
    const bool grows = sequences * length > static_cast<std::int64_t>(m_final_inverse_rms.size());
    m_sequences = sequences;
    m_length = length;
    if (!grows) {
        return;
    }
    m_activations.clear();
    const std::int64_t kept = m_trains ? spec().layers : 1;
    for (std::int64_t i = 0; i < kept; ++i) {
        m_activations.emplace_back(spec(), rows());
    }
    const auto narrow = static_cast<std::size_t>(rows() * spec().width);
    m_branch = AlignedBuffer<Act>(narrow);
    m_final = AlignedBuffer<Act>(narrow);
    m_final_residual = AlignedBuffer<float>(narrow);
    m_final_inverse_rms = AlignedBuffer<float>(static_cast<std::size_t>(rows()));
    m_backward.reset();
}

template <class Act>
CausalAttention<Act> NetOf<Act>::attention(std::size_t layer)
{
    LayerActivations<Act>& kept = activations(layer);
    return {.qkv = kept.query_key_value.data(),
            .out = kept.attended.data(),
            .log_sums = kept.log_sums.data(),
            .cosines = m_cosines.data(),
            .sines = m_sines.data(),
            .sequences = m_sequences,
            .length = m_length,
            .heads = spec().heads,
            .kv_heads = spec().kv_heads,
            .head_dim = spec().head_dim};
}

template <class Act>
void NetOf<Act>::forward(std::span<const std::int32_t> ids, std::int64_t sequences, std::int64_t length)
{
    reserve(sequences, length);
    m_ids.assign(ids.begin(), ids.end());
    float* const first = activations(0).residual.data();
    if (m_trains) { // the parameters themselves, where they are held
        embed(gain(layout().embedding()), ids, spec().width, first);
    } else {
        embed(weight(layout().embedding()), ids, spec().width, first);
    }
    const float* residual = first;
    const Act* add = nullptr;
    for (std::size_t layer = 0; layer < layout().layers().size(); ++layer) {
        attend(layer, residual, add);
        feed_forward(layer);
        residual = activations(layer).middle_residual.data();
        add = m_branch.data();
    }
    rms_norm_forward(RmsNormForward<Act>{.residual = residual,
                                         .add = add,
                                         .sum = m_final_residual.data(),
                                         .gain = gain(layout().final_norm()),
                                         .normalised = m_final.data(),
                                         .inverse_rms = m_final_inverse_rms.data(),
                                         .rows = rows(),
                                         .width = spec().width,
                                         .eps = eps()});
}

template <class Act>
void NetOf<Act>::attend(std::size_t layer, const float* residual, const Act* add)
{
    LayerActivations<Act>& kept = activations(layer);
    const ParameterLayout::Layer& at = layout().layers()[layer];
    rms_norm_forward(RmsNormForward<Act>{.residual = residual,
                                         .add = add,
                                         .sum = kept.residual.data(),
                                         .gain = gain(at.input_norm),
                                         .normalised = kept.normalised.data(),
                                         .inverse_rms = kept.inverse_rms.data(),
                                         .rows = rows(),
                                         .width = spec().width,
                                         .eps = eps()});
    apply_weight(kept.normalised.data(), weight(at.query_key_value), kept.query_key_value.data(), rows(), qkv_width(), spec().width);
    attention_forward(attention(layer));
    apply_weight(kept.attended.data(), weight(at.output), m_branch.data(), rows(), spec().width, spec().query_width());
}

template <class Act>
void NetOf<Act>::feed_forward(std::size_t layer)
{
    LayerActivations<Act>& kept = activations(layer);
    const ParameterLayout::Layer& at = layout().layers()[layer];
    rms_norm_forward(RmsNormForward<Act>{.residual = kept.residual.data(),
                                         .add = m_branch.data(),
                                         .sum = kept.middle_residual.data(),
                                         .gain = gain(at.post_norm),
                                         .normalised = kept.middle_normalised.data(),
                                         .inverse_rms = kept.middle_inverse_rms.data(),
                                         .rows = rows(),
                                         .width = spec().width,
                                         .eps = eps()});
    apply_weight(kept.middle_normalised.data(), weight(at.gate_up), kept.gate_up.data(), rows(), 2 * spec().ffn, spec().width);
    swiglu_forward(SwiGlu<Act>{.gate_up = kept.gate_up.data(), .out = kept.hidden.data(), .rows = rows(), .ffn = spec().ffn});
    apply_weight(kept.hidden.data(), weight(at.down), m_branch.data(), rows(), spec().width, spec().ffn);
}

template <class Act>
void NetOf<Act>::pick(std::span<const std::int64_t> rows)
{
    m_picked_rows.assign(rows.begin(), rows.end());
    const auto size = rows.size() * static_cast<std::size_t>(spec().width);
    if (size > m_picked.size()) {
        m_picked = AlignedBuffer<Act>(size);
        m_picked_gradient = AlignedBuffer<Act>(m_trains ? size : 0);
    }
    gather_rows(m_final.data(), rows, spec().width, m_picked.data());
}

template <class Act>
TrainableNet::Logits NetOf<Act>::logits(std::int64_t first, std::int64_t count, std::int64_t vocabulary)
{
    const auto size = static_cast<std::size_t>(count * vocabulary);
    if (size > m_logits.size()) {
        m_logits = AlignedBuffer<Act>(size);
    }
    apply_weight(m_picked.data() + first * spec().width, weight(layout().head()), m_logits.data(), count, vocabulary, spec().width);
    Logits result{.rows = count, .vocabulary = vocabulary};
    if constexpr (std::is_same_v<Act, BFloat16>) {
        result.bf16 = m_logits.data();
    } else {
        result.fp32 = m_logits.data();
    }
    return result;
}

template <class Act>
void NetOf<Act>::head_backward(std::int64_t first, const Logits& gradient)
{
    if (!m_backward) {
        const std::int64_t layer_weight =
            std::max(qkv_width(), std::max(2 * spec().ffn, spec().width)) * std::max(spec().width, spec().query_width());
        m_backward = std::make_unique<BackwardMemory<Act>>(spec(), static_cast<std::int64_t>(m_final_inverse_rms.size()),
                                                           std::max(spec().vocabulary * spec().width, layer_weight));
    }
    const std::int64_t width = spec().width;
    input_gradient(m_logits.data(), weight(layout().head()), m_picked_gradient.data() + first * width, gradient.rows, gradient.vocabulary, width);
    add_weight_gradient(m_logits.data(), m_picked.data() + first * width, gradient_of(layout().head()), m_backward->weight.data(), gradient.rows,
                        gradient.vocabulary, width);
}

template <class Act>
void NetOf<Act>::backward()
{
    BackwardMemory<Act>& memory = *m_backward;
    scatter_rows(m_picked_gradient.data(), m_picked_rows, spec().width, memory.narrow.data(), rows());
    rms_norm_backward(RmsNormBackward<Act>{.gradient = memory.narrow.data(),
                                           .residual = m_final_residual.data(),
                                           .inverse_rms = m_final_inverse_rms.data(),
                                           .gain = gain(layout().final_norm()),
                                           .residual_gradient = memory.residual.data(),
                                           .copy = memory.residual_copy.data(),
                                           .gain_gradient = gradient_of(layout().final_norm()),
                                           .scratch = memory.gains.span(),
                                           .rows = rows(),
                                           .width = spec().width,
                                           .first = true});
    for (std::size_t layer = layout().layers().size(); layer-- > 0;) {
        feed_forward_backward(layer);
        attend_backward(layer);
    }
    embed_backward(memory.residual.data(), m_ids, spec().width, gradient_of(layout().embedding()));
}

template <class Act>
void NetOf<Act>::feed_forward_backward(std::size_t layer)
{
    LayerActivations<Act>& kept = activations(layer);
    BackwardMemory<Act>& memory = *m_backward;
    const ParameterLayout::Layer& at = layout().layers()[layer];
    const std::int64_t width = spec().width;
    const std::int64_t ffn = spec().ffn;
    input_gradient(memory.residual_copy.data(), weight(at.down), memory.hidden.data(), rows(), width, ffn);
    add_weight_gradient(memory.residual_copy.data(), kept.hidden.data(), gradient_of(at.down), memory.weight.data(), rows(), width, ffn);
    swiglu_backward(SwiGlu<Act>{
        .gate_up = kept.gate_up.data(), .gradient = memory.hidden.data(), .gate_up_gradient = memory.gate_up.data(), .rows = rows(), .ffn = ffn});
    input_gradient(memory.gate_up.data(), weight(at.gate_up), memory.narrow.data(), rows(), 2 * ffn, width);
    add_weight_gradient(memory.gate_up.data(), kept.middle_normalised.data(), gradient_of(at.gate_up), memory.weight.data(), rows(), 2 * ffn, width);
    rms_norm_backward(RmsNormBackward<Act>{.gradient = memory.narrow.data(),
                                           .residual = kept.middle_residual.data(),
                                           .inverse_rms = kept.middle_inverse_rms.data(),
                                           .gain = gain(at.post_norm),
                                           .residual_gradient = memory.residual.data(),
                                           .copy = memory.residual_copy.data(),
                                           .gain_gradient = gradient_of(at.post_norm),
                                           .scratch = memory.gains.span(),
                                           .rows = rows(),
                                           .width = width});
}

template <class Act>
void NetOf<Act>::attend_backward(std::size_t layer)
{
    LayerActivations<Act>& kept = activations(layer);
    BackwardMemory<Act>& memory = *m_backward;
    const ParameterLayout::Layer& at = layout().layers()[layer];
    const std::int64_t width = spec().width;
    input_gradient(memory.residual_copy.data(), weight(at.output), memory.attended.data(), rows(), width, spec().query_width());
    add_weight_gradient(memory.residual_copy.data(), kept.attended.data(), gradient_of(at.output), memory.weight.data(), rows(), width,
                        spec().query_width());
    CausalAttention<Act> call = attention(layer);
    call.out_gradient = memory.attended.data();
    call.qkv_gradient = memory.query_key_value.data();
    attention_backward(call);
    input_gradient(memory.query_key_value.data(), weight(at.query_key_value), memory.narrow.data(), rows(), qkv_width(), width);
    add_weight_gradient(memory.query_key_value.data(), kept.normalised.data(), gradient_of(at.query_key_value), memory.weight.data(), rows(),
                        qkv_width(), width);
    rms_norm_backward(RmsNormBackward<Act>{.gradient = memory.narrow.data(),
                                           .residual = kept.residual.data(),
                                           .inverse_rms = kept.inverse_rms.data(),
                                           .gain = gain(at.input_norm),
                                           .residual_gradient = memory.residual.data(),
                                           .copy = memory.residual_copy.data(),
                                           .gain_gradient = gradient_of(at.input_norm),
                                           .scratch = memory.gains.span(),
                                           .rows = rows(),
                                           .width = width});
}

} // namespace

Result<std::unique_ptr<TrainableNet>> TrainableNet::create(const DecoderShape& spec, const WeightSet& weights, const std::string& origin,
                                                           Precision precision, Purpose purpose)
{
    if (auto checked = check(spec, origin).and_then([&] { return check_trainable(spec, origin); }); !checked) {
        return failure(std::move(checked.error()));
    }
    std::unique_ptr<TrainableNet> net;
    if (precision == Precision::Bf16) {
        net = std::make_unique<NetOf<BFloat16>>(spec, purpose);
    } else {
        net = std::make_unique<NetOf<float>>(spec, purpose);
    }
    if (auto loaded = net->load(weights, origin); !loaded) {
        return failure(std::move(loaded.error()));
    }
    return net;
}

Result<void> check_trainable(const DecoderShape& spec, const std::string& origin)
{
    const std::vector<std::string> beyond = beyond_llama(spec);
    if (beyond.empty()) {
        return {};
    }
    return failure(Error::Kind::Mismatch, printable(origin) + " is a " + spec.family + " model with " + beyond.front() +
                                              "; to distil, teacher and student must both have the shape of a llama so far. It can answer and be "
                                              "compared.");
}

WeightSet TrainableNet::weights() const
{
    WeightSet result;
    const std::span<const float> all = parameters();
    for (const ParameterLayout::Named& named : m_layout.named()) {
        std::size_t count = 1;
        for (const std::int64_t size : named.shape) {
            count *= static_cast<std::size_t>(size);
        }
        result.emplace(named.name, weight_from_floats(named.shape, all.subspan(static_cast<std::size_t>(named.offset), count)));
    }
    return result;
}

} // namespace retort
