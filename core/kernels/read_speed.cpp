#include "core/kernels/read_speed.h"

#include "core/kernels/aligned_buffer.h"
#include "core/kernels/gemv.h"
#include "core/kernels/team.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace retort {

namespace {

/// A sum of everything, so that everything is read: kDecodeStreams runs of `length` numbers side by side.
std::uint64_t sum_of_streams(const std::uint64_t* numbers, std::size_t length)
{
    std::uint64_t sums[kDecodeStreams][8] = {};
    for (std::size_t i = 0; i < length; i += 8) {
        for (std::size_t stream = 0; stream < kDecodeStreams; ++stream) {
            for (std::size_t lane = 0; lane < 8; ++lane) {
                sums[stream][lane] += numbers[stream * length + i + lane];
            }
        }
    }
    std::uint64_t total = 0;
    for (const auto& lanes : sums) {
        for (const std::uint64_t sum : lanes) {
            total += sum;
        }
    }
    return total;
}

} // namespace

double measure_read_speed(std::size_t bytes)
{
    constexpr int kPasses = 6;
    constexpr std::size_t kChunk = std::size_t{1} << 20;
    constexpr std::size_t kMostChunks = 512; // beyond every cache
    constexpr std::size_t kNumbers = kChunk / sizeof(std::uint64_t);
    const std::size_t chunks = std::clamp<std::size_t>(bytes / kChunk, 1, kMostChunks);
    AlignedBuffer<std::uint64_t> memory(chunks * kNumbers);
    std::fill_n(memory.data(), memory.size(), 1); // pages that were never written are all the same one
    std::atomic<std::uint64_t> total = 0;
    double best = 1e9;
    for (int pass = 0; pass < kPasses; ++pass) {
        const auto begin = std::chrono::steady_clock::now();
        for_chunks(static_cast<std::int64_t>(chunks), [&](std::int64_t chunk, int) {
            total += sum_of_streams(memory.data() + static_cast<std::size_t>(chunk) * kNumbers, kNumbers / kDecodeStreams);
        });
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    return total.load() > 0 ? static_cast<double>(memory.size() * sizeof(std::uint64_t)) / best : 0.0;
}

} // namespace retort
