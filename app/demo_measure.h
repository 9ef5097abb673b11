#pragma once
#include "core/base/error.h"
#include "core/data/world/world.h"
#include "core/model/model.h"

#include <array>
#include <cstdint>

namespace retort {

/// A share with its interval of 95 % by Wilson's score (Wilson 1927): unlike the usual one it stays between 0 and 1 and is right near both.
struct Share {
    std::int64_t right = 0;
    std::int64_t of = 0;
    [[nodiscard]] double value() const { return of == 0 ? 0.0 : static_cast<double>(right) / static_cast<double>(of); }
    [[nodiscard]] double low() const;
    [[nodiscard]] double high() const;
};

/// How a model stands to the world it was trained on. Cross-entropies are nats per piece over the same held-out documents.
struct WorldReport {
    std::array<Share, kWorldKinds.size()> tasks; ///< answers found right by the world's own check, greedily
    double cross_entropy = 0;                    ///< of the model
    double truth_cross_entropy = 0;              ///< of the truth, on the same documents: their share of chance taken out
    double kl_to_truth = 0;                      ///< KL(truth || model) per piece, exact at every position
    std::int64_t pieces = 0;
};

/// Measures over `tasks` questions of each kind and `documents` documents, of a stream that nothing is trained on. The calling thread's work.
[[nodiscard]] Result<WorldReport> measure_on_world(const Model& model, const World& world, const WorldTruth& truth, std::uint64_t tasks,
                                                   std::uint64_t documents);

} // namespace retort
