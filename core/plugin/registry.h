#pragma once
#include "core/distil/objective.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

/// The named things that can be chosen by name: the built-ins register here through the same calls that a plugin will use. Made once in main and
/// handed down; filled before the first use, read-only after.
class Registry {
public:
    /// With the built-ins in it.
    [[nodiscard]] static Registry with_built_ins();

    void add_objective(std::shared_ptr<const Objective> objective);
    [[nodiscard]] std::shared_ptr<const Objective> objective(std::string_view name) const; ///< null when unknown
    [[nodiscard]] std::vector<std::string> objective_names() const;

private:
    std::map<std::string, std::shared_ptr<const Objective>, std::less<>> m_objectives;
};

} // namespace retort
