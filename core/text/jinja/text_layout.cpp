// Methods and filters about what a text is made of, where its parts stand, and how wide it is.
#include "core/text/jinja/filters.h"
#include "core/text/jinja/text_functions.h"
#include "core/text/message.h"
#include "core/text/unicode.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace retort::jinja {

namespace {

constexpr std::int64_t kWidest = 10'000;

Value place_from_right(const Call& call)
{
    const std::string text = call.text();
    const std::size_t at = text.rfind(call.needed_text(0, "sub"));
    return Value::integer(at == std::string::npos ? -1 : length_of(call.library, std::string_view(text).substr(0, at)));
}

/// index and rindex: as find, but what is looked for has to be there.
Value needed_place(const Call& call)
{
    const std::string text = call.text();
    const std::string& part = call.needed_text(0, "sub");
    const std::size_t at = call.name == "index" ? text.find(part) : text.rfind(part);
    if (at == std::string::npos) {
        throw Problem("a text does not hold what its " + call.name + "() was asked for", 0);
    }
    return Value::integer(length_of(call.library, std::string_view(text).substr(0, at)));
}

Value parted(const Call& call)
{
    const std::string text = call.text();
    const std::string& separator = call.needed_text(0, "sep");
    const bool left = call.name == "partition";
    const std::size_t at = separator.empty() ? std::string::npos : left ? text.find(separator) : text.rfind(separator);
    if (at == std::string::npos) {
        return Value::tuple({Value::text(left ? text : ""), Value::text(""), Value::text(left ? "" : text)});
    }
    return Value::tuple({Value::text(text.substr(0, at)), Value::text(separator), Value::text(text.substr(at + separator.size()))});
}

/// ljust, rjust and center.
Value padded(const Call& call)
{
    const std::string text = call.text();
    const std::int64_t width = std::clamp<std::int64_t>(call.integer_or(0, "width", 80), 0, kWidest);
    const Value* given = call.argument(1, "fillchar");
    const std::string fill = given && given->string() ? *given->string() : " ";
    const std::int64_t missing = std::max<std::int64_t>(0, width - length_of(call.library, text));
    const std::int64_t centred = missing / 2 + (missing & width & 1); // as Python shares an odd number
    const std::int64_t left = call.name == "ljust" ? 0 : call.name == "rjust" ? missing : centred;
    std::string out;
    for (std::int64_t i = 0; i < left; ++i) {
        out += fill;
    }
    out += text;
    for (std::int64_t i = left; i < missing; ++i) {
        out += fill;
    }
    return Value::text(call.library.budget.made(std::move(out)));
}

Value with_zeros(const Call& call)
{
    std::string text = call.text();
    const std::int64_t width = std::clamp<std::int64_t>(call.integer_or(0, "width", 0), 0, kWidest);
    const auto missing = static_cast<std::size_t>(std::max<std::int64_t>(0, width - length_of(call.library, text)));
    text.insert(text.starts_with('-') || text.starts_with('+') ? 1 : 0, missing, '0');
    return Value::text(call.library.budget.made(std::move(text)));
}

/// Of one character, for isalpha and its kin.
bool is_of_class(std::string_view name, char32_t c)
{
    if (name == "isspace") {
        return is_white_space(c) || (c >= 0x1C && c <= 0x1F);
    }
    if (name == "isnumeric" || name == "isdecimal") {
        return is_numeric(c);
    }
    return is_letter(c) || (name == "isalnum" && is_numeric(c));
}

Value is_all(const Call& call)
{
    const std::string text = call.text();
    call.library.budget.spend(text.size() / 16);
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = code_point_at(text, at);
        if (!is_of_class(call.name, c.value)) {
            return Value::boolean(false);
        }
        at += c.length;
    }
    return Value::boolean(!text.empty());
}

Value is_cased(const Call& call)
{
    const std::string text = call.text();
    const std::string lower = lower_case(text);
    const std::string upper = upper_case(text);
    return Value::boolean(lower != upper && text == (call.name == "islower" ? lower : upper));
}

Value folded(const Call& call)
{
    return Value::text(lower_case(call.text()));
}

Value swapped_case(const Call& call)
{
    const std::string text = call.text();
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view character = std::string_view(text).substr(at, code_point_at(text, at).length);
        const std::string upper = upper_case(character);
        out += upper == character ? lower_case(character) : upper;
        at += character.size();
    }
    return Value::text(call.library.budget.made(std::move(out)));
}

Value words_in(const Call& call)
{
    const std::string text = call.text();
    std::int64_t count = 0;
    bool inside = false;
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = code_point_at(text, at);
        count += is_word(c.value) && !inside ? 1 : 0;
        inside = is_word(c.value);
        at += c.length;
    }
    return Value::integer(count);
}

