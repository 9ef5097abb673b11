#include "core/measure/world_report.h"

#include "core/inference/distribution.h"
#include "core/inference/generator.h"

#include <algorithm>
#include <cmath>

namespace retort {

namespace {

constexpr std::uint64_t kStream = 3; // odd: for measuring; 1 is the runs' own held-out data
constexpr std::int64_t kLongestAnswer = 40;

Result<bool> answers_right(Net& net, const Model& model, const WorldTask& task)
{
    GenerateSettings settings;
    settings.max_tokens = kLongestAnswer;
    settings.sampler.greedy = true;
    return whole_answer(net, model, make_text_prompt(model, task.prompt).ids, settings).map([&](const Answer& answer) {
        return answers(task, answer.text);
    });
}

/// Adds one document's sums; the report holds sums until the end.
Result<void> add_document(Net& net, const WorldTruth& truth, const World::Document& document, WorldReport& report)
{
    const std::vector<TokenId> pieces = truth.pieces(document);
    std::vector<TokenId> read = {truth.separator()};
    read.insert(read.end(), pieces.begin(), pieces.end() - 1);
    const auto cache = net.new_cache();
    std::vector<float> logits;
    if (auto done = net.forward(*cache, read, Net::Rows::All, logits); !done) {
        return done;
    }
    const auto width = static_cast<std::size_t>(net.spec().vocabulary);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const std::vector<float> model = log_probabilities(std::span(logits).subspan(i * width, width));
        const std::vector<float> next = truth.next(std::span(pieces).first(i));
        report.cross_entropy -= static_cast<double>(model[static_cast<std::size_t>(pieces[i])]);
        for (std::size_t piece = 0; piece < next.size(); ++piece) {
            if (next[piece] > 0.0F) {
                const auto p = static_cast<double>(next[piece]);
                report.kl_to_truth += p * (std::log(p) - static_cast<double>(model[piece]));
            }
        }
    }
    report.truth_cross_entropy += document.surprisal;
    report.pieces += static_cast<std::int64_t>(pieces.size());
    return {};
}

} // namespace

Result<WorldReport> measure_on_world(const Model& model, const World& world, const WorldTruth& truth, std::uint64_t tasks, std::uint64_t documents)
{
    const auto net = Net::create(model, Net::Precision::Exact);
    if (!net) {
        return failure(net.error());
    }
    WorldReport report;
    for (const WorldKind kind : kWorldKinds) {
        Share& share = report.tasks[static_cast<std::size_t>(kind)];
        for (std::uint64_t i = 0; i < tasks; ++i) {
            const Result<bool> right = answers_right(**net, model, world.task(kind, kStream, i));
            if (!right) {
                return failure(right.error());
            }
            share.right += *right ? 1 : 0;
            share.of += 1;
        }
    }
    for (std::uint64_t i = 0; i < documents; ++i) {
        if (const Result<void> added = add_document(**net, truth, world.document(kStream, i), report); !added) {
            return failure(added.error());
        }
    }
    const auto pieces = static_cast<double>(std::max<std::int64_t>(1, report.pieces));
    report.cross_entropy /= pieces;
    report.truth_cross_entropy /= pieces;
    report.kl_to_truth /= pieces;
    return report;
}

} // namespace retort
