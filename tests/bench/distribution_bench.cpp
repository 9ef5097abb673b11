// What one drag of the temperature slider costs at a vocabulary of 49,152 pieces: both log-softmaxes, every divergence, the top ten. Beside it the
// same in NumPy, where RETORT_PYTHON names a Python that has it.

#include "core/inference/distribution.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kPieces = 49'152;
constexpr int kRounds = 40;

std::vector<float> logits(float phase)
{
    std::vector<float> values(kPieces);
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = 5.0f * std::sin(static_cast<float>(i) * 0.013f + phase);
    }
    return values;
}

template <class Work>
double median_ms(Work&& work)
{
    std::vector<double> times;
    for (int i = 0; i < kRounds; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        work(1.0 + 0.05 * i);
        times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

constexpr const char* kNumPy = R"(
import time
import numpy as np
V = 49152
i = np.arange(V, dtype=np.float32)
v, z = (5 * np.sin(i * np.float32(0.013) + np.float32(s)) for s in (0, 1))
def log_softmax(x, t):
    x = x.astype(np.float64) / t
    x -= x.max()
    return x - np.log(np.exp(x).sum())
def drag(t):
    a, b = log_softmax(v, t), log_softmax(z, t)
    p, q = np.exp(a), np.exp(b)
    m = np.log((p + q) / 2)
    sums = (p * (a - b)).sum(), (q * (b - a)).sum(), ((p * (a - m)).sum() + (q * (b - m)).sum()) / 2, np.abs(p - q).sum() / 2, -(p * a).sum(), -(q * b).sum()
    return sums, np.argpartition(-a, 10)[:10], np.argpartition(-b, 10)[:10]
times = []
for r in range(40):
    begin = time.perf_counter()
    drag(1.0 + 0.05 * r)
    times.append((time.perf_counter() - begin) * 1e3)
print(sorted(times)[20])
)";

/// Milliseconds that NumPy took; 0 when there is none to ask.
double numpy_ms()
{
    const char* python = std::getenv("RETORT_PYTHON");
    if (python == nullptr) {
        return 0.0;
    }
    std::string command(1, '\'');
    command.append(python).append("' - <<'END'\n").append(kNumPy).append("END\n");
    std::FILE* pipe = popen(command.c_str(), "r");
    double ms = 0.0;
    if (pipe == nullptr || std::fscanf(pipe, "%lf", &ms) != 1) {
        ms = 0.0;
    }
    if (pipe != nullptr) {
        pclose(pipe);
    }
    return ms;
}

} // namespace

int main()
{
    const auto teacher = logits(0.0f);
    const auto student = logits(1.0f);
    double kept = 0.0; // so that nothing is left out
    const double softmax = median_ms([&](double t) { kept += retort::log_probabilities(teacher, t).front(); });
    const auto a = retort::log_probabilities(teacher);
    const auto b = retort::log_probabilities(student);
    const double divergence = median_ms([&](double) { kept += retort::divergence_between(a, b).kl; });
    const double contributions = median_ms([&](double) { kept += retort::kl_contributions(a, b, 10).front().amount; });
    const double drag = median_ms([&](double t) {
        const auto p = retort::log_probabilities(teacher, t);
        const auto q = retort::log_probabilities(student, t);
        kept += retort::divergence_between(p, q).kl + retort::top_candidates(p, 10).front().probability;
    });
    std::printf("log_probabilities   %.3f ms\n", softmax);
    std::printf("divergence_between  %.3f ms\n", divergence);
    std::printf("kl_contributions    %.3f ms\n", contributions);
    std::printf("one drag, both      %.3f ms\n", drag);
    if (const double numpy = numpy_ms(); numpy > 0.0) {
        std::printf("the same in NumPy   %.3f ms: %.1f times as long\n", numpy, numpy / drag);
    } else {
        std::printf("NumPy was not asked: set RETORT_PYTHON to a Python that has it.\n");
    }
    return std::isfinite(kept) ? 0 : 1;
}
