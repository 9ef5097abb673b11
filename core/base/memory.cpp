#include "core/base/memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <sys/resource.h>

namespace retort {

namespace {

/// The number of KiB on the line of /proc/FILE that starts with `key`, in bytes.
std::uint64_t proc_value(const char* file, std::string_view key)
{
    std::ifstream in(file);
    std::string word;
    while (in >> word) {
        if (word == key) {
            std::uint64_t kib = 0;
            in >> kib;
            return kib * 1024;
        }
        in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    }
    return 0;
}

/// Bytes still allowed by a version 2 cgroup; the largest number where there is no limit.
std::uint64_t cgroup_headroom()
{
    std::ifstream max_file("/sys/fs/cgroup/memory.max");
    std::ifstream current_file("/sys/fs/cgroup/memory.current");
    std::uint64_t max = 0;
    std::uint64_t current = 0;
    if (max_file >> max && current_file >> current) { // "max" (no limit) fails to parse
        return max > current ? max - current : 0;
    }
    return std::numeric_limits<std::uint64_t>::max();
}

} // namespace

std::uint64_t available_memory()
{
    return std::min(proc_value("/proc/meminfo", "MemAvailable:"), cgroup_headroom());
}

std::uint64_t total_memory()
{
    return proc_value("/proc/meminfo", "MemTotal:");
}

std::uint64_t resident_memory()
{
    return proc_value("/proc/self/status", "VmRSS:");
}

std::uint64_t peak_resident_memory()
{
    struct rusage usage {};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

} // namespace retort
