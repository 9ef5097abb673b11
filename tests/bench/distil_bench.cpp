// One distillation step: tokens per second of Retort's own, and of PyTorch's in the same run.
//
//   distil_bench                       the demo shape (6 layers, width 256, 4,096 pieces, 16 x 128), teacher and student alike
//   RETORT_PYTHON=python distil_bench  alternating with distil_peer.py (eager float32, bfloat16 autocast, autocast + torch.compile)
//   RETORT_PEERS=folder distil_bench   also smollm2.gguf teaching a student of every second layer, 4 x 256
//
// Ratios are of medians over rounds that take turns: other work on the machine hits all alike.
#include "core/base/cpu.h"
#include "core/base/memory.h"
#include "core/base/text_format.h"
#include "core/distil/catalogues.h"
#include "core/distil/precision.h"
#include "core/distil/run.h"
#include "core/measure/distil_speed.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace retort {
namespace {

double median(std::vector<double> values)
{
    std::ranges::sort(values);
    return values[values.size() / 2];
}

/// Seconds of one step.
double step_seconds(PracticeRun& run, const std::string& objective = "forward_kl")
{
    const auto begin = std::chrono::steady_clock::now();
    if (const auto tokens = run.step(objective); !tokens) {
        std::fprintf(stderr, "%s\n", tokens.error().message.c_str());
        std::exit(1);
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// distil_peer.py at the other end of two pipes.
class Peer {
public:
    explicit Peer(const char* python)
    {
        int to[2];
        int from[2];
        if (pipe(to) != 0 || pipe(from) != 0) {
            std::exit(1);
        }
        if (fork() == 0) {
            dup2(to[0], STDIN_FILENO);
            dup2(from[1], STDOUT_FILENO);
            close(to[1]);
            close(from[0]);
            execlp(python, python, RETORT_BENCH_FOLDER "/distil_peer.py", nullptr);
            _exit(127);
        }
        close(to[0]);
        close(from[1]);
        m_to = fdopen(to[1], "w");
        m_from = fdopen(from[0], "r");
        line();
    }

    ~Peer()
    {
        std::fclose(m_to);
        std::fclose(m_from);
        wait(nullptr);
    }

    std::vector<double> steps(const std::string& variant, int count)
    {
        std::fprintf(m_to, "%s %d\n", variant.c_str(), count);
        std::fflush(m_to);
        std::istringstream words(line());
        std::vector<double> seconds;
        for (double value = 0; words >> value;) {
            seconds.push_back(value);
        }
        return seconds;
    }

private:
    std::string line()
    {
        char text[4096];
        if (std::fgets(text, sizeof text, m_from) == nullptr) {
            std::fprintf(stderr, "the peer ended\n");
            std::exit(1);
        }
        return text;
    }

    FILE* m_to = nullptr;
    FILE* m_from = nullptr;
};

void compare_demo_shape(const char* python, int rounds)
{
    constexpr int kSteps = 4;
    constexpr double kTokens = 16 * 128;
    const Model teacher = demo_shaped_model(2).value();
    const Model student = demo_shaped_model(1).value();
    PracticeRun exact = PracticeRun::create(teacher, student, TrainableNet::Precision::Fp32, 16, 128).value();
    PracticeRun fast = PracticeRun::create(teacher, student, TrainableNet::Precision::Bf16, 16, 128).value();
    const std::string chosen = name_of(decide_precision("auto"));
    std::optional<Peer> peer;
    std::vector<std::string> variants;
    if (python != nullptr) {
        peer.emplace(python);
        variants = {"eager", "autocast", "compiled"};
    }
    std::map<std::string, std::vector<double>> seconds;
    step_seconds(exact);
    step_seconds(fast);
    for (int round = 0; round < rounds; ++round) {
        for (int i = 0; i < kSteps; ++i) {
            seconds["bf16"].push_back(step_seconds(fast));
        }
        for (const std::string& variant : variants) {
            const std::vector<double> more = peer->steps(variant, kSteps);
            seconds[variant].insert(seconds[variant].end(), more.begin(), more.end());
        }
        for (int i = 0; i < kSteps; ++i) {
            seconds["fp32"].push_back(step_seconds(exact));
        }
    }
    std::printf("demo shape, 6 layers, width 256, 4,096 pieces, 16 x 128; auto takes %s\n", chosen.c_str());
    for (const auto& [name, all] : seconds) {
        std::printf("  %-9s median %7.1f ms, fastest %7.1f ms, %6.0f tokens/s, what auto takes is %.2f times as fast\n", name.c_str(),
                    1e3 * median(all), 1e3 * *std::ranges::min_element(all), kTokens / median(all), median(all) / median(seconds[chosen]));
    }
}

/// What each objective costs beside forward KL, in steps that take turns.
void compare_objectives(int rounds)
{
    PracticeRun run = PracticeRun::create(demo_shaped_model(2).value(), demo_shaped_model(1).value(), TrainableNet::Precision::Fp32, 16, 128).value();
    std::map<std::string, std::vector<double>> seconds;
    step_seconds(run);
    for (int round = 0; round < rounds; ++round) {
        for (const std::string& name : built_in_catalogues().objectives.names()) {
            seconds[name].push_back(step_seconds(run, name));
        }
    }
    std::printf("objectives, the same shape in float32\n");
    for (const auto& [name, all] : seconds) {
        std::printf("  %-18s median %7.1f ms, %.2f times forward KL's\n", name.c_str(), 1e3 * median(all),
                    median(all) / median(seconds["forward_kl"]));
    }
}

void measure_smollm2(const std::string& folder)
{
    const auto teacher = load_model(folder + "/smollm2.gguf");
    if (!teacher) {
        std::printf("smollm2.gguf is skipped: %s\n", teacher.error().message.c_str());
        return;
    }
    DistilPlan plan;
    plan.student.layers = "every 2";
    const Model student = make_student(plan, *teacher, std::nullopt).value();
    const auto precision = decide_precision("auto");
    const auto speed = distil_speed(*teacher, student, precision, 4, 256, 5);
    if (!speed) {
        std::printf("%s\n", speed.error().message.c_str());
        return;
    }
    std::printf("SmolLM2 and its every second layer, %s, 4 x 256: median %.0f tokens/s, %.0f %% of the %s, peak memory %s\n",
                speed->precision.c_str(), speed->tokens_per_s, 100.0 * speed->limit_share.value_or(0.0), speed->limit.c_str(),
                format_bytes(peak_resident_memory()).c_str());
}

} // namespace
} // namespace retort

int main(int count, char** arguments)
{
    retort::keep_freed_memory();
    const retort::CpuDescription cpu = retort::describe_cpu();
    std::printf("%s, %d processors\n", cpu.model.c_str(), cpu.processors);
    const int rounds = count > 1 ? std::max(1, std::atoi(arguments[1])) : 5;
    retort::compare_demo_shape(std::getenv("RETORT_PYTHON"), rounds);
    retort::compare_objectives(rounds);
    std::printf("  peak memory so far %s\n", retort::format_bytes(retort::peak_resident_memory()).c_str());
    if (const char* peers = std::getenv("RETORT_PEERS")) {
        retort::measure_smollm2(peers);
    }
}
