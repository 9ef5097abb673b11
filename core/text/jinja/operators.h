#pragma once
#include "core/text/jinja/library.h"

namespace retort::jinja {

// What operators do to values that are known, as in Python. `line` is the node's, for what cannot be done.

[[nodiscard]] Value negated(const Value& value, int line);
/// By + - * / // % **
[[nodiscard]] Value combined(const std::string& op, const Value& a, const Value& b, Budget& budget, int line);
/// By == != < <= > >=, `in` and `not in`.
[[nodiscard]] bool holds(const std::string& op, const Value& a, const Value& b, const Library& library);
/// value[key]
[[nodiscard]] Value item_of(const Value& value, const Value& key, const Library& library);
/// value[begin:end:step] of a list or string; step is not 0.
[[nodiscard]] Value slice_of(const Value& value, std::optional<std::int64_t> begin, std::optional<std::int64_t> end, std::int64_t step,
                             const Library& library);

} // namespace retort::jinja
