#pragma once
#include "core/text/tokenizer.h"

#include <array>

namespace retort {

/// A piece that is found in the text as it stands, before the model sees anything (format: `added_tokens` of tokenizer.json).
struct AddedToken {
    TokenId id = 0;
    std::string content;
    bool special = false;
    bool normalized = false;  ///< looked for after the normaliser instead of before it
    bool single_word = false; ///< only between characters that belong to no word
    bool strip_left = false;  ///< takes the white space before it along
    bool strip_right = false;
};

/// Finds added tokens: leftmost first, of those the longest. Immutable; any thread.
class AddedTokens {
public:
    AddedTokens() = default;
    explicit AddedTokens(std::vector<AddedToken> tokens);

    /// Calls take_text(part, begin) and take_token(id) in the order of `text`. Special tokens are text unless `special` says otherwise.
    template <class TakeText, class TakeToken>
    void split(std::string_view text, Tokenizer::Special special, TakeText&& take_text, TakeToken&& take_token) const
    {
        std::size_t done = 0;
        for (std::size_t at = 0; const auto found = next(text, at, done, special);) {
            if (done < found->begin) {
                take_text(text.substr(done, found->begin - done), done);
            }
            take_token(found->id);
            done = found->end;
            at = std::max(found->matched_end, at + 1);
        }
        if (done < text.size()) {
            take_text(text.substr(done), done);
        }
    }

private:
    struct Found {
        TokenId id = 0;
        std::size_t begin = 0;
        std::size_t end = 0;         ///< with white space taken along
        std::size_t matched_end = 0; ///< of the spelling itself
    };
    [[nodiscard]] std::optional<Found> next(std::string_view text, std::size_t at, std::size_t done, Tokenizer::Special special) const;
    [[nodiscard]] const AddedToken* longest_at(std::string_view text, std::size_t at, Tokenizer::Special special) const;

    std::vector<AddedToken> m_tokens; ///< sorted by content: those with a common beginning stand together
    std::array<bool, 256> m_begins{}; ///< whether a token begins with that byte
};

} // namespace retort
