#include "core/text/jinja/text_functions.h"

#include "core/text/unicode.h"

#include <algorithm>

namespace retort::jinja {

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

std::string joined(const Library& library, const List& items, std::string_view separator)
{
    std::string out;
    for (std::size_t i = 0; i < items.size(); ++i) {
        out.append(i == 0 ? std::string_view() : separator);
        out += library.text_of(items[i]);
        if (out.size() > Budget::kMostText) {
            break;
        }
    }
    return library.budget.made(std::move(out));
}

std::int64_t length_of(const Library& library, std::string_view text)
{
    library.budget.spend(text.size() / 64);
    return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
}

} // namespace retort::jinja
