#include "core/data/packing.h"

#include <algorithm>

namespace retort {

std::vector<TokenId> beginning_of_text(const Tokenizer& tokenizer)
{
    // What stands before a text whatever it is: where two texts of one piece each begin alike.
    std::vector<TokenId> one = tokenizer.with_additions({0});
    const std::vector<TokenId> other = tokenizer.with_additions({1});
    one.resize(static_cast<std::size_t>(std::ranges::mismatch(one, other).in1 - one.begin()));
    return one;
}

SequencePacker::SequencePacker(std::int64_t sequences, std::int64_t length, TokenId separator)
    : m_length(static_cast<std::size_t>(length)), m_separator(separator), m_ids(static_cast<std::size_t>(sequences) * m_length, separator),
      m_mask(m_ids.size(), 0), m_used(static_cast<std::size_t>(sequences), 0)
{
}

/// Pieces of a text that already stand at the end of a sequence: the separator that ended the text before it.
std::size_t SequencePacker::shared(std::size_t sequence, std::span<const TokenId> pieces) const
{
    const std::size_t used = m_used[sequence];
    const bool ended = used > 0 && m_ids[sequence * m_length + used - 1] == m_separator;
    return ended && !pieces.empty() && pieces.front() == m_separator ? 1 : 0;
}

bool SequencePacker::add(std::span<const TokenId> pieces, std::span<const std::uint8_t> counts)
{
    pieces = pieces.first(std::min(pieces.size(), m_length));
    for (std::size_t sequence = 0; sequence < m_used.size(); ++sequence) {
        const std::size_t skipped = shared(sequence, pieces);
        const std::span<const TokenId> rest = pieces.subspan(skipped);
        if (m_used[sequence] + rest.size() > m_length) {
            continue;
        }
        const auto at = static_cast<std::ptrdiff_t>(sequence * m_length + m_used[sequence]);
        std::ranges::copy(rest, m_ids.begin() + at);
        std::ranges::copy(counts.subspan(skipped, rest.size()), m_mask.begin() + at);
        m_used[sequence] += rest.size();
        return true;
    }
    return false;
}

Batch SequencePacker::batch(std::int64_t first, std::int64_t count) const
{
    Batch batch{.sequences = count, .length = static_cast<std::int64_t>(m_length)};
    const auto begin = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(first) * m_length);
    const auto end = begin + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(count) * m_length);
    batch.ids.assign(m_ids.begin() + begin, m_ids.begin() + end);
    batch.mask.assign(m_mask.begin() + begin, m_mask.begin() + end);
    return batch;
}

} // namespace retort
