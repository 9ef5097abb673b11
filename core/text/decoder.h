#pragma once
#include "core/text/bpe_model.h"
#include "core/text/json_value.h"

namespace retort {

/// How pieces become text again (format: `decoder` of tokenizer.json). Immutable; any thread.
class Decoder {
public:
    /// The error is a part of a sentence without the file's name.
    [[nodiscard]] static Result<Decoder> from_json(const JsonValue* json);

    /// Pieces spell bytes, so that they have theirs already.
    [[nodiscard]] bool is_byte_level() const { return m_byte_level; }
    /// Spaces that a text loses at its beginning.
    [[nodiscard]] std::size_t leading_spaces() const { return m_leading_spaces; }

    /// What a piece that does not spell bytes stands for in the text.
    [[nodiscard]] std::string bytes_of(const Piece& piece) const;

private:
    Result<void> add(const JsonValue& json, int depth);
    Result<void> add_replacement(const JsonValue& json);
    Result<void> add_strip(const JsonValue& json);

    bool m_byte_level = false;
    bool m_bytes_of_fallback = false;
    bool m_fused = false; ///< what comes now sees the whole text
    std::vector<std::pair<std::string, std::string>> m_replacements;
    std::size_t m_leading_spaces = 0;
};

} // namespace retort
