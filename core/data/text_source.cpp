#include "core/data/data_source.h"

#include "core/base/files.h"
#include "core/data/packing.h"
#include "core/data/shuffled.h"

#include <algorithm>

namespace retort {

namespace {

constexpr std::uint64_t kLargestText = std::uint64_t{1} << 30;
constexpr std::uint64_t kHeldOutShare = 20; ///< one window in so many

class TextSource final : public DataSource {
public:
    /// `beginning` is what every window begins with, none or a few pieces; texts in `tokens` begin with it too.
    TextSource(std::vector<TokenId> tokens, std::vector<TokenId> beginning, std::size_t files, std::uint64_t seed)
        : m_tokens(std::move(tokens)), m_beginning(std::move(beginning)), m_files(files), m_seed(seed)
    {
    }

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
        const auto begin = static_cast<std::int64_t>(m_beginning.size());
        if (length < begin + 2) {
            return failure(Error::Kind::Usage, "Sequences of " + std::to_string(length) +
                                                   " tokens have no room beside what every text begins with; " + std::to_string(begin + 2) +
                                                   " are the least.");
        }
        const auto stride = static_cast<std::uint64_t>(length - begin - 1); // tokens that a window predicts
        const std::uint64_t windows = m_tokens.size() < m_beginning.size() + 1 ? 0 : (m_tokens.size() - m_beginning.size() - 1) / stride;
        if (windows < 2) {
            return failure(Error::Kind::Usage, "The text has " + std::to_string(m_tokens.size()) + " tokens; sequences of " + std::to_string(length) +
                                                   " need at least " + std::to_string(2 * stride + m_beginning.size() + 1) +
                                                   ", one to train on and one to hold out.");
        }
        Split split;
        split.held_out = std::max<std::uint64_t>(1, windows / kHeldOutShare);
        split.training = windows - split.held_out;
        Batch batch{.sequences = sequences, .length = length};
        for (std::int64_t i = 0; i < sequences; ++i) {
            add_window(batch, stride * choose(index * static_cast<std::uint64_t>(sequences) + static_cast<std::uint64_t>(i), split), stride);
        }
        return batch;
    }

    /// The window that predicts the `stride` tokens after the one at `at`. It begins as every text does; where a text itself begins at `at`, that is
    /// its beginning, and what then stands at its end is left to the next window.
    void add_window(Batch& batch, std::size_t at, std::uint64_t stride) const
    {
        const auto from = m_tokens.begin() + static_cast<std::ptrdiff_t>(at);
        const bool begins_here = std::equal(m_beginning.begin(), m_beginning.end(), from);
        if (!begins_here) {
            batch.ids.insert(batch.ids.end(), m_beginning.begin(), m_beginning.end());
            batch.mask.resize(batch.ids.size(), 0);
        }
        const std::size_t whole = batch.ids.size() + stride + 1 + (begins_here ? m_beginning.size() : 0);
        batch.ids.insert(batch.ids.end(), from, from + static_cast<std::ptrdiff_t>(whole - batch.ids.size()));
        batch.mask.push_back(0); // read, and predicted by the window before
        batch.mask.resize(batch.mask.size() + stride, 1);
        batch.mask.resize(whole, 0);
    }

    std::vector<TokenId> m_tokens;
    std::vector<TokenId> m_beginning;
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
    const std::vector<TokenId> beginning = beginning_of_text(tokenizer);
    std::vector<TokenId> tokens;
    for (const std::string& file : files) {
        const Result<std::string> text = read_text_file(file, kLargestText);
        if (!text) {
            return failure(text.error());
        }
        const std::vector<TokenId> pieces = tokenizer.encode(*text);
        const bool shared = !tokens.empty() && beginning == std::vector<TokenId>{*separator}; // what ended a text begins the next
        if (!shared) {
            tokens.insert(tokens.end(), beginning.begin(), beginning.end());
        }
        tokens.insert(tokens.end(), pieces.begin(), pieces.end());
        tokens.push_back(*separator);
    }
    return std::make_shared<TextSource>(std::move(tokens), beginning, files.size(), seed);
}

} // namespace retort
