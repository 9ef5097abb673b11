#include "core/data/world/kinds.h"
#include "core/data/world/script.h"

#include <array>

namespace retort {

namespace {

constexpr std::array<std::uint16_t, 5> kPowersOfTen = {1, 10, 100, 1000, 10000};

std::uint16_t digits_of(std::uint16_t value)
{
    std::uint16_t digits = 1;
    while (digits < kPowersOfTen.size() && value >= kPowersOfTen[digits]) {
        ++digits;
    }
    return digits;
}

/// `27+15=42.` What comes is settled by the total so far and the number of digits to come, so a state keeps no more than that.
class SumGrammar final : public KindGrammar {
public:
    SumGrammar(Lexicon& lexicon, int most_digits) : m_plus(lexicon.add("+")), m_equals(lexicon.add("=")), m_stop(lexicon.add("."))
    {
        for (char digit = '0'; digit <= '9'; ++digit) {
            m_digits[static_cast<std::size_t>(digit - '0')] = lexicon.add(std::string(1, digit));
        }
        double sum = 0.0;
        for (int digits = 1; digits <= most_digits; ++digits) {
            m_lengths.push_back(digits == 1 || digits == most_digits ? 1.0 : 2.0);
            sum += m_lengths.back();
        }
        for (double& share : m_lengths) {
            share /= sum;
        }
    }

    void options(const GrammarState& state, std::vector<GrammarOption>& options) const override
    {
        switch (static_cast<Phase>(state.step)) {
        case Phase::Start:
            for (std::size_t i = 0; i < m_lengths.size(); ++i) {
                const auto length = static_cast<std::uint16_t>(i + 1);
                add_digits(at(Phase::First, 0, length, length), m_lengths[i], options);
            }
            break;
        case Phase::First:
        case Phase::Second:
            add_term(state, options);
            break;
        case Phase::Answer:
            add_answer(state, options);
            break;
        case Phase::End:
            options.push_back({.probability = 1.0});
            break;
        }
    }

private:
    enum class Phase : std::uint16_t { Start, First, Second, Answer, End };
    enum Slot { Total, ToCome, Length }; // the length of both terms is forgotten once the second has begun

    static GrammarState at(Phase phase, std::uint16_t total, std::uint16_t to_come, std::uint16_t length)
    {
        GrammarState state{.kind = static_cast<std::uint16_t>(WorldKind::Sum), .step = static_cast<std::uint16_t>(phase)};
        state.slots[Total] = total;
        state.slots[ToCome] = to_come;
        state.slots[Length] = length;
        return state;
    }

    /// The next digit of a term; the first of several is no zero.
    void add_digits(const GrammarState& state, double probability, std::vector<GrammarOption>& options) const
    {
        const std::uint16_t to_come = state.slots[ToCome];
        const bool leading = to_come == state.slots[Length];
        const std::uint16_t least = leading && to_come > 1 ? 1 : 0;
        for (std::uint16_t digit = least; digit < 10; ++digit) {
            GrammarState next = state;
            next.slots[Total] = static_cast<std::uint16_t>(state.slots[Total] + digit * kPowersOfTen[to_come - 1U]);
            next.slots[ToCome] = static_cast<std::uint16_t>(to_come - 1);
            if (static_cast<Phase>(state.step) == Phase::Second) {
                next.slots[Length] = 0;
            }
            options.push_back({probability / (10 - least), m_digits[digit], false, next});
        }
    }

    void add_term(const GrammarState& state, std::vector<GrammarOption>& options) const
    {
        const auto [total, to_come, length] = std::array{state.slots[Total], state.slots[ToCome], state.slots[Length]};
        if (to_come > 0) {
            add_digits(state, 1.0, options);
        } else if (static_cast<Phase>(state.step) == Phase::First) {
            options.push_back({1.0, m_plus, false, at(Phase::Second, total, length, length)});
        } else {
            options.push_back({1.0, m_equals, false, at(Phase::Answer, total, digits_of(total), digits_of(total))});
        }
    }

    void add_answer(const GrammarState& state, std::vector<GrammarOption>& options) const
    {
        const auto [total, to_come, length] = std::array{state.slots[Total], state.slots[ToCome], state.slots[Length]};
        if (to_come == 0) {
            options.push_back({1.0, m_stop, false, at(Phase::End, 0, 0, 0)});
            return;
        }
        const std::uint16_t power = kPowersOfTen[to_come - 1U];
        const GrammarState next = at(Phase::Answer, static_cast<std::uint16_t>(total % power), static_cast<std::uint16_t>(to_come - 1), 0);
        options.push_back({1.0, m_digits[total / power], to_come == length, next});
    }

    WordId m_plus;
    WordId m_equals;
    WordId m_stop;
    std::array<WordId, 10> m_digits{};
    std::vector<double> m_lengths; ///< share of terms with i + 1 digits
};

/// Row x: equally 0 ... x, so that a difference is not negative.
WordList digits_up_to()
{
    WordList list = equally({"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
    list.rows.clear();
    for (std::size_t most = 0; most < 10; ++most) {
        std::vector<double> row(10, 0.0);
        for (std::size_t i = 0; i <= most; ++i) {
            row[i] = 1.0 / static_cast<double>(most + 1);
        }
        list.rows.push_back(std::move(row));
    }
    return list;
}

} // namespace

std::unique_ptr<const KindGrammar> make_sum(Lexicon& lexicon, int most_digits)
{
    return std::make_unique<SumGrammar>(lexicon, most_digits);
}

std::unique_ptr<const KindGrammar> make_code(Lexicon& lexicon)
{
    auto script = std::make_unique<Script>();
    script->list("digit", equally({"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}));
    script->list("up to", digits_up_to());
    script->list("truth", equally({"False", "True"}));

    script->scene("code", "x={x:digit};", {{0.5, "assign"}, {0.25, "reassign"}, {0.25, "compare"}});
    script->scene("assign", "y=x", {{0.4, "y add"}, {0.3, "y subtract"}, {0.3, "y multiply"}});
    script->scene("y add", "+{y:digit};{r=x+y}", {{1.0, "print y"}});
    script->scene("y subtract", "-{y:up to|x};{r=x-y}", {{1.0, "print y"}});
    script->scene("y multiply", "*{y:digit};{r=x*y}", {{1.0, "print y"}});
    script->scene("print y", "print(y) ->^ {r#}");
    script->scene("reassign", "x=x", {{0.4, "x add"}, {0.3, "x subtract"}, {0.3, "x multiply"}});
    script->scene("x add", "+{y:digit};{r=x+y}", {{1.0, "print x"}});
    script->scene("x subtract", "-{y:up to|x};{r=x-y}", {{1.0, "print x"}});
    script->scene("x multiply", "*{y:digit};{r=x*y}", {{1.0, "print x"}});
    script->scene("print x", "print(x) ->^ {r#}");
    script->scene("compare", "print(x>{y:digit}) ->^{t=x>y} {t>truth}");
    script->finish(lexicon);
    return script;
}

} // namespace retort
