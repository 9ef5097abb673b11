#include "core/text/jinja/operators.h"

#include "core/text/jinja/text_functions.h"
#include "core/text/message.h"

#include <algorithm>
#include <cmath>

namespace retort::jinja {

namespace {

std::int64_t floor_divided(std::int64_t a, std::int64_t b)
{
    return a / b - ((a % b != 0 && (a % b < 0) != (b < 0)) ? 1 : 0);
}

Value repeated(const std::string& text, std::int64_t count, Budget& budget, int line)
{
    const auto times = static_cast<std::size_t>(std::clamp<std::int64_t>(count, 0, Budget::kMostText + 1));
    if (text.size() * times > Budget::kMostText) {
        throw Problem("it makes a text of more than 1 MiB", line);
    }
    std::string all;
    for (std::size_t i = 0; i < times; ++i) {
        all += text;
    }
    return Value::text(budget.made(std::move(all)));
}

/// + - * // %, of which the last two not by 0.
Value combined_whole(const std::string& op, std::int64_t x, std::int64_t y, int line)
{
    std::int64_t result = 0;
    const bool overflow = op == "+"   ? __builtin_add_overflow(x, y, &result)
                          : op == "-" ? __builtin_sub_overflow(x, y, &result)
                          : op == "*" ? __builtin_mul_overflow(x, y, &result)
                                      : y == -1 && __builtin_sub_overflow(std::int64_t{0}, x, &result);
    if (overflow) {
        throw Problem("a number grows too large", line);
    }
    if (op == "//" || op == "%") {
        const std::int64_t quotient = y == -1 ? -x : floor_divided(x, y);
        result = op == "//" ? quotient : x - quotient * y;
    }
    return Value::integer(result);
}

double combined_real(const std::string& op, double x, double y)
{
    return op == "+"    ? x + y
           : op == "-"  ? x - y
           : op == "*"  ? x * y
           : op == "/"  ? x / y
           : op == "//" ? std::floor(x / y)
           : op == "%"  ? x - std::floor(x / y) * y
                        : std::pow(x, y);
}

bool contains(const Value& container, const Value& item, const Library& library)
{
    if (const std::string* text = container.string()) {
        if (!item.string()) {
            throw Problem("a string contains strings only, not " + item.kind(), 0);
        }
        library.budget.spend(text->size() / 64);
        return text->find(*item.string()) != std::string::npos;
    }
    if (container.dict()) {
        return find_member(*container.dict(), item) != nullptr;
    }
    if (container.as<Value::Namespace>()) {
        return item.string() && container.member(*item.string());
    }
    const List items = library.items_of(container);
    return std::any_of(items.begin(), items.end(), [&](const Value& one) { return one.equals(item); });
}

} // namespace

Value negated(const Value& value, int line)
{
    std::int64_t negative = 0;
    if (const auto integer = value.integer(); integer && !__builtin_sub_overflow(std::int64_t{0}, *integer, &negative)) {
        return Value::integer(negative);
    }
    if (!value.number()) {
        throw Problem(value.kind() + " has no negative", line);
    }
    return Value(Value::Any(-*value.number()));
}

Value combined(const std::string& op, const Value& a, const Value& b, Budget& budget, int line)
{
    if (op == "+" && a.string() && b.string()) {
        return Value::text(budget.made(*a.string() + *b.string()));
    }
    if (op == "+" && a.list() && b.list()) {
        List all = *a.list();
        all.insert(all.end(), b.list()->begin(), b.list()->end());
        budget.spend(all.size());
        return Value::list(std::move(all));
    }
    if (op == "%" && a.string()) {
        return Value::text(printf_text({budget, 0}, *a.string(), b.is_tuple() ? *b.list() : List{b}));
    }
    if (op == "*" && a.string() && b.integer()) {
        return repeated(*a.string(), *b.integer(), budget, line);
    }
    if (!a.number() || !b.number()) {
        throw Problem(a.kind() + " and " + b.kind() + " cannot be combined by " + op, line);
    }
    if ((op == "/" || op == "//" || op == "%") && *b.number() == 0.0) {
        throw Problem("it divides by zero", line);
    }
    const bool whole = a.integer() && b.integer();
    if (whole && op != "/" && op != "**") {
        return combined_whole(op, *a.integer(), *b.integer(), line);
    }
    const double result = combined_real(op, *a.number(), *b.number());
    if (op == "**" && whole && std::fabs(result) < 9e15 && *b.integer() >= 0) {
        return Value::integer(static_cast<std::int64_t>(result));
    }
    return Value(Value::Any(result));
}

bool holds(const std::string& op, const Value& a, const Value& b, const Library& library)
{
    if (op == "in" || op == "not in") {
        return contains(b, a, library) == (op == "in");
    }
    if (op == "==" || op == "!=") {
        return a.equals(b) == (op == "==");
    }
    const int order = a.compare(b);
    return op == "<" ? order < 0 : op == "<=" ? order <= 0 : op == ">" ? order > 0 : order >= 0;
}

Value item_of(const Value& value, const Value& key, const Library& library)
{
    if (key.string()) {
        return attribute(value, *key.string());
    }
    if (const Dict* members = value.dict()) {
        const Value* found = find_member(*members, key);
        return found ? *found : Value::undefined("item");
    }
    const auto place = key.integer();
    if (!place || (!value.list() && !value.string())) {
        if (value.is_undefined()) {
            throw Problem(quoted(value.as<Value::Undefined>()->name) + " is undefined", 0);
        }
        return Value::undefined("item");
    }
    const List items = library.items_of(value);
    const std::int64_t at = *place < 0 ? *place + static_cast<std::int64_t>(items.size()) : *place;
    return at >= 0 && at < static_cast<std::int64_t>(items.size()) ? items[static_cast<std::size_t>(at)] : Value::undefined("item");
}

Value slice_of(const Value& value, std::optional<std::int64_t> begin, std::optional<std::int64_t> end, std::int64_t step, const Library& library)
{
    const List items = library.items_of(value);
    const auto size = static_cast<std::int64_t>(items.size());
    const auto placed = [&](std::optional<std::int64_t> at, std::int64_t absent) {
        const std::int64_t lowest = step > 0 ? 0 : -1;
        const std::int64_t highest = step > 0 ? size : size - 1;
        return !at ? absent : std::clamp(*at < 0 ? std::max(*at, -size - 1) + size : *at, lowest, highest);
    };
    const std::int64_t first = placed(begin, step > 0 ? 0 : size - 1);
    const std::int64_t last = placed(end, step > 0 ? size : -1);
    const std::int64_t stride = std::clamp(step, -size - 1, size + 1);
    List kept;
    for (std::int64_t at = first; stride > 0 ? at < last : at > last; at += stride) {
        kept.push_back(items[static_cast<std::size_t>(at)]);
    }
    if (!value.string()) {
        return Value::list(std::move(kept));
    }
    std::string text;
    for (const Value& character : kept) {
        text += *character.string();
    }
    return Value::text(library.budget.made(std::move(text)));
}

} // namespace retort::jinja
