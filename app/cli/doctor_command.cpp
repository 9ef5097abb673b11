#include "app/cli/commands.h"

#include "core/base/cpu.h"
#include "core/base/memory.h"
#include "core/base/text_format.h"
#include "core/kernels/product_speed.h"
#include "core/kernels/team.h"
#include "core/model/model_spec.h"
#include "core/store/session_store.h"

#include <array>
#include <cmath>
#include <fstream>
#include <memory>
#include <set>
#include <sqlite3.h>

namespace retort::cli {

namespace {

namespace fs = std::filesystem;

/// The files this process has loaded whose names begin with one of those that decide its speed.
std::vector<std::string> loaded_libraries()
{
    constexpr std::array<std::string_view, 8> kTold = {"libtorch", "libc10", "libgomp", "libiomp", "libmkl", "libopenblas", "libblas", "libdnnl"};
    std::set<std::string> files;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        const std::size_t path = line.find('/');
        if (path == std::string::npos) {
            continue;
        }
        const std::string file = line.substr(path);
        const std::string name = fs::path(file).filename();
        if (std::any_of(kTold.begin(), kTold.end(), [&name](std::string_view begin) { return name.starts_with(begin); })) {
            files.insert(file);
        }
    }
    return {files.begin(), files.end()};
}

std::vector<std::string> remedies(const CpuDescription& cpu, const ProductSpeed& speed, const std::vector<std::string>& libraries)
{
    std::vector<std::string> found;
    const auto holds = [&libraries](std::string_view part) {
        return std::count_if(libraries.begin(), libraries.end(), [part](const std::string& file) { return file.find(part) != std::string::npos; });
    };
    if (!holds("libtorch_cpu")) {
        found.emplace_back("No libtorch_cpu is loaded. Run ./installer/bootstrap.sh deps and build again.");
    }
    if (holds("libopenblas") && std::getenv("OPENBLAS_CORETYPE") == nullptr) {
        found.emplace_back(
            "This LibTorch computes with OpenBLAS, which may take old kernels on a new processor. Set OPENBLAS_CORETYPE=Haswell (or SkylakeX) "
            "before starting, and compare the speeds below.");
    }
    if (std::find(cpu.instructions.begin(), cpu.instructions.end(), "avx2") == cpu.instructions.end()) {
        found.emplace_back("The processor has no AVX2: everything works, several times slower than on one that has it.");
    }
    if (speed.fp32 > 0 && speed.fp32 / team_size() < 10) {
        found.push_back("fp32 products run at " + std::to_string(static_cast<int>(speed.fp32)) +
                        " GFLOP/s, which is slow. See whether other programs use the processors.");
    }
    if (!fs::exists(resources_folder() / "demo" / "alembic")) {
        found.push_back("The demo models are missing from " + resources_folder().string() +
                        ". Set RETORT_RESOURCES, or make them: retort-make-demo.");
    }
    return found;
}

Result<void> doctor(const Shell& shell)
{
    const CpuDescription cpu = describe_cpu();
    const ProductSpeed speed = measure_product_speed();
    const auto libraries = loaded_libraries();
    const auto warnings = remedies(cpu, speed, libraries);
    const auto rounded = [](double value) { return std::round(value * 10.0) / 10.0; };
    if (shell.json()) {
        shell.print_json(Json{{"version", RETORT_VERSION},
                              {"processor", cpu.model},
                              {"processors", cpu.processors},
                              {"instructions", cpu.instructions},
                              {"threads", team_size()},
                              {"gflops", {{"fp32", rounded(speed.fp32)}, {"bf16", rounded(speed.bf16)}, {"int8", rounded(speed.int8)}}},
                              {"memory", {{"total", total_memory()}, {"available", available_memory()}}},
                              {"libraries", libraries},
                              {"sqlite", std::string(sqlite3_libversion())},
                              {"resources", resources_folder().string()},
                              {"library", default_library_path().string()},
                              {"warnings", warnings}});
        return {};
    }
    std::string instructions;
    for (const std::string& name : cpu.instructions) {
        instructions += " " + name;
    }
    char products[160];
    std::snprintf(products, sizeof products, "fp32 %.0f, bf16 %.0f GFLOP/s, int8 %.0f GOP/s (1024 x 1024 x 1024, %d threads)", speed.fp32, speed.bf16,
                  speed.int8, team_size());
    shell.print("processor    " + cpu.model + ", " + std::to_string(cpu.processors) + " for this process\n");
    shell.print("instructions" + instructions + "\n");
    shell.print(std::string("products     ") + products + "\n");
    shell.print("memory       " + format_bytes(total_memory()) + ", " + format_bytes(available_memory()) + " free\n");
    for (const std::string& file : libraries) {
        shell.print("loaded       " + file + "\n");
    }
    shell.print("sqlite       " + std::string(sqlite3_libversion()) + "\n");
    shell.print("resources    " + resources_folder().string() + "\n");
    shell.print("library      " + default_library_path().string() + "\n");
    for (const std::string& warning : warnings) {
        shell.print("warning      " + warning + "\n");
    }
    shell.print(warnings.empty() ? "All is well.\n" : "");
    return {};
}

} // namespace

void add_doctor(CLI::App& app, Shell& shell)
{
    shell.add_command(app, "doctor", "What this machine and this build are able to do", "retort-cli doctor --json",
                      [](const Shell& s) { return doctor(s); });
}

} // namespace retort::cli
