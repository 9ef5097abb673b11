#pragma once
#include "core/base/error.h"
#include "core/distil/participants.h"
#include "core/distil/run.h"
#include "core/model/model.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace retort {

/// Everything of a run that its weights and moments do not say. The data's place follows from `step`, because a batch is a function of its number.
struct TrainingState {
    std::int64_t step = 0; ///< steps done
    std::int64_t segment = 0;
    std::int64_t tokens = 0;
    double active_ms = 0;
    double smoothed_loss = 0; ///< for the plateau rule
    double best_loss = 0;
    std::int64_t best_step = 0;
    std::string precision;      ///< "fp32" or "bf16", as decided at the start
    std::string plan_sha256;    ///< of to_json(plan)
    std::string teacher_sha256; ///< empty for a teacher in memory
    std::string model_sha256;   ///< of the checkpoint's weights file, and of its moments; filled by writing
    std::string moments_sha256;
};

/// Writes parent/step-NNNNNN: a Hugging Face folder of the student as it is (so that a checkpoint can be loaded and talked to), with plan.json,
/// training.safetensors (exp_avg, exp_avg_sq, flat) and training.json beside it. The folder appears whole or not at all.
[[nodiscard]] Result<CheckpointNote> write_checkpoint(const std::filesystem::path& parent, const Model& student, const SaveOptions& files,
                                                      const DistilPlan& plan, Student& training, TrainingState state);

[[nodiscard]] Result<TrainingState> read_training_state(const std::filesystem::path& folder);

/// Takes parameters and moments over from such a folder. Hashes are checked first: a damaged checkpoint is refused by name.
[[nodiscard]] Result<void> restore(const std::filesystem::path& folder, const TrainingState& state, Student& training);

/// Removes the oldest checkpoints of `parent` but `keep`, and what an interrupted write left.
void prune_checkpoints(const std::filesystem::path& parent, std::int64_t keep);

} // namespace retort
