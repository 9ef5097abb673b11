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
    std::int64_t opened_at = 0;                  ///< when it was last the one looked at; 0: never
    bool in_bin = false;
    bool has_interrupted_run = false;
};

struct StoredModel {
    RowId id = 0;
    std::string name, path; ///< as they were when it took the role; the file may have moved since
    std::string identity;   ///< the hash of the weights' file, or a text of its own for a model that lived in memory only
    std::string format, sha256, tokenizer_fingerprint, dtype, family, config_json, licence, derived_from;
    std::uint64_t parameters = 0, file_bytes = 0;
};

struct StoredToken {
    TokenId id = 0;
    std::string bytes;
    float log_probability = 0, entropy = 0;
    std::int64_t rank = 0;
};

/// Who gave an answer: a model that has a row, or a student in training, told by its run and the steps it had done.
struct Author {
    RowId model = 0;
    std::string name{}; ///< as it was called then; empty: the model's
    RowId run = 0;
    std::int64_t step = 0; ///< of the run
};

/// An answer as it was given, found again.
struct StoredResponse {
    RowId id = 0, model_id = 0;           ///< model 0: a student in training
    std::string role;                     ///< "teacher", "student", ...
    std::string model_name, model_sha256; ///< of who gave it; the hash is empty for a model that lived in memory only
    std::string model_identity;           ///< see StoredModel
    RowId run = 0;                        ///< of a student in training
    std::int64_t run_step = 0;
    std::string text, finish;
    std::string params_json;
    std::uint64_t seed = 0;
    std::int64_t prompt_tokens = 0;
    double first_token_ms = 0, generation_ms = 0;
    std::vector<StoredToken> tokens;
};

/// Whose numbers a comparison or a snapshot holds, and the vocabulary that its ids are of.
struct Compared {
    std::string teacher{}, student{}; ///< identities, see StoredModel; empty: unknown
    std::string tokenizer{};          ///< fingerprint, for ModelTable::pieces(); empty: unknown
};

/// Both models on one text, kept so that the tints, the strip and the bars can be drawn again without the models.
struct StoredComparison {
    RowId id = 0;
    RowId response_id = 0;
    std::string text_of; ///< "teacher" or "student": whose answer both models read
    Comparison comparison;
    Compared of{};
};

/// Where somebody looked at both exact distributions; ExchangeTable::snapshot() reads them.
struct SnapshotPlace {
    std::string text_of;
    std::int64_t position = 0;
    friend bool operator==(const SnapshotPlace&, const SnapshotPlace&) = default;
};

struct StoredSnapshot {
    std::string text_of;
    DistributionSnapshot snapshot;
    Compared of{};
};

/// An exchange in a list: what was asked, and whom.
struct ExchangeHead {
    RowId id = 0;
    std::vector<ChatMessage> messages;
    std::int64_t created_at = 0;
    std::vector<std::string> answered_by; ///< names, in the order they answered
};

/// An exchange whole, but for the snapshots' contents.
struct StoredPrompt {
    RowId id = 0;
    std::vector<ChatMessage> messages;
    std::string rendered;
    std::vector<TokenId> ids;
    std::int64_t created_at = 0;
    std::vector<StoredResponse> responses;
    std::vector<StoredComparison> comparisons;
    std::vector<SnapshotPlace> snapshots;
    std::vector<std::string> notes; ///< what was left out because its checksum no longer fits, a sentence each
};

/// A run; in a SessionContent without its curves (metrics, evaluations, probes), which RunTable::read() brings.
struct StoredRun {
    RowId id = 0;
    std::string uuid, name;
    std::string state; ///< queued running paused finished stopped failed interrupted
    std::string plan_json;
    RowId teacher_model = 0, student_model = 0;
    std::int64_t last_step = 0, total_steps = 0, active_ms = 0, started_at = 0, ended_at = 0;
    std::string error_text;        ///< why it failed; empty otherwise
    std::int64_t next_segment = 1; ///< for a resume: no segment has been begun under it
    bool discarded = false;        ///< its student is not wanted; its checkpoints may be removed
    std::string checkpoint_folder; ///< holds its checkpoints; empty before the first when nobody said
    std::vector<CheckpointNote> checkpoints;
    std::vector<MetricPoint> metrics; ///< without what a resume gave up
    bool thinned = false;             ///< metrics are an overview with the extremes of the loss, not every point
    std::vector<EvaluationPoint> evaluations;
    std::vector<ProbeSample> probes;
};

/// A run that begins.
struct NewRun {
    DistilPlan plan;
    RowId teacher_model = 0, student_model = 0; ///< 0: no row, as with a fresh student
    std::string uuid{}, name{};                 ///< as its checkpoints carry them; empty: made here
    std::string checkpoint_folder{};
};

/// A run that a library holds already, to be resumed.
struct EarlierRun {
    RowId run = 0;
    std::int64_t next_segment = 1; ///< for RunRequest: its points keep clear of those that came after the checkpoint
    std::int64_t step = 0;         ///< that the checkpoint was written after
    std::string uuid{}, name{};
};

/// A session as it is opened: everything that lists show; what is long is read when it is asked for.
struct SessionContent {
    SessionSummary summary;
    std::string view_state_json; ///< the window's own
    std::optional<StoredModel> teacher, student;
    std::vector<ExchangeHead> prompts; ///< oldest first
    std::vector<StoredRun> runs;       ///< oldest first
};

/// A measure, a copy, a harvest, a verdict: whatever is kept under a kind, with a file or without.
struct Artifact {
    RowId id = 0, session = 0, run = 0, model = 0; ///< run and model: 0 for none
    std::string kind, path, sha256, json;
    std::int64_t created_at = 0;
};

/// A place where all words of a search stand.
struct SearchHit {
    RowId session = 0;
    std::string session_title;
    RowId prompt = 0;                                       ///< 0: it is the title
    std::string role;                                       ///< of who answered; empty: the prompt itself, or the title
    std::string snippet;                                    ///< some words around
    std::vector<std::pair<std::size_t, std::size_t>> words; ///< offset and length of the found words in the snippet, bytes
};

/// A folder of checkpoints beside the library, or where a run of it says.
struct CheckpointFolder {
    std::string folder;
    std::uint64_t bytes = 0;
    RowId run = 0, session = 0; ///< 0: no run of this library has it
    std::string run_name{};
    bool wanted = false;    ///< its run is there and was not discarded
    bool removable = false; ///< not wanted, and in the library's own folder of checkpoints
};

} // namespace retort
