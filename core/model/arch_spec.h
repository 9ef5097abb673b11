#pragma once
#include "core/base/error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace retort {

/// How RoPE's frequencies are stretched beyond the context a model was trained on (transformers, modeling_rope_utils).
struct RopeScaling {
    enum class Kind { None, Linear, Llama3 };
    Kind kind = Kind::None;
    double factor = 1.0;
    double low_freq_factor = 1.0;
    double high_freq_factor = 4.0;
    std::int64_t original_context = 8192;

    friend bool operator==(const RopeScaling&, const RopeScaling&) = default;
};

/// Everything that tells one decoder-only transformer from another, independent of the file it came from. One decoder reads this; a new family adds
/// fields and a function that fills them, not another decoder. Fields named after the paper's or Hugging Face's words.
struct ArchSpec {
    std::string family; ///< Hugging Face `model_type`: "llama"

    std::int64_t layers = 0;
    std::int64_t width = 0; ///< hidden_size
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;
    std::int64_t head_dim = 0;
    std::int64_t ffn = 0;        ///< intermediate_size
    std::int64_t vocabulary = 0; ///< rows of the embedding; may exceed the tokenizer's size
    std::int64_t context = 0;    ///< max_position_embeddings

    double norm_eps = 1e-5; ///< RMSNorm
    double rope_theta = 10000.0;
    RopeScaling rope_scaling;
    std::vector<float> rope_freq_divisors; ///< GGUF rope_freqs.weight (head_dim / 2 values); empty when the file has none
    bool tied = false;                     ///< the head is the embedding

    [[nodiscard]] std::int64_t query_width() const { return heads * head_dim; }
    [[nodiscard]] std::int64_t kv_width() const { return kv_heads * head_dim; }
    /// Numbers to learn: the sum over expected_weights(), so a tied head counts once.
    [[nodiscard]] std::uint64_t parameters() const;
    /// Bytes one position takes in a KV cache whose entries have `bytes_each` bytes.
    [[nodiscard]] std::uint64_t kv_bytes_per_position(std::uint64_t bytes_each) const
    {
        return 2ull * static_cast<std::uint64_t>(layers * kv_width()) * bytes_each;
    }

    friend bool operator==(const ArchSpec&, const ArchSpec&) = default;
};

/// inv_freq of RoPE, head_dim / 2 values, every scaling applied: angle of pair i at position t is t * inv_freq[i]. Half-split pairing (i, i +
/// head_dim/2).
[[nodiscard]] std::vector<double> rope_inverse_frequencies(const ArchSpec& spec);

/// Sizes within what a file may ask of us (layers <= 1024, heads <= 1024, head_dim <= 1024 and even, vocabulary <= 2^21 ...), heads divisible by
/// kv_heads.
[[nodiscard]] Result<void> check(const ArchSpec& spec, const std::string& origin);

/// The weights that a model of this spec must have, by canonical name (Hugging Face llama spelling), with their shapes, rows first.
struct WeightShape {
    std::string name;
    std::vector<std::int64_t> shape;
};
[[nodiscard]] std::vector<WeightShape> expected_weights(const ArchSpec& spec);

} // namespace retort
