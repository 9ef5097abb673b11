#pragma once
#include "core/base/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace retort {

struct JsonMember;

/// A JSON document as read from a stranger's file: members keep their order, and a document that says a key twice is refused rather than
/// read one way here and another way elsewhere. Immutable after parsing; any thread.
class JsonValue {
public:
    using Array = std::vector<JsonValue>;
    using Object = std::vector<JsonMember>;
    using Any = std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object>;

    struct Limits {
        std::size_t bytes = std::size_t{256} << 20;
        std::size_t depth = 64;
    };

    JsonValue() = default;
    explicit JsonValue(Any value) : m_value(std::move(value)) {}

    /// RFC 8259. `origin` names the document in messages.
    [[nodiscard]] static Result<JsonValue> parse(std::string_view text, std::string_view origin, Limits limits);
    [[nodiscard]] static Result<JsonValue> parse(std::string_view text, std::string_view origin) { return parse(text, origin, Limits{}); }

    [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(m_value); }
    [[nodiscard]] const std::string* string() const { return std::get_if<std::string>(&m_value); }
    [[nodiscard]] const Array* array() const { return std::get_if<Array>(&m_value); }
    [[nodiscard]] const Object* object() const { return std::get_if<Object>(&m_value); }
    [[nodiscard]] std::optional<bool> boolean() const;
    [[nodiscard]] std::optional<std::int64_t> integer() const;
    [[nodiscard]] std::optional<double> number() const;

    /// The member of that name; null when this is no object or has none. Walks the members: for small objects.
    [[nodiscard]] const JsonValue* find(std::string_view key) const;

    /// What a message calls it: "an object", "a string", ...
    [[nodiscard]] std::string_view kind() const;

    [[nodiscard]] Any& any() { return m_value; }

private:
    Any m_value;
};

struct JsonMember {
    std::string key;
    JsonValue value;
};

} // namespace retort
