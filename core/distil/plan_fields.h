#pragma once
#include "core/base/error.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace retort {

/// Reads one object of a plan field by field, and remembers the first thing that is wrong: a type, a number out of range, a name that nobody asked
/// for.
class PlanFields {
public:
    /// `path` is where the object stands in the plan ("objective"), empty for the plan itself; `problem` is shared by all objects of a plan.
    PlanFields(const nlohmann::json& object, std::string path, std::optional<std::string>& problem);

    void read(const char* name, std::string& value);
    void read(const char* name, std::vector<std::string>& value);
    void read(const char* name, std::vector<std::int64_t>& value, std::int64_t least, std::int64_t most);
    void read(const char* name, double& value, double least, double most);
    void read(const char* name, std::int64_t& value, std::int64_t least, std::int64_t most);
    void read(const char* name, std::uint64_t& value);
    void read_choice(const char* name, std::string& value, const std::vector<std::string>& choices);

    /// The value as it stands; null when absent. Marks the name as known.
    [[nodiscard]] const nlohmann::json* find(const char* name);
    [[nodiscard]] PlanFields object(const char* name);
    [[nodiscard]] bool has(const char* name) const { return m_object.is_object() && m_object.contains(name); }
    [[nodiscard]] std::string place(std::string_view name) const;
    void complain(std::string sentence);

    /// After the last read: a name in the object that was never asked for is a problem, told with the nearest one that was.
    void refuse_others();

private:
    nlohmann::json m_object;
    std::string m_path;
    std::optional<std::string>& m_problem;
    std::vector<std::string> m_known;
};

} // namespace retort
