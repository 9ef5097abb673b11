// Asking a GGUF file's metadata for values of a kind.
#include "core/model/gguf.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

namespace retort {

namespace {

/// The shortest decimal that rounds to `value`: what its author wrote, as far as that can be told.
double decimal_meaning(float value)
{
    std::array<char, 32> text{};
    const auto written = std::to_chars(text.begin(), text.end(), value);
    double decimal = 0.0;
    std::from_chars(text.begin(), written.ptr, decimal);
    return decimal;
}

} // namespace

std::string GgufFields::full(std::string_view key) const
{
    return key.starts_with('.') ? m_prefix + std::string(key.substr(1)) : std::string(key);
}

const GgufValue* GgufFields::find(std::string_view key) const
{
    const auto found = m_file.metadata.find(full(key));
    return found == m_file.metadata.end() ? nullptr : &found->second;
}

void GgufFields::complain(std::string what)
{
    if (m_complaint.empty()) {
        m_complaint = m_origin + ": " + std::move(what);
    }
}

Result<void> GgufFields::result() const
{
    if (!m_complaint.empty()) {
        return failure(Error::Kind::BadFile, m_complaint);
    }
    return {};
}

std::optional<std::string> GgufFields::text(std::string_view key)
{
    const GgufValue* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (const auto* held = std::get_if<std::string>(value)) {
        return *held;
    }
    complain(full(key) + " is not a text.");
    return std::nullopt;
}

std::optional<bool> GgufFields::boolean(std::string_view key)
{
    const GgufValue* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (const auto* held = std::get_if<bool>(value)) {
        return *held;
    }
    complain(full(key) + " is not a truth value.");
    return std::nullopt;
}

std::optional<std::int64_t> GgufFields::whole(std::string_view key)
{
    const GgufValue* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (const auto* held = std::get_if<std::uint64_t>(value); held != nullptr && std::bit_cast<std::int64_t>(*held) >= 0) {
        return std::bit_cast<std::int64_t>(*held);
    }
    if (const auto* held = std::get_if<std::int64_t>(value)) {
        return *held;
    }
    if (const auto* array = std::get_if<GgufArray>(value)) {
        const auto* numbers = std::get_if<std::vector<std::int64_t>>(array);
        if (numbers != nullptr && !numbers->empty() && std::ranges::all_of(*numbers, [&](std::int64_t n) { return n == numbers->front(); })) {
            return numbers->front();
        }
        complain(full(key) + " differs from layer to layer, which no architecture known here does.");
        return std::nullopt;
    }
    complain(full(key) + " is not a whole number.");
    return std::nullopt;
}

std::optional<double> GgufFields::real(std::string_view key)
{
    const GgufValue* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (const auto* held = std::get_if<double>(value)) {
        const auto narrow = static_cast<float>(*held);
        return static_cast<double>(narrow) == *held ? decimal_meaning(narrow) : *held;
    }
    complain(full(key) + " is not a real number.");
    return std::nullopt;
}

std::int64_t GgufFields::required_whole(std::string_view key)
{
    if (!has(key)) {
        complain(full(key) + " is missing. The file does not describe a whole model.");
    }
    return whole(key).value_or(0);
}

double GgufFields::required_real(std::string_view key)
{
    if (!has(key)) {
        complain(full(key) + " is missing. The file does not describe a whole model.");
    }
    return real(key).value_or(0.0);
}

template <class Element>
const std::vector<Element>* GgufFields::list(std::string_view key)
{
    const GgufValue* value = find(key);
    if (value == nullptr) {
        return nullptr;
    }
    if (const auto* array = std::get_if<GgufArray>(value)) {
        if (const auto* held = std::get_if<std::vector<Element>>(array)) {
            return held;
        }
    }
    complain(full(key) + " is not a list of the kind expected.");
    return nullptr;
}

template const std::vector<std::string>* GgufFields::list(std::string_view key);
template const std::vector<std::int64_t>* GgufFields::list(std::string_view key);
template const std::vector<double>* GgufFields::list(std::string_view key);

} // namespace retort
