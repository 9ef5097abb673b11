#pragma once
#include "core/base/error.h"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace retort {

struct JsonLimits {
    std::size_t depth = 32;         ///< of nested arrays and objects
    std::size_t values = 1'000'000; ///< of everything, keys not counted
};

/// Parses JSON from a stranger. Stricter than the format's usual readers: a key that comes twice in an object is refused, because two programs would
/// then read two different files. `origin` begins the message.
[[nodiscard]] Result<nlohmann::json> parse_json(std::string_view text, std::string_view origin, JsonLimits limits = {});

/// `text` with the words NaN, Infinity and -Infinity outside strings, which Python writes although JSON has none, turned into null.
[[nodiscard]] std::string without_non_finite(std::string_view text);

} // namespace retort
