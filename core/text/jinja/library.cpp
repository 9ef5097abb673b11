#include "core/text/jinja/run.h"
#include "core/text/message.h"
#include "core/text/unicode.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>

namespace retort::jinja {

namespace {

constexpr std::int64_t kLongestRange = 100'000;

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr std::array<std::string_view, 40> kFilters = {"trim",   "length",     "count",      "default",    "d",     "join",     "tojson", "upper",
                                                       "lower",  "capitalize", "title",      "replace",    "first", "last",     "list",   "map",
                                                       "select", "reject",     "selectattr", "rejectattr", "items", "dictsort", "sort",   "reverse",
                                                       "unique", "int",        "float",      "string",     "safe",  "abs",      "round",  "sum",
                                                       "min",    "max",        "indent",     "attr",       "e",     "escape",   "strip",  "keys"};

constexpr std::array<std::string_view, 34> kTests = {
    "defined", "undefined", "none",   "string",   "mapping",     "iterable", "sequence",    "number", "integer", "float", "boolean", "true",
    "false",   "equalto",   "eq",     "==",       "ne",          "lt",       "le",          "gt",     "ge",      "in",    "odd",     "even",
    "lower",   "upper",     "sameas", "callable", "divisibleby", "lessthan", "greaterthan", "!=",     "<",       ">"};

constexpr std::array<std::string_view, 20> kTextMethods = {"strip",    "lstrip", "rstrip", "split",        "rsplit",       "splitlines", "startswith",
                                                           "endswith", "upper",  "lower",  "title",        "capitalize",   "replace",    "find",
                                                           "count",    "join",   "format", "removeprefix", "removesuffix", "isdigit"};
constexpr std::array<std::string_view, 4> kDictMethods = {"get", "items", "keys", "values"};
constexpr std::array<std::string_view, 2> kListMethods = {"count", "index"};
constexpr std::array<std::string_view, 5> kFunctions = {"range", "namespace", "raise_exception", "strftime_now", "dict"};

std::string upper_case(std::string_view text)
{
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = code_point_at(text, at);
        if (c.value == 0xDF) {
            out += "SS"; // its capital is two letters
        } else {
            append_utf8(out, upper_of(c.value));
        }
        at += c.length;
    }
    return out;
}

std::string capitalised(std::string_view text, bool every_word)
{
    std::string out;
    bool begins = true;
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = code_point_at(text, at);
        const std::string_view character = text.substr(at, c.length);
        out += begins ? upper_case(character) : lower_case(character);
        begins = every_word && !is_word(c.value);
        at += c.length;
    }
    return out;
}

/// Python's strip: of white space, or of the characters given.
std::string_view stripped(std::string_view text, const Value* characters, bool left, bool right)
{
    const auto goes = [&](std::size_t at) {
        const CodePoint c = code_point_at(text, at);
        return characters && characters->string() ? characters->string()->find(text.substr(at, c.length)) != std::string::npos
                                                  : is_white_space(c.value);
    };
    while (left && !text.empty() && goes(0)) {
        text.remove_prefix(code_point_at(text, 0).length);
    }
    while (right && !text.empty() && goes(previous_character(text, text.size()))) {
        text = text.substr(0, previous_character(text, text.size()));
    }
    return text;
}

const std::string& needed_text(const Arguments& arguments, std::size_t place, std::string_view name, const std::string& whose)
{
    const Value* value = arguments.find(place, name);
    if (!value || !value->string()) {
        throw Problem(quoted(whose) + " needs a string", 0);
    }
    return *value->string();
}

std::int64_t integer_or(const Value* value, std::int64_t absent)
{
    return value && value->integer() ? *value->integer() : absent;
}

