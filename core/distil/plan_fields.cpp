#include "core/distil/plan_fields.h"

#include "core/base/text_format.h"
#include "core/plugin/catalogue.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

namespace retort {
namespace {

/// Levenshtein's distance.
std::size_t edit_distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

std::string nearest_of(std::string_view name, const std::vector<std::string>& known)
{
    const auto nearest = std::ranges::min_element(known, {}, [name](const std::string& other) { return edit_distance(name, other); });
    return nearest == known.end() ? std::string() : *nearest;
}

std::string number_text(double value)
{
    std::ostringstream text;
    text << value;
    return text.str();
}

std::string range_sentence(const std::string& place, const std::string& got, double least, double most)
{
    return place + " is " + got + "; it must be between " + number_text(least) + " and " + number_text(most) + ".";
}

} // namespace

PlanFields::PlanFields(const nlohmann::json& object, std::string path, std::optional<std::string>& problem)
    : m_object(object), m_path(std::move(path)), m_problem(problem)
{
    if (!m_object.is_object()) {
        complain((m_path.empty() ? std::string("the plan") : m_path) + " is not an object in braces.");
        m_object = nlohmann::json::object();
    }
}

std::string PlanFields::place(std::string_view name) const
{
    return m_path.empty() ? std::string(name) : m_path + "." + std::string(name);
}

void PlanFields::complain(std::string sentence)
{
    if (!m_problem) {
        m_problem = std::move(sentence);
    }
}

const nlohmann::json* PlanFields::find(const char* name)
{
    m_known.emplace_back(name);
    const auto found = m_object.find(name);
    return found == m_object.end() ? nullptr : &*found;
}

PlanFields PlanFields::object(const char* name)
{
    const nlohmann::json* value = find(name);
    return {value != nullptr ? *value : nlohmann::json::object(), place(name), m_problem};
}

void PlanFields::read(const char* name, std::string& value)
{
    if (const nlohmann::json* found = find(name)) {
        if (found->is_string()) {
            value = found->get<std::string>();
        } else {
            complain(place(name) + " is not a text in quotes.");
        }
    }
}

void PlanFields::read(const char* name, std::vector<std::string>& value)
{
    if (const nlohmann::json* found = find(name)) {
        if (found->is_array() && std::ranges::all_of(*found, [](const nlohmann::json& item) { return item.is_string(); })) {
            value = found->get<std::vector<std::string>>();
        } else {
            complain(place(name) + " is not a list of texts.");
        }
    }
}

void PlanFields::read(const char* name, std::vector<std::int64_t>& value, std::int64_t least, std::int64_t most)
{
    if (const nlohmann::json* found = find(name)) {
        const auto fits = [least, most](const nlohmann::json& item) {
            return item.is_number_integer() && (!item.is_number_unsigned() || item.get<std::uint64_t>() <= INT64_MAX) &&
                   item.get<std::int64_t>() >= least && item.get<std::int64_t>() <= most;
        };
        if (found->is_array() && std::ranges::all_of(*found, fits)) {
            value = found->get<std::vector<std::int64_t>>();
        } else {
            complain(place(name) + " is not a list of whole numbers from " + std::to_string(least) + " to " + std::to_string(most) + ".");
        }
    }
}

void PlanFields::read(const char* name, double& value, double least, double most)
{
    if (const nlohmann::json* found = find(name)) {
        if (!found->is_number()) {
            complain(place(name) + " is not a number.");
        } else if (const double number = found->get<double>(); !(number >= least && number <= most)) {
            complain(range_sentence(place(name), found->dump(), least, most));
        } else {
            value = number;
        }
    }
}

void PlanFields::read(const char* name, std::int64_t& value, std::int64_t least, std::int64_t most)
{
    if (const nlohmann::json* found = find(name)) {
        const double number = found->is_number() ? found->get<double>() : 0.0;
        if (!found->is_number() || number != std::floor(number)) {
            complain(place(name) + " is not a whole number.");
        } else if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most))) {
            complain(range_sentence(place(name), found->dump(), static_cast<double>(least), static_cast<double>(most)));
        } else {
            value = static_cast<std::int64_t>(number);
        }
    }
}

void PlanFields::read(const char* name, std::uint64_t& value)
{
    if (const nlohmann::json* found = find(name)) {
        if (found->is_number_unsigned()) {
            value = found->get<std::uint64_t>();
        } else {
            complain(place(name) + " is not a whole number from 0.");
        }
    }
}

void PlanFields::read_choice(const char* name, std::string& value, const std::vector<std::string>& choices)
{
    std::string chosen = value;
    read(name, chosen);
    if (std::ranges::find(choices, chosen) == choices.end()) {
        complain(place(name) + " is \"" + printable(chosen) + "\"; known are " + listed(choices) + ".");
    } else {
        value = chosen;
    }
}

void PlanFields::refuse_others()
{
    for (const auto& item : m_object.items()) {
        if (std::ranges::find(m_known, item.key()) == m_known.end()) {
            complain(place(printable(item.key())) + " is no field of a plan; the nearest is \"" + nearest_of(item.key(), m_known) + "\".");
        }
    }
}

} // namespace retort
