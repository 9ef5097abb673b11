#pragma once
#include "core/base/text_format.h"
#include "core/kernels/aligned_buffer.h"
#include "core/kernels/train_layers.h"
#include "core/model/parameter_layout.h"
#include "core/model/weights.h"

#include <algorithm>
#include <type_traits>
#include <vector>

namespace retort {

/// The parameters of a trainable net, one flat buffer in the order of a ParameterLayout, and what belongs to each: its gradient when the net trains,
/// and with bfloat16 activations the matrices once more, rounded, which is all that a teacher keeps of them.
template <class Act>
class TrainableParameters {
public:
    static constexpr bool kRounds = std::is_same_v<Act, BFloat16>;

    /// `layout` must outlive this.
    TrainableParameters(const ParameterLayout& layout, bool trains)
        : m_layout(layout), m_values(static_cast<std::size_t>(trains || !kRounds ? layout.total() : layout.vectors())),
          m_rounded(static_cast<std::size_t>(kRounds ? layout.total() - layout.vectors() : 0)),
          m_gradients(static_cast<std::size_t>(trains ? layout.total() : 0))
    {
    }

    [[nodiscard]] AlignedBuffer<float>& values() { return m_values; }
    [[nodiscard]] const AlignedBuffer<float>& values() const { return m_values; }
    [[nodiscard]] AlignedBuffer<BFloat16>& rounded() { return m_rounded; }
    [[nodiscard]] AlignedBuffer<float>& gradients() { return m_gradients; }

    /// As the products take it; matrices only.
    [[nodiscard]] const Act* weight(std::int64_t offset) const
    {
        if constexpr (kRounds) {
            return m_rounded.data() + (offset - m_layout.vectors());
        } else {
            return m_values.data() + offset;
        }
    }

    /// Takes over weights that have every name of the layout in its shape; `origin` names their model in messages.
    Result<void> load(const WeightSet& weights, const std::string& origin);

private:
    const ParameterLayout& m_layout;
    AlignedBuffer<float> m_values;
    AlignedBuffer<BFloat16> m_rounded;
    AlignedBuffer<float> m_gradients;
};

template <class Act>
Result<void> TrainableParameters<Act>::load(const WeightSet& weights, const std::string& origin)
{
    std::vector<float> decoded;
    for (const ParameterLayout::Named& named : m_layout.named()) {
        const auto found = weights.find(named.name);
        if (found == weights.end()) {
            return failure(Error::Kind::Mismatch, printable(origin) + ": there is no weight \"" + named.name + "\", which its own sizes ask for.");
        }
        const Weight& from = found->second;
        if (from.shape != named.shape) {
            return failure(Error::Kind::Mismatch,
                           printable(origin) + ": weight \"" + named.name + "\" has another shape than the model's sizes ask for.");
        }
        // Some rows at a time, so that a large table is never whole in float beside its rounded copy.
        const std::int64_t step = std::max<std::int64_t>(1, (1 << 20) / from.columns());
        for (std::int64_t row = 0; row < from.rows(); row += step) {
            const std::int64_t count = std::min(step, from.rows() - row);
            decoded.resize(static_cast<std::size_t>(count * from.columns()));
            decode_rows(from, row, count, decoded);
            const std::int64_t at = named.offset + row * from.columns();
            if (at < static_cast<std::int64_t>(m_values.size())) {
                std::copy(decoded.begin(), decoded.end(), m_values.data() + at);
            }
            if (kRounds && at >= m_layout.vectors()) {
                round_to_bfloat16(decoded, m_rounded.data() + (at - m_layout.vectors()));
            }
        }
    }
    return {};
}

} // namespace retort
