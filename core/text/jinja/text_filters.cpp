#include "core/text/jinja/filters.h"
#include "core/text/jinja/text_functions.h"
#include "core/text/unicode.h"

#include <algorithm>

namespace retort::jinja {

namespace {

Value text(const Call& call)
{
    return Value::text(call.text());
}

Value trimmed(const Call& call)
{
    return Value::text(std::string(stripped(call.text(), call.argument(0, "chars"), true, true)));
}

Value upper(const Call& call)
{
    return Value::text(upper_case(call.text()));
}

Value lower(const Call& call)
{
    return Value::text(lower_case(call.text()));
}

Value capital(const Call& call)
{
    return Value::text(capitalised(call.text(), call.name == "title"));
}

Value replaced(const Call& call)
{
    const std::string whole = call.text();
    std::string_view rest = whole;
    const std::string& from = call.needed_text(0, "old");
    const std::string& to = call.needed_text(1, "new");
    std::int64_t most = call.integer_or(2, "count", -1);
    std::string out;
    for (std::size_t at = 0; most != 0 && !from.empty() && (at = rest.find(from)) != std::string_view::npos && out.size() <= Budget::kMostText;
         --most) {
        out.append(rest.substr(0, at)).append(to);
        rest.remove_prefix(at + from.size());
    }
    return Value::text(call.library.budget.made(out.append(rest)));
}

Value escaped(const Call& call)
{
    std::string out = call.text();
    const std::pair<std::string_view, std::string_view> marks[] = {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"'", "&#39;"}, {"\"", "&#34;"}};
    for (const auto& [from, to] : marks) {
        out = with_replaced(out, from, to);
    }
    return Value::text(call.library.budget.made(std::move(out)));
}

Value indented(const Call& call)
{
    const Value* width = call.argument(0, "width");
    const std::string margin = width && width->string()
                                   ? *width->string()
                                   : std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(call.integer_or(0, "width", 4), 0, 1000)), ' ');
    const bool first_too = call.flag(1, "first");
    const bool blank_too = call.flag(2, "blank");
    std::string out;
    const std::string text = call.text();
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const bool indents = begin == 0 ? first_too : end > begin || blank_too;
        out.append(begin == 0 ? "" : "\n").append(indents ? margin : "").append(text, begin, end - begin);
        if (out.size() > Budget::kMostText) {
            break;
        }
        begin = end + 1;
    }
    return Value::text(call.library.budget.made(std::move(out)));
}

Value json(const Call& call)
{
    const Value* indent = call.option("indent");
    indent = indent ? indent : call.argument(0, "indent");
    const Value* sort = call.option("sort_keys");
    const bool broken = indent && indent->as<std::int64_t>();
    std::string text;
    append_json(text, call.subject, broken ? std::optional(static_cast<int>(std::clamp<std::int64_t>(*indent->integer(), 0, 16))) : std::nullopt,
                sort && sort->truth(), Budget::kMostText);
    return Value::text(call.library.budget.made(std::move(text)));
}

constexpr Named<Value> kTextFilters[] = {
    {"capitalize", capital}, {"e", escaped},     {"escape", escaped}, {"indent", indented}, {"lower", lower},  {"replace", replaced}, {"safe", text},
    {"string", text},        {"strip", trimmed}, {"title", capital},  {"tojson", json},     {"trim", trimmed}, {"upper", upper},
};

} // namespace

std::span<const Named<Value>> text_filters()
{
    return kTextFilters;
}

} // namespace retort::jinja
