#pragma once
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

namespace retort {

/// What llama-bench is asked to do.
struct LlamaBench {
    int prompt_tokens = 0;
    int generated_tokens = 0;
    int depth = 0;                ///< tokens in the cache before
    bool flash_attention = false; ///< its -fa
};

/// Tokens per second that llama.cpp's llama-bench measures for a file: the program named by RETORT_LLAMA_BENCH, the mean of three repetitions after
/// its own warm-up. Empty when the variable is not set or the program says nothing that can be read.
inline std::optional<double> llama_bench(const std::string& gguf, const LlamaBench& work, int threads)
{
    const char* program = std::getenv("RETORT_LLAMA_BENCH");
    if (program == nullptr) {
        return std::nullopt;
    }
    char settings[96];
    std::snprintf(settings, sizeof settings, "-p %d -n %d -d %d -fa %d -t %d -r 3 -o csv", work.prompt_tokens, work.generated_tokens, work.depth,
                  work.flash_attention ? 1 : 0, threads);
    std::string command = "'";
    command.append(program).append("' -m '").append(gguf).append("' ").append(settings).append(" 2>/dev/null");
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    if (!pipe) {
        return std::nullopt;
    }
    std::string text;
    char piece[4096];
    while (std::fgets(piece, sizeof piece, pipe.get()) != nullptr) {
        text += piece;
    }
    // The second line holds the values, each in quotation marks; the last but one is avg_ts.
    while (!text.empty() && text.back() == '\n') {
        text.pop_back();
    }
    const auto last = text.rfind(",\"");
    const auto before = last == std::string::npos ? last : text.rfind(",\"", last - 1);
    if (before == std::string::npos) {
        return std::nullopt;
    }
    return std::atof(text.c_str() + before + 2);
}

/// The faster of its two kinds of attention.
inline std::optional<double> better_llama_bench(const std::string& gguf, LlamaBench work, int threads)
{
    const auto plain = llama_bench(gguf, work, threads);
    work.flash_attention = true;
    const auto flash = llama_bench(gguf, work, threads);
    return std::max(plain, flash);
}

} // namespace retort
