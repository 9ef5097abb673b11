#pragma once
#include "core/text/jinja/library.h"

#include <span>

namespace retort::jinja {

/// What an entry of the library works on.
struct Call {
    const Library& library;
    const std::string& name; ///< by which it was called: some entries have several
    const Value& subject;    ///< before the bar, the `is` or the dot; undefined for a function
    const Arguments& arguments;

    [[nodiscard]] const Value* argument(std::size_t place, std::string_view called) const { return arguments.find(place, called); }
    /// Of an argument that is given by name only.
    [[nodiscard]] const Value* option(std::string_view called) const { return arguments.find(arguments.placed.size(), called); }
    [[nodiscard]] bool flag(std::size_t place, std::string_view called) const;
    [[nodiscard]] std::int64_t integer_or(std::size_t place, std::string_view called, std::int64_t absent) const;
    /// Throws when it is not given or not a string.
    [[nodiscard]] const std::string& needed_text(std::size_t place, std::string_view called) const;

    [[nodiscard]] std::string text() const { return library.text_of(subject); }
    [[nodiscard]] List items() const { return library.items_of(subject); }
};

/// An entry of the library: a name and what it does.
template <class Result>
struct Named {
    std::string_view name;
    Result (*run)(const Call& call);
};

/// Null when there is no entry of this name.
template <class Result>
[[nodiscard]] const Named<Result>* find_named(std::span<const Named<Result>> entries, std::string_view name)
{
    for (const Named<Result>& entry : entries) {
        if (entry.name == name) {
            return &entry;
        }
    }
    return nullptr;
}

} // namespace retort::jinja