List split(std::string_view text, const Arguments& arguments)
{
    const Value* separator = arguments.find(0, "sep");
    std::int64_t most = integer_or(arguments.find(1, "maxsplit"), -1);
    List parts;
    if (separator && separator->string()) {
        if (separator->string()->empty()) {
            throw Problem("split by nothing", 0);
        }
        for (std::size_t at = 0; most != 0 && (at = text.find(*separator->string())) != std::string_view::npos; --most) {
            parts.push_back(Value::text(std::string(text.substr(0, at))));
            text.remove_prefix(at + separator->string()->size());
        }
        parts.push_back(Value::text(std::string(text)));
        return parts;
    }
    text = stripped(text, nullptr, true, most < 0);
    while (!text.empty()) {
        std::size_t end = 0;
        while (end < text.size() && (most == 0 || !is_white_space(code_point_at(text, end).value))) {
            end += code_point_at(text, end).length;
        }
        parts.push_back(Value::text(std::string(text.substr(0, end))));
        text = stripped(text.substr(end), nullptr, true, false);
        --most;
    }
    return parts;
}

List split_from_right(std::string_view text, const Arguments& arguments)
{
    const std::string& separator = needed_text(arguments, 0, "sep", "rsplit");
    std::int64_t most = integer_or(arguments.find(1, "maxsplit"), -1);
    List parts;
    for (std::size_t at = 0; most != 0 && !separator.empty() && (at = text.rfind(separator)) != std::string_view::npos; --most) {
        parts.push_back(Value::text(std::string(text.substr(at + separator.size()))));
        text = text.substr(0, at);
    }
    parts.push_back(Value::text(std::string(text)));
    std::reverse(parts.begin(), parts.end());
    return parts;
}

List lines_of(std::string_view text)
{
    List lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(Value::text(std::string(text.substr(0, end))));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::int64_t occurrences(std::string_view text, std::string_view part)
{
    std::int64_t count = 0;
    for (std::size_t at = 0; !part.empty() && (at = text.find(part, at)) != std::string_view::npos; at += part.size()) {
        ++count;
    }
    return count;
}

Value pair(const std::string& key, const Value& value)
{
    return Value::list({Value::text(key), value});
}

std::string time_text(std::int64_t now, const std::string& format)
{
    const std::time_t seconds = now;
    std::tm parts{};
    localtime_r(&seconds, &parts);
    std::array<char, 512> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), format.substr(0, 128).c_str(), &parts);
    return std::string(text.data(), length);
}

Value number_from(const Value& value, bool whole)
{
    if (value.number()) {
        const double number = *value.number();
        if (whole && (!std::isfinite(number) || std::fabs(number) > 9e18)) {
            throw Problem("a number is too large for an integer", 0);
        }
        return whole ? Value::integer(value.integer() ? *value.integer() : static_cast<std::int64_t>(number)) : Value(Value::Any(number));
    }
    const std::string text(value.string() ? stripped(*value.string(), nullptr, true, true) : std::string_view());
    std::int64_t integer = 0;
    double number = 0.0;
    const char* end = text.data() + text.size();
    if (whole) {
        const auto [stop, error] = std::from_chars(text.data(), end, integer);
        return Value::integer(error == std::errc() && stop == end ? integer : 0);
    }
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return Value(Value::Any(error == std::errc() && stop == end ? number : 0.0));
}

} // namespace

bool is_filter(std::string_view name)
{
    return is_one_of(kFilters, name);
}

bool is_test(std::string_view name)
{
    return is_one_of(kTests, name);
}

bool is_method(const Value& self, std::string_view name)
{
    return self.string() ? is_one_of(kTextMethods, name) : self.list() ? is_one_of(kListMethods, name) : is_one_of(kDictMethods, name);
}

bool is_function(std::string_view name)
{
    return is_one_of(kFunctions, name);
}

Value attribute(const Value& value, const std::string& name)
{
    if (value.is_undefined()) {
        throw Problem(quoted(value.as<Value::Undefined>()->name) + " is undefined and has no " + quoted(name), 0);
    }
    const Value* member = value.member(name);
    return member ? *member : Value::undefined(name);
}

std::string Library::text_of(const Value& value) const
{
    if (value.string()) {
        return *value.string();
    }
    std::string text;
    append_text(text, value, false, Budget::kMostText);
    return budget.made(std::move(text));
}

