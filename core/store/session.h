#pragma once
#include "core/distil/plan.h"
#include "core/distil/run.h"
#include "core/inference/comparison.h"
#include "core/inference/generator.h"
#include "core/model/model.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace retort {

using RowId = std::int64_t; ///< 0: not stored

/// A line of the Sessions page.
struct SessionSummary {
    RowId id = 0;
    std::string uuid, title;
    std::string teacher, student; ///< names of the latest models in these roles; may be empty
    std::int64_t prompts = 0, runs = 0;
    std::int64_t created_at = 0, updated_at = 0; ///< ms since 1970
    bool in_bin = false;
    bool has_interrupted_run = false;
};

struct StoredModel {
    RowId id = 0;
    std::string name, path, format, sha256, tokenizer_fingerprint, dtype, family, config_json, licence;
    std::uint64_t parameters = 0, file_bytes = 0;
};

struct StoredToken {
    TokenId id = 0;
    std::string bytes;
    float log_probability = 0, entropy = 0;
    std::int64_t rank = 0;
};

/// An answer as it was given, found again.
struct StoredResponse {
    RowId id = 0, model_id = 0;
    std::string role;                     ///< teacher or student
    std::string model_name, model_sha256; ///< of who gave it; the hash is empty for a model that lived in memory only
    std::string text, finish;
    std::string params_json;
    std::uint64_t seed = 0;
    std::int64_t prompt_tokens = 0;
    double first_token_ms = 0, generation_ms = 0;
    std::vector<StoredToken> tokens;
};

/// Both models on one text, kept so that the tints, the strip and the bars can be drawn again without the models.
struct StoredComparison {
    RowId id = 0;
    RowId response_id = 0;
    std::string text_of; ///< "teacher" or "student": whose answer both models read
    Comparison comparison;
};

/// Both exact distributions at a position somebody looked at.
struct StoredSnapshot {
    std::string text_of;
    DistributionSnapshot snapshot;
};

struct StoredPrompt {
    RowId id = 0;
    std::vector<ChatMessage> messages;
    std::string rendered;
    std::vector<TokenId> ids;
    std::int64_t created_at = 0;
    std::vector<StoredResponse> responses;
    std::vector<StoredComparison> comparisons;
    std::vector<StoredSnapshot> snapshots;
};

struct StoredRun {
    RowId id = 0;
    std::string uuid, name;
    std::string state; ///< queued running paused finished stopped failed interrupted
    std::string plan_json;
    RowId teacher_model = 0, student_model = 0;
    std::int64_t last_step = 0, total_steps = 0, active_ms = 0, started_at = 0, ended_at = 0;
    std::string error_text;
    std::vector<MetricPoint> metrics;
    std::vector<EvaluationPoint> evaluations;
    std::vector<ProbeSample> probes;
    std::vector<CheckpointNote> checkpoints;
};

/// A run that a library holds already, to be gone on with.
struct EarlierRun {
    RowId run = 0;
    std::int64_t next_segment = 1; ///< for RunRequest: its points keep clear of those that came after the checkpoint
};

/// A session whole, as the window draws it.
struct SessionContent {
    SessionSummary summary;
    std::string view_state_json; ///< the window's own
    std::optional<StoredModel> teacher, student;
    std::vector<StoredPrompt> prompts;
    std::vector<StoredRun> runs;
    std::vector<std::string> notes; ///< what was left out because its checksum no longer fits, a sentence each
};

} // namespace retort
