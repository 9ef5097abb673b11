#pragma once
#include "core/base/error.h"
#include "core/text/tokenizer.h"

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace retort {

/// Asks a config.json's object for values of a kind, null counting as absent. The first value that is missing, of another kind, or asks for what is
/// not known here is kept as the complaint; ask result() after a group.
class ConfigFields {
public:
    /// `object` must outlive this.
    ConfigFields(const nlohmann::json& object, std::string origin) : m_object(object), m_origin(std::move(origin)) {}

    [[nodiscard]] bool has(const char* key) const { return find(key) != nullptr; }
    /// Written as null, which some configurations tell from absent.
    [[nodiscard]] bool is_null(const char* key) const;
    [[nodiscard]] std::optional<std::int64_t> whole(const char* key);
    [[nodiscard]] std::optional<double> real(const char* key);
    [[nodiscard]] std::optional<bool> boolean(const char* key);
    [[nodiscard]] std::optional<std::string> text(const char* key);
    [[nodiscard]] std::int64_t required_whole(const char* key);
    [[nodiscard]] double required_real(const char* key);
    /// The object under `key`; null when absent.
    [[nodiscard]] const nlohmann::json* object(const char* key);
    /// Lists; empty when absent.
    [[nodiscard]] std::vector<double> reals(const char* key);
    [[nodiscard]] std::vector<std::int64_t> wholes(const char* key);
    [[nodiscard]] std::vector<std::string> texts(const char* key);

    void complain(std::string what);
    [[nodiscard]] Result<void> result() const;
    [[nodiscard]] const std::string& origin() const { return m_origin; }

private:
    [[nodiscard]] const nlohmann::json* find(const char* key) const;
    template <class Element, class Fits>
    [[nodiscard]] std::vector<Element> list(const char* key, const char* expected, Fits&& fits);

    const nlohmann::json& m_object;
    std::string m_origin;
    std::string m_complaint;
};

} // namespace retort