List Library::items_of(const Value& value) const
{
    List items;
    if (const List* list = value.list()) {
        items = *list;
    } else if (value.dict() || value.as<Value::Namespace>()) {
        for (const auto& [key, item] : value.dict() ? *value.dict() : *value.as<Value::Namespace>()->members) {
            items.push_back(Value::text(key));
        }
    } else if (const std::string* text = value.string()) {
        budget.spend(text->size() / 4);
        for (std::size_t at = 0; at < text->size();) {
            const std::size_t length = code_point_at(*text, at).length;
            items.push_back(Value::text(text->substr(at, length)));
            at += length;
        }
    } else if (!value.is_undefined()) {
        throw Problem(value.kind() + " cannot be walked through", 0);
    }
    budget.spend(items.size() / 4);
    return items;
}

namespace {

/// The item's attribute along "a.b", or the item itself for an empty path.
Value along(const Value& item, const std::string& path)
{
    Value value = item;
    std::size_t begin = 0;
    while (begin < path.size()) {
        const std::size_t end = std::min(path.find('.', begin), path.size());
        value = attribute(value, path.substr(begin, end - begin));
        begin = end + 1;
    }
    return value;
}

List chosen(const Library& library, const std::string& name, const Value& subject, const Arguments& arguments)
{
    const bool by_attribute = name.ends_with("attr");
    const bool keeps = name.starts_with("select");
    const std::string path = by_attribute ? needed_text(arguments, 0, "attribute", name) : std::string();
    const std::size_t test_at = by_attribute ? 1 : 0;
    const bool tested = arguments.placed.size() > test_at;
    const std::string test = tested ? needed_text(arguments, test_at, "test", name) : std::string();
    Arguments rest;
    for (std::size_t i = test_at + 1; i < arguments.placed.size(); ++i) {
        rest.placed.push_back(arguments.placed[i]);
    }
    List kept;
    for (const Value& item : library.items_of(subject)) {
        const Value value = along(item, path);
        if ((tested ? library.test(test, value, rest) : value.truth()) == keeps) {
            kept.push_back(item);
        }
    }
    return kept;
}

List mapped(const Library& library, const Value& subject, const Arguments& arguments)
{
    List out;
    const Value* path = arguments.find(arguments.placed.size(), "attribute");
    const Value* absent = arguments.find(arguments.placed.size(), "default");
    Arguments rest;
    if (!path) {
        rest.placed.assign(arguments.placed.begin() + (arguments.placed.empty() ? 0 : 1), arguments.placed.end());
    }
    for (const Value& item : library.items_of(subject)) {
        if (path && path->string()) {
            const Value value = along(item, *path->string());
            out.push_back(value.is_undefined() && absent ? *absent : value);
        } else {
            out.push_back(library.filter(needed_text(arguments, 0, "filter", "map"), item, rest));
        }
    }
    return out;
}

List sorted(const Library& library, const Value& subject, const Arguments& arguments, std::size_t reverse_at)
{
    List items = library.items_of(subject);
    const Value* path = arguments.find(arguments.placed.size(), "attribute");
    const Value* reverse = arguments.find(reverse_at, "reverse");
    const Value* exact = arguments.find(1, "case_sensitive");
    const auto key = [&](const Value& item) {
        const Value value = path && path->string() ? along(item, *path->string()) : item;
        return value.string() && !(exact && exact->truth()) ? Value::text(lower_case(*value.string())) : value;
    };
    library.budget.spend(items.size() * 8);
    std::stable_sort(items.begin(), items.end(), [&](const Value& a, const Value& b) {
        return reverse && reverse->truth() ? key(a).compare(key(b)) > 0 : key(a).compare(key(b)) < 0;
    });
    return items;
}

Value pairs_sorted(const Library& library, const Value& subject, const Arguments& arguments)
{
    if (!subject.dict()) {
        throw Problem("dictsort needs a dict, not " + subject.kind(), 0);
    }
    const Value* by = arguments.find(1, "by");
    const std::size_t column = by && by->string() && *by->string() == "value" ? 1 : 0;
    List pairs;
    for (const auto& [key, value] : *subject.dict()) {
        pairs.push_back(pair(key, value));
    }
    library.budget.spend(pairs.size() * 8);
    std::stable_sort(pairs.begin(), pairs.end(), [&](const Value& a, const Value& b) {
        const Value& x = (*a.list())[column];
        const Value& y = (*b.list())[column];
        return x.string() && y.string() ? lower_case(*x.string()) < lower_case(*y.string()) : x.compare(y) < 0;
    });
    return Value::list(std::move(pairs));
}

std::string indented(const Library& library, const Value& subject, const Arguments& arguments)
{
    const Value* width = arguments.find(0, "width");
    const Value* first = arguments.find(1, "first");
    const Value* blank = arguments.find(2, "blank");
    const std::string margin = width && width->string()
                                   ? *width->string()
                                   : std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(integer_or(width, 4), 0, 1000)), ' ');
    std::string out;
    const std::string text = library.text_of(subject);
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const bool indents = begin == 0 ? first && first->truth() : end > begin || (blank && blank->truth());
        out.append(begin == 0 ? "" : "\n").append(indents ? margin : "").append(text, begin, end - begin);
        if (out.size() > Budget::kMostText) {
            break;
        }
        begin = end + 1;
    }
    return library.budget.made(std::move(out));
}

