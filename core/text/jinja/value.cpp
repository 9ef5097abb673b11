#include "core/text/jinja/value.h"

#include "core/text/unicode.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace retort::jinja {

namespace {

constexpr int kMostHeight = 100;

int height_above(int tallest)
{
    if (tallest >= kMostHeight) {
        throw Problem("lists and dicts nest deeper than 100 levels", 0);
    }
    return tallest + 1;
}

void check(const std::string& out, std::size_t most)
{
    if (out.size() > most) {
        throw Problem("the text grows beyond " + std::to_string(most) + " bytes", 0);
    }
}

std::string text_of_double(double value)
{
    if (!std::isfinite(value)) {
        return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
    }
    std::array<char, 64> buffer{};
    const double size = std::fabs(value);
    const auto format = size != 0.0 && (size < 1e-4 || size >= 1e16) ? std::chars_format::scientific : std::chars_format::fixed;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format).ptr;
    std::string text(buffer.data(), end);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

void append_quoted(std::string& out, std::string_view text)
{
    const char quote = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
    out += quote;
    for (const char c : text) {
        if (c == '\\' || c == quote) {
            out.append(1, '\\').append(1, c);
        } else if (c == '\n' || c == '\r' || c == '\t') {
            out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
        } else {
            out += c;
        }
    }
    out += quote;
}

void append_escape(std::string& out, char32_t unit)
{
    constexpr std::string_view kHex = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) {
        out += kHex[unit >> shift & 15U];
    }
}

void append_json_string(std::string& out, std::string_view text, bool ensure_ascii)
{
    out += '"';
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = code_point_at(text, at);
        const std::size_t known = c.value < 0x20 ? std::string_view("\b\t\n\f\r").find(static_cast<char>(c.value)) : std::string_view::npos;
        if (c.value == '"' || c.value == '\\') {
            out.append(1, '\\').append(1, static_cast<char>(c.value));
        } else if (known != std::string_view::npos) {
            out.append(1, '\\').append(1, std::string_view("btnfr")[known]);
        } else if (c.value < 0x20 || (ensure_ascii && c.value >= 0x80 && c.value < 0x10000)) {
            append_escape(out, c.value);
        } else if (ensure_ascii && c.value >= 0x10000) {
            append_escape(out, 0xD800 + ((c.value - 0x10000) >> 10));
            append_escape(out, 0xDC00 + ((c.value - 0x10000) & 0x3FFU));
        } else {
            out += text.substr(at, c.length);
        }
        at += c.length;
    }
    out += '"';
}

/// A key as JSON writes it: always a string.
std::string key_text(const Value& key)
{
    if (key.string()) {
        return *key.string();
    }
    if (key.is_none()) {
        return "null";
    }
    if (const bool* truth = key.as<bool>()) {
        return *truth ? "true" : "false";
    }
    std::string text;
    append_text(text, key, false, 64);
    return text;
}

void append_break(std::string& out, const JsonStyle& style, int level)
{
    if (style.indent) {
        out += '\n';
        for (int i = 0; i < level; ++i) {
            out += *style.indent;
        }
    }
}

} // namespace

const Value* find_member(const Names& members, std::string_view name)
{
    const auto found = std::find_if(members.begin(), members.end(), [&](const auto& member) { return member.first == name; });
    return found == members.end() ? nullptr : &found->second;
}

const Value* find_member(const Dict& members, const Value& key)
{
    const auto found = std::find_if(members.begin(), members.end(), [&](const auto& member) { return member.first.equals(key); });
    return found == members.end() ? nullptr : &found->second;
}

void set_member(Names& members, const std::string& name, Value value)
{
    const auto found = std::find_if(members.begin(), members.end(), [&](const auto& member) { return member.first == name; });
    if (found != members.end()) {
        found->second = std::move(value);
    } else {
        members.emplace_back(name, std::move(value));
    }
}

