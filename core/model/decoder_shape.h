#pragma once
#include "core/base/error.h"
#include "core/kernels/activation.h"
#include "core/model/rope.h"

#include <cstdint>
#include <string>
#include <vector>

namespace retort {

/// What layers of one model may differ in.
struct LayerShape {
    std::int64_t window = 0; ///< positions that attention sees, the query's own counted; 0: all before
    enum class Rotation { None, Global, Local };
    Rotation rotation = Rotation::Global; ///< which of the shape's ropes turns queries and keys

    friend bool operator==(const LayerShape&, const LayerShape&) = default;
};

struct AttentionShape {
    bool bias = false; ///< of q, k and v
    bool output_bias = false;
    enum class Norm { None, Head, Row };
    Norm norm = Norm::None; ///< of queries and keys before RoPE: RMS over each head, or over all heads together
    double scale = 0.0;     ///< of q . k; 0: 1 / sqrt(head_dim)
    double soft_cap = 0.0;  ///< c: scores become c tanh(score / c); 0: as they are

    friend bool operator==(const AttentionShape&, const AttentionShape&) = default;
};

struct FeedForwardShape {
    bool gated = true; ///< down(act(gate x) * up x), else down(act(up x))
    Activation activation = Activation::Silu;
    bool bias = false; ///< of gate and up
    bool down_bias = false;

    friend bool operator==(const FeedForwardShape&, const FeedForwardShape&) = default;
};

/// How a layer's two branches, attention and feed-forward, are put beside the residual stream.
struct ResidualShape {
    /// Before: x + f(norm x). Around: x + norm f(norm x). After: x + norm f(x). OfSum: norm(x + f(x)).
    enum class Norms { Before, Around, After, OfSum };
    Norms norms = Norms::Before;
    bool parallel = false;    ///< both branches read the layer's input
    bool shared_norm = false; ///< parallel, and through one norm
    double scale = 1.0;       ///< of what a branch adds

    friend bool operator==(const ResidualShape&, const ResidualShape&) = default;
};

/// Everything that tells one decoder-only transformer from another, independent of the file it came from. One decoder reads this; a new family is a
/// function that fills it (families/), not another decoder. As it is made, it is a llama's. Fields named after the papers' or Hugging Face's words.
struct DecoderShape {
    std::string family; ///< Hugging Face `model_type`: "llama"

    std::int64_t layers = 0;
    std::int64_t width = 0; ///< hidden_size
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;
    std::int64_t head_dim = 0;
    std::int64_t ffn = 0;        ///< intermediate_size
    std::int64_t vocabulary = 0; ///< rows of the embedding; may exceed the tokenizer's size
    std::int64_t context = 0;    ///< max_position_embeddings

    enum class Norm { Rms, Layer };
    Norm norm = Norm::Rms;
    bool norm_bias = false;
    double norm_eps = 1e-5;
    bool final_norm = true;

    enum class Positions { Rope, Learned };
    Positions positions = Positions::Rope;
    std::int64_t position_offset = 0; ///< Learned: the row of position 0
    std::int64_t rope_dims = 0;       ///< values of a head that turn, from its first; 0: all
    Rope rope;                        ///< Rotation::Global
    Rope local_rope;                  ///< Rotation::Local

    AttentionShape attention;
    FeedForwardShape feed_forward;
    ResidualShape residual;
    std::vector<LayerShape> each_layer{}; ///< empty: all like LayerShape()

    double embedding_scale = 1.0;
    std::int64_t embedding_width = 0; ///< when not 0: embedding and head have this width, two projections lead to `width` and back
    bool tied = false;                ///< the head is the embedding
    bool head_bias = false;
    double logit_scale = 1.0;
    double logit_cap = 0.0; ///< c: logits become c tanh(logit / c); 0: as they are

    [[nodiscard]] std::int64_t query_width() const { return heads * head_dim; }
    [[nodiscard]] std::int64_t kv_width() const { return kv_heads * head_dim; }
    [[nodiscard]] std::int64_t turning_dims() const { return rope_dims > 0 ? rope_dims : head_dim; }
    [[nodiscard]] std::int64_t token_width() const { return embedding_width > 0 ? embedding_width : width; }
    [[nodiscard]] LayerShape layer(std::int64_t index) const
    {
        return each_layer.empty() ? LayerShape() : each_layer[static_cast<std::size_t>(index)];
    }
    [[nodiscard]] double attention_scale() const;
    /// Numbers to learn: the sum over weight_table(), so a tied head counts once.
    [[nodiscard]] std::uint64_t parameters() const;
    /// Bytes one position takes in a KV cache whose entries have `bytes_each` bytes.
    [[nodiscard]] std::uint64_t kv_bytes_per_position(std::uint64_t bytes_each) const
    {
        return 2ull * static_cast<std::uint64_t>(layers * kv_width()) * bytes_each;
    }

    friend bool operator==(const DecoderShape&, const DecoderShape&) = default;
};

/// Sizes within what a file may ask of us (layers <= 1024, heads <= 1024, head_dim <= 1024, vocabulary <= 2^21 ...), heads divisible by kv_heads, an
/// even number of turning values, numbers that are numbers.
[[nodiscard]] Result<void> check(const DecoderShape& shape, const std::string& origin);

/// What of `shape` a plain llama does not have, a short name each: "q, k and v biases", "a sliding window". Empty for what has a llama's shape.
[[nodiscard]] std::vector<std::string> beyond_llama(const DecoderShape& shape);

} // namespace retort
