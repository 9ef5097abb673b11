// score_bench BASE.gguf MODEL.gguf TEXT.txt [rounds]: the whole job, files to table, against llama-perplexity's two passes (RETORT_LLAMA_PERPLEXITY
// names it), which keep the base's log-probabilities in a file in between. Prints the divergence that each finds, since a fast wrong number is none.
#include "tests/bench/net_bench.h"

#include "core/base/files.h"
#include "core/kernels/team.h"
#include "core/measure/logits_file.h"
#include "core/measure/score_table.h"

#include <filesystem>

using namespace retort;

namespace {

constexpr std::int64_t kContext = 512;

template <class T>
T need(Result<T> result)
{
    if (!result) {
        std::fprintf(stderr, "%s\n", result.error().message.c_str());
        std::exit(1);
    }
    return *std::move(result);
}

ScoreTable score_once(const std::string& base_file, const std::string& model_file, const std::string& text)
{
    const Model base = need(load_model(base_file));
    const Model model = need(load_model(model_file));
    const auto base_net = need(Net::create(base));
    const auto net = need(Net::create(model));
    const ScoringText cut = need(cut_for_scoring(base, text, kContext));
    const auto vocabulary = static_cast<std::int64_t>(base.tokenizer().size());
    return need(table_of(need(score_text(cut, *rows_of(*base_net, "base"), *rows_of(*net, "model"), vocabulary))));
}

/// By the peer's own file: the same arithmetic on the base's side.
ScoreTable score_against(const std::string& logits, const std::string& model_file)
{
    const Model model = need(load_model(model_file));
    const auto net = need(Net::create(model));
    LogitsFile base = need(LogitsFile::open(logits));
    const ScoringText text = need(base.text(beginning_of_texts(model)));
    return need(table_of(need(score_text(text, base, *rows_of(*net, "model"), base.vocabulary()))));
}

/// What llama-perplexity prints behind `name`; nothing when it does not run.
std::optional<double> peer_pass(const std::string& model, const std::string& text, const std::string& logits, bool second)
{
    const char* program = std::getenv("RETORT_LLAMA_PERPLEXITY");
    if (program == nullptr) {
        return std::nullopt;
    }
    std::string command = "'";
    command.append(program).append("' -m '").append(model).append("' -f '").append(text).append("' -c 512 -b 512 -t ");
    command.append(std::to_string(team_size())).append(" --kl-divergence-base '").append(logits).append(second ? "' --kl-divergence 2>&1" : "' 2>&1");
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    double found = 0.0;
    char line[4096];
    while (pipe && std::fgets(line, sizeof line, pipe.get()) != nullptr) {
        std::sscanf(line, "Mean    KLD: %lf", &found);
    }
    return found;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc < 4) {
        std::fprintf(stderr, "score_bench BASE.gguf MODEL.gguf TEXT.txt [rounds]; RETORT_LLAMA_PERPLEXITY names llama-perplexity to compare with\n");
        return 2;
    }
    const std::string text = need(read_text_file(argv[3], 64 << 20));
    const std::string logits = (std::filesystem::temp_directory_path() / "score_bench.logits").string();
    for (int round = 0; round < (argc > 4 ? std::atoi(argv[4]) : 3); ++round) {
        ScoreTable table;
        const double own = seconds_of([&] { table = score_once(argv[1], argv[2], text); });
        std::printf("retort: %.1f s for %lld positions of both models, mean KLD %.6f\n", own, static_cast<long long>(table.positions),
                    table.kld.value);
        std::optional<double> found;
        const double peer = seconds_of([&] {
            if (peer_pass(argv[1], argv[3], logits, false)) {
                found = peer_pass(argv[2], argv[3], logits, true);
            }
        });
        if (found) {
            std::printf("llama-perplexity: %.1f s in two passes, mean KLD %.6f; retort is %.2f times as fast\n", peer, *found, peer / own);
            std::printf("retort from the peer's file: mean KLD %.6f\n", score_against(logits, argv[2]).kld.value);
        }
        std::fflush(stdout);
    }
    std::filesystem::remove(logits);
    return 0;
}
