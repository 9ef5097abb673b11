// {{ function(arguments) }}: those of Python and Jinja, and the two that transformers gives a template.
#include "core/text/jinja/call.h"
#include "core/text/message.h"

#include <array>
#include <cmath>
#include <ctime>

namespace retort::jinja {

namespace {

constexpr std::int64_t kLongestRange = 100'000;

Value range(const Call& call)
{
    std::int64_t begin = 0;
    std::int64_t end = call.integer_or(0, "", 0);
    if (call.arguments.placed.size() > 1) {
        begin = end;
        end = call.integer_or(1, "", 0);
    }
    const std::int64_t step = call.integer_or(2, "", 1);
    const double count = step == 0 ? 0.0 : std::ceil((static_cast<double>(end) - static_cast<double>(begin)) / static_cast<double>(step));
    if (step == 0 || count > static_cast<double>(kLongestRange)) {
        throw Problem("a range has more than 100,000 numbers, or the step 0", 0);
    }
    List numbers;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(count); ++i) {
        numbers.push_back(Value::integer(begin + i * step));
    }
    call.library.budget.spend(numbers.size());
    return Value::list(std::move(numbers));
}

Value dict(const Call& call)
{
    Dict members;
    if (!call.arguments.placed.empty() && call.arguments.placed[0].dict()) {
        members = *call.arguments.placed[0].dict();
    }
    for (const auto& [key, value] : call.arguments.named) {
        set_member(members, Value::text(key), value);
    }
    return Value::dict(std::move(members));
}

Value raise_exception(const Call& call)
{
    const std::vector<Value>& placed = call.arguments.placed;
    throw Problem(placed.empty() ? std::string("the template refuses the conversation") : call.library.text_of(placed[0]), 0);
}

Value time_text(const Call& call)
{
    const std::time_t seconds = call.library.now;
    std::tm parts{};
    localtime_r(&seconds, &parts);
    std::array<char, 512> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), call.needed_text(0, "format").substr(0, 128).c_str(), &parts);
    return Value::text(std::string(text.data(), length));
}

constexpr Named<Value> kFunctions[] = {
    {"dict", dict},
    {"raise_exception", raise_exception},
    {"range", range},
    {"strftime_now", time_text},
};

} // namespace

bool is_function(std::string_view name)
{
    return find_named<Value>(kFunctions, name) != nullptr;
}

Value Library::function(const std::string& name, const Arguments& arguments) const
{
    const auto* function = find_named<Value>(kFunctions, name);
    if (!function) {
        throw Problem("the function " + quoted(name) + " is not supported", 0);
    }
    return function->run({*this, name, Value(), arguments});
}

} // namespace retort::jinja
