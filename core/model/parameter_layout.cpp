#include "core/model/parameter_layout.h"

#include "core/model/weight_table.h"

#include <functional>
#include <numeric>
#include <utility>

namespace retort {

ParameterLayout::ParameterLayout(const DecoderShape& spec) : m_layers(static_cast<std::size_t>(spec.layers))
{
    const auto layer_name = [](std::size_t layer, Part part) { return weight_name(part, static_cast<std::int64_t>(layer)); };
    for (std::size_t i = 0; i < m_layers.size(); ++i) {
        m_layers[i].input_norm = place(layer_name(i, Part::AttentionNorm), {spec.width});
        m_layers[i].post_norm = place(layer_name(i, Part::FfnNorm), {spec.width});
    }
    m_final_norm = place(weight_name(Part::FinalNorm), {spec.width});
    m_total = (m_total + 15) / 16 * 16;
    m_vectors = m_total;

    m_embedding = place(weight_name(Part::Embedding), {spec.vocabulary, spec.width});
    for (std::size_t i = 0; i < m_layers.size(); ++i) {
        Layer& layer = m_layers[i];
        layer.query_key_value = place(layer_name(i, Part::Query), {spec.query_width(), spec.width});
        place(layer_name(i, Part::Key), {spec.kv_width(), spec.width}, true);
        place(layer_name(i, Part::Value), {spec.kv_width(), spec.width}, true);
        layer.output = place(layer_name(i, Part::Output), {spec.width, spec.query_width()});
        layer.gate_up = place(layer_name(i, Part::Gate), {spec.ffn, spec.width});
        place(layer_name(i, Part::Up), {spec.ffn, spec.width}, true);
        layer.down = place(layer_name(i, Part::Down), {spec.width, spec.ffn});
    }
    m_head = spec.tied ? m_embedding : place(weight_name(Part::Head), {spec.vocabulary, spec.width});
    m_total = (m_total + 15) / 16 * 16;
}

std::int64_t ParameterLayout::place(const std::string& name, std::vector<std::int64_t> shape, bool joined)
{
    const std::int64_t offset = joined ? m_total : (m_total + 15) / 16 * 16;
    m_total = offset + std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    m_named.push_back({name, std::move(shape), offset});
    return offset;
}

} // namespace retort
