#pragma once
#include "core/text/jinja/syntax.h"

namespace retort::jinja {

/// Runs `program` with `globals` and gives its output. Throws Problem.
[[nodiscard]] std::string run(const Block& program, Names globals, std::int64_t now);

/// Throws a Problem with the line of the first filter or test that run() would not know, so that it is refused before a conversation
/// depends on it. What stands inside an `if` is left to run().
void check_names(const Block& program);

} // namespace retort::jinja
