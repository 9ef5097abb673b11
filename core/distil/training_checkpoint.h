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
    std::string run;       ///< the uuid of the run that wrote it; empty in checkpoints of 0.1.0
    std::int64_t step = 0; ///< steps done
    std::int64_t segment = 0;
    std::int64_t tokens = 0;
    double active_ms = 0;
    double smoothed_loss = 0; ///< for the plateau rule
    double best_loss = 0;
    std::int64_t best_step = 0;
    std::string precision;      ///< "fp32" or "bf16", as decided at the start
    std::string plan_sha256;    ///< plan_identity()
    std::string teacher_sha256; ///< empty for a teacher in memory
    std::string model_sha256;   ///< of the checkpoint's weights file, and of its moments; filled by writing
    std::string moments_sha256;
};

/// Writes parent/step-NNNNNN (step-NNNNNN-2 and so on where another run's checkpoint has that name): a Hugging Face folder of the student as it is
/// (so that a checkpoint can be loaded and talked to), with plan.json, training.safetensors (both moments of each weight, by its name) and
/// training.json beside it. The folder appears whole or not at all.
[[nodiscard]] Result<CheckpointNote> write_checkpoint(const std::filesystem::path& parent, const Model& student, const SaveOptions& files,
                                                      const DistilPlan& plan, Student& training, TrainingState state);

[[nodiscard]] Result<TrainingState> read_training_state(const std::filesystem::path& folder);

/// Takes parameters and moments over from such a folder. Hashes are checked first: a damaged checkpoint is refused by name.
[[nodiscard]] Result<void> restore(const std::filesystem::path& folder, const TrainingState& state, Student& training);

/// Removes the checkpoints of run `run` in `parent` that were written first, all but `keep`, and what an interrupted write of it left. What belongs
/// to other runs, or to none that is known, stays.
void prune_checkpoints(const std::filesystem::path& parent, const std::string& run, std::int64_t keep);

/// How many checkpoints in `parent` belong to other runs than `run`.
[[nodiscard]] std::size_t checkpoints_of_others(const std::filesystem::path& parent, const std::string& run);

} // namespace retort
