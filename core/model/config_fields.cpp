#include "core/model/config_fields.h"

#include "core/base/text_format.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

namespace retort {

using nlohmann::json;

const json* ConfigFields::find(const char* key) const
{
    const auto found = m_object.find(key);
    return found == m_object.end() || found->is_null() ? nullptr : &*found;
}

bool ConfigFields::is_null(const char* key) const
{
    return m_object.contains(key) && m_object[key].is_null();
}

void ConfigFields::complain(std::string what)
{
    if (m_complaint.empty()) {
        m_complaint = what.starts_with(m_origin + ":") ? std::move(what) : m_origin + ": " + std::move(what);
    }
}

Result<void> ConfigFields::result() const
{
    if (!m_complaint.empty()) {
        return failure(Error::Kind::BadFile, m_complaint);
    }
    return {};
}

std::optional<std::int64_t> ConfigFields::whole(const char* key)
{
    const json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    const bool fits = value->is_number_unsigned()
                          ? value->get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
                          : value->is_number_integer();
    if (!fits) {
        complain(std::string(key) + " is " + printable(value->dump(-1, ' ', false, json::error_handler_t::replace), 40) +
                 "; a whole number was expected.");
        return std::nullopt;
    }
    return value->get<std::int64_t>();
}

std::optional<double> ConfigFields::real(const char* key)
{
    const json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_number()) {
        complain(std::string(key) + " is " + printable(value->dump(-1, ' ', false, json::error_handler_t::replace), 40) + "; a number was expected.");
        return std::nullopt;
    }
    return value->get<double>();
}

std::optional<bool> ConfigFields::boolean(const char* key)
{
    const json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_boolean()) {
        complain(std::string(key) + " is neither true nor false.");
        return std::nullopt;
    }
    return value->get<bool>();
}

std::optional<std::string> ConfigFields::text(const char* key)
{
    const json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_string()) {
        complain(std::string(key) + " is not a text.");
        return std::nullopt;
    }
    return value->get<std::string>();
}

std::int64_t ConfigFields::required_whole(const char* key)
{
    if (!has(key)) {
        complain(std::string(key) + " is missing. The file does not describe a whole model.");
    }
    return whole(key).value_or(0);
}

double ConfigFields::required_real(const char* key)
{
    if (!has(key)) {
        complain(std::string(key) + " is missing. The file does not describe a whole model.");
    }
    return real(key).value_or(0.0);
}

const json* ConfigFields::object(const char* key)
{
    const json* value = find(key);
    if (value != nullptr && !value->is_object()) {
        complain(std::string(key) + " is not an object.");
        return nullptr;
    }
    return value;
}

template <class Element, class Fits>
std::vector<Element> ConfigFields::list(const char* key, const char* expected, Fits&& fits)
{
    std::vector<Element> elements;
    const json* value = find(key);
    if (value == nullptr) {
        return elements;
    }
    if (!value->is_array() || !std::ranges::all_of(*value, fits)) {
        complain(std::string(key) + " is not a list of " + expected + ".");
        return elements;
    }
    for (const json& element : *value) {
        elements.push_back(element.get<Element>());
    }
    return elements;
}

std::vector<double> ConfigFields::reals(const char* key)
{
    return list<double>(key, "numbers", [](const json& element) { return element.is_number(); });
}

std::vector<std::int64_t> ConfigFields::wholes(const char* key)
{
    return list<std::int64_t>(key, "whole numbers", [](const json& element) { return element.is_number_integer(); });
}

std::vector<std::string> ConfigFields::texts(const char* key)
{
    return list<std::string>(key, "texts", [](const json& element) { return element.is_string(); });
}

} // namespace retort
