// decode_bench FILE.gguf [rounds] [--depth N]: 64 tokens generated one by one after N in the cache (none unless told), as llama-bench's tg64 with the
// faster of its two kinds of attention.
#include "tests/bench/net_bench.h"

#include <cstring>

using namespace retort;

int main(int argc, char** argv)
{
    int depth = 0;
    int rounds = 5;
    for (int i = 2; i < argc; ++i) {
        if (std::strcmp(argv[i], "--depth") == 0 && i + 1 < argc) {
            depth = std::atoi(argv[++i]);
        } else {
            rounds = std::atoi(argv[i]);
        }
    }
    if (argc < 2 || rounds < 1 || depth < 0) {
        std::fprintf(stderr, "decode_bench FILE.gguf [rounds] [--depth N]; RETORT_LLAMA_BENCH names llama-bench to compare with\n");
        return 2;
    }
    constexpr int kRepetitions = 3;
    constexpr int kTokens = 64;
    const auto model = load_model(argv[1]);
    const auto net = model ? Net::create(*model) : failure(model.error());
    if (!net) {
        std::fprintf(stderr, "%s\n", net.error().message.c_str());
        return 1;
    }
    compare_rounds(argv[1], rounds, {.generated_tokens = kTokens, .depth = depth},
                   [&] { return tokens_per_second_of(decode_speed(model->info(), **net, kTokens, depth, kRepetitions)); });
    return 0;
}
