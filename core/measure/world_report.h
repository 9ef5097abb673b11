#pragma once
#include "core/base/error.h"
#include "core/data/world/world.h"
#include "core/measure/share.h"
#include "core/model/model.h"

#include <array>
#include <cstdint>

namespace retort {

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
