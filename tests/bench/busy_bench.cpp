// busy_bench [rounds] [other retort-cli]: 60 steps of the demo by retort-cli distil, alone and beside three programs that turn in a loop, in turns;
// how many times as long they take beside them. With another retort-cli (an older one), that one takes turns too, and the ratios between both are
// told: times drift with whatever else the machine does, so what counts is the median of ratios of neighbours. Sets nothing in the environment.
#include "tests/bench/net_bench.h"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace retort;

namespace {

constexpr int kSteps = 60;
constexpr int kOthers = 3;

/// Programs that turn in a loop, for as long as this lives.
class BusyPrograms {
public:
    explicit BusyPrograms(int count)
    {
        for (int i = 0; i < count; ++i) {
            m_programs.push_back(fork());
            if (m_programs.back() == 0) {
                for (volatile unsigned turns = 0;;) {
                    turns = turns + 1;
                }
            }
        }
    }
    ~BusyPrograms()
    {
        for (const pid_t program : m_programs) {
            kill(program, SIGKILL);
            waitpid(program, nullptr, 0);
        }
    }
    BusyPrograms(const BusyPrograms&) = delete;
    BusyPrograms& operator=(const BusyPrograms&) = delete;

private:
    std::vector<pid_t> m_programs;
};

double seconds_of_a_run(const std::string& retort_cli, const std::string& plan)
{
    return seconds_of([&] {
        const pid_t run = fork();
        if (run == 0) {
            const int nowhere = open("/dev/null", O_WRONLY);
            dup2(nowhere, STDOUT_FILENO);
            execl(retort_cli.c_str(), "retort-cli", "distil", plan.c_str(), "--quiet", nullptr);
            std::perror(retort_cli.c_str());
            _exit(127);
        }
        int status = 0;
        waitpid(run, &status, 0);
        if (status != 0) {
            std::fprintf(stderr, "%s distil %s ended with status %d\n", retort_cli.c_str(), plan.c_str(), status);
            std::exit(1);
        }
    });
}

/// What one retort-cli took, round by round.
struct Times {
    std::string name;
    std::string program;
    std::vector<double> alone;
    std::vector<double> beside;

    void take_turn(const std::string& plan)
    {
        alone.push_back(seconds_of_a_run(program, plan));
        const BusyPrograms others(kOthers);
        beside.push_back(seconds_of_a_run(program, plan));
        std::printf("  %-6s alone %6.2f s, beside %d busy programs %6.2f s, %.2f times as long\n", name.c_str(), alone.back(), kOthers, beside.back(),
                    beside.back() / alone.back());
        std::fflush(stdout);
    }
};

double median_ratio(const std::vector<double>& above, const std::vector<double>& below)
{
    std::vector<double> ratios;
    for (std::size_t i = 0; i < above.size(); ++i) {
        ratios.push_back(above[i] / below[i]);
    }
    return median(ratios);
}

} // namespace

int main(int argc, char** argv)
{
    const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 3;
    const auto folder = std::filesystem::temp_directory_path() / ("busy_bench." + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    const std::string plan = folder / "plan.json";
    std::ofstream(plan) << R"({"teacher": "demo:teacher", "student": {"from": "demo:student"}, "data": {"kind": "world", "seed": 1}, "steps": )"
                        << kSteps << "}\n";
    std::vector<Times> all = {{"this", RETORT_CLI, {}, {}}};
    if (argc > 2) {
        all.push_back({"other", argv[2], {}, {}});
    }
    std::printf("%d steps of the demo on %u processors\n", kSteps, std::thread::hardware_concurrency());
    for (int round = 0; round < rounds; ++round) {
        for (Times& times : all) {
            times.take_turn(plan);
        }
    }
    for (const Times& times : all) {
        std::printf("%-6s alone %.2f s, beside %.2f s; %.2f times as long (medians; of the fastest %.2f)\n", times.name.c_str(), median(times.alone),
                    median(times.beside), median_ratio(times.beside, times.alone), std::ranges::min(times.beside) / std::ranges::min(times.alone));
    }
    if (all.size() > 1) {
        std::printf("other / this: alone %.2f, beside %.2f\n", median_ratio(all[1].alone, all[0].alone), median_ratio(all[1].beside, all[0].beside));
    }
    std::filesystem::remove_all(folder);
    return 0;
}
