#include "core/data/world/grammar.h"

#include "core/data/world/kinds.h"

#include <algorithm>
#include <cmath>

namespace retort {

WordId Lexicon::add(std::string_view word)
{
    const auto [place, is_new] = m_ids.try_emplace(std::string(word), static_cast<WordId>(m_words.size()));
    if (is_new) {
        m_words.emplace_back(word);
    }
    return place->second;
}

std::size_t GrammarStateHash::operator()(const GrammarState& state) const
{
    std::uint64_t hash = (std::uint64_t{state.kind} << 16) | state.step;
    for (const std::uint16_t slot : state.slots) {
        hash = (hash ^ slot) * 0x9E3779B97F4A7C15;
        hash ^= hash >> 29;
    }
    return hash;
}

namespace {

class MeansOfStates {
public:
    MeansOfStates(const KindGrammar& grammar, const std::function<double(WordId)>& pieces) : m_grammar(grammar), m_pieces(pieces) {}

    DocumentMeans of(const GrammarState& state)
    {
        if (const auto known = m_known.find(state); known != m_known.end()) {
            return known->second;
        }
        std::vector<GrammarOption> options;
        m_grammar.options(state, options);
        DocumentMeans means;
        for (const GrammarOption& option : options) {
            const DocumentMeans rest = option.word == kEndOfDocument ? DocumentMeans{} : of(option.next);
            means.surprisal += option.probability * (rest.surprisal - std::log(option.probability));
            means.pieces += option.probability * (rest.pieces + m_pieces(option.word));
        }
        return m_known.emplace(state, means).first->second;
    }

private:
    const KindGrammar& m_grammar;
    const std::function<double(WordId)>& m_pieces;
    std::unordered_map<GrammarState, DocumentMeans, GrammarStateHash> m_known;
};

} // namespace

DocumentMeans document_means(const KindGrammar& grammar, const GrammarState& start, const std::function<double(WordId)>& pieces)
{
    return MeansOfStates(grammar, pieces).of(start);
}

World::Grammar::Grammar(WorldSettings world_settings) : settings(std::move(world_settings))
{
    double sum = 0.0;
    for (double& weight : settings.weights) {
        weight = std::isfinite(weight) ? std::max(weight, 0.0) : 0.0;
        sum += weight;
    }
    for (double& weight : settings.weights) {
        weight = sum > 0.0 ? weight / sum : 1.0 / static_cast<double>(settings.weights.size());
    }
    settings.facts = std::clamp(settings.facts, 4, 4000);
    settings.most_digits = std::clamp(settings.most_digits, 1, 4);
    kinds = {make_story(lexicon), make_sum(lexicon, settings.most_digits),           make_logic(lexicon),
             make_code(lexicon),  make_fact(lexicon, settings.seed, settings.facts), make_identity(lexicon, settings.identity)};
}

std::vector<World::Grammar::Start> World::Grammar::starts() const
{
    std::vector<Start> starts;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        if (settings.weights[i] > 0.0) {
            starts.push_back({settings.weights[i], GrammarState{.kind = static_cast<std::uint16_t>(i)}});
        }
    }
    return starts;
}

DocumentMeans World::Grammar::means(const std::function<double(WordId)>& pieces) const
{
    DocumentMeans total;
    for (const Start& start : starts()) {
        const DocumentMeans means = document_means(*kinds[start.state.kind], start.state, pieces);
        total.surprisal += start.probability * (means.surprisal - std::log(start.probability));
        total.pieces += start.probability * means.pieces;
    }
    return total;
}

} // namespace retort
