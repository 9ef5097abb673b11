#include "core/text/json_value.h"

#include "core/text/message.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

namespace retort {

namespace {

/// Builds a JsonValue from the events of nlohmann's parser, which is not recursive itself.
class Builder {
public:
    Builder(std::string_view origin, JsonValue::Limits limits) : m_origin(origin), m_limits(limits) {}

    bool null() { return add(JsonValue()); }
    bool boolean(bool value) { return add(JsonValue(value)); }
    bool number_integer(std::int64_t value) { return add(JsonValue(value)); }
    bool number_unsigned(std::uint64_t value)
    {
        const bool fits = value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        return add(fits ? JsonValue(static_cast<std::int64_t>(value)) : JsonValue(static_cast<double>(value)));
    }
    bool number_float(double value, const std::string& /*spelling*/) { return add(JsonValue(value)); }
    bool string(std::string& value) { return add(JsonValue(std::move(value))); }
    bool binary(nlohmann::json::binary_t& /*value*/) { return false; }
    bool key(std::string& value)
    {
        m_open.back().keys.push_back(std::move(value));
        return true;
    }
    bool start_object(std::size_t /*size*/) { return open(JsonValue(JsonValue::Object())); }
    bool start_array(std::size_t /*size*/) { return open(JsonValue(JsonValue::Array())); }
    bool end_object();
    bool end_array() { return close(); }
    bool parse_error(std::size_t position, const std::string& /*token*/, const nlohmann::json::exception& exception)
    {
        return refuse("is not JSON at byte " + std::to_string(position), exception.what());
    }

    [[nodiscard]] Result<JsonValue> result()
    {
        if (m_error) {
            return failure(*m_error);
        }
        return std::move(m_root);
    }

private:
    struct Open {
        JsonValue value;
        std::vector<std::string> keys; ///< of an object, so that equal ones can be told at its end
    };

    bool add(JsonValue value)
    {
        if (m_open.empty()) {
            m_root = std::move(value);
            return true;
        }
        Open& parent = m_open.back();
        if (auto* members = std::get_if<JsonValue::Object>(&parent.value.any())) {
            members->push_back({std::move(parent.keys.back()), std::move(value)});
            parent.keys.pop_back();
        } else {
            std::get<JsonValue::Array>(parent.value.any()).push_back(std::move(value));
        }
        return true;
    }

    bool open(JsonValue value)
    {
        if (m_open.size() >= m_limits.depth) {
            return refuse("nests deeper than " + std::to_string(m_limits.depth) + " levels");
        }
        m_open.push_back({std::move(value), {}});
        return true;
    }

    bool close()
    {
        JsonValue value = std::move(m_open.back().value);
        m_open.pop_back();
        return add(std::move(value));
    }

    bool refuse(const std::string& what, std::string detail = {})
    {
        m_error = Error{Error::Kind::BadFile, std::string(m_origin) + ": " + what + ". Fetch the file again.", std::move(detail)};
        return false;
    }

    std::string_view m_origin;
    JsonValue::Limits m_limits;
    JsonValue m_root;
    std::vector<Open> m_open;
    std::optional<Error> m_error;
};

bool Builder::end_object()
{
    std::vector<std::string_view> keys;
    for (const JsonMember& member : std::get<JsonValue::Object>(m_open.back().value.any())) {
        keys.push_back(member.key);
    }
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) {
        return refuse("has the key " + quoted(*twice) + " twice in one object");
    }
    return close();
}

} // namespace

Result<JsonValue> JsonValue::parse(std::string_view text, std::string_view origin, Limits limits)
{
    if (text.size() > limits.bytes) {
        return refusal(std::string(origin) + ": is " + format_bytes(text.size()) + " long; " + format_bytes(limits.bytes) +
                       " is the most that is read.");
    }
    Builder builder(origin, limits);
    nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
    return builder.result();
}

std::optional<bool> JsonValue::boolean() const
{
    const bool* value = std::get_if<bool>(&m_value);
    return value ? std::optional(*value) : std::nullopt;
}

std::optional<std::int64_t> JsonValue::integer() const
{
    const std::int64_t* value = std::get_if<std::int64_t>(&m_value);
    return value ? std::optional(*value) : std::nullopt;
}

std::optional<double> JsonValue::number() const
{
    if (const std::int64_t* value = std::get_if<std::int64_t>(&m_value)) {
        return static_cast<double>(*value);
    }
    const double* value = std::get_if<double>(&m_value);
    return value ? std::optional(*value) : std::nullopt;
}

const JsonValue* JsonValue::find(std::string_view key) const
{
    const Object* members = object();
    if (!members) {
        return nullptr;
    }
    const auto found = std::find_if(members->begin(), members->end(), [key](const JsonMember& member) { return member.key == key; });
    return found == members->end() ? nullptr : &found->value;
}

std::string_view JsonValue::kind() const
{
    static constexpr std::string_view kKinds[] = {"null", "true or false", "a number", "a number", "a string", "a list", "an object"};
    return kKinds[m_value.index()];
}

} // namespace retort
