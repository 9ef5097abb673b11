#pragma once
#include "core/base/error.h"

#include <string_view>

namespace retort {

enum class LogLevel { Info, Warning, Failure };

/// One line to standard error, with the time and the level. Any thread. Never given secrets: callers log places and causes, not contents.
void log_line(LogLevel level, std::string_view text);

/// An error's message and, where it has one, its detail.
void log_error(const Error& error);

/// Below this level nothing is written; the command line's --quiet sets it to Failure.
void set_log_level(LogLevel least);

} // namespace retort
