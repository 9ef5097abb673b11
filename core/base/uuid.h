#pragma once
#include <string>

namespace retort {

/// A fresh name for something that has to be told from all others on all machines: version 4 of RFC 9562, "f81d4fae-7dec-41d0-8765-00a0c91e6bf6".
[[nodiscard]] std::string new_uuid();

} // namespace retort
