#include "core/measure/text_score.h"

#include "core/inference/distribution.h"
#include "core/inference/distribution_kernels.h"
#include "core/inference/prompt.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace retort {

namespace {

constexpr std::int64_t kChunkBytes = 32 << 20; // of one side's log-probabilities at a time
constexpr std::int64_t kShortestContext = 4;   // two rows to score
constexpr float kHeadFloor = -16.0F;           // llama-perplexity keeps a base's log-probabilities down to here

class NetRows final : public ScoredRows {
public:
    NetRows(Net& net, std::string who) : m_net(net), m_who(std::move(who)) {}

    Result<void> read(const ScoringText& text, std::int64_t index, std::stop_token stop) override
    {
        std::vector<TokenId> ids = text.to_read(index);
        ids.pop_back(); // nothing is asked of what follows the last token
        m_first_row = text.first_row();
        const auto cache = m_net.new_cache();
        return m_net.forward_hidden(*cache, ids, m_hidden, std::move(stop));
    }

    Result<void> log_probs(std::int64_t first, std::int64_t count, std::int64_t vocabulary, std::vector<float>& out) override
    {
        const auto width = static_cast<std::size_t>(m_net.spec().width);
        const auto begin = static_cast<std::size_t>(m_first_row + first);
        m_net.head(std::span<const float>(m_hidden).subspan(begin * width, static_cast<std::size_t>(count) * width), count, m_logits);
        const auto stride = static_cast<std::size_t>(m_net.spec().vocabulary);
        const auto pieces = static_cast<std::size_t>(vocabulary);
        out.resize(static_cast<std::size_t>(count) * pieces);
        for (std::size_t row = 0; row < static_cast<std::size_t>(count); ++row) {
            const auto values = log_probabilities(std::span<const float>(m_logits).subspan(row * stride, pieces));
            if (std::isnan(values.front())) {
                return failure(Error::Kind::BadFile,
                               "The " + m_who + "'s logits for token " + std::to_string(begin + row + 1) +
                                   " of a chunk are not finite numbers. Its weights are damaged or were trained to divergence.");
            }
            std::copy(values.begin(), values.end(), out.begin() + static_cast<std::ptrdiff_t>(row * pieces));
        }
        return {};
    }

private:
    Net& m_net;
    std::string m_who;
    std::int64_t m_first_row = 0;
    std::vector<float> m_hidden, m_logits;
};

double not_negative(double value)
{
    return value < 0.0 ? 0.0 : value; // inputs rounded to float can bring a divergence of nothing a hair below it
}

ScoredPosition score_position(TokenId token, std::span<const float> base, std::span<const float> model)
{
    const PairSums sums = pair_sums(base, model, kHeadFloor);
    ScoredPosition position;
    position.token = token;
    position.base_log_probability = base[static_cast<std::size_t>(token)];
    position.log_probability = model[static_cast<std::size_t>(token)];
    position.kl = not_negative(sums.kl);
    position.kl_of_head = sums.kl_above_floor;
    position.reverse_kl = not_negative(sums.reverse_kl);
    position.js = not_negative(sums.js);
    position.tv = sums.tv;
    position.base_entropy = not_negative(sums.entropy_a);
    position.entropy = not_negative(sums.entropy_b);
    position.same_top = std::ranges::max_element(base) - base.begin() == std::ranges::max_element(model) - model.begin(); // ties: the lower id
    return position;
}

} // namespace

std::span<const TokenId> ScoringText::chunk(std::int64_t index) const
{
    return std::span(ids).subspan(static_cast<std::size_t>(index * context), static_cast<std::size_t>(context));
}

std::vector<TokenId> ScoringText::to_read(std::int64_t index) const
{
    const auto own = chunk(index);
    std::vector<TokenId> result(own.begin(), own.end());
    if (bos) {
        result.front() = *bos;
    }
    return result;
}

