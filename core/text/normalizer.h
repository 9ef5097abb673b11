#pragma once
#include "core/text/character_map.h"
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
    struct Nmt {};       ///< control characters go, kinds of blanks become blanks (SentencePiece's nmt_nfkc)
    struct ByteLevel {}; ///< bytes become their spelling
    struct Bert {
        bool clean_text = true;
        bool spaces_ideographs = true;
        bool strip_accents = true;
        bool lowercase = true;
    };
    struct Precompiled {
        CharacterMap map;
        bool longest = false; ///< as SentencePiece matches; else as tokenizers does
    };
    using Step = std::variant<NormalForm, Prepend, Replace, Strip, Lowercase, StripAccents, Nmt, ByteLevel, Bert, Precompiled>;

    /// From the JSON object, or null for no preparation. The error is a part of a sentence without the file's name.
    [[nodiscard]] static Result<Normalizer> from_json(const JsonValue* json);

    /// SentencePiece's: its character map (where it has one), runs of blanks to one and none at the ends (on request), a blank in front (on request),
    /// and blanks as marks.
    struct SentencePiece {
        std::string_view character_map;
        bool removes_extra_blanks = false;
        bool adds_blank = true;
    };
    [[nodiscard]] static Result<Normalizer> of_sentencepiece(const SentencePiece& settings);

    [[nodiscard]] bool changes_nothing() const { return m_steps.empty(); }
    [[nodiscard]] std::string apply(std::string_view text) const;

    /// One line that is equal for equal normalizers.
    [[nodiscard]] const std::string& description() const { return m_description; }

private:
    Result<void> add(const JsonValue& json, int depth);
    Result<void> add_part(const JsonValue& json, std::string_view type);
    Result<void> add_replacement(const JsonValue& json);
    Result<void> add_map(std::string_view bytes, bool longest);

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
