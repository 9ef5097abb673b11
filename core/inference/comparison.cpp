#include "core/inference/comparison.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace retort {

namespace {

constexpr std::size_t kTop = 10;
constexpr std::int64_t kChunkBytes = 32 << 20; // of one model's logits at a time

Result<void> check_context(const Net& net, std::string_view role, std::size_t tokens)
{
    if (static_cast<std::int64_t>(tokens) > net.spec().context) {
        return failure(Error::Kind::Usage, "The text has " + std::to_string(tokens) + " tokens and the " + std::string(role) + " reads at most " +
                                               std::to_string(net.spec().context) + ". Shorten the text.");
    }
    return {};
}

/// One model's side of the comparison: its hidden states for the whole text, and the logits of the rows at hand.
class Reader {
public:
    Reader(Net& net, std::string_view role, std::int64_t vocabulary) : m_net(net), m_role(role), m_vocabulary(static_cast<std::size_t>(vocabulary)) {}

    Result<void> read(std::span<const TokenId> ids, std::stop_token stop)
    {
        if (auto fits = check_context(m_net, m_role, ids.size()); !fits) {
            return fits;
        }
        const auto cache = m_net.new_cache();
        return m_net.forward_hidden(*cache, ids, m_hidden, std::move(stop));
    }

    void run_head(std::size_t first, std::size_t count)
    {
        const auto width = static_cast<std::size_t>(m_net.spec().width);
        m_net.head(std::span<const float>(m_hidden).subspan(first * width, count * width), static_cast<std::int64_t>(count), m_logits);
    }

    /// Log-probabilities of row `row` of the last run_head().
    Result<std::vector<float>> log_probs(std::size_t row, std::size_t position) const
    {
        const auto stride = static_cast<std::size_t>(m_net.spec().vocabulary);
        auto result = log_probabilities(std::span<const float>(m_logits).subspan(row * stride, m_vocabulary));
        if (std::isnan(result.front())) {
            return failure(Error::Kind::BadFile, "The " + std::string(m_role) + "'s logits for token " + std::to_string(position) +
                                                     " are not finite numbers. Its weights are damaged or were trained to divergence.");
        }
        return result;
    }

private:
    Net& m_net;
    std::string_view m_role;
    std::size_t m_vocabulary;
    std::vector<float> m_hidden;
    std::vector<float> m_logits;
};

ComparedPosition compare_position(TokenId token, std::span<const float> teacher, std::span<const float> student)
{
    ComparedPosition position;
    position.token = token;
    position.divergence = divergence_between(teacher, student);
    const auto place = static_cast<std::size_t>(token);
    position.teacher_log_probability = teacher[place];
    position.student_log_probability = student[place];
    position.teacher_rank = rank_of(teacher, token);
    position.student_rank = rank_of(student, token);
    position.teacher_top = top_candidates(teacher, kTop);
    position.student_top = top_candidates(student, kTop);
    return position;
}

Result<void> check_text(std::span<const TokenId> ids, std::size_t first, std::int64_t vocabulary)
{
    if (first < 1 || first > ids.size()) {
        return failure(Error::Kind::Usage, "Comparing starts at token " + std::to_string(first) + " of a text of " + std::to_string(ids.size()) +
                                               ". It can start at token 1 at the earliest, which is the first that has anything before it.");
    }
    const auto outside = std::find_if(ids.begin(), ids.end(), [vocabulary](TokenId id) { return id < 0 || id >= vocabulary; });
    if (outside != ids.end()) {
        return failure(Error::Kind::Mismatch, "Token id " + std::to_string(*outside) + " at place " + std::to_string(outside - ids.begin()) +
                                                  " is not among the " + std::to_string(vocabulary) + " pieces that both models know.");
    }
    return {};
}

} // namespace

double Comparison::mean_kl() const
{
    double sum = 0.0;
    for (const ComparedPosition& position : positions) {
        sum += position.divergence.kl;
    }
    return positions.empty() ? 0.0 : sum / static_cast<double>(positions.size());
}