std::string replaced(const Library& library, std::string_view text, const Arguments& arguments)
{
    const std::string& from = needed_text(arguments, 0, "old", "replace");
    const std::string& to = needed_text(arguments, 1, "new", "replace");
    std::int64_t most = integer_or(arguments.find(2, "count"), -1);
    std::string out;
    for (std::size_t at = 0; most != 0 && !from.empty() && (at = text.find(from)) != std::string_view::npos && out.size() <= Budget::kMostText;
         --most) {
        out.append(text.substr(0, at)).append(to);
        text.remove_prefix(at + from.size());
    }
    return library.budget.made(out.append(text));
}

std::string joined(const Library& library, const List& items, std::string_view separator, const Value* path)
{
    std::string out;
    for (std::size_t i = 0; i < items.size(); ++i) {
        out.append(i == 0 ? std::string_view() : separator);
        out += library.text_of(path && path->string() ? along(items[i], *path->string()) : items[i]);
        if (out.size() > Budget::kMostText) {
            break;
        }
    }
    return library.budget.made(std::move(out));
}

std::string as_json(const Value& subject, const Arguments& arguments)
{
    const Value* indent = arguments.find(arguments.placed.size(), "indent");
    indent = indent ? indent : arguments.find(0, "indent");
    const Value* sort = arguments.find(arguments.placed.size(), "sort_keys");
    const bool broken = indent && indent->as<std::int64_t>();
    std::string text;
    append_json(text, subject, broken ? std::optional(static_cast<int>(std::clamp<std::int64_t>(*indent->integer(), 0, 16))) : std::nullopt,
                sort && sort->truth(), Budget::kMostText);
    return text;
}

Value extreme(const Library& library, const Value& subject, bool least)
{
    const List items = library.items_of(subject);
    const auto less = [](const Value& a, const Value& b) { return a.compare(b) < 0; };
    const auto found = least ? std::min_element(items.begin(), items.end(), less) : std::max_element(items.begin(), items.end(), less);
    return found == items.end() ? Value() : *found;
}

Value rounded(const Value& subject, const Arguments& arguments)
{
    const double scale = std::pow(10.0, static_cast<double>(std::clamp<std::int64_t>(integer_or(arguments.find(0, "precision"), 0), -15, 15)));
    return Value(Value::Any(std::nearbyint(subject.number().value_or(0.0) * scale) / scale));
}

Value length_of(const Library& library, const Value& subject)
{
    if (subject.string()) {
        const std::string& text = *subject.string();
        library.budget.spend(text.size() / 64);
        return Value::integer(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
    }
    if (!subject.list() && !subject.dict() && !subject.is_undefined()) {
        throw Problem(subject.kind() + " has no length", 0);
    }
    return Value::integer(static_cast<std::int64_t>(library.items_of(subject).size()));
}

} // namespace

