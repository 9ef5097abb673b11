#pragma once
#include "core/text/jinja/syntax.h"

#include <optional>

namespace retort::jinja {

/// What a running template may use up; counted in one place so that no filter, loop or recursion escapes it. One thread.
class Budget {
public:
    static constexpr std::size_t kMostSteps = 1'000'000;
    static constexpr std::size_t kMostText = 1 << 20;
    static constexpr int kDeepest = 100;

    /// `count` steps of work: one for each node run, and one for every 64 bytes made.
    void spend(std::size_t count)
    {
        m_steps += count;
        if (m_steps > kMostSteps) {
            throw Problem("it takes more than 1,000,000 steps", 0);
        }
    }
    /// Passes a text on, which may be long only so often.
    [[nodiscard]] std::string made(std::string text)
    {
        if (text.size() > kMostText) {
            throw Problem("it makes a text of more than 1 MiB", 0);
        }
        spend(text.size() / 64);
        return text;
    }

private:
    std::size_t m_steps = 0;
};

/// Arguments of a call, evaluated.
struct Arguments {
    std::vector<Value> placed;
    std::vector<std::pair<std::string, Value>> named;

    /// The argument at `place` or called `name`; null when not given.
    [[nodiscard]] const Value* find(std::size_t place, std::string_view name) const;
};

/// Filters, tests, methods and functions: everything that has a name. Throws Problem for a name that is not known.
struct Library {
    Budget& budget;
    std::int64_t now = 0;

    [[nodiscard]] Value filter(const std::string& name, const Value& subject, const Arguments& arguments) const;
    [[nodiscard]] bool test(const std::string& name, const Value& subject, const Arguments& arguments) const;
    [[nodiscard]] Value method(const Value& self, const std::string& name, const Arguments& arguments) const;
    [[nodiscard]] Value function(const std::string& name, const Arguments& arguments) const;

    /// What a loop runs over: items, keys, or characters.
    [[nodiscard]] List items_of(const Value& value) const;
    [[nodiscard]] std::string text_of(const Value& value) const;
};

[[nodiscard]] bool is_filter(std::string_view name);
[[nodiscard]] bool is_test(std::string_view name);
[[nodiscard]] bool is_method(const Value& self, std::string_view name);
[[nodiscard]] bool is_function(std::string_view name);

/// Attribute or item of a value, undefined when there is none; throws when the value itself is undefined.
[[nodiscard]] Value attribute(const Value& value, const std::string& name);

/// Runs `program` with `globals` and gives its output. Throws Problem.
[[nodiscard]] std::string run(const Block& program, Dict globals, std::int64_t now);

/// Throws a Problem with the line of the first filter or test that run() would not know, so that it is refused before a conversation
/// depends on it. What stands inside an `if` is left to run().
void check_names(const Block& program);

} // namespace retort::jinja
