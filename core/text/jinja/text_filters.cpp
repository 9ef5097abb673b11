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

/// One level's indentation: so many blanks, or a text; nothing for None.
std::optional<std::string> indentation(const Value* indent)
{
    constexpr std::int64_t kMost = 64;
    if (!indent || indent->is_none()) {
        return std::nullopt;
    }
    return indent->string() ? indent->string()->substr(0, kMost)
                            : std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(indent->integer().value_or(0), 0, kMost)), ' ');
}

/// tojson(ensure_ascii=False, indent=None, separators=None, sort_keys=False), as transformers defines it.
Value json(const Call& call)
{
    JsonStyle style{
        .ensure_ascii = call.flag(0, "ensure_ascii"), .indent = indentation(call.argument(1, "indent")), .sort_keys = call.flag(3, "sort_keys")};
    style.item_separator = style.indent ? "," : ", ";
    if (const Value* separators = call.argument(2, "separators"); separators && !separators->is_none()) {
        const List* pair = separators->list();
        if (!pair || pair->size() != 2 || !(*pair)[0].string() || !(*pair)[1].string()) {
            throw Problem("the separators of tojson are not two strings", 0);
        }
        style.item_separator = *(*pair)[0].string();
        style.key_separator = *(*pair)[1].string();
    }
    std::string text;
    append_json(text, call.subject, style, Budget::kMostText);
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
