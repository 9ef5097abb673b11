#include "core/text/jinja/filters.h"

#include "core/text/jinja/text_functions.h"
#include "core/text/message.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace retort::jinja {

namespace {

Value default_for(const Call& call)
{
    const Value* fallback = call.argument(0, "default_value");
    const bool absent = call.subject.is_undefined() || (call.flag(1, "boolean") && !call.subject.truth());
    return !absent ? call.subject : fallback ? *fallback : Value::text("");
}

Value integer(const Call& call)
{
    if (const auto number = call.subject.number()) {
        if (!std::isfinite(*number) || std::fabs(*number) > 9e18) {
            throw Problem("a number is too large for an integer", 0);
        }
        return Value::integer(call.subject.integer().value_or(static_cast<std::int64_t>(*number)));
    }
    const std::string_view text = call.subject.string() ? stripped(*call.subject.string(), nullptr, true, true) : std::string_view();
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return Value::integer(error == std::errc() && stop == text.data() + text.size() ? value : 0);
}

Value real(const Call& call)
{
    if (const auto number = call.subject.number()) {
        return Value(Value::Any(*number));
    }
    const std::string_view text = call.subject.string() ? stripped(*call.subject.string(), nullptr, true, true) : std::string_view();
    double value = 0.0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return Value(Value::Any(error == std::errc() && stop == text.data() + text.size() ? value : 0.0));
}

Value absolute(const Call& call)
{
    const auto integer = call.subject.integer();
    return integer && *integer != INT64_MIN ? Value::integer(std::abs(*integer)) : Value(Value::Any(std::fabs(call.subject.number().value_or(0.0))));
}

Value rounded(const Call& call)
{
    const double scale = std::pow(10.0, static_cast<double>(std::clamp<std::int64_t>(call.integer_or(0, "precision", 0), -15, 15)));
    return Value(Value::Any(std::nearbyint(call.subject.number().value_or(0.0) * scale) / scale));
}

constexpr Named<Value> kValueFilters[] = {
    {"abs", absolute}, {"d", default_for}, {"default", default_for}, {"float", real}, {"int", integer}, {"round", rounded},
};

const Named<Value>* find_filter(std::string_view name)
{
    for (const std::span<const Named<Value>> filters :
         {std::span<const Named<Value>>(kValueFilters), text_filters(), layout_filters(), list_filters()}) {
        if (const auto* found = find_named(filters, name)) {
            return found;
        }
    }
    return nullptr;
}

} // namespace

bool is_filter(std::string_view name)
{
    return find_filter(name) != nullptr;
}

Value Library::filter(const std::string& name, const Value& subject, const Arguments& arguments) const
{
    budget.spend(1);
    const auto* filter = find_filter(name);
    if (!filter) {
        throw Problem("the filter " + quoted(name) + " is not supported", 0);
    }
    return filter->run({*this, name, subject, arguments});
}

} // namespace retort::jinja