void set_member(Dict& members, Value key, Value value)
{
    if (key.list() || key.dict() || key.is_undefined()) {
        throw Problem("a dict has " + key.kind() + " for a key", 0);
    }
    const auto found = std::find_if(members.begin(), members.end(), [&](const auto& member) { return member.first.equals(key); });
    if (found != members.end()) {
        found->second = std::move(value);
    } else {
        members.emplace_back(std::move(key), std::move(value));
    }
}

Value Value::dict_of(Names members)
{
    Dict dict;
    for (auto& [name, value] : members) {
        dict.emplace_back(Value::text(name), std::move(value));
    }
    return Value::dict(std::move(dict));
}

Value Value::list(List items)
{
    int tallest = 0;
    for (const Value& item : items) {
        tallest = std::max(tallest, item.height());
    }
    return Value(Any(std::make_shared<const ListBox>(ListBox{std::move(items), height_above(tallest), false})));
}

Value Value::tuple(List items)
{
    const Value list = Value::list(std::move(items));
    ListBox box = **list.as<std::shared_ptr<const ListBox>>();
    box.is_tuple = true;
    return Value(Any(std::make_shared<const ListBox>(std::move(box))));
}

bool Value::is_tuple() const
{
    const auto* box = as<std::shared_ptr<const ListBox>>();
    return box && (*box)->is_tuple;
}

Value Value::dict(Dict members)
{
    int tallest = 0;
    for (const auto& [key, value] : members) {
        tallest = std::max(tallest, value.height());
    }
    return Value(Any(std::make_shared<const DictBox>(DictBox{std::move(members), height_above(tallest)})));
}

const List* Value::list() const
{
    const auto* box = as<std::shared_ptr<const ListBox>>();
    return box ? &(*box)->items : nullptr;
}

const Dict* Value::dict() const
{
    const auto* box = as<std::shared_ptr<const DictBox>>();
    return box ? &(*box)->members : nullptr;
}

int Value::height() const
{
    if (const auto* box = as<std::shared_ptr<const ListBox>>()) {
        return (*box)->height;
    }
    if (const auto* box = as<std::shared_ptr<const DictBox>>()) {
        return (*box)->height;
    }
    const Function* function = as<Function>();
    return function && function->self ? function->self->height() + 1 : 0;
}

std::optional<std::int64_t> Value::integer() const
{
    if (const bool* value = as<bool>()) {
        return *value ? 1 : 0;
    }
    const std::int64_t* value = as<std::int64_t>();
    return value ? std::optional(*value) : std::nullopt;
}

