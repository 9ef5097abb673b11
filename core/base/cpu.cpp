#include "core/base/cpu.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <malloc.h>
#include <sched.h>
#include <sstream>
#include <string_view>

namespace retort {

void keep_freed_memory()
{
    // M_MMAP_THRESHOLD above what malloc would ever map, so that freed blocks stay in the heap; trim late; grow in large steps.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 2'000'000'000);
    mallopt(M_TOP_PAD, 256 << 20);
}

int usable_processors()
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return 1;
    }
    return std::max(1, CPU_COUNT(&set));
}

CpuDescription describe_cpu()
{
    CpuDescription description;
    description.processors = usable_processors();
    std::ifstream info("/proc/cpuinfo");
    std::string line;
    while (std::getline(info, line)) {
        const auto colon = line.find(':');
        if (colon == std::string::npos || colon + 2 > line.size()) {
            continue;
        }
        const std::string_view value = std::string_view(line).substr(colon + 2);
        if (line.starts_with("model name") && description.model.empty()) {
            description.model = value;
        } else if (line.starts_with("flags")) {
            constexpr std::array<std::string_view, 7> kDecisive = {"avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8"};
            std::istringstream words{std::string(value)};
            std::vector<std::string> flags{std::istream_iterator<std::string>(words), {}};
            for (const std::string_view flag : kDecisive) {
                if (std::ranges::find(flags, flag) != flags.end()) {
                    description.instructions.emplace_back(flag);
                }
            }
            break; // the other processors say the same
        }
    }
    return description;
}

} // namespace retort
