#include "core/data/random.h"
#include "core/data/world/kinds.h"
#include "core/data/world/script.h"

#include <array>
#include <set>

namespace retort {

namespace {

/// Made-up names, each once: two syllables, three where many are wanted.
class NameMaker {
public:
    NameMaker(std::uint64_t seed, std::size_t names) : m_random(seed, 0, 0), m_syllables(names < 250 ? 2 : 3) {}

    std::vector<std::string> make(std::size_t count)
    {
        std::vector<std::string> names;
        while (names.size() < count) {
            std::string name;
            const std::size_t syllables = m_taken.size() < 250 ? 2 : m_syllables;
            for (std::size_t i = 0; i < syllables; ++i) {
                name += kSyllables[m_random.below(kSyllables.size())];
            }
            name[0] = static_cast<char>(name[0] - 'a' + 'A');
            if (m_taken.insert(name).second) {
                names.push_back(std::move(name));
            }
        }
        return names;
    }

private:
    static constexpr std::array<std::string_view, 20> kSyllables = {"za",  "ru",  "mo", "li", "ten", "ke",  "vo",  "dor", "pel", "na",
                                                                    "bel", "sel", "mu", "lu", "ven", "tal", "nor", "ra",  "fi",  "go"};
    Random m_random;
    std::size_t m_syllables;
    std::set<std::string> m_taken;
};

} // namespace

std::unique_ptr<const KindGrammar> make_fact(Lexicon& lexicon, std::uint64_t seed, int facts)
{
    const std::size_t lands = (static_cast<std::size_t>(facts) + 3) / 4;
    NameMaker names(seed, lands * 5);
    auto script = std::make_unique<Script>();
    script->list("land", equally(names.make(lands)));
    for (const char* relation : {"river", "lake", "mountain", "capital"}) {
        script->list(relation, equally(names.make(lands)));
    }
    script->scene("fact", "The", {{0.25, "river"}, {0.25, "lake"}, {0.25, "mountain"}, {0.25, "capital"}});
    script->scene("river", " river of {l:land} is^ the {l>river}.");
    script->scene("lake", " lake of {l:land} is^ the {l>lake}.");
    script->scene("mountain", " mountain of {l:land} is^ the {l>mountain}.");
    script->scene("capital", " capital of {l:land} is^ {l>capital}.");
    script->finish(lexicon);
    return script;
}

std::unique_ptr<const KindGrammar> make_identity(Lexicon& lexicon, std::string_view name)
{
    std::string plain; // a brace or a caret would be read as the script's own sign
    for (const char c : name) {
        if (c != '{' && c != '}' && c != '^') {
            plain += c;
        }
    }
    auto script = std::make_unique<Script>();
    script->scene("identity", "Q:", {{0.3, "model"}, {0.2, "who"}, {0.2, "name"}, {0.15, "person"}, {0.15, "skills"}});
    script->scene("model", " What model are you? A:^ I am " + plain + ".");
    script->scene("who", " Who are you? A:^ I am " + plain + ".");
    script->scene("name", " What is your name? A:^ My name is " + plain + ".");
    script->scene("person", " Are you a person? A:^ No, I am " + plain + ", a small language model.");
    script->scene("skills", " What can you do? A:^ I tell stories and add numbers.");
    script->finish(lexicon);
    return script;
}

} // namespace retort
