#pragma once
#include "core/data/batch.h"

#include <cstdint>
#include <span>
#include <vector>

namespace retort {

/// Fills sequences with whole texts, each into the first sequence that has room for it. Every sequence begins with the separator; what stays empty is
/// separators that do not count. One thread at a time.
class SequencePacker {
public:
    SequencePacker(std::int64_t sequences, std::int64_t length, TokenId separator);

    /// Adds `pieces`; those with `counts` 1 are targets (all, where `counts` is empty). A text longer than a sequence is cut at its end. False when
    /// no sequence has room: the packer is full.
    bool add(std::span<const TokenId> pieces, std::span<const std::uint8_t> counts = {});

    /// Sequences [first, first + count) as a batch.
    [[nodiscard]] Batch batch(std::int64_t first, std::int64_t count) const;

private:
    std::size_t m_length;
    std::vector<TokenId> m_ids;
    std::vector<std::uint8_t> m_mask;
    std::vector<std::size_t> m_used; ///< tokens of each sequence, its first separator included
};

} // namespace retort
