#include "core/model/model_card.h"

#include "core/base/text_format.h"

#include <nlohmann/json.hpp>

namespace retort {

namespace {

constexpr std::string_view kFence = "---";

std::string_view take_line(std::string_view& text)
{
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    return line;
}

std::string_view trimmed(std::string_view text)
{
    const std::size_t first = text.find_first_not_of(" \t\"'");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t\"'") - first + 1);
}

/// A double-quoted YAML text is written as a JSON one.
std::string quoted(const std::string& text)
{
    return nlohmann::json(with_valid_utf8(text)).dump();
}

} // namespace

ModelCard parse_model_card(std::string_view readme)
{
    ModelCard card;
    if (take_line(readme) != kFence) {
        return card;
    }
    std::string* list = nullptr; // the key before wants the first item that follows
    while (!readme.empty()) {
        const std::string_view line = take_line(readme);
        if (line == kFence) {
            break;
        }
        if (const std::string_view item = trimmed(line); list != nullptr && item.starts_with("- ")) {
            *list = printable(trimmed(item.substr(2)), 200);
            list = nullptr;
            continue;
        }
        const std::size_t colon = line.find(':');
        const std::string_view key = line.substr(0, std::min(colon, line.size()));
        std::string* const place = key == "license" ? &card.licence : key == "base_model" ? &card.base_model : nullptr;
        list = nullptr;
        if (place != nullptr && colon != std::string_view::npos) {
            *place = printable(trimmed(line.substr(colon + 1)), 200);
            list = place->empty() ? place : nullptr;
        }
    }
    return card;
}

std::string with_front_matter(std::string_view readme, const ModelCard& card)
{
    if (readme.starts_with(std::string(kFence) + "\n")) {
        return std::string(readme);
    }
    std::string text = std::string(kFence) + "\nlibrary_name: transformers\npipeline_tag: text-generation\n";
    if (!card.licence.empty()) {
        text += "license: " + quoted(card.licence) + "\n";
    }
    if (!card.base_model.empty()) {
        text += "base_model: " + quoted(card.base_model) + "\n";
    }
    return text + std::string(kFence) + "\n\n" + std::string(readme);
}

} // namespace retort
