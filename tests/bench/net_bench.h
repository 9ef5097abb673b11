#pragma once
#include "core/kernels/team.h"
#include "core/measure/speed.h"
#include "core/model/model.h"
#include "core/model/net.h"
#include "tests/bench/llama_bench.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

namespace retort {

/// Seconds that `work` takes.
inline double seconds_of(const std::function<void()>& work)
{
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The tokens a second of a speed; ends the program where there is none.
inline double tokens_per_second_of(const Result<Speed>& speed)
{
    if (!speed) {
        std::fprintf(stderr, "%s\n", speed.error().message.c_str());
        std::exit(1);
    }
    return speed->tokens_per_s;
}

inline double median(std::vector<double> values)
{
    std::ranges::sort(values);
    return values.empty() ? 0.0 : values[values.size() / 2];
}

/// Alternates Retort and, where RETORT_LLAMA_BENCH names it, llama-bench on the same file, and prints tokens per second and their ratio round by
/// round and as medians: memory bandwidth and clocks drift, so only what was measured side by side is compared.
inline void compare_rounds(const std::string& gguf, int rounds, const LlamaBench& peer_work, const std::function<double()>& retort_tokens_per_second)
{
    std::vector<double> ours;
    std::vector<double> theirs;
    std::vector<double> ratios;
    for (int round = 0; round < rounds; ++round) {
        ours.push_back(retort_tokens_per_second());
        std::printf("round %d: retort %8.1f tokens/s", round + 1, ours.back());
        if (const auto peer = better_llama_bench(gguf, peer_work, team_size())) {
            theirs.push_back(*peer);
            ratios.push_back(ours.back() / *peer);
            std::printf(", llama-bench %8.1f, ratio %.2f", theirs.back(), ratios.back());
        }
        std::printf("\n");
        std::fflush(stdout);
    }
    std::printf("median: retort %.1f tokens/s", median(ours));
    if (!theirs.empty()) {
        std::printf(", llama-bench %.1f, ratio %.2f", median(theirs), median(ratios));
    }
    std::printf("\n");
}

} // namespace retort
