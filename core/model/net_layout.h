#pragma once
#include "core/kernels/packing.h"
#include "core/model/decoder_shape.h"

#include <algorithm>
#include <cstdint>

namespace retort {

/// Where things are in a net's scratch rows: every width filled up to whole steps of the kernels.
struct NetLayout {
    explicit NetLayout(const DecoderShape& spec)
        : width(padded_columns(spec.width)), token(padded_columns(spec.token_width())), attention(padded_columns(spec.query_width())),
          ffn(padded_columns(spec.ffn)), key(padded_rows(spec.query_width())), value(key + padded_rows(spec.kv_width())),
          qkv(padded_columns(value + padded_rows(spec.kv_width()))), vocabulary(padded_rows(spec.vocabulary))
    {
    }

    std::int64_t width;
    std::int64_t token;     ///< an embedding as it is stored
    std::int64_t attention; ///< heads' outputs side by side
    std::int64_t ffn;
    std::int64_t key;   ///< where keys begin in a row of q, k, v
    std::int64_t value; ///< where values begin
    std::int64_t qkv;
    std::int64_t vocabulary;

    [[nodiscard]] std::int64_t widest() const { return std::max({width, token, attention, ffn}); }
};

} // namespace retort
