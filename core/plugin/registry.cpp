#include "core/plugin/registry.h"

#include <utility>

namespace retort {

Registry Registry::with_built_ins()
{
    Registry registry;
    registry.add_objective(std::make_shared<const ForwardKl>());
    return registry;
}

void Registry::add_objective(std::shared_ptr<const Objective> objective)
{
    std::string name(objective->name());
    m_objectives.insert_or_assign(std::move(name), std::move(objective));
}

std::shared_ptr<const Objective> Registry::objective(std::string_view name) const
{
    const auto found = m_objectives.find(name);
    return found == m_objectives.end() ? nullptr : found->second;
}

std::vector<std::string> Registry::objective_names() const
{
    std::vector<std::string> names;
    names.reserve(m_objectives.size());
    for (const auto& [name, objective] : m_objectives) {
        names.push_back(name);
    }
    return names;
}

} // namespace retort