Value Library::filter(const std::string& name, const Value& subject, const Arguments& arguments) const
{
    budget.spend(1);
    const auto text = [&] { return text_of(subject); };
    if (name == "default" || name == "d") {
        const Value* fallback = arguments.find(0, "default_value");
        const Value* also_false = arguments.find(1, "boolean");
        const bool absent = subject.is_undefined() || (also_false && also_false->truth() && !subject.truth());
        return !absent ? subject : fallback ? *fallback : Value::text("");
    }
    if (name == "trim" || name == "strip") {
        return Value::text(std::string(stripped(text(), arguments.find(0, "chars"), true, true)));
    }
    if (name == "length" || name == "count") {
        return length_of(*this, subject);
    }
    if (name == "tojson") {
        return Value::text(budget.made(as_json(subject, arguments)));
    }
    if (name == "join") {
        const Value* separator = arguments.find(0, "d");
        return Value::text(joined(*this, items_of(subject), separator ? text_of(*separator) : std::string(), arguments.find(1, "attribute")));
    }
    if (name == "upper") {
        return Value::text(upper_case(text()));
    }
    if (name == "lower") {
        return Value::text(lower_case(text()));
    }
    if (name == "capitalize" || name == "title") {
        return Value::text(capitalised(text(), name == "title"));
    }
    if (name == "replace") {
        return Value::text(replaced(*this, text(), arguments));
    }
    if (name == "indent") {
        return Value::text(indented(*this, subject, arguments));
    }
    if (name == "string" || name == "safe") {
        return Value::text(text());
    }
    if (name == "first" || name == "last") {
        const List items = items_of(subject);
        return items.empty() ? Value::undefined(name) : name == "first" ? items.front() : items.back();
    }
    if (name == "list" || name == "keys") {
        return Value::list(items_of(subject));
    }
    if (name == "reverse") {
        List items = items_of(subject);
        std::reverse(items.begin(), items.end());
        return subject.string() ? Value::text(joined(*this, items, "", nullptr)) : Value::list(std::move(items));
    }
    if (name == "map") {
        return Value::list(mapped(*this, subject, arguments));
    }
    if (name.starts_with("select") || name.starts_with("reject")) {
        return Value::list(chosen(*this, name, subject, arguments));
    }
    if (name == "items") {
        return subject.is_undefined() ? Value::list({}) : method(subject, "items", {});
    }
    if (name == "dictsort") {
        return pairs_sorted(*this, subject, arguments);
    }
    if (name == "sort") {
        return Value::list(sorted(*this, subject, arguments, 0));
    }
    if (name == "unique") {
        List kept;
        for (const Value& item : items_of(subject)) {
            budget.spend(kept.size() / 8);
            if (std::none_of(kept.begin(), kept.end(), [&](const Value& one) { return one.equals(item); })) {
                kept.push_back(item);
            }
        }
        return Value::list(std::move(kept));
    }
    if (name == "int" || name == "float") {
        return number_from(subject, name == "int");
    }
    if (name == "abs") {
        return subject.integer() && *subject.integer() != INT64_MIN ? Value::integer(std::abs(*subject.integer()))
                                                                    : Value(Value::Any(std::fabs(subject.number().value_or(0.0))));
    }
    if (name == "round") {
        return rounded(subject, arguments);
    }
    if (name == "sum") {
        double sum = 0.0;
        bool whole = true;
        for (const Value& item : items_of(subject)) {
            sum += item.number().value_or(0.0);
            whole = whole && item.integer();
        }
        return whole && std::fabs(sum) < 9e15 ? Value::integer(static_cast<std::int64_t>(sum)) : Value(Value::Any(sum));
    }
    if (name == "min" || name == "max") {
        return extreme(*this, subject, name == "min");
    }
    if (name == "attr") {
        return attribute(subject, needed_text(arguments, 0, "name", name));
    }
    if (name == "e" || name == "escape") {
        std::string out = text();
        const std::pair<std::string_view, std::string_view> marks[] = {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"'", "&#39;"}, {"\"", "&#34;"}};
        for (const auto& [from, to] : marks) {
            out = with_replaced(out, from, to);
        }
        return Value::text(budget.made(std::move(out)));
    }
    throw Problem("the filter " + quoted(name) + " is not supported", 0);
}

