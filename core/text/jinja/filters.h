#pragma once
#include "core/text/jinja/call.h"

namespace retort::jinja {

// {{ subject|filter(arguments) }}: Jinja's filters, and a few by the names that Python has for the same.

[[nodiscard]] std::span<const Named<Value>> text_filters();
[[nodiscard]] std::span<const Named<Value>> layout_filters();
[[nodiscard]] std::span<const Named<Value>> layout_methods(); ///< of texts ///< make texts
[[nodiscard]] std::span<const Named<Value>> list_filters();   ///< take lists and dicts apart

} // namespace retort::jinja
