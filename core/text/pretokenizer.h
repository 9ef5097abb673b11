#pragma once
#include "core/text/json_value.h"
#include "core/text/pattern.h"

#include <functional>
#include <variant>
#include <vector>

namespace retort {

/// Cuts prepared text into the pieces that the model sees one by one (format: `pre_tokenizer` of tokenizer.json). Immutable; any thread.
class PreTokenizer {
public:
    enum class Behaviour { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };
    enum class PrependScheme { First, Never, Always };

    struct Split {
        Pattern pattern;
        Behaviour behaviour = Behaviour::Isolated;
        bool invert = false;
    };
    struct Digits {
        bool individual = false;
    };
    /// What comes behind it sees the bytes' spelling; the model below the bytes themselves, unless it goes by spellings.
    struct ByteLevel {
        bool add_prefix_space = false;
        std::optional<Pattern> words{};
        bool spells = false;
    };
    struct Metaspace {
        std::string replacement;
        PrependScheme prepend = PrependScheme::Always;
        bool split = true;
        Pattern boundary;
    };
    using Step = std::variant<Split, Digits, ByteLevel, Metaspace>;
    using Take = std::function<void(std::string_view piece)>;

    /// From the JSON object, or null for none. The error is a part of a sentence without the file's name.
    [[nodiscard]] static Result<PreTokenizer> from_json(const JsonValue* json);

    /// One that splits by each expression in turn, matches and gaps alike, and then hands on bytes.
    [[nodiscard]] static Result<PreTokenizer> byte_level(const std::vector<std::string_view>& expressions);

    [[nodiscard]] bool is_byte_level() const { return m_byte_level; }
    /// From now on hands on how bytes are spelt, not the bytes: for a model that knows its pieces so.
    void hand_on_spellings();

    /// Pieces are views into `text` or into storage that lives for the call of `take` only. `at_start`: `text` begins the whole text.
    void cut(std::string_view text, bool at_start, const Take& take) const { cut_from(0, text, at_start, take); }

    /// One line that is equal for equal pre-tokenizers.
    [[nodiscard]] const std::string& description() const { return m_description; }

private:
    Result<void> add(const JsonValue& json, int depth);
    Result<void> add_part(const JsonValue& json, std::string_view type);
    Result<void> add_split(const JsonValue& json);
    Result<void> add_expression(std::string_view expression, Behaviour behaviour, bool invert);
    Result<void> add_delimiter(const JsonValue& json);
    Result<void> add_fixed_length(const JsonValue& json);
    Result<void> add_byte_level(const JsonValue& json);
    Result<void> add_metaspace(const JsonValue& json);
    void add_split(Split split);

    void cut_from(std::size_t step, std::string_view text, bool at_start, const Take& take) const;
    void run(const Split& step, std::size_t next, std::string_view text, bool at_start, const Take& take) const;
    void run(const Digits& step, std::size_t next, std::string_view text, bool at_start, const Take& take) const;
    void run(const ByteLevel& step, std::size_t next, std::string_view text, bool at_start, const Take& take) const;
    void run(const Metaspace& step, std::size_t next, std::string_view text, bool at_start, const Take& take) const;

    std::vector<Step> m_steps;
    std::string m_description;
    bool m_byte_level = false;
    std::size_t m_bytes_at = 0; ///< the place among the steps where text becomes bytes
    bool m_unspells = false;    ///< bytes are spelt on the way, and handed on as bytes
};

/// GPT-2's: contractions, then words, numbers and signs each with the space before them, then white space.
inline constexpr std::string_view kGpt2Words = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

} // namespace retort
