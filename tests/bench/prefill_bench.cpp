// prefill_bench FILE.gguf [rounds] [float32]: 512 tokens at once from an empty context, logits of the last, as llama-bench's pp512. float32: without
// the processor's bf16 and tile instructions, for a peer that was built without them.
#include "tests/bench/net_bench.h"

#include "core/kernels/panel.h"

#include <cstring>

using namespace retort;

int main(int argc, char** argv)
{
    if (argc < 2) {
        std::fprintf(stderr, "prefill_bench FILE.gguf [rounds] [float32]; RETORT_LLAMA_BENCH names llama-bench to compare with\n");
        return 2;
    }
    constexpr int kRepetitions = 3;
    constexpr int kTokens = 512;
    const auto model = load_model(argv[1]);
    const bool float32 = argc > 3 && std::strcmp(argv[3], "float32") == 0;
    const auto net = model ? Net::create(*model, float32 ? Net::Precision::Exact : Net::Precision::Fast) : failure(model.error());
    if (!net) {
        std::fprintf(stderr, "%s\n", net.error().message.c_str());
        return 1;
    }
    std::printf("products in %s\n", std::string(name_of((float32 ? float32_kernels() : fastest_kernels()).arithmetic)).c_str());
    compare_rounds(argv[1], argc > 2 ? std::atoi(argv[2]) : 5, {.prompt_tokens = kTokens}, [&] {
        return tokens_per_second_of(
            prefill_speed(model->info(), **net, float32 ? Net::Precision::Exact : Net::Precision::Fast, kTokens, kRepetitions));
    });
    return 0;
}
