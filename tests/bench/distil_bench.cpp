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
#include "core/data/random.h"
#include "core/distil/catalogues.h"
#include "core/distil/run.h"
#include "core/distil/step.h"

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

Batch random_batch(std::uint64_t index, std::int64_t sequences, std::int64_t length, std::int64_t pieces)
{
    Batch batch{sequences, length, {}, {}};
    Random random(1, 0, index);
    for (std::int64_t i = 0; i < sequences * length; ++i) {
        batch.ids.push_back(static_cast<TokenId>(random.below(static_cast<std::uint64_t>(pieces))));
    }
    batch.mask.assign(batch.ids.size(), 1);
    return batch;
}

/// A teacher, a student and the steps they take.
class Lesson {
public:
    Lesson(const Model& teacher, const Model& student, TrainableNet::Precision precision, std::int64_t sequences, std::int64_t length)
        : m_teacher(TrainableNet::create(teacher.spec(), teacher.weights(), "teacher", precision, TrainableNet::Purpose::Teacher).value()),
          m_student(TrainableNet::create(student.spec(), student.weights(), "student", precision, TrainableNet::Purpose::Training).value(), {}),
          m_sequences(sequences), m_length(length), m_pieces(student.spec().vocabulary)
    {
    }

    double step(const std::string& objective = "forward_kl")
    {
        const auto chosen = built_in_catalogues().objective({.name = objective}).value();
        const std::vector<Batch> batches{random_batch(m_steps++, m_sequences, m_length, m_pieces)};
        const auto begin = std::chrono::steady_clock::now();
        const StepReport report =
            distil_step(&m_teacher, m_student, batches, *chosen,
                        {.temperature = 2, .alpha_cross_entropy = 0.3, .clip_norm = 1, .learning_rate = 1e-3, .vocabulary = m_pieces});
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        if (!report.finite) {
            std::fprintf(stderr, "the loss is not finite\n");
            std::exit(1);
        }
        return seconds;
    }

private:
    Teacher m_teacher;
    Student m_student;
    std::int64_t m_sequences, m_length, m_pieces;
    std::uint64_t m_steps = 0;
};

Model fresh_model(std::uint64_t seed)
{
    ModelInfo info;
    info.spec.vocabulary = 4096;
    info.spec.context = 128;
    DistilPlan plan;
    plan.student.fresh = DistilPlan::Student::Fresh{.layers = 6, .width = 256, .heads = 8, .kv_heads = 8, .ffn = 688, .init_seed = seed};
    return make_student(plan, Model(info, std::make_shared<const WeightSet>(), nullptr, nullptr), std::nullopt).value();
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
    const Model teacher = fresh_model(2);
    const Model student = fresh_model(1);
    Lesson exact(teacher, student, TrainableNet::Precision::Fp32, 16, 128);
    Lesson fast(teacher, student, TrainableNet::Precision::Bf16, 16, 128);
    std::optional<Peer> peer;
    std::vector<std::string> variants;
    if (python != nullptr) {
        peer.emplace(python);
        variants = {"eager", "autocast", "compiled"};
    }
    std::map<std::string, std::vector<double>> seconds;
    exact.step();
    fast.step();
    for (int round = 0; round < rounds; ++round) {
        for (int i = 0; i < kSteps; ++i) {
            seconds["bf16"].push_back(fast.step());
        }
        for (const std::string& variant : variants) {
            const std::vector<double> more = peer->steps(variant, kSteps);
            seconds[variant].insert(seconds[variant].end(), more.begin(), more.end());
        }
        seconds["fp32"].push_back(exact.step());
    }
    std::printf("demo shape, 6 layers, width 256, 4,096 pieces, 16 x 128\n");
    for (const auto& [name, all] : seconds) {
        std::printf("  %-9s median %7.1f ms, fastest %7.1f ms, %6.0f tokens/s, retort's bf16 is %.2f times as fast\n", name.c_str(),
                    1e3 * median(all), 1e3 * *std::ranges::min_element(all), kTokens / median(all), median(all) / median(seconds["bf16"]));
    }
}

/// What each objective costs beside forward KL, in steps that take turns.
void compare_objectives(int rounds)
{
    Lesson lesson(fresh_model(2), fresh_model(1), TrainableNet::Precision::Fp32, 16, 128);
    std::map<std::string, std::vector<double>> seconds;
    lesson.step();
    for (int round = 0; round < rounds; ++round) {
        for (const std::string& name : built_in_catalogues().objectives.names()) {
            seconds[name].push_back(lesson.step(name));
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
    Lesson lesson(*teacher, student, TrainableNet::Precision::Bf16, 4, 256);
    lesson.step();
    std::vector<double> seconds;
    for (int i = 0; i < 5; ++i) {
        seconds.push_back(lesson.step());
    }
    std::printf("SmolLM2 and its every second layer, bf16, 4 x 256: median %.0f ms, %.0f tokens/s, peak memory %s\n", 1e3 * median(seconds),
                1024 / median(seconds), format_bytes(peak_resident_memory()).c_str());
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
