#pragma once
#include "core/text/json_value.h"
#include "core/text/pattern.h"
#include "core/text/piece.h"

#include <variant>

namespace retort {

/// How pieces become text again (format: `decoder` of tokenizer.json). What it does to each piece is done once, when the tokenizer is made; what it
/// does to a text as a whole is told by edges() and between(). Immutable; any thread.
class Decoder {
public:
    /// From the JSON object, or null for none: then pieces are words with blanks between them. The error is a part of a sentence without the file's
    /// name.
    [[nodiscard]] static Result<Decoder> from_json(const JsonValue* json);

    /// Pieces spell bytes and nothing else is done to them.
    [[nodiscard]] bool is_byte_level() const { return m_steps.size() == 1 && std::holds_alternative<ByteLevel>(m_steps.front()); }
    [[nodiscard]] const TextEdges& edges() const { return m_edges; }
    /// What stands between pieces that end a word.
    [[nodiscard]] const std::string& between() const { return m_between; }

    /// Sets piece.bytes, and piece.ends_word where a blank follows it.
    void decode(Piece& piece) const;

private:
    struct Replace {
        Pattern pattern;
        std::string content;
    };
    struct Strip {
        std::string character;
        std::int64_t start = 0;
        std::int64_t stop = 0;
    };
    struct ByteLevel {};
    struct ByteFallback {};
    struct EndOfWord {
        std::string suffix;
    };
    using Step = std::variant<Replace, Strip, ByteLevel, ByteFallback, EndOfWord>;

    Result<void> add(const JsonValue& json, int depth);
    Result<void> add_part(const JsonValue& json, std::string_view type);
    Result<void> add_replacement(const JsonValue& json);
    Result<void> add_strip(const JsonValue& json);
    void apply(const Replace& step, Piece& piece) const;
    void apply(const Strip& step, Piece& piece) const;
    void apply(const ByteLevel& step, Piece& piece) const;
    void apply(const ByteFallback& step, Piece& piece) const;
    void apply(const EndOfWord& step, Piece& piece) const;

    std::vector<Step> m_steps;
    bool m_fused = false; ///< what comes now sees the whole text
    TextEdges m_edges;
    std::string m_between;
};

} // namespace retort
