#pragma once
#include "core/base/error.h"
#include "core/distil/run.h"
#include "core/inference/comparison.h"
#include "core/inference/generator.h"
#include "core/model/model.h"
#include "core/store/session.h"
#include "ui/role.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace retort {

/// What stands in a role. Plain values; the GUI thread's.
struct RoleState {
    enum class Phase {
        Empty,      ///< nobody
        Remembered, ///< the session names a model that is not in memory
        Loading,
        Ready,
        Failed,
    };

    Phase phase = Phase::Empty;
    std::string spec{};                      ///< path or "demo:teacher": what was asked for, what Load again would open
    std::optional<ModelInfo> info{};         ///< known from the file's head on, so already while loading
    std::optional<StoredModel> remembered{}; ///< what the session knows of it
    std::optional<MemoryEstimate> estimate{};
    std::string tokenizer_kind{}, tokenizer_fingerprint{}; ///< empty without a tokenizer
    std::size_t tokenizer_size = 0;
    std::string stage{}; ///< while Loading: "Reading tensors"
    double fraction = 0;
    std::optional<Error> error{}; ///< what the latest attempt came to; who stood here before stays, so it may be set while Ready

    [[nodiscard]] bool ready() const { return phase == Phase::Ready; }
    [[nodiscard]] std::string name() const;         ///< empty when Empty
    [[nodiscard]] std::uint64_t parameters() const; ///< 0 when unknown
    [[nodiscard]] std::uint64_t bytes() const;      ///< of the file; 0 when unknown
};

/// What the window may know of a model in memory; safe on any thread.
struct ModelFacts {
    ModelInfo info;
    std::shared_ptr<const Tokenizer> tokenizer; ///< null when the model came without one
};

/// A question to both models.
struct Question {
    std::vector<ChatMessage> messages;
    bool use_chat_template = true; ///< where the model has one; the last message's bare text otherwise
    GenerateSettings settings;     ///< stop tokens are added from each model
};

/// One model's part of an exchange.
struct ExchangeSide {
    bool asked = false; ///< this model takes part
    bool running = false;
    std::string model_name, model_sha256; ///< who answered; the hash is empty for a model in memory only
    Answer answer;                        ///< complete up to the tokens that have arrived
    std::optional<Error> error;
    std::optional<Comparison> forced; ///< both models on this side's text, prompt positions left out; positions[i] belongs to answer.tokens[i]
};

/// One prompt and everything that is known of it: filled as it streams in, or at once from a stored session.
struct Exchange {
    std::uint64_t number = 0; ///< of this program run; 0: none
    RowId row = 0;            ///< of the stored prompt; 0 until it is stored
    Question question{};
    Prompt prompt{}; ///< as the teacher (or the only model) read it
    std::array<ExchangeSide, 2> sides{};

    [[nodiscard]] ExchangeSide& side(Role role) { return sides[index_of(role)]; }
    [[nodiscard]] const ExchangeSide& side(Role role) const { return sides[index_of(role)]; }
    [[nodiscard]] bool empty() const { return number == 0; }
    [[nodiscard]] bool running() const { return sides[0].running || sides[1].running; }
};

/// What of a session was recorded beforehand, and comes with Retort instead of from this machine: its rows up to these.
struct Recording {
    std::string on;      ///< date, ISO 8601
    std::string machine; ///< "Intel(R) Xeon(R) Processor, 2 processors"
    RowId last_prompt = 0, last_run = 0;
};

/// A token of one of the two answers: `position` indexes exchange().side(text_of).answer.tokens.
struct TokenPlace {
    Role text_of = Role::Teacher;
    std::size_t position = 0;
    friend bool operator==(const TokenPlace&, const TokenPlace&) = default;
};

/// A distillation as the window shows it, live or from the session.
struct RunView {
    bool exists = false;
    bool live = false; ///< the engine has it: it can be paused, stepped, stopped
    RunState state = RunState::Waiting;
    bool interrupted = false; ///< ended without an ending, by a crash or a kill; can be resumed
    Error error{};            ///< when Failed
    DistilPlan plan{};
    StoredRun record{}; ///< the points so far
};

} // namespace retort
