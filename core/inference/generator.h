#pragma once
#include "core/base/error.h"
#include "core/inference/sampler.h"
#include "core/model/net.h"

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace retort {

struct GenerateSettings {
    std::int64_t max_tokens = 256;
    SamplerSettings sampler;
    std::vector<TokenId> stop_tokens;
};

/// One token of an answer, with the exact distribution it was taken from summarised.
struct GeneratedToken {
    TokenId id = 0;
    std::string text;       ///< whole UTF-8 characters that this token completed; may be empty
    std::string bytes;      ///< the token's own bytes
    float log_probability = 0; ///< of the full distribution at temperature 1, before any sampler
    std::int64_t rank = 0;
    float entropy = 0;      ///< nats
};

enum class Finish { Stop, Length, Cancelled, ContextFull };
[[nodiscard]] std::string_view name_of(Finish finish); ///< "stop", "length", "cancelled", "context_full"

struct Answer {
    std::vector<TokenId> prompt;
    std::vector<GeneratedToken> tokens; ///< without the stop token
    std::string text;
    Finish finish = Finish::Stop;
    double prompt_seconds = 0;      ///< prefill
    double first_token_seconds = 0; ///< from the call to the first token
    double decode_seconds = 0;      ///< of the tokens after the first
    [[nodiscard]] double prompt_tokens_per_second() const;
    [[nodiscard]] double tokens_per_second() const;
};

/// An answer being written, one token a call, so that teacher and student can take turns and both columns stream at once.
class Generation {
public:
    /// Runs the prompt. `net` and `model` outlive the object.
    [[nodiscard]] static Result<std::unique_ptr<Generation>> start(Net& net, const Model& model, std::vector<TokenId> prompt, GenerateSettings settings, std::stop_token stop = {});
    virtual ~Generation() = default;

    [[nodiscard]] virtual bool finished() const = 0;
    /// The next token; nullptr when the answer ended with this call.
    [[nodiscard]] virtual Result<const GeneratedToken*> next(std::stop_token stop = {}) = 0;
    [[nodiscard]] virtual const Answer& answer() const = 0;
    /// Raw logits (V, padding cut off) that the latest token was chosen from.
    [[nodiscard]] virtual std::span<const float> logits() const = 0;
};

/// The ids of a prompt: the chat template around `messages` when the model has one and `use_template`, else the last message's text with the post-processor's
/// additions. Text of messages never becomes special tokens; the template's own text does.
struct Prompt {
    std::string rendered;
    std::vector<TokenId> ids;
};
[[nodiscard]] Result<Prompt> make_chat_prompt(const Model& model, const std::vector<ChatMessage>& messages);
[[nodiscard]] Prompt make_text_prompt(const Model& model, std::string_view text);

} // namespace retort
