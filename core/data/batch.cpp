#include "core/data/batch.h"

namespace retort {

std::int64_t Batch::targets() const
{
    std::int64_t count = 0;
    for (std::size_t i = 0; i < mask.size(); ++i) {
        count += i % static_cast<std::size_t>(length) != 0 && mask[i] != 0 ? 1 : 0;
    }
    return count;
}

Result<void> check_batch_shape(std::int64_t sequences, std::int64_t length)
{
    constexpr std::int64_t kMost = std::int64_t{1} << 28;
    if (sequences < 1 || length < 2 || sequences > kMost || length > kMost / sequences) {
        return failure(Error::Kind::Usage,
                       "A batch of " + std::to_string(sequences) + " sequences of " + std::to_string(length) +
                           " tokens cannot be made; it takes at least one sequence of two tokens and at most 2^28 tokens in all.");
    }
    return {};
}

} // namespace retort
