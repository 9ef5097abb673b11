#pragma once
#include <cstdint>

namespace retort {

/// What the system says could be had without swapping (MemAvailable), in bytes, further limited by the process's cgroup; 0 when unknown.
[[nodiscard]] std::uint64_t available_memory();

/// All of the machine's memory, in bytes.
[[nodiscard]] std::uint64_t total_memory();

/// What this process holds in memory now, and the most it ever held, in bytes.
[[nodiscard]] std::uint64_t resident_memory();
[[nodiscard]] std::uint64_t peak_resident_memory();

} // namespace retort
