#pragma once
#include "core/base/error.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace retort {

/// What a tokenizer splits or replaces by: a literal, or a regular expression written for Oniguruma, the engine that tokenizer.json assumes.
///
/// PCRE2 runs it, compiled to machine code, after the few places where the two read the same letters differently have been rewritten or refused.
/// The expression is a stranger's: matching stops at a limit of steps and memory. Immutable; any thread, each with its own Search.
class Pattern {
public:
    struct Match {
        std::size_t begin = 0;
        std::size_t end = 0;
    };

    [[nodiscard]] static Result<Pattern> literal(std::string_view text);
    [[nodiscard]] static Result<Pattern> regex(std::string_view expression);

    /// The expression as given; a literal in quotes.
    [[nodiscard]] const std::string& source() const { return m_source; }

    /// `text` (valid UTF-8) with every match as `content`.
    [[nodiscard]] std::string replaced(std::string_view text, std::string_view content) const;

    /// Walks the matches in `text` (valid UTF-8, which must outlive the search) from left to right.
    class Search {
    public:
        Search(const Pattern& pattern, std::string_view text);

        /// The next match, which may be empty; nothing at the end, and nothing more once a limit was reached: the rest then
        /// counts as unmatched, which is logged once for each pattern.
        [[nodiscard]] std::optional<Match> next();

    private:
        /// PCRE2's answer to a look from m_at on: a count of groups, or why there is none.
        [[nodiscard]] int look();
        [[nodiscard]] bool is_overdue(std::size_t starts_tried);

        const Pattern& m_pattern;
        std::string_view m_text;
        std::size_t m_at = 0;
        std::size_t m_effort = 0;         ///< since the clock was looked at
        std::optional<double> m_deadline; ///< of this thread's processor time, once there was effort enough to look
        std::optional<std::size_t> m_last_end;
    };

private:
    struct Code;
    std::string m_source;
    std::shared_ptr<const Code> m_code;
};

} // namespace retort
