#pragma once
#include "core/base/error.h"
#include "core/inference/prompt.h"
#include "core/inference/sampler.h"
#include "core/model/net.h"

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

struct GenerateSettings {
    std::int64_t max_tokens = 256;
    SamplerSettings sampler;
    std::vector<TokenId> stop_tokens; ///< end an answer besides those of the model itself
};

/// One token of an answer, with the exact distribution it was taken from summarised.
struct GeneratedToken {
    TokenId id = 0;
    std::string text;  ///< whole UTF-8 characters that this token completed; may be empty. The last token's also holds what was left over, as U+FFFD.
    std::string bytes; ///< the token's own bytes
    float log_probability = 0; ///< of the full distribution at temperature 1, before any sampler
    std::int64_t rank = 0;     ///< 0 is the most probable
    float entropy = 0;         ///< nats
};

enum class Finish { Stop, Length, Cancelled, ContextFull };
[[nodiscard]] std::string_view name_of(Finish finish); ///< "stop", "length", "cancelled", "context_full"

struct Answer {
    std::vector<TokenId> prompt;
    std::vector<GeneratedToken> tokens; ///< without the stop token
    std::string text;
    Finish finish = Finish::Stop;
    // Seconds that this model itself worked: when two take turns, neither is charged for the other's.
    double prompt_seconds = 0;                             ///< prefill
    double first_token_seconds = 0;                        ///< prefill and the choice of the first token
    double decode_seconds = 0;                             ///< of the tokens after the first
    [[nodiscard]] double prompt_tokens_per_second() const; ///< 0 when there is nothing to divide by
    [[nodiscard]] double tokens_per_second() const;        ///< of the tokens after the first; 0 when there are none
};

/// An answer being written, one token a call, so that teacher and student can take turns and both columns stream at once. The engine thread.
class Generation {
public:
    /// Runs the prompt, which must be neither empty nor longer than the context. `net` and `model` outlive the object.
    [[nodiscard]] static Result<std::unique_ptr<Generation>> start(Net& net, const Model& model, std::vector<TokenId> prompt,
                                                                   GenerateSettings settings, std::stop_token stop = {});
    virtual ~Generation() = default;

    [[nodiscard]] virtual bool finished() const = 0;
    /// The next token, valid until the next call; nullptr when the answer ended with this call, cancelled included. After an error the answer is
    /// finished, with what it had.
    [[nodiscard]] virtual Result<const GeneratedToken*> next(std::stop_token stop = {}) = 0;
    [[nodiscard]] virtual const Answer& answer() const = 0;
    /// Raw logits (V, padding cut off) that the latest token was chosen from.
    [[nodiscard]] virtual std::span<const float> logits() const = 0;
};

/// An answer from its first token to its end. A stop ends it early, with what it had: Finish::Cancelled.
[[nodiscard]] Result<Answer> whole_answer(Net& net, const Model& model, std::vector<TokenId> prompt, const GenerateSettings& settings,
                                          const std::stop_token& stop = {});

/// How many of a net's logits are pieces of the model's tokenizer; the rest are padding.
[[nodiscard]] std::int64_t vocabulary_of(const Model& model);

} // namespace retort
