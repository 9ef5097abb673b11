#pragma once
#include <string>
#include <vector>

namespace retort {

/// To be called first thing in main, before any large allocation: glibc gives big blocks back to the system at every free, and training allocates
/// the same sizes each step; without this the page faults cost up to two thirds of a step with a large vocabulary.
void keep_freed_memory();

/// The processors this process may use (affinity respected), at least 1.
[[nodiscard]] int usable_processors();

struct CpuDescription {
    std::string model;                     ///< as the processor names itself
    std::vector<std::string> instructions; ///< of those that decide the speed here: avx2, fma, avx512f, avx512_vnni, avx512_bf16, amx_bf16, amx_int8
    int processors = 1;
};
[[nodiscard]] CpuDescription describe_cpu();

} // namespace retort
