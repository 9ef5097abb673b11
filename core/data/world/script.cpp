#include "core/data/world/script.h"

#include <algorithm>
#include <cassert>

namespace retort {

namespace {

bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool is_mark(char c)
{
    return !is_letter(c) && !is_digit(c) && c != ' ' && c != '{' && c != '^';
}

std::string with_space(bool spaced, std::string_view word)
{
    return std::string(spaced ? 1 : 0, ' ').append(word);
}

} // namespace

WordList equally(std::vector<std::string> words)
{
    const std::size_t count = words.size();
    return {std::move(words), {std::vector<double>(count, 1.0 / static_cast<double>(count))}};
}

/// Turns a scene's text into steps of its script.
class Script::SceneReader {
public:
    SceneReader(Script& script, std::string_view text) : m_script(script), m_text(text) {}

    void read()
    {
        while (m_at < m_text.size()) {
            if (m_text[m_at] == '^') {
                m_answer_next = true;
                ++m_at;
                continue;
            }
            const bool spaced = m_text[m_at] == ' ';
            m_at += spaced ? 1 : 0;
            if (m_at < m_text.size() && m_text[m_at] == '{') {
                const std::size_t end = m_text.find('}', m_at);
                assert(end != std::string_view::npos);
                read_slot(m_text.substr(m_at + 1, end - m_at - 1), spaced);
                m_at = end + 1;
            } else {
                read_word(spaced);
            }
        }
    }

private:
    void add(Step step)
    {
        step.starts_answer = std::exchange(m_answer_next, false);
        m_script.m_steps.push_back(std::move(step));
    }

    void say(std::string text) { add({.act = Step::Act::Say, .text = std::move(text)}); }

    void read_word(bool spaced)
    {
        if (spaced && (m_at == m_text.size() || is_digit(m_text[m_at]))) {
            say(" ");
            spaced = false;
        }
        if (m_at == m_text.size()) {
            return;
        }
        const std::size_t begin = m_at;
        const auto same = is_letter(m_text[m_at]) ? is_letter : is_mark;
        do {
            ++m_at;
        } while (!is_digit(m_text[begin]) && m_at < m_text.size() && same(m_text[m_at]));
        say(with_space(spaced, m_text.substr(begin, m_at - begin)));
    }

    std::uint8_t slot(char name)
    {
        const auto place = m_script.m_slots.try_emplace(name, static_cast<std::uint8_t>(m_script.m_slots.size())).first;
        assert(place->second < GrammarState{}.slots.size());
        return place->second;
    }

    void read_slot(std::string_view inside, bool spaced)
    {
        const char name = inside[0];
        const char sign = inside.size() > 1 ? inside[1] : '\0';
        if (sign == ':') {
            read_draw(name, inside.substr(2), spaced);
        } else if (sign == '=' && inside.size() == 3) {
            m_script.m_steps.push_back({.act = Step::Act::Copy, .slot = slot(name), .left = slot(inside[2]), .reads_left = true});
            m_script.m_slot_lists[name] = m_script.m_slot_lists[inside[2]];
        } else if (sign == '=') {
            m_script.m_steps.push_back({.act = Step::Act::Calculate,
                                        .slot = slot(name),
                                        .left = slot(inside[2]),
                                        .right = slot(inside[4]),
                                        .reads_left = true,
                                        .reads_right = true,
                                        .operation = inside[3]});
        } else if (sign == '#') {
            if (spaced) {
                say(" ");
            }
            add({.act = Step::Act::Tens, .slot = slot(name)});
            add({.act = Step::Act::Units, .slot = slot(name)});
        } else {
            const std::string list = sign == '>' ? std::string(inside.substr(2)) : m_script.m_slot_lists[name];
            add({.act = Step::Act::Tell, .spaced = spaced, .slot = slot(name), .text = list});
        }
    }

    void read_draw(char name, std::string_view rest, bool spaced)
    {
        Step step{.act = Step::Act::Draw, .spaced = spaced, .slot = slot(name)};
        const std::size_t sign = rest.find_first_of("!|");
        step.text = rest.substr(0, sign);
        if (sign != std::string_view::npos && rest[sign] == '|') {
            step.left = slot(rest[sign + 1]);
            step.reads_left = true;
        } else if (sign != std::string_view::npos) {
            step.right = slot(rest[sign + 1]);
            step.reads_right = true;
        }
        m_script.m_slot_lists[name] = step.text;
        const bool digit = is_digit(m_script.m_lists.find(step.text)->second.words.front()[0]);
        if (digit && spaced) {
            say(" ");
            step.spaced = false;
        }
        add(std::move(step));
    }