Value formatted(const Call& call)
{
    return Value::text(printf_text(call.library, call.text(), call.arguments.placed));
}

constexpr Named<Value> kMethods[] = {
    {"casefold", folded},   {"center", padded},         {"index", needed_place},     {"isalnum", is_all},      {"isalpha", is_all},
    {"isdecimal", is_all},  {"islower", is_cased},      {"isnumeric", is_all},       {"isspace", is_all},      {"isupper", is_cased},
    {"ljust", padded},      {"partition", parted},      {"rfind", place_from_right}, {"rindex", needed_place}, {"rjust", padded},
    {"rpartition", parted}, {"swapcase", swapped_case}, {"zfill", with_zeros},
};

constexpr Named<Value> kFilters[] = {
    {"center", padded},
    {"format", formatted},
    {"wordcount", words_in},
};

/// One "%..." of a format: what stands between the sign and the letter.
struct Directive {
    std::string flags;
    int width = 0;
    int precision = -1;
};

std::string printed(const Library& library, const Directive& directive, char letter, const Value& value)
{
    const bool left = directive.flags.find('-') != std::string::npos;
    std::string text;
    if (letter == 's' || letter == 'r') {
        letter == 's' ? static_cast<void>(text = library.text_of(value)) : append_text(text, value, true, Budget::kMostText);
        if (directive.precision >= 0) {
            std::size_t end = 0;
            for (int i = 0; i < directive.precision && end < text.size(); ++i) {
                end += code_point_at(text, end).length;
            }
            text.resize(end);
        }
        const std::int64_t missing = std::max<std::int64_t>(0, directive.width - length_of(library, text));
        text.insert(left ? text.size() : 0, static_cast<std::size_t>(missing), ' ');
        return text;
    }
    if (!value.number()) {
        throw Problem("a format asks for a number where " + value.kind() + " was given", 0);
    }
    const bool whole = letter == 'd' || letter == 'i' || letter == 'x' || letter == 'X' || letter == 'o';
    std::string form(1, '%');
    form.append(directive.flags).append(std::to_string(directive.width));
    if (directive.precision >= 0) {
        form.append(1, '.').append(std::to_string(std::min(directive.precision, 100)));
    }
    form.append(whole ? "ll" : "").append(1, letter == 'i' ? 'd' : letter);
    std::array<char, 2048> buffer{};
    // The form is made here from checked parts only.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    const int size =
        whole ? std::snprintf(buffer.data(), buffer.size(), form.c_str(),
                              static_cast<long long>(value.integer().value_or(static_cast<std::int64_t>(std::clamp(*value.number(), -9e18, 9e18)))))
              : std::snprintf(buffer.data(), buffer.size(), form.c_str(), *value.number());
#pragma GCC diagnostic pop
    return std::string(buffer.data(), static_cast<std::size_t>(std::clamp<int>(size, 0, static_cast<int>(buffer.size()) - 1)));
}

} // namespace

std::string printf_text(const Library& library, std::string_view form, const List& values)
{
    std::string out;
    std::size_t next = 0;
    for (std::size_t at = 0; at < form.size();) {
        if (form[at] != '%') {
            out += form[at++];
            continue;
        }
        Directive directive;
        const auto number = [&] {
            int value = 0;
            while (at < form.size() && form[at] >= '0' && form[at] <= '9') {
                value = std::min(value * 10 + (form[at++] - '0'), 1000);
            }
            return value;
        };
        for (++at; at < form.size() && std::string_view("-+ 0#").find(form[at]) != std::string_view::npos && directive.flags.size() < 5; ++at) {
            directive.flags += form[at];
        }
        directive.width = number();
        if (at < form.size() && form[at] == '.') {
            ++at;
            directive.precision = number();
        }
        const char letter = at < form.size() ? form[at++] : '\0';
        if (letter == '%') {
            out += '%';
            continue;
        }
        if (letter == '\0' || std::string_view("srdixXofFeEgG").find(letter) == std::string_view::npos || next >= values.size()) {
            throw Problem("the format " + quoted(form) + " cannot be filled from " + std::to_string(values.size()) + " values", 0);
        }
        out += printed(library, directive, letter, values[next++]);
    }
    if (next < values.size()) {
        throw Problem("the format " + quoted(form) + " has no place for all of " + std::to_string(values.size()) + " values", 0);
    }
    return library.budget.made(std::move(out));
}

std::span<const Named<Value>> layout_methods()
{
    return kMethods;
}

std::span<const Named<Value>> layout_filters()
{
    return kFilters;
}

} // namespace retort::jinja
