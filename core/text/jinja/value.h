#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace retort::jinja {

/// Why a template cannot be read or run. Thrown inside the interpreter only: ChatTemplate turns it into a Result.
struct Problem : std::runtime_error {
    Problem(std::string what, int at_line) : std::runtime_error(what), line(at_line) {}
    int line; ///< 0 where unknown: the nearest statement adds it
};

class Value;
struct Macro;

using List = std::vector<Value>;
using Names = std::vector<std::pair<std::string, Value>>; ///< in the order of insertion; small
using Dict = std::vector<std::pair<Value, Value>>;        ///< the same with keys of any kind that Python can hash

/// Null when there is none.
[[nodiscard]] const Value* find_member(const Names& members, std::string_view name);
[[nodiscard]] const Value* find_member(const Dict& members, const Value& key);
/// In place of the one that is there, or after the others.
void set_member(Names& members, const std::string& name, Value value);
/// Throws for a key that is a list or a dict.
void set_member(Dict& members, Value key, Value value);

/// A list or dict with its height, which is bounded so that nothing that walks it can run out of stack.
struct ListBox;
struct DictBox;

/// A value of the template language, with Python's meaning. Lists, dicts and strings are immutable and shared; a namespace is the one thing that
/// changes. One thread.
class Value {
public:
    struct Undefined {
        std::string name;
    };
    struct None {};
    using Text = std::shared_ptr<const std::string>;
    struct Namespace {
        std::shared_ptr<Names> members;
    };
    /// A function known by name ("range"), or a method of `self` ("strip").
    struct Function {
        std::string name;
        std::shared_ptr<const Value> self;
    };
    using Any = std::variant<Undefined, None, bool, std::int64_t, double, Text, std::shared_ptr<const ListBox>, std::shared_ptr<const DictBox>,
                             Namespace, Function, const Macro*>;

    Value() : m_any(Undefined{}) {}
    explicit Value(Any any) : m_any(std::move(any)) {}
    [[nodiscard]] static Value none() { return Value(Any(None{})); }
    [[nodiscard]] static Value boolean(bool value) { return Value(Any(value)); }
    [[nodiscard]] static Value integer(std::int64_t value) { return Value(Any(value)); }
    [[nodiscard]] static Value text(std::string value) { return Value(Any(std::make_shared<const std::string>(std::move(value)))); }
    [[nodiscard]] static Value undefined(std::string name) { return Value(Any(Undefined{std::move(name)})); }
    [[nodiscard]] static Value list(List items);
    [[nodiscard]] static Value tuple(List items); ///< a list that is written (a, b)
    [[nodiscard]] static Value dict(Dict members);
    [[nodiscard]] static Value dict_of(Names members);

    template <class T>
    [[nodiscard]] const T* as() const
    {
        return std::get_if<T>(&m_any);
    }
    [[nodiscard]] bool is_undefined() const { return as<Undefined>() != nullptr; }
    [[nodiscard]] bool is_none() const { return as<None>() != nullptr; }
    [[nodiscard]] const std::string* string() const { return as<Text>() ? as<Text>()->get() : nullptr; }
    [[nodiscard]] const List* list() const; ///< also of a tuple
    [[nodiscard]] bool is_tuple() const;
    [[nodiscard]] const Dict* dict() const;
    [[nodiscard]] std::optional<std::int64_t> integer() const; ///< also of true and false
    [[nodiscard]] std::optional<double> number() const;
    [[nodiscard]] bool truth() const;
    [[nodiscard]] int height() const;

    /// "a string", "undefined", ... for messages.
    [[nodiscard]] std::string kind() const;

    /// The member of a dict or namespace; null when there is none.
    [[nodiscard]] const Value* member(std::string_view name) const;

    [[nodiscard]] bool equals(const Value& other) const;
    /// Negative, zero, positive; throws when the two have no order.
    [[nodiscard]] int compare(const Value& other) const;

private:
    Any m_any;
};

struct ListBox {
    List items;
    int height = 1;
    bool is_tuple = false;
};
struct DictBox {
    Dict members;
    int height = 1;
};

/// Appends what Python's str() gives; quotes strings when `quote` (repr). Throws when more than `most` bytes came together.
void append_text(std::string& out, const Value& value, bool quote, std::size_t most);

/// The arguments of Python's json.dumps that templates use.
struct JsonStyle {
    bool ensure_ascii = false;
    std::optional<std::string> indent{}; ///< what one level is indented by; all on one line without
    std::string item_separator = ", ";
    std::string key_separator = ": ";
    bool sort_keys = false;
};

/// Appends what json.dumps(value) gives. Throws when more than `most` bytes came together.
void append_json(std::string& out, const Value& value, const JsonStyle& style, std::size_t most, int level = 0);

} // namespace retort::jinja