    Script& m_script;
    std::string_view m_text;
    std::size_t m_at = 0;
    bool m_answer_next = false;
};

Script& Script::list(std::string name, WordList list)
{
    m_lists.insert_or_assign(std::move(name), std::move(list));
    return *this;
}

Script& Script::scene(std::string name, std::string_view text, std::vector<Way> ways)
{
    m_scenes.emplace(std::move(name), static_cast<std::uint16_t>(m_steps.size()));
    SceneReader(*this, text).read();
    if (ways.empty()) {
        m_steps.push_back({.act = Step::Act::End});
    } else {
        m_ways.emplace(m_steps.size(), std::move(ways));
        m_steps.push_back({.act = Step::Act::Branch});
    }
    return *this;
}

void Script::finish(Lexicon& lexicon)
{
    for (Step& step : m_steps) {
        link_words(step, lexicon);
    }
    for (const auto& [place, ways] : m_ways) {
        for (const Way& way : ways) {
            const auto target = m_scenes.find(way.scene);
            assert(target != m_scenes.end() && target->second > place);
            m_steps[place].targets.emplace_back(way.probability, target->second);
        }
    }
    note_needs();
}

void Script::link_words(Step& step, Lexicon& lexicon) const
{
    switch (step.act) {
    case Step::Act::Say:
        step.words = {lexicon.add(step.text)};
        break;
    case Step::Act::Draw:
    case Step::Act::Tell:
        step.source = &m_lists.find(step.text)->second;
        for (const std::string& word : step.source->words) {
            step.words.push_back(lexicon.add(with_space(step.spaced, word)));
        }
        break;
    case Step::Act::Tens:
    case Step::Act::Units:
        for (char digit = '0'; digit <= '9'; ++digit) {
            step.words.push_back(lexicon.add(std::string(1, digit)));
        }
        break;
    default:
        break;
    }
}

void Script::note_needs()
{
    const auto bit = [](std::uint8_t slot) { return static_cast<std::uint8_t>(1U << slot); };
    m_needed.assign(m_steps.size(), 0);
    for (std::size_t i = m_steps.size(); i-- > 0;) {
        const Step& step = m_steps[i];
        std::uint8_t needed = 0;
        if (step.act == Step::Act::Branch) {
            for (const auto& target : step.targets) {
                needed |= m_needed[target.second];
            }
        } else if (step.act != Step::Act::End) {
            needed = m_needed[i + 1];
        }
        if (step.act == Step::Act::Draw || step.act == Step::Act::Copy || step.act == Step::Act::Calculate) {
            needed &= static_cast<std::uint8_t>(~bit(step.slot));
        } else if (step.act == Step::Act::Tell || step.act == Step::Act::Tens || step.act == Step::Act::Units) {
            needed |= bit(step.slot);
        }
        needed |= step.reads_left ? bit(step.left) : std::uint8_t{0};
        needed |= step.reads_right ? bit(step.right) : std::uint8_t{0};
        m_needed[i] = needed;
    }
}

GrammarState Script::after(GrammarState state, std::uint16_t step) const
{
    state.step = step;
    for (std::size_t i = 0; i < state.slots.size(); ++i) {
        if ((m_needed[step] >> i & 1U) == 0) {
            state.slots[i] = 0;
        }
    }
    return state;
}

void Script::options(const GrammarState& state, std::vector<GrammarOption>& options) const
{
    walk(state, 1.0, options);
}

void Script::walk(GrammarState state, double probability, std::vector<GrammarOption>& options) const
{
    for (;;) {
        const Step& step = m_steps[state.step];
        const auto next = static_cast<std::uint16_t>(state.step + 1);
        const std::uint16_t value = state.slots[step.slot];
        switch (step.act) {
        case Step::Act::Say:
            options.push_back({probability, step.words[0], step.starts_answer, after(state, next)});
            return;
        case Step::Act::Tell:
            options.push_back({probability, step.words[value], step.starts_answer, after(state, next)});
            return;
        case Step::Act::Draw:
            draw(step, state, probability, options);
            return;
        case Step::Act::Tens:
            if (value >= 10) {
                options.push_back({probability, step.words[value / 10], step.starts_answer, after(state, next)});
                return;
            }
            break;
        case Step::Act::Units:
            options.push_back({probability, step.words[value % 10], step.starts_answer, after(state, next)});
            return;
        case Step::Act::Copy:
            state.slots[step.slot] = state.slots[step.left];
            break;
        case Step::Act::Calculate: {
            const int left = state.slots[step.left];
            const int right = state.slots[step.right];
            const int result = step.operation == '+'   ? left + right
                               : step.operation == '-' ? left - right
                               : step.operation == '*' ? left * right
                                                       : left > right;
            state.slots[step.slot] = static_cast<std::uint16_t>(result);
            break;
        }
        case Step::Act::Branch:
            for (const auto& [share, target] : step.targets) {
                walk(after(state, target), probability * share, options);
            }
            return;
        case Step::Act::End:
            options.push_back({.probability = probability});
            return;
        }
        state.step = next;
    }
}

void Script::draw(const Step& step, const GrammarState& state, double probability, std::vector<GrammarOption>& options) const
{
    const std::vector<double>& row = step.source->rows[step.reads_left ? state.slots[step.left] : 0];
    double allowed = 0.0;
    for (std::size_t i = 0; i < row.size(); ++i) {
        allowed += step.reads_right && i == state.slots[step.right] ? 0.0 : row[i];
    }
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i] <= 0.0 || (step.reads_right && i == state.slots[step.right])) {
            continue;
        }
        GrammarState next = state;
        next.slots[step.slot] = static_cast<std::uint16_t>(i);
        options.push_back(
            {probability * row[i] / allowed, step.words[i], step.starts_answer, after(next, static_cast<std::uint16_t>(state.step + 1))});
    }
}

} // namespace retort