bool Library::test(const std::string& name, const Value& subject, const Arguments& arguments) const
{
    budget.spend(1);
    const auto other = [&]() -> const Value& {
        if (arguments.placed.empty()) {
            throw Problem("the test " + quoted(name) + " needs a value to compare with", 0);
        }
        return arguments.placed[0];
    };
    const auto whole = [&] { return subject.integer().value_or(0); };
    const bool* truth = subject.as<bool>();
    if (name == "defined" || name == "undefined") {
        return subject.is_undefined() == (name == "undefined");
    }
    if (name == "none") {
        return subject.is_none();
    }
    if (name == "string") {
        return subject.string() != nullptr;
    }
    if (name == "mapping") {
        return subject.dict() != nullptr;
    }
    if (name == "sequence" || name == "iterable") {
        return subject.list() || subject.dict() || subject.string() || subject.is_undefined();
    }
    if (name == "boolean" || name == "true" || name == "false") {
        return truth && (name == "boolean" || *truth == (name == "true"));
    }
    if (name == "number" || name == "integer" || name == "float") {
        return name == "number"    ? subject.number().has_value()
               : name == "integer" ? subject.as<std::int64_t>() != nullptr
                                   : subject.as<double>() != nullptr;
    }
    if (name == "equalto" || name == "eq" || name == "==" || name == "sameas") {
        return subject.equals(other());
    }
    if (name == "ne" || name == "!=") {
        return !subject.equals(other());
    }
    if (name == "lt" || name == "lessthan" || name == "<") {
        return subject.compare(other()) < 0;
    }
    if (name == "gt" || name == "greaterthan" || name == ">") {
        return subject.compare(other()) > 0;
    }
    if (name == "le" || name == "ge") {
        return name == "le" ? subject.compare(other()) <= 0 : subject.compare(other()) >= 0;
    }
    if (name == "in") {
        const Value& container = other();
        if (container.string() && subject.string()) {
            return container.string()->find(*subject.string()) != std::string::npos;
        }
        const List items = items_of(container);
        return std::any_of(items.begin(), items.end(), [&](const Value& one) { return one.equals(subject); });
    }
    if (name == "odd" || name == "even") {
        return (whole() % 2 != 0) == (name == "odd");
    }
    if (name == "divisibleby") {
        const std::int64_t divisor = integer_or(&other(), 0);
        return divisor != 0 && (divisor == -1 || whole() % divisor == 0);
    }
    if (name == "lower" || name == "upper") {
        const std::string text = text_of(subject);
        return text == (name == "lower" ? lower_case(text) : upper_case(text));
    }
    if (name == "callable") {
        return subject.as<Value::Function>() || subject.as<const Macro*>();
    }
    throw Problem("the test " + quoted(name) + " is not supported", 0);
}

namespace {

Value text_method(const Library& library, const std::string& text, const std::string& name, const Arguments& arguments)
{
    if (name == "strip" || name == "lstrip" || name == "rstrip") {
        return Value::text(std::string(stripped(text, arguments.find(0, "chars"), name != "rstrip", name != "lstrip")));
    }
    if (name == "split") {
        return Value::list(split(text, arguments));
    }
    if (name == "rsplit") {
        return Value::list(split_from_right(text, arguments));
    }
    if (name == "splitlines") {
        return Value::list(lines_of(text));
    }
    if (name == "startswith" || name == "endswith") {
        const Value* given = arguments.find(0, "prefix");
        const auto fits = [&](const Value& part) {
            return part.string() && (name == "startswith" ? text.starts_with(*part.string()) : text.ends_with(*part.string()));
        };
        return Value::boolean(given && (given->list() ? std::any_of(given->list()->begin(), given->list()->end(), fits) : fits(*given)));
    }
    if (name == "replace") {
        return Value::text(replaced(library, text, arguments));
    }
    if (name == "find") {
        const std::size_t at = text.find(needed_text(arguments, 0, "sub", name));
        return at == std::string::npos ? Value::integer(-1) : length_of(library, Value::text(text.substr(0, at)));
    }
    if (name == "count") {
        return Value::integer(occurrences(text, needed_text(arguments, 0, "sub", name)));
    }
    if (name == "join") {
        return Value::text(joined(library, arguments.placed.empty() ? List() : library.items_of(arguments.placed[0]), text, nullptr));
    }
    if (name == "removeprefix" || name == "removesuffix") {
        const std::string& part = needed_text(arguments, 0, "prefix", name);
        const bool front = name == "removeprefix";
        const bool there = front ? text.starts_with(part) : text.ends_with(part);
        return Value::text(!there ? text : front ? text.substr(part.size()) : text.substr(0, text.size() - part.size()));
    }
    if (name == "isdigit") {
        return Value::boolean(!text.empty() && text.find_first_not_of("0123456789") == std::string::npos);
    }
    if (name == "format") {
        std::string out;
        std::size_t done = 0;
        std::size_t place = 0;
        for (std::size_t at = 0; (at = text.find('{', done)) != std::string::npos; ++place) {
            if (text.substr(at, 2) != "{}" || place >= arguments.placed.size()) {
                throw Problem("format is supported with {} only", 0);
            }
            out.append(text, done, at - done).append(library.text_of(arguments.placed[place]));
            done = at + 2;
        }
        return Value::text(library.budget.made(out.append(text, done)));
    }
    return library.filter(name, Value::text(text), arguments); // upper, lower, title, capitalize
}

Value dict_method(const Dict& members, const std::string& name, const Value& self, const Arguments& arguments)
{
    if (name == "get") {
        const Value* found = self.member(needed_text(arguments, 0, "key", name));
        const Value* fallback = arguments.find(1, "default");
        return found ? *found : fallback ? *fallback : Value::none();
    }
    List out;
    for (const auto& [key, value] : members) {
        out.push_back(name == "items" ? pair(key, value) : name == "keys" ? Value::text(key) : value);
    }
    return Value::list(std::move(out));
}

} // namespace

