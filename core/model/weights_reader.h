#pragma once
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/progress.h"
#include "core/base/sha256.h"
#include "core/model/tensor_entry.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace retort {

/// Goes through files from their first byte to their last, in pieces of a few MiB: hands out the tensors' bytes as it meets them and hashes
/// everything, so that a model is read and identified in one pass. One thread.
class WeightsReader {
public:
    /// `total_bytes` of all the files that will be read, for the progress.
    WeightsReader(const Progress& progress, std::uint64_t total_bytes) : m_progress(progress), m_total(total_bytes) {}

    using Take = std::function<void(const TensorEntry& entry, Weight weight)>;
    /// The tensors of `entries` (of a file's header, in any order, all of a known dtype) to take(), each as soon as it is read. Bytes between them
    /// are hashed too.
    [[nodiscard]] Result<void> read(const InputFile& file, std::vector<TensorEntry> entries, const Take& take);

    /// sha256 of the last file read.
    [[nodiscard]] const std::string& last_hash() const { return m_last_hash; }

private:
    [[nodiscard]] Result<void> fill(const InputFile& file, std::uint64_t offset, std::span<std::byte> out, Sha256& hash);
    [[nodiscard]] Result<void> skip(const InputFile& file, std::uint64_t begin, std::uint64_t end, Sha256& hash);
    void count(std::uint64_t bytes);

    const Progress& m_progress;
    std::uint64_t m_total = 0;
    std::uint64_t m_done = 0;
    int m_reported = -1;
    std::string m_last_hash;
};

/// The tensors of one file by name. Refuses what would not fit in the memory that is free, with both numbers, before anything is allocated.
[[nodiscard]] Result<WeightSet> read_weights(const InputFile& file, const std::vector<TensorEntry>& entries, const Progress& progress);

/// A failure when `bytes` are more than the memory that is free; `what` names what they are for.
[[nodiscard]] Result<void> check_memory(std::uint64_t bytes, const std::string& what);

} // namespace retort
