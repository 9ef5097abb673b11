#include "core/model/json_reader.h"

#include "core/base/text_format.h"

#include <array>
#include <utility>
#include <vector>

namespace retort {

namespace {

using nlohmann::json;

/// Builds the document event by event, so that a limit stops the parse before the memory is spent.
class StrictBuilder final : public nlohmann::json_sax<json> {
public:
    explicit StrictBuilder(JsonLimits limits) : m_limits(limits) {}

    bool null() override { return add(nullptr) != nullptr; }
    bool boolean(bool value) override { return add(value) != nullptr; }
    bool number_integer(number_integer_t value) override { return add(value) != nullptr; }
    bool number_unsigned(number_unsigned_t value) override { return add(value) != nullptr; }
    bool number_float(number_float_t value, const string_t& /*text*/) override { return add(value) != nullptr; }
    bool string(string_t& value) override { return add(std::move(value)) != nullptr; }
    bool binary(binary_t& /*value*/) override { return complain("binary values have no place in JSON text"); }
    bool start_object(std::size_t /*elements*/) override { return open(json::object()); }
    bool start_array(std::size_t /*elements*/) override { return open(json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }

    bool key(string_t& value) override
    {
        if (m_open.back()->contains(value)) {
            return complain("the key \"" + printable(value) + "\" comes twice in one object");
        }
        m_key = std::move(value);
        return true;
    }

    bool parse_error(std::size_t position, const std::string& token, const nlohmann::detail::exception& /*exception*/) override
    {
        return complain("it is not valid JSON at byte " + std::to_string(position) + " (near \"" + printable(token, 40) + "\")");
    }

    json document;
    std::string complaint;

private:
    bool complain(std::string text)
    {
        complaint = std::move(text);
        return false;
    }

    json* add(json value)
    {
        if (++m_values > m_limits.values) {
            complain("it has more than " + std::to_string(m_limits.values) + " values");
            return nullptr;
        }
        if (m_open.empty()) {
            document = std::move(value);
            return &document;
        }
        json& parent = *m_open.back();
        if (parent.is_object()) {
            return &(parent[std::exchange(m_key, {})] = std::move(value));
        }
        parent.push_back(std::move(value));
        return &parent.back();
    }

    bool open(json container)
    {
        if (m_open.size() >= m_limits.depth) {
            return complain("it is nested more than " + std::to_string(m_limits.depth) + " deep");
        }
        json* place = add(std::move(container));
        if (place != nullptr) {
            m_open.push_back(place); // stays valid: only the innermost container grows, and its own address does not change meanwhile
        }
        return place != nullptr;
    }

    bool close()
    {
        m_open.pop_back();
        return true;
    }

    JsonLimits m_limits;
    std::size_t m_values = 0;
    std::vector<json*> m_open;
    std::string m_key;
};

} // namespace

Result<json> parse_json(std::string_view text, std::string_view origin, JsonLimits limits)
{
    StrictBuilder builder(limits);
    if (!json::sax_parse(text, &builder)) {
        return failure(Error::Kind::BadFile, std::string(origin) + ": " + builder.complaint + ". The file is damaged or is not what its name says.");
    }
    return std::move(builder.document);
}

std::string without_non_finite(std::string_view text)
{
    constexpr std::array<std::string_view, 3> kWords = {"NaN", "-Infinity", "Infinity"};
    std::string clean;
    clean.reserve(text.size());
    bool in_string = false;
    while (!text.empty()) {
        const auto starts = [text](std::string_view word) { return text.starts_with(word); };
        const auto* word = in_string ? kWords.end() : std::find_if(kWords.begin(), kWords.end(), starts);
        std::size_t taken = 1;
        if (word != kWords.end()) {
            clean += "null";
            taken = word->size();
        } else {
            if (in_string && text[0] == '\\' && text.size() > 1) {
                taken = 2;
            } else if (text[0] == '"') {
                in_string = !in_string;
            }
            clean += text.substr(0, taken);
        }
        text.remove_prefix(taken);
    }
    return clean;
}

} // namespace retort