Value Library::method(const Value& self, const std::string& name, const Arguments& arguments) const
{
    budget.spend(1);
    if (self.is_undefined()) {
        throw Problem(quoted(self.as<Value::Undefined>()->name) + " is undefined and has no " + quoted(name), 0);
    }
    if (!is_method(self, name) || (!self.string() && !self.list() && !self.dict())) {
        throw Problem(self.kind() + " has no method " + quoted(name), 0);
    }
    if (const std::string* text = self.string()) {
        budget.spend(text->size() / 64);
        return text_method(*this, *text, name, arguments);
    }
    if (const Dict* members = self.dict()) {
        budget.spend(members->size() / 4);
        return dict_method(*members, name, self, arguments);
    }
    const List& items = *self.list();
    budget.spend(items.size());
    const auto equal = [&](const Value& item) { return !arguments.placed.empty() && item.equals(arguments.placed[0]); };
    if (name == "count") {
        return Value::integer(std::count_if(items.begin(), items.end(), equal));
    }
    const auto found = std::find_if(items.begin(), items.end(), equal);
    if (found == items.end()) {
        throw Problem("a list does not hold what its index() was asked for", 0);
    }
    return Value::integer(found - items.begin());
}

Value Library::function(const std::string& name, const Arguments& arguments) const
{
    if (name == "raise_exception") {
        throw Problem(arguments.placed.empty() ? std::string("the template refuses the conversation") : text_of(arguments.placed[0]), 0);
    }
    if (name == "strftime_now") {
        return Value::text(time_text(now, needed_text(arguments, 0, "format", name)));
    }
    if (name == "dict") {
        Dict members;
        for (const auto& [key, value] : arguments.named) {
            members.emplace_back(key, value);
        }
        return Value::dict(std::move(members));
    }
    std::int64_t begin = 0;
    std::int64_t end = integer_or(arguments.find(0, ""), 0);
    if (arguments.placed.size() > 1) {
        begin = end;
        end = integer_or(arguments.find(1, ""), 0);
    }
    const std::int64_t step = integer_or(arguments.find(2, ""), 1);
    const double count = step == 0 ? 0.0 : std::ceil((static_cast<double>(end) - static_cast<double>(begin)) / static_cast<double>(step));
    if (step == 0 || count > static_cast<double>(kLongestRange)) {
        throw Problem("a range has more than 100,000 numbers, or the step 0", 0);
    }
    List numbers;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(count); ++i) {
        numbers.push_back(Value::integer(begin + i * step));
    }
    budget.spend(numbers.size());
    return Value::list(std::move(numbers));
}

} // namespace retort::jinja
