#include "core/data/packing.h"

#include <algorithm>

namespace retort {

SequencePacker::SequencePacker(std::int64_t sequences, std::int64_t length, TokenId separator)
    : m_length(static_cast<std::size_t>(length)), m_ids(static_cast<std::size_t>(sequences) * m_length, separator), m_mask(m_ids.size(), 0),
      m_used(static_cast<std::size_t>(sequences), 1)
{
}

bool SequencePacker::add(std::span<const TokenId> pieces, std::span<const std::uint8_t> counts)
{
    pieces = pieces.first(std::min(pieces.size(), m_length - 1));
    const auto roomy = std::find_if(m_used.begin(), m_used.end(), [&](std::size_t used) { return used + pieces.size() <= m_length; });
    if (roomy == m_used.end()) {
        return false;
    }
    const auto at = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(roomy - m_used.begin()) * m_length + *roomy);
    std::copy(pieces.begin(), pieces.end(), m_ids.begin() + at);
    if (counts.empty()) {
        std::fill_n(m_mask.begin() + at, pieces.size(), std::uint8_t{1});
    } else {
        std::copy_n(counts.begin(), pieces.size(), m_mask.begin() + at);
    }
    *roomy += pieces.size();
    return true;
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
