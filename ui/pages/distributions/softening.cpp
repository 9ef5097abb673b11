#include "ui/pages/distributions/softening.h"

#include "ui/widgets/token_display.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <span>

namespace retort {

namespace {

constexpr std::size_t kContributions = 24;
constexpr std::size_t kEveryRankUpTo = 32;
constexpr double kRankStep = 1.06; // about 40 points for each power of ten after that

std::vector<TokenId> order_of(std::span<const float> values)
{
    std::vector<TokenId> order(values.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](TokenId a, TokenId b) { return values[static_cast<std::size_t>(a)] > values[static_cast<std::size_t>(b)]; });
    return order;
}

template <class ProbabilityOf>
RankPoints rank_points(const std::vector<TokenId>& order, ProbabilityOf probability_of)
{
    RankPoints points;
    double next = 1;
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (i < kEveryRankUpTo || static_cast<double>(i + 1) >= next || i + 1 == order.size()) {
            points.ranks.push_back(static_cast<double>(i + 1));
            points.probabilities.push_back(probability_of(order[i]));
            next = static_cast<double>(i + 1) * kRankStep;
        }
    }
    return points;
}

double probability(const std::vector<float>& log_probs, TokenId id)
{
    return std::exp(static_cast<double>(log_probs[static_cast<std::size_t>(id)]));
}

/// KL(truth || model) = sum t (log t - log q) over the pieces that can come; empty without the model.
std::optional<double> kl_from_truth(const std::vector<float>& truth, const std::vector<float>& log_probs)
{
    if (log_probs.empty()) {
        return std::nullopt;
    }
    double sum = 0;
    for (std::size_t i = 0; i < std::min(truth.size(), log_probs.size()); ++i) {
        if (truth[i] > 0) {
            sum += truth[i] * (std::log(static_cast<double>(truth[i])) - log_probs[i]);
        }
    }
    return sum;
}

std::optional<double> probability_in(const std::vector<Candidate>& list, TokenId id)
{
    const auto found = std::find_if(list.begin(), list.end(), [id](const Candidate& candidate) { return candidate.id == id; });
    return found == list.end() ? std::nullopt : std::optional<double>(found->probability);
}

RankPoints points_of(const std::vector<Candidate>& list)
{
    RankPoints points;
    for (const Candidate& candidate : list) {
        points.ranks.push_back(static_cast<double>(candidate.rank + 1));
        points.probabilities.push_back(candidate.probability);
    }
    return points;
}

void set_name(CandidateRow& row, TokenName name)
{
    row.label = std::move(name.label);
    row.bytes = std::move(name.bytes);
}

} // namespace

TokenLabel labels_of(std::shared_ptr<const Tokenizer> tokenizer)
{
    return [tokenizer = std::move(tokenizer)](TokenId id) -> TokenName {
        if (!tokenizer) {
            return QStringLiteral("#%1").arg(id);
        }
        std::string bytes(tokenizer->bytes(id));
        return {token_label({bytes, tokenizer->is_special(id)}), std::move(bytes)};
    };
}

Softening::Softening(DistributionSnapshot snapshot, TokenLabel label, std::optional<TokenId> chosen)
    : m_snapshot(std::move(snapshot)), m_label(std::move(label)), m_chosen(chosen)
{
    // Divergences are defined over the pieces that both have.
    auto& teacher = m_snapshot.teacher.logits;
    auto& student = m_snapshot.student.logits;
    if (!teacher.empty() && !student.empty()) {
        const std::size_t common = std::min(teacher.size(), student.size());
        teacher.resize(common);
        student.resize(common);
    }
    for (auto* logits : {&teacher, &student}) {
        // A model that has broken down gives NaN, which has no place in an order.
        std::replace_if(
            logits->begin(), logits->end(), [](float x) { return !std::isfinite(x); }, -1e30F);
    }
    m_teacher_order = order_of(teacher);
    m_student_order = order_of(student);
    m_truth_order = order_of(m_snapshot.truth);
    m_weight.assign(static_cast<std::size_t>(vocabulary()), 0.0);
    for (const auto* logits : {&teacher, &student}) {
        const std::vector<float> log_probs = logits->empty() ? std::vector<float>{} : log_probabilities(*logits);
        for (std::size_t i = 0; i < log_probs.size(); ++i) {
            m_weight[i] += std::exp(static_cast<double>(log_probs[i]));
        }
    }
}

std::int64_t Softening::vocabulary() const
{
    return static_cast<std::int64_t>(std::max(m_snapshot.teacher.logits.size(), m_snapshot.student.logits.size()));
}

std::vector<TokenId> Softening::shownIds(std::size_t count) const
{
    std::set<TokenId> chosen;
    for (const auto* order : {&m_teacher_order, &m_student_order}) {
        chosen.insert(order->begin(), order->begin() + static_cast<std::ptrdiff_t>(std::min(count, order->size())));
    }
    std::vector<TokenId> ids(chosen.begin(), chosen.end());
    std::stable_sort(ids.begin(), ids.end(),
                     [this](TokenId a, TokenId b) { return m_weight[static_cast<std::size_t>(a)] > m_weight[static_cast<std::size_t>(b)]; });
    return ids;
}

