#include "core/data/world/world.h"

#include "core/data/random.h"
#include "core/data/world/grammar.h"

#include <cmath>

namespace retort {

namespace {

/// Every kind's documents of a stream are a sequence of their own, apart from the mixed one.
std::uint64_t stream_of_kind(std::uint64_t stream, WorldKind kind)
{
    return stream ^ ((static_cast<std::uint64_t>(kind) + 1) << 56);
}

const GrammarOption& choose(const std::vector<GrammarOption>& options, Random& random)
{
    double rest = random.uniform();
    for (const GrammarOption& option : options) {
        rest -= option.probability;
        if (rest < 0.0) {
            return option;
        }
    }
    return options.back(); // rounding left a last sliver
}

World::Document write(const World::Grammar& grammar, GrammarState state, Random& random)
{
    World::Document document{.kind = kWorldKinds[state.kind]};
    std::vector<GrammarOption> options;
    for (;;) {
        options.clear();
        grammar.options(state, options);
        const GrammarOption& chosen = choose(options, random);
        document.surprisal -= std::log(chosen.probability);
        if (chosen.word == kEndOfDocument) {
            return document;
        }
        if (chosen.starts_answer) {
            document.answer_at = document.text.size();
        }
        document.emissions.push_back(grammar.lexicon.word(chosen.word));
        document.text += document.emissions.back();
        state = chosen.next;
    }
}

} // namespace

std::string_view name_of(WorldKind kind)
{
    constexpr std::array<std::string_view, kWorldKinds.size()> kNames = {"story", "sum", "logic", "code", "fact", "identity"};
    return kNames[static_cast<std::size_t>(kind)];
}

bool answers(const WorldTask& task, std::string_view continuation)
{
    continuation = continuation.substr(0, continuation.find('\n'));
    const std::size_t last = continuation.find_last_not_of(" \t\r");
    return continuation.substr(0, last == std::string_view::npos ? 0 : last + 1) == task.answer;
}

World::World(WorldSettings settings) : m_grammar(std::make_unique<const Grammar>(std::move(settings))) {}

World::~World() = default;

const WorldSettings& World::settings() const
{
    return m_grammar->settings;
}

World::Document World::document(std::uint64_t stream, std::uint64_t index) const
{
    Random random(settings().seed, stream, index);
    const std::vector<Grammar::Start> starts = m_grammar->starts();
    double rest = random.uniform();
    std::size_t chosen = 0;
    while (chosen + 1 < starts.size() && rest >= starts[chosen].probability) {
        rest -= starts[chosen].probability;
        ++chosen;
    }
    Document document = write(*m_grammar, starts[chosen].state, random);
    document.surprisal -= std::log(starts[chosen].probability);
    return document;
}

World::Document World::document_of(WorldKind kind, std::uint64_t stream, std::uint64_t index) const
{
    Random random(settings().seed, stream_of_kind(stream, kind), index);
    return write(*m_grammar, GrammarState{.kind = static_cast<std::uint16_t>(kind)}, random);
}

double World::document_entropy() const
{
    return m_grammar->means([](WordId) { return 0.0; }).surprisal;
}

WorldTask World::task(WorldKind kind, std::uint64_t stream, std::uint64_t index) const
{
    const Document document = document_of(kind, stream, index);
    return {kind, document.text.substr(0, document.answer_at), document.text.substr(document.answer_at)};
}

} // namespace retort
