#include "core/data/world/kinds.h"
#include "core/data/world/script.h"

namespace retort {

std::unique_ptr<const KindGrammar> make_logic(Lexicon& lexicon)
{
    auto script = std::make_unique<Script>();
    script->list("many", equally({"wugs", "zups", "toves", "feps", "blicks", "daxes"}));
    script->list("one", equally({"wug", "zup", "tove", "fep", "blick", "dax"}));
    script->list("quality", equally({"round", "shy", "loud", "sweet", "cold", "soft", "quick", "tall"}));
    script->list("pet", equally({"Pip", "Bo", "Zed", "Ivo"}));

    script->scene("logic", "", {{0.24, "all"}, {0.2, "no"}, {0.3, "two rules"}, {0.1, "chain"}, {0.08, "if"}, {0.08, "if not"}});
    script->scene("all", "All {w:many} are {q:quality}. {n:pet} is a {w>one}. So {n} is^ {q}.");
    script->scene("no", "No {w:many} are {q:quality}. {n:pet} is a {w>one}. So {n} is^ not {q}.");
    script->scene("two rules", "All {w:many} are {q:quality}. All {u:many!w} are {r:quality!q}. {n:pet} is a",
                  {{0.5, "first rule"}, {0.5, "second rule"}});
    script->scene("first rule", " {w>one}. So {n} is^ {q}.");
    script->scene("second rule", " {u>one}. So {n} is^ {r}.");
    script->scene("chain", "All {w:many} are {u:many!w}. All {u} are {q:quality}. {n:pet} is a {w>one}. So {n} is^ {q}.");
    script->scene("if", "If {n:pet} is {q:quality}, {n} is {r:quality!q}. {n} is {q}. So {n} is^ {r}.");
    script->scene("if not", "If {n:pet} is {q:quality}, {n} is {r:quality!q}. {n} is not {r}. So {n} is^ not {q}.");
    script->finish(lexicon);
    return script;
}

} // namespace retort
