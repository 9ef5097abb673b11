#pragma once
#include "core/data/world/grammar.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace retort {

/// Words that a slot can hold. `rows`: one set of weights, or one for each value of the slot that the draw depends on.
struct WordList {
    std::vector<std::string> words;
    std::vector<std::vector<double>> rows;
};
[[nodiscard]] WordList equally(std::vector<std::string> words);

/// A kind of document written as sentences: a graph of pieces of text with slots in them.
///
///     {a:name}    draw slot a from the list "name" and say it      {a}       say it again
///     {b:name!a}  draw a value that slot a does not have           {a>He}    say the word that list "He" has at a's value
///     {v:verb|o}  draw by the row that slot o chooses              {h=a}     copy, silently
///     {r=x+y}     calculate, silently: + - * >                     {r#}      say slot r (0 to 99) as a number
///     ^           the answer starts with the next word
///
/// The text between is cut as a byte-level tokenizer's pre-tokenizer does: a space belongs to the word after it, a digit and the space before it
/// stand alone. A slot that nothing reads any more is forgotten, so that equal futures are equal states.
class Script final : public KindGrammar {
public:
    Script& list(std::string name, WordList list);

    /// Where to go on after a scene, and how likely. A scene that leads nowhere ends the document.
    struct Way {
        double probability = 1.0;
        std::string scene;
    };
    /// The first scene told is where documents start. Scenes may lead to scenes told later, never back.
    Script& scene(std::string name, std::string_view text, std::vector<Way> ways = {});

    /// After the last scene: settles the ways and what each step still needs.
    void finish(Lexicon& lexicon);

    void options(const GrammarState& state, std::vector<GrammarOption>& options) const override;

private:
    struct Step {
        enum class Act { Say, Draw, Tell, Copy, Calculate, Tens, Units, Branch, End };
        Act act = Act::End;
        bool starts_answer = false;
        bool spaced = false;
        std::uint8_t slot = 0;  ///< written by Draw, Copy, Calculate; read by Tell, Tens, Units
        std::uint8_t left = 0;  ///< read by Draw (row), Copy, Calculate
        std::uint8_t right = 0; ///< read by Draw (excluded value), Calculate
        bool reads_left = false;
        bool reads_right = false;
        char operation = 0;
        std::string text{}; ///< of Say; the list's name for Draw and Tell
        std::vector<WordId> words{};
        std::vector<std::pair<double, std::uint16_t>> targets{};
        const WordList* source = nullptr;
    };

    class SceneReader;

    void link_words(Step& step, Lexicon& lexicon) const;
    void note_needs();
    [[nodiscard]] GrammarState after(GrammarState state, std::uint16_t step) const;
    void walk(GrammarState state, double probability, std::vector<GrammarOption>& options) const;
    void draw(const Step& step, const GrammarState& state, double probability, std::vector<GrammarOption>& options) const;

    std::map<std::string, WordList, std::less<>> m_lists;
    std::map<std::string, std::uint16_t, std::less<>> m_scenes; ///< first step of each
    std::map<std::size_t, std::vector<Way>> m_ways;             ///< by the Branch step they belong to
    std::map<char, std::uint8_t> m_slots;
    std::map<char, std::string> m_slot_lists; ///< the list a slot was last drawn from, for {a}
    std::vector<Step> m_steps;
    std::vector<std::uint8_t> m_needed; ///< bit i: slot i is still read at or after this step
};

} // namespace retort
