// decode_bench FILE.gguf [rounds]: 64 tokens generated one by one from an empty context, as llama-bench's tg64.
#include "tests/bench/net_bench.h"

#include "core/kernels/team.h"

using namespace retort;

int main(int argc, char** argv)
{
    if (argc < 2) {
        std::fprintf(stderr, "decode_bench FILE.gguf [rounds]; RETORT_LLAMA_BENCH names llama-bench to compare with\n");
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
    std::vector<float> logits;
    compare_rounds(argv[1], argc > 2 ? std::atoi(argv[2]) : 5, 0, kTokens, team_size(), [&] {
        double seconds = 0.0;
        for (int repetition = -1; repetition < kRepetitions; ++repetition) { // the first warms up
            const auto cache = (*net)->new_cache();
            const double taken = seconds_of([&] {
                for (TokenId i = 0; i < kTokens; ++i) {
                    const TokenId id[] = {100 + i * 7};
                    if (!(*net)->forward(*cache, id, Net::Rows::Last, logits)) {
                        std::abort();
                    }
                }
            });
            seconds += repetition < 0 ? 0.0 : taken;
        }
        return kRepetitions * kTokens / seconds;
    });
    return 0;
}