std::optional<double> Value::number() const
{
    if (const double* value = as<double>()) {
        return *value;
    }
    const auto value = integer();
    return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

bool Value::truth() const
{
    if (is_undefined() || is_none()) {
        return false;
    }
    if (const auto value = number()) {
        return *value != 0.0;
    }
    if (const std::string* text = string()) {
        return !text->empty();
    }
    if (const List* items = list()) {
        return !items->empty();
    }
    const Dict* members = dict();
    return !members || !members->empty();
}

std::string Value::kind() const
{
    static constexpr std::string_view kKinds[] = {"undefined", "none",   "true or false", "an integer", "a number", "a string",
                                                  "a list",    "a dict", "a namespace",   "a function", "a macro"};
    return std::string(kKinds[m_any.index()]);
}

const Value* Value::member(std::string_view name) const
{
    if (const Namespace* space = as<Namespace>()) {
        return find_member(*space->members, name);
    }
    const Dict* members = dict();
    if (!members) {
        return nullptr;
    }
    const auto found =
        std::find_if(members->begin(), members->end(), [&](const auto& one) { return one.first.string() && *one.first.string() == name; });
    return found == members->end() ? nullptr : &found->second;
}

bool Value::equals(const Value& other) const
{
    if (number() && other.number()) {
        return integer() && other.integer() ? *integer() == *other.integer() : *number() == *other.number();
    }
    if (m_any.index() != other.m_any.index()) {
        return false;
    }
    if (const std::string* text = string()) {
        return *text == *other.string();
    }
    if (const List* items = list()) {
        return is_tuple() == other.is_tuple() && std::equal(items->begin(), items->end(), other.list()->begin(), other.list()->end(),
                                                            [](const Value& a, const Value& b) { return a.equals(b); });
    }
    if (const Dict* members = dict()) {
        return members->size() == other.dict()->size() && std::all_of(members->begin(), members->end(), [&](const auto& member) {
                   const Value* twin = find_member(*other.dict(), member.first);
                   return twin && member.second.equals(*twin);
               });
    }
    if (const Namespace* space = as<Namespace>()) {
        return space->members == other.as<Namespace>()->members;
    }
    return is_undefined() || is_none();
}

int Value::compare(const Value& other) const
{
    if (number() && other.number()) {
        return *number() < *other.number() ? -1 : *number() > *other.number() ? 1 : 0;
    }
    if (string() && other.string()) {
        return string()->compare(*other.string());
    }
    throw Problem(kind() + " and " + other.kind() + " have no order", 0);
}

void append_text(std::string& out, const Value& value, bool quote, std::size_t most)
{
    if (const std::string* text = value.string()) {
        quote ? append_quoted(out, *text) : static_cast<void>(out += *text);
    } else if (value.is_none()) {
        out += "None";
    } else if (const bool* truth = value.as<bool>()) {
        out += *truth ? "True" : "False";
    } else if (const std::int64_t* integer = value.as<std::int64_t>()) {
        out += std::to_string(*integer);
    } else if (const double* number = value.as<double>()) {
        out += text_of_double(*number);
    } else if (const List* items = value.list()) {
        std::string_view separator;
        out += value.is_tuple() ? '(' : '[';
        for (const Value& item : *items) {
            out += separator;
            append_text(out, item, true, most);
            separator = ", ";
        }
        out += !value.is_tuple() ? "]" : items->size() == 1 ? ",)" : ")";
    } else if (const Dict* members = value.dict()) {
        std::string_view separator = "{";
        for (const auto& [key, item] : *members) {
            out += separator;
            append_text(out, key, true, most);
            out += ": ";
            append_text(out, item, true, most);
            separator = ", ";
        }
        out += members->empty() ? "{}" : "}";
    } else if (!value.is_undefined()) {
        throw Problem(value.kind() + " cannot be written as text", 0);
    }
    check(out, most);
}

void append_json(std::string& out, const Value& value, const JsonStyle& style, std::size_t most, int level)
{
    check(out, most);
    const std::string_view separator = style.item_separator;
    if (const std::string* text = value.string()) {
        append_json_string(out, *text, style.ensure_ascii);
    } else if (value.is_none()) {
        out += "null";
    } else if (const bool* truth = value.as<bool>()) {
        out += *truth ? "true" : "false";
    } else if (const double* number = value.as<double>(); number && !std::isfinite(*number)) {
        out += std::isnan(*number) ? "NaN" : *number > 0 ? "Infinity" : "-Infinity"; // as Python writes them
    } else if (value.number()) {
        append_text(out, value, false, most);
    } else if (const List* items = value.list()) {
        out += '[';
        for (std::size_t i = 0; i < items->size(); ++i) {
            out += i == 0 ? std::string_view() : separator;
            append_break(out, style, level + 1);
            append_json(out, (*items)[i], style, most, level + 1);
        }
        if (!items->empty()) {
            append_break(out, style, level);
        }
        out += ']';
    } else if (const Dict* members = value.dict()) {
        Dict sorted = *members;
        if (style.sort_keys) {
            std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first.compare(b.first) < 0; });
        }
        out += '{';
        for (std::size_t i = 0; i < sorted.size(); ++i) {
            out += i == 0 ? std::string_view() : separator;
            append_break(out, style, level + 1);
            append_json_string(out, key_text(sorted[i].first), style.ensure_ascii);
            out += style.key_separator;
            append_json(out, sorted[i].second, style, most, level + 1);
        }
        if (!sorted.empty()) {
            append_break(out, style, level);
        }
        out += '}';
    } else {
        throw Problem(value.kind() + " cannot be written as JSON", 0);
    }
}

} // namespace retort::jinja
