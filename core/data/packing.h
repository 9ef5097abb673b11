#pragma once
#include "core/data/batch.h"

#include <cstdint>
#include <span>
#include <vector>

namespace retort {

/// What every text that a model reads begins with, when it trains as when it answers: the post-processor's pieces before a text (a BOS; often none).
[[nodiscard]] std::vector<TokenId> beginning_of_text(const Tokenizer& tokenizer);

/// Fills sequences with whole texts, each into the first sequence that has room for it. A text comes with its own beginning and end; a separator that
/// ends one text also begins the next, where texts begin with one. What stays empty is separators that do not count. One thread at a time.
class SequencePacker {
public:
    SequencePacker(std::int64_t sequences, std::int64_t length, TokenId separator);

    /// Adds `pieces`; those with `counts` 1 are targets. A text longer than a sequence is cut at its end. False when no sequence has room: the packer
    /// is full.
    bool add(std::span<const TokenId> pieces, std::span<const std::uint8_t> counts);

    /// Sequences [first, first + count) as a batch.
    [[nodiscard]] Batch batch(std::int64_t first, std::int64_t count) const;

private:
    [[nodiscard]] std::size_t shared(std::size_t sequence, std::span<const TokenId> pieces) const;

    std::size_t m_length;
    TokenId m_separator;
    std::vector<TokenId> m_ids;
    std::vector<std::uint8_t> m_mask;
    std::vector<std::size_t> m_used; ///< tokens of each sequence
};

} // namespace retort
