#pragma once
#include "core/base/error.h"
#include "core/base/text_format.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace retort {

/// "a", "b" and "c".
[[nodiscard]] inline std::string listed(const std::vector<std::string>& names)
{
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + ("\"" + names[i] + "\"");
    }
    return text;
}

/// Things of one kind that are chosen by name: what a plan may say, what a help text lists, what a message calls known. Built-ins and plugins come in
/// by the same add(). An Entry is a struct with a `name` and a `summary` (one line for a list), and whatever makes the thing. Filled before the first
/// use, read-only after; then any thread.
template <class Entry>
class Catalogue {
public:
    Catalogue() = default;
    Catalogue(std::initializer_list<Entry> entries)
    {
        for (const Entry& entry : entries) {
            add(entry);
        }
    }

    /// The later of two with one name takes the earlier's place.
    void add(Entry entry)
    {
        const auto same = std::ranges::find(m_entries, entry.name, &Entry::name);
        if (same == m_entries.end()) {
            m_entries.push_back(std::move(entry));
        } else {
            *same = std::move(entry);
        }
    }

    /// Null when there is none of that name.
    [[nodiscard]] const Entry* find(std::string_view name) const
    {
        const auto found = std::ranges::find(m_entries, name, &Entry::name);
        return found == m_entries.end() ? nullptr : &*found;
    }

    /// The entry of that name; `place` is where the name stands, "data.kind", and begins the sentence that refuses it.
    [[nodiscard]] Result<const Entry*> choose(std::string_view name, std::string_view place) const
    {
        if (const Entry* entry = find(name)) {
            return entry;
        }
        return failure(Error::Kind::Usage, std::string(place) + " is \"" + printable(name) + "\"; known are " + listed(names()) + ".");
    }

    [[nodiscard]] const std::vector<Entry>& entries() const { return m_entries; }

    [[nodiscard]] std::vector<std::string> names() const
    {
        std::vector<std::string> names;
        for (const Entry& entry : m_entries) {
            names.push_back(entry.name);
        }
        return names;
    }

private:
    std::vector<Entry> m_entries;
};

} // namespace retort