std::vector<float> Softening::truthAt(double temperature) const
{
    std::vector<float> truth = m_snapshot.truth;
    double sum = 0;
    for (float& t : truth) {
        t = t > 0 ? std::pow(t, static_cast<float>(1.0 / temperature)) : 0.0F;
        sum += t;
    }
    for (float& t : truth) {
        t = sum > 0 ? static_cast<float>(t / sum) : 0.0F;
    }
    return truth;
}

CandidateRows Softening::rows(const std::vector<float>& teacher, const std::vector<float>& student, const std::vector<float>& truth,
                              std::size_t count) const
{
    CandidateRows out;
    out.has_teacher = !teacher.empty();
    out.has_student = !student.empty();
    out.has_truth = !truth.empty();
    for (const TokenId id : shownIds(count)) {
        CandidateRow row;
        row.id = id;
        set_name(row, m_label(id));
        row.chosen = m_chosen == id;
        if (out.has_teacher) {
            row.teacher = probability(teacher, id);
            out.teacher_shown += *row.teacher;
        }
        if (out.has_student) {
            row.student = probability(student, id);
            out.student_shown += *row.student;
        }
        if (static_cast<std::size_t>(id) < truth.size()) {
            row.truth = truth[static_cast<std::size_t>(id)];
        }
        out.rows.push_back(std::move(row));
    }
    return out;
}

SoftenedView Softening::at(double temperature, std::size_t count) const
{
    const auto soften = [temperature](const std::vector<float>& logits) {
        return logits.empty() ? std::vector<float>{} : log_probabilities(logits, temperature);
    };
    const std::vector<float> teacher = soften(m_snapshot.teacher.logits), student = soften(m_snapshot.student.logits);
    SoftenedView view;
    view.vocabulary = vocabulary();
    const std::vector<float> truth = truthAt(temperature);
    view.candidates = rows(teacher, student, truth, count);
    if (!teacher.empty() && !student.empty()) {
        view.divergence = divergence_between(teacher, student);
        for (const Contribution& contribution : kl_contributions(teacher, student, kContributions)) {
            TokenName name = m_label(contribution.id);
            view.contributions.push_back({contribution, std::move(name.label), std::move(name.bytes)});
        }
    }
    view.curves.teacher = rank_points(m_teacher_order, [&](TokenId id) { return probability(teacher, id); });
    view.curves.student = rank_points(m_student_order, [&](TokenId id) { return probability(student, id); });
    view.curves.truth = rank_points(m_truth_order, [&](TokenId id) { return static_cast<double>(truth[static_cast<std::size_t>(id)]); });
    if (!teacher.empty()) {
        view.curves.dark_knowledge = 1.0 - probability(teacher, m_teacher_order.front());
    }
    if (!truth.empty()) {
        view.truth_teacher_kl = kl_from_truth(truth, teacher);
        view.truth_student_kl = kl_from_truth(truth, student);
    }
    return view;
}

SoftenedView view_of(const ComparedPosition& position, const TokenLabel& label)
{
    SoftenedView view;
    view.divergence = position.divergence;
    CandidateRows& out = view.candidates;
    out.has_teacher = !position.teacher_top.empty();
    out.has_student = !position.student_top.empty();
    out.teacher_floor = out.has_teacher ? position.teacher_top.back().probability : 0;
    out.student_floor = out.has_student ? position.student_top.back().probability : 0;
    std::vector<std::pair<double, CandidateRow>> weighted;
    std::set<TokenId> seen;
    for (const auto* list : {&position.teacher_top, &position.student_top}) {
        for (const Candidate& candidate : *list) {
            if (!seen.insert(candidate.id).second) {
                continue;
            }
            CandidateRow row;
            row.id = candidate.id;
            set_name(row, label(candidate.id));
            row.chosen = candidate.id == position.token;
            row.teacher = probability_in(position.teacher_top, candidate.id);
            row.student = probability_in(position.student_top, candidate.id);
            // The token that stands in the text was scored by both, whether or not it is among their best.
            if (row.chosen) {
                row.teacher = std::exp(static_cast<double>(position.teacher_log_probability));
                row.student = std::exp(static_cast<double>(position.student_log_probability));
            }
            out.teacher_shown += row.teacher.value_or(0);
            out.student_shown += row.student.value_or(0);
            weighted.emplace_back(row.teacher.value_or(0) + row.student.value_or(0), std::move(row));
        }
    }
    std::stable_sort(weighted.begin(), weighted.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    for (auto& [weight, row] : weighted) {
        out.rows.push_back(std::move(row));
    }
    view.curves.teacher = points_of(position.teacher_top);
    view.curves.student = points_of(position.student_top);
    if (out.has_teacher) {
        view.curves.dark_knowledge = 1.0 - position.teacher_top.front().probability;
    }
    return view;
}

} // namespace retort
