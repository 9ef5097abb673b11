#include "core/data/world/kinds.h"
#include "core/data/world/script.h"

namespace retort {

namespace {

/// Rows by thing: what one does with it, its own verb first, the verbs that suit any thing after.
WordList verbs()
{
    WordList list;
    list.words = {"flies", "throws", "wears", "fills", "reads", "plays", "lights", "likes", "holds", "cleans", "paints"};
    constexpr std::size_t kOwnVerbs = 7;
    constexpr std::size_t kThings = 12;
    for (std::size_t thing = 0; thing < kThings; ++thing) {
        const bool has_own = thing < kOwnVerbs;
        std::vector<double> row(list.words.size(), 0.0);
        if (has_own) {
            row[thing] = 0.6;
        }
        const double rest = has_own ? 0.1 : 0.25;
        for (std::size_t verb = kOwnVerbs; verb < row.size(); ++verb) {
            row[verb] = rest;
        }
        list.rows.push_back(std::move(row));
    }
    return list;
}

void add_words(Script& script)
{
    script.list("name", equally({"Mia", "Ana", "Lin", "Eva", "Yuki", "Nia", "Tom", "Raj", "Omar", "Kofi", "Ivan", "Sami"}));
    script.list("He", equally({"She", "She", "She", "She", "She", "She", "He", "He", "He", "He", "He", "He"}));
    script.list("colour", equally({"red", "blue", "green", "white", "black", "yellow"}));
    script.list("thing", {{"kite", "ball", "hat", "cup", "book", "drum", "lamp", "shell", "rope", "coin", "pear", "key"},
                          {{0.16, 0.16, 0.1, 0.1, 0.1, 0.08, 0.06, 0.06, 0.06, 0.04, 0.04, 0.04}}});
    script.list("place", equally({"shed", "box", "garden", "attic", "kitchen", "barn", "tent", "boat", "tower", "hall"}));
    script.list("verb", verbs());
}

/// The way to a question: the same beginning for all three, told once for each so that only what the question needs is remembered.
void add_beginning(Script& script, const std::string& question)
{
    const auto scene = [&](const char* name) { return question + " " + name; };
    const std::string kept = scene("kept");
    const std::string given = scene("given");
    script.scene(question, "{a:name}", {{0.7, scene("has")}, {0.3, scene("finds")}});
    script.scene(scene("has"), " has", {{1.0, scene("thing")}});
    script.scene(scene("finds"), " finds", {{1.0, scene("thing")}});
    script.scene(scene("thing"), " a {c:colour} {o:thing}.", {{0.4, scene("use")}, {0.12, scene("weather")}, {0.24, scene("give")}, {0.24, kept}});
    script.scene(scene("use"), " {a>He} {v:verb|o} it.", {{0.5, scene("give")}, {0.5, kept}});
    script.scene(scene("weather"), "", {{0.4, scene("rain")}, {0.35, scene("sun")}, {0.25, scene("night")}});
    script.scene(scene("rain"), " It rains.", {{0.5, scene("give")}, {0.5, kept}});
    script.scene(scene("sun"), " The sun shines.", {{0.5, scene("give")}, {0.5, kept}});
    script.scene(scene("night"), " Night comes.", {{0.5, scene("give")}, {0.5, kept}});
    script.scene(scene("give"), " {a>He} gives it to {b:name!a}.", {{1.0, given}});
}

void add_where(Script& script)
{
    add_beginning(script, "where");
    script.scene("where given", " {b} puts it in the {p:place}.", {{0.2, "moved by giver"}, {0.2, "moved by holder"}, {0.6, "ask where"}});
    script.scene("where kept", " {a} puts it in the {p:place}.", {{0.4, "moved by another"}, {0.6, "ask where"}});
    script.scene("moved by giver", " {a} moves it to the {q:place!p}.{p=q}", {{1.0, "ask where"}});
    script.scene("moved by holder", " {b} moves it to the {q:place!p}.{p=q}", {{1.0, "ask where"}});
    script.scene("moved by another", " {b:name!a} moves it to the {q:place!p}.{p=q}", {{1.0, "ask where"}});
    script.scene("ask where", " Where is the {o}?^ In the {p}.");
}

void add_who(Script& script)
{
    add_beginning(script, "who");
    script.scene("who given", "{a=b}", {{0.4, "given on"}, {0.6, "ask who"}});
    script.scene("who kept", "", {{1.0, "ask who"}});
    script.scene("given on", " {a} gives it to {b:name!a}.{a=b}", {{1.0, "ask who"}});
    script.scene("ask who", " Who has the {o}?^ {a} has it.");
}

void add_colour(Script& script)
{
    add_beginning(script, "colour");
    script.scene("colour given", "", {{0.4, "colour put"}, {0.6, "ask colour"}});
    script.scene("colour kept", "", {{0.4, "colour put"}, {0.6, "ask colour"}});
    script.scene("colour put", " {b:name} puts it in the {p:place}.", {{1.0, "ask colour"}});
    script.scene("ask colour", " What colour is the {o}?^ It is {c}.");
}

} // namespace

std::unique_ptr<const KindGrammar> make_story(Lexicon& lexicon)
{
    auto script = std::make_unique<Script>();
    add_words(*script);
    script->scene("story", "", {{0.6, "where"}, {0.25, "who"}, {0.15, "colour"}});
    add_where(*script);
    add_who(*script);
    add_colour(*script);
    script->finish(lexicon);
    return script;
}

} // namespace retort
