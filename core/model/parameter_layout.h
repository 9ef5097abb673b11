#pragma once
#include "core/model/decoder_shape.h"

#include <cstdint>
#include <string>
#include <vector>

namespace retort {

/// Where each weight of a model lies in one flat buffer of float32: all vectors (the norms' gains) first, then all matrices, so that an optimiser
/// sees two ranges: without and with weight decay. Matrices that are multiplied by the same input stand together (q, k, v; gate, up) and are one
/// product. Every group starts on a multiple of 16 numbers; the gaps are zero and stay so.
class ParameterLayout {
public:
    explicit ParameterLayout(const DecoderShape& spec);

    struct Layer {
        std::int64_t input_norm = 0, post_norm = 0;                          ///< (width)
        std::int64_t query_key_value = 0, output = 0, gate_up = 0, down = 0; ///< first element of each matrix
    };
    struct Named {
        std::string name; ///< canonical
        std::vector<std::int64_t> shape;
        std::int64_t offset = 0;
    };

    [[nodiscard]] const std::vector<Layer>& layers() const { return m_layers; }
    [[nodiscard]] std::int64_t embedding() const { return m_embedding; }
    [[nodiscard]] std::int64_t head() const { return m_head; } ///< the embedding's own place when tied
    [[nodiscard]] std::int64_t final_norm() const { return m_final_norm; }
    [[nodiscard]] std::int64_t vectors() const { return m_vectors; } ///< matrices begin here
    [[nodiscard]] std::int64_t total() const { return m_total; }
    [[nodiscard]] const std::vector<Named>& named() const { return m_named; } ///< every weight of the model, once

private:
    std::int64_t place(const std::string& name, std::vector<std::int64_t> shape, bool joined = false);

    std::vector<Layer> m_layers;
    std::vector<Named> m_named;
    std::int64_t m_embedding = 0, m_head = 0, m_final_norm = 0, m_vectors = 0, m_total = 0;
};

} // namespace retort
