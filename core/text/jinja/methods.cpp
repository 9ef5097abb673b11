// {{ subject.method(arguments) }}: Python's methods of str, dict and list.
#include "core/text/jinja/call.h"
#include "core/text/jinja/filters.h"
#include "core/text/jinja/text_functions.h"
#include "core/text/message.h"
#include "core/text/unicode.h"

#include <algorithm>

namespace retort::jinja {

namespace {

/// Of a text, which the subject of a text's method is.
const std::string& self(const Call& call)
{
    return *call.subject.string();
}

/// What a filter of the same name does.
Value as_filter(const Call& call)
{
    return call.library.filter(call.name, call.subject, call.arguments);
}

Value strip(const Call& call)
{
    return Value::text(std::string(stripped(self(call), call.argument(0, "chars"), call.name != "rstrip", call.name != "lstrip")));
}

Value part(std::string_view text)
{
    return Value::text(std::string(text));
}

List at_separator(std::string_view text, const std::string& separator, std::int64_t most)
{
    if (separator.empty()) {
        throw Problem("split by nothing", 0);
    }
    List parts;
    for (std::size_t at = 0; most != 0 && (at = text.find(separator)) != std::string_view::npos; --most) {
        parts.push_back(part(text.substr(0, at)));
        text.remove_prefix(at + separator.size());
    }
    parts.push_back(part(text));
    return parts;
}

List at_white_space(std::string_view text, std::int64_t most)
{
    List parts;
    text = stripped(text, nullptr, true, most < 0);
    while (!text.empty()) {
        std::size_t end = 0;
        while (end < text.size() && (most == 0 || !is_white_space(code_point_at(text, end).value))) {
            end += code_point_at(text, end).length;
        }
        parts.push_back(part(text.substr(0, end)));
        text = stripped(text.substr(end), nullptr, true, false);
        --most;
    }
    return parts;
}

Value split(const Call& call)
{
    const Value* separator = call.argument(0, "sep");
    const std::int64_t most = call.integer_or(1, "maxsplit", -1);
    return Value::list(separator && separator->string() ? at_separator(self(call), *separator->string(), most) : at_white_space(self(call), most));
}

Value split_from_right(const Call& call)
{
    std::string_view text = self(call);
    const std::string& separator = call.needed_text(0, "sep");
    std::int64_t most = call.integer_or(1, "maxsplit", -1);
    List parts;
    for (std::size_t at = 0; most != 0 && !separator.empty() && (at = text.rfind(separator)) != std::string_view::npos; --most) {
        parts.push_back(part(text.substr(at + separator.size())));
        text = text.substr(0, at);
    }
    parts.push_back(part(text));
    std::reverse(parts.begin(), parts.end());
    return Value::list(std::move(parts));
}

Value split_lines(const Call& call)
{
    List lines;
    std::string_view text = self(call);
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(part(text.substr(0, end)));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return Value::list(std::move(lines));
}

Value begins_or_ends_with(const Call& call)
{
    const Value* given = call.argument(0, "prefix");
    const auto fits = [&](const Value& end) {
        return end.string() && (call.name == "startswith" ? self(call).starts_with(*end.string()) : self(call).ends_with(*end.string()));
    };
    return Value::boolean(given && (given->list() ? std::any_of(given->list()->begin(), given->list()->end(), fits) : fits(*given)));
}

Value find(const Call& call)
{
    const std::size_t at = self(call).find(call.needed_text(0, "sub"));
    return Value::integer(at == std::string::npos ? -1 : length_of(call.library, std::string_view(self(call)).substr(0, at)));
}

Value occurrences(const Call& call)
{
    const std::string& part = call.needed_text(0, "sub");
    std::int64_t count = 0;
    for (std::size_t at = 0; !part.empty() && (at = self(call).find(part, at)) != std::string::npos; at += part.size()) {
        ++count;
    }
    return Value::integer(count);
}

Value join(const Call& call)
{
    const std::vector<Value>& placed = call.arguments.placed;
    return Value::text(joined(call.library, placed.empty() ? List() : call.library.items_of(placed[0]), self(call)));
}

Value without_end(const Call& call)
{
    const std::string& text = self(call);
    const std::string& end = call.needed_text(0, "prefix");
    const bool front = call.name == "removeprefix";
    const bool there = front ? text.starts_with(end) : text.ends_with(end);
    return Value::text(!there ? text : front ? text.substr(end.size()) : text.substr(0, text.size() - end.size()));
}

Value is_digits(const Call& call)
{
    return Value::boolean(!self(call).empty() && self(call).find_first_not_of("0123456789") == std::string::npos);
}

Value format(const Call& call)
{
    const std::string& text = self(call);
    std::string out;
    std::size_t done = 0;
    std::size_t place = 0;
    for (std::size_t at = 0; (at = text.find('{', done)) != std::string::npos; ++place) {
        if (text.substr(at, 2) != "{}" || place >= call.arguments.placed.size()) {
            throw Problem("format is supported with {} only", 0);
        }
        out.append(text, done, at - done).append(call.library.text_of(call.arguments.placed[place]));
        done = at + 2;
    }
    return Value::text(call.library.budget.made(out.append(text, done)));
}

Value member(const Call& call)
{
    const Value* key = call.argument(0, "key");
    const Value* found = key ? find_member(*call.subject.dict(), *key) : nullptr;
    const Value* fallback = call.argument(1, "default");
    return found ? *found : fallback ? *fallback : Value::none();
}

/// keys, values, or both in pairs.
Value members(const Call& call)
{
    List out;
    for (const auto& [key, value] : *call.subject.dict()) {
        out.push_back(call.name == "items" ? Value::tuple({key, value}) : call.name == "keys" ? key : value);
    }
    return Value::list(std::move(out));
}

bool is_asked_for(const Call& call, const Value& item)
{
    return !call.arguments.placed.empty() && item.equals(call.arguments.placed[0]);
}

Value count(const Call& call)
{
    const List& items = *call.subject.list();
    return Value::integer(std::count_if(items.begin(), items.end(), [&](const Value& item) { return is_asked_for(call, item); }));
}

Value place(const Call& call)
{
    const List& items = *call.subject.list();
    const auto found = std::find_if(items.begin(), items.end(), [&](const Value& item) { return is_asked_for(call, item); });
    if (found == items.end()) {
        throw Problem("a list does not hold what its index() was asked for", 0);
    }
    return Value::integer(found - items.begin());
}

constexpr Named<Value> kTextMethods[] = {
    {"capitalize", as_filter},
    {"count", occurrences},
    {"endswith", begins_or_ends_with},
    {"find", find},
    {"format", format},
    {"isdigit", is_digits},
    {"join", join},
    {"lower", as_filter},
    {"lstrip", strip},
    {"removeprefix", without_end},
    {"removesuffix", without_end},
    {"replace", as_filter},
    {"rsplit", split_from_right},
    {"rstrip", strip},
    {"split", split},
    {"splitlines", split_lines},
    {"startswith", begins_or_ends_with},
    {"strip", strip},
    {"title", as_filter},
    {"upper", as_filter},
};

constexpr Named<Value> kDictMethods[] = {
    {"get", member},
    {"items", members},
    {"keys", members},
    {"values", members},
};

constexpr Named<Value> kListMethods[] = {
    {"count", count},
    {"index", place},
};

/// The methods of the value's type, and the steps that going through the value takes.
struct Methods {
    std::span<const Named<Value>> named;
    std::size_t steps = 0;
};

Methods methods_of(const Value& value)
{
    if (const std::string* text = value.string()) {
        return {kTextMethods, text->size() / 64};
    }
    if (const Dict* members = value.dict()) {
        return {kDictMethods, members->size() / 4};
    }
    if (const List* items = value.list()) {
        return {kListMethods, items->size()};
    }
    return {};
}

} // namespace

Value Library::method(const Value& self, const std::string& name, const Arguments& arguments) const
{
    budget.spend(1);
    if (self.is_undefined()) {
        throw Problem(quoted(self.as<Value::Undefined>()->name) + " is undefined and has no " + quoted(name), 0);
    }
    const Methods methods = methods_of(self);
    const auto* method = find_named(methods.named, name);
    method = !method && self.string() ? find_named(layout_methods(), name) : method;
    if (!method) {
        throw Problem(self.kind() + " has no method " + quoted(name), 0);
    }
    budget.spend(methods.steps);
    return method->run({*this, name, self, arguments});
}

} // namespace retort::jinja
