#pragma once
#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/model/net.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

/// A text cut into chunks of `context` tokens, each read by itself. The second half of each is scored, where every token has at least half a context
/// before it: rows context / 2 ... context - 2, each for the token that follows. The protocol of llama.cpp's llama-perplexity, so that figures
/// compare.
struct ScoringText {
    std::int64_t context = 0;
    std::vector<TokenId> ids;   ///< (chunks * context); what is left over at the end is cut off
    std::optional<TokenId> bos; ///< read in place of each chunk's first token, where the model wants a beginning

    [[nodiscard]] std::int64_t chunks() const { return static_cast<std::int64_t>(ids.size()) / context; }
    [[nodiscard]] std::int64_t first_row() const { return context / 2; }
    [[nodiscard]] std::int64_t rows() const { return context - 1 - first_row(); } ///< scored in each chunk
    [[nodiscard]] std::span<const TokenId> chunk(std::int64_t index) const;       ///< as the text has it, without bos
    [[nodiscard]] std::vector<TokenId> to_read(std::int64_t index) const;         ///< with bos
};

/// The token that `model`, which has a tokenizer, puts before every text; none when it puts nothing there.
[[nodiscard]] std::optional<TokenId> beginning_of_texts(const Model& model);

/// `text` as `model`, which has a tokenizer, reads it. Refuses a context beyond the model's, one under 4, and a text of less than two chunks.
[[nodiscard]] Result<ScoringText> cut_for_scoring(const Model& model, std::string_view text, std::int64_t context);

/// Log-probabilities of a chunk's scored rows, whoever made them.
class ScoredRows {
public:
    virtual ~ScoredRows() = default;
    /// Makes the rows of chunk `index` ready.
    [[nodiscard]] virtual Result<void> read(const ScoringText& text, std::int64_t index, std::stop_token stop) = 0;
    /// Natural-log probabilities (count, vocabulary) of rows `first` ... of the chunk at hand, counted from ScoringText::first_row().
    [[nodiscard]] virtual Result<void> log_probs(std::int64_t first, std::int64_t count, std::int64_t vocabulary, std::vector<float>& out) = 0;
};

/// The rows of a model in memory: one pass over the chunk, the head in as many rows as are asked for. `who` names it in messages.
[[nodiscard]] std::unique_ptr<ScoredRows> rows_of(Net& net, std::string who);

/// What two models expect at one scored position. Nats. `base` is the reference: the teacher, or the model before it was quantised.
struct ScoredPosition {
    TokenId token = 0; ///< the one that stands there
    double log_probability = 0, base_log_probability = 0;
    double kl = 0;         ///< KL(base || model), exact, over the whole vocabulary
    double kl_of_head = 0; ///< its part from pieces that the base gives more than e^-16: what llama-perplexity adds up; can be a hair below 0
    double reverse_kl = 0; ///< KL(model || base)
    double js = 0, tv = 0;
    double base_entropy = 0, entropy = 0;
    bool same_top = false;
};

struct TextScore {
    std::int64_t context = 0;
    std::int64_t rows_per_chunk = 0;
    std::vector<ScoredPosition> positions; ///< chunk after chunk
    [[nodiscard]] std::int64_t chunks() const { return static_cast<std::int64_t>(positions.size()) / rows_per_chunk; }
};

/// Both read `text`, each chunk once; memory for one chunk and some rows of logits, whatever the length. `vocabulary`: pieces that both know.
/// `on_base` hears each chunk's log-probabilities of the base in turn, (rows, vocabulary), to be kept elsewhere. A model against itself gives exactly
/// 0.
using OnBaseRows = std::function<Result<void>(std::span<const float> log_probs, std::int64_t rows)>;
[[nodiscard]] Result<TextScore> score_text(const ScoringText& text, ScoredRows& base, ScoredRows& model, std::int64_t vocabulary,
                                           const OnBaseRows& on_base = {}, const Progress& progress = {});

} // namespace retort
