#pragma once
#include "core/text/json_value.h"
#include "core/text/pattern.h"
#include "core/text/unicode.h"

namespace retort {

/// Prepares text before it is cut (format: `normalizer` of tokenizer.json). Immutable; any thread.
class Normalizer {
public:
    struct Prepend {
        std::string text;
    };
    struct Replace {
        Pattern pattern;
        std::string content;
    };
    struct Strip {
        bool left = true;
        bool right = true;
    };
    struct Lowercase {};
    struct StripAccents {};
    using Step = std::variant<NormalForm, Prepend, Replace, Strip, Lowercase, StripAccents>;

    /// From the JSON object, or null for no preparation. The error is a part of a sentence without the file's name.
    [[nodiscard]] static Result<Normalizer> from_json(const JsonValue* json);

    [[nodiscard]] bool changes_nothing() const { return m_steps.empty(); }
    [[nodiscard]] std::string apply(std::string_view text) const;

    /// One line that is equal for equal normalizers.
    [[nodiscard]] const std::string& description() const { return m_description; }

private:
    Result<void> add(const JsonValue& json, int depth);

    std::vector<Step> m_steps;
    std::string m_description;
    std::size_t m_growth = 1; ///< at most so many times as long does a text become
};

/// {"String": ...} or {"Regex": ...}, as normalizers and pre-tokenizers write patterns.
[[nodiscard]] Result<Pattern> pattern_from_json(const JsonValue* json);

/// "the normalizer "Bert" is not known" and its kin.
[[nodiscard]] tl::unexpected<Error> unknown_part(std::string_view part, const JsonValue& json);

/// The `type` of a part; empty when there is none.
[[nodiscard]] std::string_view type_of(const JsonValue& json);
[[nodiscard]] bool flag(const JsonValue& json, std::string_view key, bool absent);
[[nodiscard]] std::string text_of(const JsonValue& json, std::string_view key, std::string_view absent = {});

} // namespace retort
