#pragma once
#include "core/text/jinja/budget.h"

namespace retort::jinja {

/// Arguments of a call, evaluated.
struct Arguments {
    std::vector<Value> placed;
    Names named;

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
[[nodiscard]] bool is_function(std::string_view name);

/// Attribute or item of a value, undefined when there is none; throws when the value itself is undefined.
[[nodiscard]] Value attribute(const Value& value, const std::string& name);

} // namespace retort::jinja
