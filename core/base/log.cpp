#include "core/base/log.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <string>

namespace retort {

namespace {
std::atomic<LogLevel> least_level = LogLevel::Info;
}

void set_log_level(LogLevel least)
{
    least_level = least;
}

void log_line(LogLevel level, std::string_view text)
{
    if (level < least_level.load()) {
        return;
    }
    static std::mutex mutex;
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm local{};
    localtime_r(&now, &local);
    char stamp[16];
    std::strftime(stamp, sizeof stamp, "%H:%M:%S", &local);
    const char* name = level == LogLevel::Info ? "info" : level == LogLevel::Warning ? "warning" : "failure";
    const std::lock_guard lock(mutex);
    std::fprintf(stderr, "%s %s: %.*s\n", stamp, name, static_cast<int>(text.size()), text.data());
}

void log_error(const Error& error)
{
    log_line(LogLevel::Failure, error.detail.empty() ? error.message : error.message + "\n" + error.detail);
}

} // namespace retort
