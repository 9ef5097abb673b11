#include "core/model/tensor_rule.h"

#include <charconv>

namespace retort {

namespace {

constexpr std::string_view kWeight = ".weight";
constexpr std::string_view kBias = ".bias";
constexpr std::string_view kNumber = ".N.";

/// The number after `before` and a dot in `name`, and what follows it and another dot.
std::optional<std::pair<std::int64_t, std::string_view>> numbered(std::string_view name, std::string_view before)
{
    if (!name.starts_with(before) || name.size() <= before.size() || name[before.size()] != '.') {
        return std::nullopt;
    }
    name.remove_prefix(before.size() + 1);
    std::int64_t number = 0;
    const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), number);
    const std::string_view rest = name.substr(static_cast<std::size_t>(end - name.data()));
    const bool plain = code == std::errc() && number >= 0 && name.front() >= '0' && name.front() <= '9' && (name.front() != '0' || number == 0);
    return plain && rest.starts_with('.') ? std::optional(std::pair(number, rest.substr(1))) : std::nullopt;
}

} // namespace

std::optional<RecognisedTensor> recognise(std::string_view name, std::span<const TensorRule> rules)
{
    const bool bias = name.ends_with(kBias);
    if (!bias && !name.ends_with(kWeight)) {
        return std::nullopt;
    }
    name.remove_suffix(bias ? kBias.size() : kWeight.size());
    for (const TensorRule& rule : rules) {
        const std::size_t number = rule.name.find(kNumber);
        if (number == std::string_view::npos) {
            if (rule.name == name) {
                return RecognisedTensor{&rule, bias, -1};
            }
        } else if (const auto found = numbered(name, rule.name.substr(0, number));
                   found && found->second == rule.name.substr(number + kNumber.size())) {
            return RecognisedTensor{&rule, bias, found->first};
        }
    }
    return std::nullopt;
}

std::optional<std::int64_t> layer_by_rules(std::string_view name, std::span<const TensorRule> rules)
{
    for (const TensorRule& rule : rules) {
        const std::size_t number = rule.name.find(kNumber);
        if (number != std::string_view::npos) {
            if (const auto found = numbered(name, rule.name.substr(0, number))) {
                return found->first;
            }
        }
    }
    return std::nullopt;
}

std::string tensor_name(const TensorRule& rule, std::int64_t layer, bool bias)
{
    std::string name(rule.name);
    if (const std::size_t number = name.find(kNumber); number != std::string::npos) {
        name.replace(number + 1, 1, std::to_string(layer));
    }
    return name.append(bias ? kBias : kWeight);
}

} // namespace retort
