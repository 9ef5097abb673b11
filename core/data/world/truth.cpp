#include "core/data/world/grammar.h"
#include "core/data/world/world.h"

#include "core/base/text_format.h"

#include <algorithm>
#include <cmath>

namespace retort {

namespace {

using PieceTable = std::vector<std::vector<TokenId>>; ///< by WordId; the separator's sequence comes last

/// Every place in the grammar where a document that began with the pieces read so far can be, with its probability.
class Frontier {
public:
    Frontier(const World::Grammar& grammar, const PieceTable& pieces) : m_grammar(grammar), m_pieces(pieces)
    {
        for (const World::Grammar::Start& start : grammar.starts()) {
            go_on(start.state, start.probability);
        }
    }

    /// Probability of `piece` as the next; from there on the frontier is what follows it. 0 leaves nothing: no document goes on so.
    double read(TokenId piece)
    {
        std::vector<Place> old;
        old.swap(m_places);
        std::vector<std::pair<GrammarState, double>> reached;
        double probability = 0.0;
        for (Place& place : old) {
            const std::vector<TokenId>& word = pieces_of(place.word);
            if (word[place.offset] != piece) {
                continue;
            }
            probability += place.probability;
            if (++place.offset < word.size()) {
                m_places.push_back(place);
            } else if (place.word != kEndOfDocument) {
                merge(reached, place.next, place.probability);
            }
        }
        for (const auto& [state, weight] : reached) {
            go_on(state, weight);
        }
        for (Place& place : m_places) {
            place.probability /= probability;
        }
        return probability;
    }

    [[nodiscard]] bool empty() const { return m_places.empty(); }

    void add_next(std::vector<double>& distribution) const
    {
        for (const Place& place : m_places) {
            distribution[static_cast<std::size_t>(pieces_of(place.word)[place.offset])] += place.probability;
        }
    }

private:
    /// Inside a word, `offset` pieces of it read.
    struct Place {
        double probability = 0;
        WordId word = kEndOfDocument;
        std::size_t offset = 0;
        GrammarState next;
    };

    static void merge(std::vector<std::pair<GrammarState, double>>& states, const GrammarState& state, double probability)
    {
        const auto same = std::find_if(states.begin(), states.end(), [&](const auto& entry) { return entry.first == state; });
        if (same == states.end()) {
            states.emplace_back(state, probability);
        } else {
            same->second += probability;
        }
    }

    [[nodiscard]] const std::vector<TokenId>& pieces_of(WordId word) const { return word == kEndOfDocument ? m_pieces.back() : m_pieces[word]; }

    void go_on(const GrammarState& state, double probability)
    {
        m_options.clear();
        m_grammar.options(state, m_options);
        for (const GrammarOption& option : m_options) {
            m_places.push_back({probability * option.probability, option.word, 0, option.next});
        }
    }

    const World::Grammar& m_grammar;
    const PieceTable& m_pieces;
    std::vector<Place> m_places;
    std::vector<GrammarOption> m_options;
};

Result<PieceTable> cut_emissions(const Lexicon& lexicon, const Tokenizer& tokenizer, TokenId separator)
{
    PieceTable pieces;
    for (std::size_t i = 0; i < lexicon.size(); ++i) {
        const std::string& word = lexicon.word(static_cast<WordId>(i));
        pieces.push_back(tokenizer.encode(word));
        std::string back;
        for (const TokenId piece : pieces.back()) {
            back += tokenizer.bytes(piece);
        }
        if (back != word) {
            return failure(Error::Kind::Mismatch, "This tokenizer turns \"" + printable(word) + "\" into \"" + printable(back) +
                                                      "\"; the true probabilities of the built-in world need one that keeps every byte.");
        }
    }
    pieces.push_back({separator});
    return pieces;
}

Result<void> check_documents(const World& world, const Tokenizer& tokenizer)
{
    constexpr std::uint64_t kDocuments = 100;
    for (const WorldKind kind : kWorldKinds) {
        for (std::uint64_t i = 0; i < kDocuments; ++i) {
            const World::Document document = world.document_of(kind, 1, i);
            std::vector<TokenId> joined;
            for (const std::string& emission : document.emissions) {
                const std::vector<TokenId> pieces = tokenizer.encode(emission);
                joined.insert(joined.end(), pieces.begin(), pieces.end());
            }
            if (tokenizer.encode(document.text) != joined) {
                return failure(Error::Kind::Mismatch,
                               "This tokenizer cuts \"" + printable(document.text) +
                                   "\" otherwise than at the grammar's words, so the built-in world's true probabilities are not known "
                                   "for it; models with the demo's tokenizer have them.");
            }
        }
    }
    return {};
}

} // namespace

struct WorldTruth::Impl {
    std::shared_ptr<const World> world;
    std::size_t size = 0;
    TokenId separator = 0;
    PieceTable pieces;
    DocumentMeans means;
};

WorldTruth::WorldTruth() = default;

WorldTruth::~WorldTruth() = default;

Result<std::shared_ptr<const WorldTruth>> WorldTruth::create(std::shared_ptr<const World> world, std::shared_ptr<const Tokenizer> tokenizer)
{
    const Result<TokenId> separator = separator_of(*tokenizer);
    if (!separator) {
        return failure(separator.error());
    }
    auto impl = std::make_unique<Impl>();
    Result<PieceTable> pieces = cut_emissions(world->m_grammar->lexicon, *tokenizer, *separator);
    if (!pieces) {
        return failure(pieces.error());
    }
    if (const Result<void> checked = check_documents(*world, *tokenizer); !checked) {
        return failure(checked.error());
    }
    impl->pieces = std::move(*pieces);
    impl->size = tokenizer->size();
    impl->separator = *separator;
    impl->means = world->m_grammar->means([&](WordId word) { return word == kEndOfDocument ? 1.0 : static_cast<double>(impl->pieces[word].size()); });
    impl->world = std::move(world);
    std::shared_ptr<WorldTruth> truth(new WorldTruth);
    truth->m_impl = std::move(impl);
    return truth;
}

std::vector<float> WorldTruth::next(std::span<const TokenId> prefix) const
{
    Frontier frontier(*m_impl->world->m_grammar, m_impl->pieces);
    for (const TokenId piece : prefix) {
        frontier.read(piece);
    }
    if (frontier.empty()) {
        return {};
    }
    std::vector<double> sums(m_impl->size, 0.0);
    frontier.add_next(sums);
    return {sums.begin(), sums.end()};
}

std::vector<double> WorldTruth::surprisals(std::span<const TokenId> pieces) const
{
    Frontier frontier(*m_impl->world->m_grammar, m_impl->pieces);
    std::vector<double> surprisals;
    for (const TokenId piece : pieces) {
        const double probability = frontier.read(piece);
        if (probability <= 0.0) {
            break;
        }
        surprisals.push_back(-std::log(probability));
    }
    return surprisals;
}

double WorldTruth::entropy_rate() const
{
    return m_impl->means.surprisal / m_impl->means.pieces;
}

double WorldTruth::pieces_per_document() const
{
    return m_impl->means.pieces;
}

std::vector<TokenId> WorldTruth::pieces(const World::Document& document) const
{
    const Lexicon& lexicon = m_impl->world->m_grammar->lexicon;
    std::vector<TokenId> pieces;
    for (const std::string& emission : document.emissions) {
        const std::vector<TokenId>& word = m_impl->pieces[lexicon.find(emission)];
        pieces.insert(pieces.end(), word.begin(), word.end());
    }
    pieces.push_back(m_impl->separator);
    return pieces;
}

TokenId WorldTruth::separator() const
{
    return m_impl->separator;
}

} // namespace retort
