#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace retort {

/// What became of a model's tensors when its files were opened.
struct LoadReport {
    std::uint64_t used = 0;             ///< tensors of the files that became weights
    std::vector<std::string> ignored;   ///< tensors that no part of the model uses; what every program works out anew is not counted
    std::vector<std::string> missing;   ///< weights that the files lack and others stand in for
    std::vector<std::string> converted; ///< tensors whose numbers or order were changed to become weights
    std::vector<std::string> doubts;    ///< a sentence each: what may make the answers others than the model's author meant

    /// One line for a person who is about to rely on the model's numbers; empty when there is nothing to say.
    [[nodiscard]] std::string warning() const;
    /// "272 tensors used, 2 not used, none missing, 24 converted": the whole of it.
    [[nodiscard]] std::string summary() const;
};

/// "a, b, c, d, ...": at most four of `names`, fit for a message.
[[nodiscard]] std::string some_of(const std::vector<std::string>& names);

} // namespace retort