double Comparison::same_top_share() const
{
    const auto same = std::count_if(positions.begin(), positions.end(), [](const ComparedPosition& p) { return p.divergence.same_top; });
    return positions.empty() ? 0.0 : static_cast<double>(same) / static_cast<double>(positions.size());
}

Result<Comparison> compare_on_text(Net& teacher, Net& student, std::span<const TokenId> ids, std::size_t first, std::int64_t vocabulary_limit,
                                   std::stop_token stop)
{
    const std::int64_t vocabulary = std::min({teacher.spec().vocabulary, student.spec().vocabulary, vocabulary_limit});
    if (auto checked = check_text(ids, first, vocabulary); !checked) {
        return failure(checked.error());
    }
    Comparison comparison;
    comparison.prompt_tokens = first;
    if (first == ids.size()) {
        return comparison;
    }
    const auto read = ids.first(ids.size() - 1); // nothing is asked of what follows the last token
    Reader teacher_side(teacher, "teacher", vocabulary);
    Reader student_side(student, "student", vocabulary);
    for (Reader* side : {&teacher_side, &student_side}) {
        if (auto done = side->read(read, stop); !done) {
            return failure(done.error());
        }
    }

    const std::int64_t row_bytes = 4 * std::max(teacher.spec().vocabulary, student.spec().vocabulary);
    const auto chunk = static_cast<std::size_t>(std::max<std::int64_t>(1, kChunkBytes / row_bytes));
    comparison.positions.reserve(ids.size() - first);
    for (std::size_t position = first; position < ids.size(); position += chunk) {
        if (stop.stop_requested()) {
            return cancelled();
        }
        const std::size_t rows = std::min(chunk, ids.size() - position);
        teacher_side.run_head(position - 1, rows); // row t holds what the model expects at t + 1
        student_side.run_head(position - 1, rows);
        for (std::size_t row = 0; row < rows; ++row) {
            const auto teacher_row = teacher_side.log_probs(row, position + row);
            const auto student_row = student_side.log_probs(row, position + row);
            if (!teacher_row || !student_row) {
                return failure(teacher_row ? student_row.error() : teacher_row.error());
            }
            comparison.positions.push_back(compare_position(ids[position + row], *teacher_row, *student_row));
        }
    }
    return comparison;
}

Result<DistributionSnapshot> snapshot_at(Net* teacher, Net* student, std::span<const TokenId> context, std::int64_t vocabulary_limit,
                                         std::stop_token stop)
{
    if (context.empty()) {
        return failure(Error::Kind::Usage,
                       "There is nothing before this position, so no model has anything to go by. Type at least one piece of text.");
    }
    std::int64_t vocabulary = std::max<std::int64_t>(vocabulary_limit, 0);
    for (const Net* net : {teacher, student}) {
        vocabulary = net != nullptr ? std::min(vocabulary, net->spec().vocabulary) : vocabulary;
    }
    DistributionSnapshot snapshot;
    snapshot.position = static_cast<std::int64_t>(context.size());
    snapshot.context.assign(context.begin(), context.end());
    const auto ask = [&](Net* net, std::string_view role, NextTokenLogits& into) -> Result<void> {
        if (net == nullptr) {
            return {};
        }
        if (auto fits = check_context(*net, role, context.size()); !fits) {
            return fits;
        }
        const auto cache = net->new_cache();
        auto done = net->forward(*cache, context, Net::Rows::Last, into.logits, stop);
        into.logits.resize(done ? static_cast<std::size_t>(vocabulary) : 0);
        return done;
    };
    if (auto done = ask(teacher, "teacher", snapshot.teacher); !done) {
        return failure(done.error());
    }
    if (auto done = ask(student, "student", snapshot.student); !done) {
        return failure(done.error());
    }
    return snapshot;
}

} // namespace retort
