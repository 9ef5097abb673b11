// {{ subject is test argument }}
#include "core/text/jinja/call.h"
#include "core/text/jinja/text_functions.h"
#include "core/text/message.h"
#include "core/text/unicode.h"

#include <algorithm>

namespace retort::jinja {

namespace {

const Value& other(const Call& call)
{
    if (call.arguments.placed.empty()) {
        throw Problem("the test " + quoted(call.name) + " needs a value to compare with", 0);
    }
    return call.arguments.placed[0];
}

bool is_defined(const Call& call)
{
    return call.subject.is_undefined() == (call.name == "undefined");
}

bool is_sequence(const Call& call)
{
    return call.subject.list() || call.subject.dict() || call.subject.string() || call.subject.is_undefined();
}

bool is_truth(const Call& call)
{
    const bool* truth = call.subject.as<bool>();
    return truth && *truth == (call.name == "true");
}

bool is_equal(const Call& call)
{
    return call.subject.equals(other(call));
}

bool is_different(const Call& call)
{
    return !is_equal(call);
}

bool is_less(const Call& call)
{
    return call.subject.compare(other(call)) < 0;
}

bool is_greater(const Call& call)
{
    return call.subject.compare(other(call)) > 0;
}

bool is_in(const Call& call)
{
    const Value& container = other(call);
    if (container.string() && call.subject.string()) {
        return container.string()->find(*call.subject.string()) != std::string::npos;
    }
    const List items = call.library.items_of(container);
    return std::any_of(items.begin(), items.end(), [&](const Value& one) { return one.equals(call.subject); });
}

bool is_odd(const Call& call)
{
    return (call.subject.integer().value_or(0) % 2 != 0) == (call.name == "odd");
}

bool is_divisible(const Call& call)
{
    const std::int64_t divisor = other(call).integer().value_or(0);
    return divisor != 0 && (divisor == -1 || call.subject.integer().value_or(0) % divisor == 0);
}

bool is_in_case(const Call& call)
{
    const std::string text = call.text();
    return text == (call.name == "lower" ? lower_case(text) : upper_case(text));
}

constexpr Named<bool> kTests[] = {
    {"!=", is_different},
    {"<", is_less},
    {"==", is_equal},
    {">", is_greater},
    {"boolean", [](const Call& call) { return call.subject.as<bool>() != nullptr; }},
    {"callable", [](const Call& call) { return call.subject.as<Value::Function>() || call.subject.as<const Macro*>(); }},
    {"defined", is_defined},
    {"divisibleby", is_divisible},
    {"eq", is_equal},
    {"equalto", is_equal},
    {"even", is_odd},
    {"false", is_truth},
    {"float", [](const Call& call) { return call.subject.as<double>() != nullptr; }},
    {"ge", [](const Call& call) { return call.subject.compare(other(call)) >= 0; }},
    {"greaterthan", is_greater},
    {"gt", is_greater},
    {"in", is_in},
    {"integer", [](const Call& call) { return call.subject.as<std::int64_t>() != nullptr; }},
    {"iterable", is_sequence},
    {"le", [](const Call& call) { return call.subject.compare(other(call)) <= 0; }},
    {"lessthan", is_less},
    {"lower", is_in_case},
    {"lt", is_less},
    {"mapping", [](const Call& call) { return call.subject.dict() != nullptr; }},
    {"ne", is_different},
    {"none", [](const Call& call) { return call.subject.is_none(); }},
    {"number", [](const Call& call) { return call.subject.number().has_value(); }},
    {"odd", is_odd},
    {"sameas", is_equal},
    {"sequence", is_sequence},
    {"string", [](const Call& call) { return call.subject.string() != nullptr; }},
    {"true", is_truth},
    {"undefined", is_defined},
    {"upper", is_in_case},
};

} // namespace

bool is_test(std::string_view name)
{
    return find_named<bool>(kTests, name) != nullptr;
}

bool Library::test(const std::string& name, const Value& subject, const Arguments& arguments) const
{
    budget.spend(1);
    const auto* test = find_named<bool>(kTests, name);
    if (!test) {
        throw Problem("the test " + quoted(name) + " is not supported", 0);
    }
    return test->run({*this, name, subject, arguments});
}

} // namespace retort::jinja
