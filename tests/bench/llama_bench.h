#pragma once
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

namespace retort {

/// Tokens per second that llama.cpp's llama-bench measures for a file: the program named by RETORT_LLAMA_BENCH, the mean of three repetitions after
/// its own warm-up. Empty when the variable is not set or the program says nothing that can be read.
inline std::optional<double> llama_bench(const std::string& gguf, int prompt_tokens, int generated_tokens, int threads)
{
    const char* program = std::getenv("RETORT_LLAMA_BENCH");
    if (program == nullptr) {
        return std::nullopt;
    }
    char settings[64];
    std::snprintf(settings, sizeof settings, "-p %d -n %d -t %d -r 3 -o csv", prompt_tokens, generated_tokens, threads);
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

} // namespace retort
