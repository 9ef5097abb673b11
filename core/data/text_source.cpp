#include "core/data/data_source.h"

#include "core/base/files.h"
#include "core/data/shuffled.h"

#include <algorithm>

namespace retort {

namespace {

constexpr std::uint64_t kLargestText = std::uint64_t{1} << 30;
constexpr std::uint64_t kHeldOutShare = 20; ///< one window in so many

class TextSource final : public DataSource {
public:
    TextSource(std::vector<TokenId> tokens, std::size_t files, std::uint64_t seed) : m_tokens(std::move(tokens)), m_files(files), m_seed(seed) {}

    [[nodiscard]] Result<Batch> batch(std::uint64_t index, std::int64_t sequences, std::int64_t length) const override
    {
        return gather(index, sequences, length, [&](std::uint64_t number, const Split& split) { return shuffled(m_seed, number, split.training); });
    }

    [[nodiscard]] Result<Batch> held_out(std::uint64_t index, std::int64_t sequences, std::int64_t length) const override
    {
        return gather(index, sequences, length, [](std::uint64_t number, const Split& split) { return split.training + number % split.held_out; });
    }

    [[nodiscard]] std::string description() const override
    {
        return std::to_string(m_tokens.size()) + " tokens of " + std::to_string(m_files) + (m_files == 1 ? " text file" : " text files") +
               "; the last twentieth is held out";
    }

private:
    struct Split {
        std::uint64_t training = 0;
        std::uint64_t held_out = 0;
    };

    template <class Choose>
    Result<Batch> gather(std::uint64_t index, std::int64_t sequences, std::int64_t length, Choose&& choose) const
    {
        if (const Result<void> shape = check_batch_shape(sequences, length); !shape) {
            return failure(shape.error());
        }
        const auto stride = static_cast<std::uint64_t>(length - 1);
        const std::uint64_t windows = m_tokens.empty() ? 0 : (m_tokens.size() - 1) / stride;
        if (windows < 2) {
            return failure(Error::Kind::Usage, "The text has " + std::to_string(m_tokens.size()) + " tokens; sequences of " + std::to_string(length) +
                                                   " need at least " + std::to_string(2 * stride + 1) + ", one to train on and one to hold out.");
        }
        Split split;
        split.held_out = std::max<std::uint64_t>(1, windows / kHeldOutShare);
        split.training = windows - split.held_out;
        Batch batch{.sequences = sequences, .length = length};
        for (std::int64_t i = 0; i < sequences; ++i) {
            const std::uint64_t window = choose(index * static_cast<std::uint64_t>(sequences) + static_cast<std::uint64_t>(i), split);
            const auto begin = m_tokens.begin() + static_cast<std::ptrdiff_t>(window * stride);
            batch.ids.insert(batch.ids.end(), begin, begin + length);
        }
        batch.mask.assign(batch.ids.size(), 1);
        return batch;
    }

    std::vector<TokenId> m_tokens;
    std::size_t m_files;
    std::uint64_t m_seed;
};

} // namespace

Result<std::shared_ptr<const DataSource>> make_text_source(const std::vector<std::string>& files, const Tokenizer& tokenizer, std::uint64_t seed)
{
    const Result<TokenId> separator = separator_of(tokenizer);
    if (!separator) {
        return failure(separator.error());
    }
    std::vector<TokenId> tokens;
    for (const std::string& file : files) {
        const Result<std::string> text = read_text_file(file, kLargestText);
        if (!text) {
            return failure(text.error());
        }
        const std::vector<TokenId> pieces = tokenizer.encode(*text);
        tokens.push_back(*separator);
        tokens.insert(tokens.end(), pieces.begin(), pieces.end());
    }
    tokens.push_back(*separator);
    return std::make_shared<TextSource>(std::move(tokens), files.size(), seed);
}

} // namespace retort
