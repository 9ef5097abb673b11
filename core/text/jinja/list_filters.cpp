#include "core/text/jinja/filters.h"
#include "core/text/jinja/text_functions.h"
#include "core/text/unicode.h"

#include <algorithm>
#include <cmath>

namespace retort::jinja {

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

/// The path of an attribute that an argument names; empty when it is not given.
std::string path_in(const Value* argument)
{
    return argument && argument->string() ? *argument->string() : std::string();
}

Value length(const Call& call)
{
    if (const std::string* text = call.subject.string()) {
        return Value::integer(length_of(call.library, *text));
    }
    if (!call.subject.list() && !call.subject.dict() && !call.subject.is_undefined()) {
        throw Problem(call.subject.kind() + " has no length", 0);
    }
    return Value::integer(static_cast<std::int64_t>(call.items().size()));
}

Value attribute_of(const Call& call)
{
    return attribute(call.subject, call.needed_text(0, "name"));
}

Value joined_items(const Call& call)
{
    const Value* separator = call.argument(0, "d");
    const std::string path = path_in(call.argument(1, "attribute"));
    List items = call.items();
    for (Value& item : items) {
        item = along(item, path);
    }
    return Value::text(joined(call.library, items, separator ? call.library.text_of(*separator) : std::string()));
}

Value end_of(const Call& call)
{
    const List items = call.items();
    return items.empty() ? Value::undefined(call.name) : call.name == "first" ? items.front() : items.back();
}

Value list_of(const Call& call)
{
    return Value::list(call.items());
}

Value reversed(const Call& call)
{
    List items = call.items();
    std::reverse(items.begin(), items.end());
    return call.subject.string() ? Value::text(joined(call.library, items, "")) : Value::list(std::move(items));
}

Value pairs(const Call& call)
{
    return call.subject.is_undefined() ? Value::list({}) : call.library.method(call.subject, "items", {});
}

/// select, reject and, by an attribute, selectattr, rejectattr.
Value chosen(const Call& call)
{
    const bool by_attribute = call.name.ends_with("attr");
    const bool keeps = call.name.starts_with("select");
    const std::string path = by_attribute ? call.needed_text(0, "attribute") : std::string();
    const std::size_t test_at = by_attribute ? 1 : 0;
    const std::vector<Value>& placed = call.arguments.placed;
    const bool tested = placed.size() > test_at;
    const std::string test = tested ? call.needed_text(test_at, "test") : std::string();
    Arguments rest;
    for (std::size_t i = test_at + 1; i < placed.size(); ++i) {
        rest.placed.push_back(placed[i]);
    }
    List kept;
    for (const Value& item : call.subject.truth() ? call.items() : List()) { // nothing at all has no items, as in Jinja
        const Value value = along(item, path);
        if ((tested ? call.library.test(test, value, rest) : value.truth()) == keeps) {
            kept.push_back(item);
        }
    }
    return Value::list(std::move(kept));
}

/// By a filter's name and its arguments, or by an attribute.
Value mapped(const Call& call)
{
    List out;
    const Value* path = call.option("attribute");
    const Value* absent = call.option("default");
    const std::vector<Value>& placed = call.arguments.placed;
    Arguments rest;
    if (!path) {
        rest.placed.assign(placed.begin() + (placed.empty() ? 0 : 1), placed.end());
    }
    for (const Value& item : call.subject.truth() ? call.items() : List()) {
        if (path && path->string()) {
            const Value value = along(item, *path->string());
            out.push_back(value.is_undefined() && absent ? *absent : value);
        } else {
            out.push_back(call.library.filter(call.needed_text(0, "filter"), item, rest));
        }
    }
    return Value::list(std::move(out));
}

Value sorted(const Call& call)
{
    List items = call.items();
    const std::string path = path_in(call.option("attribute"));
    const bool down = call.flag(0, "reverse");
    const bool exact = call.flag(1, "case_sensitive");
    const auto key = [&](const Value& item) {
        const Value value = along(item, path);
        return value.string() && !exact ? Value::text(lower_case(*value.string())) : value;
    };
    call.library.budget.spend(items.size() * 8);
    std::stable_sort(items.begin(), items.end(),
                     [&](const Value& a, const Value& b) { return down ? key(a).compare(key(b)) > 0 : key(a).compare(key(b)) < 0; });
    return Value::list(std::move(items));
}

Value sorted_pairs(const Call& call)
{
    if (!call.subject.dict()) {
        throw Problem("dictsort needs a dict, not " + call.subject.kind(), 0);
    }
    const Value* by = call.argument(1, "by");
    const std::size_t column = by && by->string() && *by->string() == "value" ? 1 : 0;
    List pairs;
    for (const auto& [key, value] : *call.subject.dict()) {
        pairs.push_back(Value::tuple({key, value}));
    }
    call.library.budget.spend(pairs.size() * 8);
    std::stable_sort(pairs.begin(), pairs.end(), [&](const Value& a, const Value& b) {
        const Value& x = (*a.list())[column];
        const Value& y = (*b.list())[column];
        return x.string() && y.string() ? lower_case(*x.string()) < lower_case(*y.string()) : x.compare(y) < 0;
    });
    return Value::list(std::move(pairs));
}

Value without_twins(const Call& call)
{
    List kept;
    for (const Value& item : call.items()) {
        call.library.budget.spend(kept.size() / 8);
        if (std::none_of(kept.begin(), kept.end(), [&](const Value& one) { return one.equals(item); })) {
            kept.push_back(item);
        }
    }
    return Value::list(std::move(kept));
}

Value sum(const Call& call)
{
    double sum = 0.0;
    bool whole = true;
    for (const Value& item : call.items()) {
        sum += item.number().value_or(0.0);
        whole = whole && item.integer();
    }
    return whole && std::fabs(sum) < 9e15 ? Value::integer(static_cast<std::int64_t>(sum)) : Value(Value::Any(sum));
}

Value extreme(const Call& call)
{
    const List items = call.items();
    const auto less = [](const Value& a, const Value& b) { return a.compare(b) < 0; };
    const auto found = call.name == "min" ? std::min_element(items.begin(), items.end(), less) : std::max_element(items.begin(), items.end(), less);
    return found == items.end() ? Value() : *found;
}

/// batch and slice: rows of so many items, or so many rows.
Value rows(const Call& call)
{
    const List items = call.items();
    const std::int64_t count = call.integer_or(0, call.name == "batch" ? "linecount" : "slices", 0);
    const Value* fill = call.argument(1, "fill_with");
    if (count < 1) {
        throw Problem(call.name + " needs a number of items above 0", 0);
    }
    const auto wanted = static_cast<std::size_t>(count);
    List out;
    if (call.name == "batch") {
        for (std::size_t at = 0; at < items.size(); at += wanted) {
            List row(items.begin() + static_cast<std::ptrdiff_t>(at),
                     items.begin() + static_cast<std::ptrdiff_t>(std::min(items.size(), at + wanted)));
            while (fill && !fill->is_none() && row.size() < wanted && row.size() <= items.size() + 1000) {
                row.push_back(*fill);
            }
            out.push_back(Value::list(std::move(row)));
        }
        return Value::list(std::move(out));
    }
    call.library.budget.spend(wanted);
    const std::size_t each = items.size() / wanted;
    const std::size_t longer = items.size() % wanted;
    std::size_t at = 0;
    for (std::size_t row = 0; row < wanted; ++row) {
        const std::size_t size = each + (row < longer ? 1 : 0);
        List part(items.begin() + static_cast<std::ptrdiff_t>(at), items.begin() + static_cast<std::ptrdiff_t>(at + size));
        at += size;
        if (fill && !fill->is_none() && longer > 0 && row >= longer) {
            part.push_back(*fill);
        }
        out.push_back(Value::list(std::move(part)));
    }
    return Value::list(std::move(out));
}

/// Pairs of a value and the items that have it, in the order of the values.
Value grouped(const Call& call)
{
    const std::string path = call.needed_text(0, "attribute");
    const Value* absent = call.argument(1, "default");
    std::vector<std::pair<Value, List>> groups;
    for (const Value& item : call.items()) {
        Value key = along(item, path);
        key = key.is_undefined() && absent ? *absent : key;
        call.library.budget.spend(1 + groups.size() / 8);
        const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return group.first.equals(key); });
        found == groups.end() ? static_cast<void>(groups.emplace_back(key, List{item})) : found->second.push_back(item);
    }
    std::stable_sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.first.compare(b.first) < 0; });
    List out;
    for (auto& [key, items] : groups) {
        out.push_back(Value::tuple({key, Value::list(std::move(items))}));
    }
    return Value::list(std::move(out));
}

constexpr Named<Value> kListFilters[] = {
    {"batch", rows},       {"groupby", grouped}, {"slice", rows},        {"attr", attribute_of}, {"count", length},  {"dictsort", sorted_pairs},
    {"first", end_of},     {"items", pairs},     {"join", joined_items}, {"keys", list_of},      {"last", end_of},   {"length", length},
    {"list", list_of},     {"map", mapped},      {"max", extreme},       {"min", extreme},       {"reject", chosen}, {"rejectattr", chosen},
    {"reverse", reversed}, {"select", chosen},   {"selectattr", chosen}, {"sort", sorted},       {"sum", sum},       {"unique", without_twins},
};

} // namespace

std::span<const Named<Value>> list_filters()
{
    return kListFilters;
}

} // namespace retort::jinja