std::optional<TokenId> beginning_of_texts(const Model& model)
{
    const auto additions = make_text_prompt(model, "").ids;
    return additions.empty() ? std::nullopt : std::optional(additions.front());
}

Result<ScoringText> cut_for_scoring(const Model& model, std::string_view text, std::int64_t context)
{
    if (context < kShortestContext || context > model.spec().context) {
        return failure(Error::Kind::Usage, "A context of " + std::to_string(context) + " tokens cannot be scored: it must be from " +
                                               std::to_string(kShortestContext) + " to the model's " + std::to_string(model.spec().context) + ".");
    }
    ScoringText result;
    result.context = context;
    result.ids = make_text_prompt(model, text).ids;
    const auto tokens = static_cast<std::int64_t>(result.ids.size());
    if (tokens < 2 * context) {
        return failure(Error::Kind::Usage, "The text has " + std::to_string(tokens) + " tokens; scoring with a context of " +
                                               std::to_string(context) + " needs at least " + std::to_string(2 * context) +
                                               ". Give a longer text or a shorter context (at most " + std::to_string(tokens / 2) + ").");
    }
    result.bos = beginning_of_texts(model);
    result.ids.resize(static_cast<std::size_t>(tokens / context * context));
    return result;
}

std::unique_ptr<ScoredRows> rows_of(Net& net, std::string who)
{
    return std::make_unique<NetRows>(net, std::move(who));
}

Result<TextScore> score_text(const ScoringText& text, ScoredRows& base, ScoredRows& model, std::int64_t vocabulary, const OnBaseRows& on_base,
                             const Progress& progress)
{
    const auto outside = std::ranges::find_if(text.ids, [vocabulary](TokenId id) { return id < 0 || id >= vocabulary; });
    if (outside != text.ids.end()) {
        return failure(Error::Kind::Mismatch, "Token id " + std::to_string(*outside) + " at place " + std::to_string(outside - text.ids.begin()) +
                                                  " is not among the " + std::to_string(vocabulary) + " pieces that both models know.");
    }
    TextScore score;
    score.context = text.context;
    score.rows_per_chunk = text.rows();
    score.positions.reserve(static_cast<std::size_t>(text.chunks() * text.rows()));
    const auto pieces = static_cast<std::size_t>(vocabulary);
    const std::int64_t at_once = std::max<std::int64_t>(1, kChunkBytes / (4 * vocabulary));
    std::vector<float> base_rows, model_rows;
    for (std::int64_t index = 0; index < text.chunks(); ++index) {
        progress.at("Scoring", static_cast<double>(index) / static_cast<double>(text.chunks()));
        for (ScoredRows* side : {&base, &model}) {
            if (auto done = side->read(text, index, progress.stop); !done) {
                return failure(done.error());
            }
        }
        const auto ids = text.chunk(index).subspan(static_cast<std::size_t>(text.first_row()) + 1);
        for (std::int64_t first = 0; first < text.rows(); first += at_once) {
            if (progress.cancelled()) {
                return cancelled();
            }
            const std::int64_t count = std::min(at_once, text.rows() - first);
            for (const auto& [side, rows] : {std::pair{&base, &base_rows}, {&model, &model_rows}}) {
                if (auto done = side->log_probs(first, count, vocabulary, *rows); !done) {
                    return failure(done.error());
                }
            }
            if (on_base) {
                if (auto kept = on_base(base_rows, count); !kept) {
                    return failure(kept.error());
                }
            }
            for (std::size_t row = 0; row < static_cast<std::size_t>(count); ++row) {
                score.positions.push_back(score_position(ids[static_cast<std::size_t>(first) + row],
                                                         std::span<const float>(base_rows).subspan(row * pieces, pieces),
                                                         std::span<const float>(model_rows).subspan(row * pieces, pieces)));
            }
        }
    }
    progress.at("Scoring", 1.0);
    return score;
}

} // namespace retort
