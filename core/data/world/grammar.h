#pragma once
#include "core/data/world/world.h"

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace retort {

/// What the grammar emits: a whole pre-token, by its number in the lexicon.
using WordId = std::uint16_t;
inline constexpr WordId kEndOfDocument = std::numeric_limits<WordId>::max();

/// Every pre-token that the grammar can emit, each once. Filled while the world is made, read-only after.
class Lexicon {
public:
    [[nodiscard]] WordId add(std::string_view word);
    [[nodiscard]] const std::string& word(WordId id) const { return m_words[id]; }
    [[nodiscard]] WordId find(const std::string& word) const { return m_ids.at(word); } ///< of a word that was added
    [[nodiscard]] std::size_t size() const { return m_words.size(); }

private:
    std::vector<std::string> m_words;
    std::unordered_map<std::string, WordId> m_ids;
};

/// All that the rest of a document depends on. Two ways to the same state have the same future, so they may be merged.
struct GrammarState {
    std::uint16_t kind = 0; ///< index into kWorldKinds
    std::uint16_t step = 0; ///< 0 where a document starts
    std::array<std::uint16_t, 8> slots{};

    friend bool operator==(const GrammarState&, const GrammarState&) = default;
};

struct GrammarStateHash {
    [[nodiscard]] std::size_t operator()(const GrammarState& state) const;
};

/// One way on from a state: emit `word`, be in `next`. After kEndOfDocument there is no next.
struct GrammarOption {
    double probability = 0;
    WordId word = kEndOfDocument;
    bool starts_answer = false; ///< what follows, from this word on, is settled by what came before
    GrammarState next{};
};

/// One kind of document, as a machine: from each state some options, their probabilities summing to 1. Every walk ends. A text has at most one walk,
/// so the probability of a document is the product along it and its entropy the sum of the choices'. Immutable; any thread.
class KindGrammar {
public:
    virtual ~KindGrammar() = default;
    /// Appends the options of `state` to `options`.
    virtual void options(const GrammarState& state, std::vector<GrammarOption>& options) const = 0;
};

/// Means over the documents that start in a state.
struct DocumentMeans {
    double surprisal = 0; ///< nats, the end's choice included
    double pieces = 0;    ///< by the measure asked for; the end counts as one word
};

/// Exact, by dynamic programming over the states that can be reached from `start`. `pieces` says how many pieces a word has (kEndOfDocument too).
[[nodiscard]] DocumentMeans document_means(const KindGrammar& grammar, const GrammarState& start, const std::function<double(WordId)>& pieces);

struct World::Grammar {
    explicit Grammar(WorldSettings world_settings);

    /// Where a document can start, with the mixture's weights, which sum to 1.
    struct Start {
        double probability = 0;
        GrammarState state;
    };
    [[nodiscard]] std::vector<Start> starts() const;
    void options(const GrammarState& state, std::vector<GrammarOption>& out) const { kinds[state.kind]->options(state, out); }
    [[nodiscard]] DocumentMeans means(const std::function<double(WordId)>& pieces) const;

    WorldSettings settings; ///< weights normalised
    Lexicon lexicon;
    std::array<std::unique_ptr<const KindGrammar>, kWorldKinds.size()> kinds;
};

} // namespace retort
