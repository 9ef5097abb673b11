#pragma once
#include "core/base/error.h"
#include "core/distil/plan.h"

#include <filesystem>
#include <string>
#include <vector>

namespace retort {

/// Where a run reads and writes.
struct RunPlaces {
    std::filesystem::path teacher;     ///< folder or file; empty: in memory
    std::filesystem::path student;     ///< that it goes on from; empty: none
    std::filesystem::path checkpoints; ///< empty: none are written
    std::filesystem::path resume_from; ///< empty: from the start
};

/// A path as the disk knows it: absolute, without links, "." and "..", without a slash at its end. Two spellings of one place are equal.
[[nodiscard]] std::filesystem::path resolved(const std::filesystem::path& path);

/// Whether `inner` is `outer` or lies somewhere in it, however they are spelled.
[[nodiscard]] bool lies_within(const std::filesystem::path& inner, const std::filesystem::path& outer);

/// Refuses a folder of checkpoints that is, or lies in, a model or a checkpoint that the run reads.
[[nodiscard]] Result<void> check_checkpoint_folder(const RunPlaces& places);

/// Whether the student of `plan` may be saved in `out`: not over, in or around anything that the plan reads, not in the checkpoints, and where the
/// folder is there already, only over an earlier student of the same plan.
[[nodiscard]] Result<void> check_output_folder(const std::filesystem::path& out, const DistilPlan& plan, const RunPlaces& places);

} // namespace retort
