#include "core/data/packing.h"
#include "core/data/world/world.h"

#include <algorithm>
#include <mutex>
#include <optional>

namespace retort {

namespace {

/// Sequences come in chapters, packed together from a stretch of documents of their own: any batch can be made without those before it, and the one
/// document in some hundreds that finds no more room shifts the mix by less than a part in a thousand.
constexpr std::uint64_t kSequencesOfAChapter = 64;
constexpr std::uint64_t kDocumentsOfAChapter = std::uint64_t{1} << 24; // room for any: numbers left over are not used
constexpr std::uint64_t kHeldOutStream = 1;

class WorldSource final : public DataSource {
public:
    WorldSource(std::shared_ptr<const World> world, std::shared_ptr<const Tokenizer> tokenizer, std::shared_ptr<const WorldTruth> truth,
                TokenId separator, std::uint64_t seed)
        : m_world(std::move(world)), m_tokenizer(std::move(tokenizer)), m_truth(std::move(truth)), m_beginning(beginning_of_text(*m_tokenizer)),
          m_separator(separator), m_seed(seed)
    {
    }

    [[nodiscard]] Result<Batch> batch(std::uint64_t index, std::int64_t sequences, std::int64_t length) const override
    {
        return gather(m_training, 2 * m_seed, index, sequences, length);
    }

    [[nodiscard]] Result<Batch> held_out(std::uint64_t index, std::int64_t sequences, std::int64_t length) const override
    {
        return gather(m_held_out, kHeldOutStream, index, sequences, length);
    }

    [[nodiscard]] double entropy_floor() const override { return m_truth == nullptr ? -1.0 : m_truth->entropy_rate(); }

    [[nodiscard]] std::string description() const override
    {
        return "the built-in world, seed " + std::to_string(m_world->settings().seed) + ", order " + std::to_string(m_seed);
    }

private:
    /// The chapter made last; the next batch mostly wants its other sequences.
    struct LastChapter {
        std::mutex mutex;
        std::uint64_t number = 0;
        std::int64_t length = 0;
        std::optional<SequencePacker> packed;
    };

    Result<Batch> gather(LastChapter& last, std::uint64_t stream, std::uint64_t index, std::int64_t sequences, std::int64_t length) const
    {
        if (const Result<void> shape = check_batch_shape(sequences, length); !shape) {
            return failure(shape.error());
        }
        Batch batch{.sequences = sequences, .length = length};
        const std::uint64_t first = index * static_cast<std::uint64_t>(sequences);
        const std::uint64_t end = first + static_cast<std::uint64_t>(sequences);
        const std::lock_guard lock(last.mutex);
        for (std::uint64_t at = first; at < end;) {
            const std::uint64_t chapter = at / kSequencesOfAChapter;
            const std::uint64_t stop = std::min(end, (chapter + 1) * kSequencesOfAChapter);
            if (!last.packed || last.number != chapter || last.length != length) {
                last.packed = make_chapter(stream, chapter, length);
                last.number = chapter;
                last.length = length;
            }
            const Batch part = last.packed->batch(static_cast<std::int64_t>(at % kSequencesOfAChapter), static_cast<std::int64_t>(stop - at));
            batch.ids.insert(batch.ids.end(), part.ids.begin(), part.ids.end());
            batch.mask.insert(batch.mask.end(), part.mask.begin(), part.mask.end());
            at = stop;
        }
        return batch;
    }

    SequencePacker make_chapter(std::uint64_t stream, std::uint64_t chapter, std::int64_t length) const
    {
        SequencePacker packer(static_cast<std::int64_t>(kSequencesOfAChapter), length, m_separator);
        for (std::uint64_t number = chapter * kDocumentsOfAChapter;; ++number) {
            std::vector<TokenId> pieces = m_beginning;
            const std::vector<TokenId> document = cut(m_world->document(stream, number));
            pieces.insert(pieces.end(), document.begin(), document.end());
            std::vector<std::uint8_t> counts(pieces.size(), 1);
            std::fill_n(counts.begin(), m_beginning.size(), std::uint8_t{0});
            if (!packer.add(pieces, counts)) {
                return packer;
            }
        }
    }

    [[nodiscard]] std::vector<TokenId> cut(const World::Document& document) const
    {
        if (m_truth != nullptr) {
            return m_truth->pieces(document);
        }
        std::vector<TokenId> pieces = m_tokenizer->encode(document.text);
        pieces.push_back(m_separator);
        return pieces;
    }

    std::shared_ptr<const World> m_world;
    std::shared_ptr<const Tokenizer> m_tokenizer;
    std::shared_ptr<const WorldTruth> m_truth;
    std::vector<TokenId> m_beginning;
    TokenId m_separator;
    std::uint64_t m_seed;
    mutable LastChapter m_training;
    mutable LastChapter m_held_out;
};

} // namespace

Result<TokenId> separator_of(const Tokenizer& tokenizer)
{
    if (const auto end_of_text = tokenizer.find("<|endoftext|>")) {
        return *end_of_text;
    }
    if (!tokenizer.stop_tokens().empty()) {
        return tokenizer.stop_tokens().front();
    }
    if (const auto begin = tokenizer.bos()) {
        return *begin;
    }
    return failure(Error::Kind::Mismatch,
                   "The tokenizer names no piece that ends a text, so documents cannot be told apart; one with an end-of-text token is "
                   "needed.");
}

Result<std::shared_ptr<const DataSource>> make_world_source(std::shared_ptr<const World> world, std::shared_ptr<const Tokenizer> tokenizer,
                                                            std::shared_ptr<const WorldTruth> truth, std::uint64_t seed)
{
    const Result<TokenId> separator = separator_of(*tokenizer);
    if (!separator) {
        return failure(separator.error());
    }
    return std::make_shared<WorldSource>(std::move(world), std::move(tokenizer), std::move(truth), *separator, seed);
}

} // namespace retort
