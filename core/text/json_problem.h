#pragma once
#include <string>
#include <string_view>

namespace retort {

/// Why `text` is not one JSON value, as the end of a sentence that begins with where it stands: "holds NaN at column 12, ..."; empty when it is one.
/// Tells apart what people meet: a line cut off, numbers that Python writes and JSON does not know, half a surrogate pair.
[[nodiscard]] std::string json_problem(std::string_view text);

} // namespace retort
