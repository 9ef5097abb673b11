#pragma once
#include "core/text/piece.h"
#include "core/text/piece_map.h"

#include <span>

namespace retort {

/// Each word that the pre-tokenizer leaves is one piece, or unknown. Immutable; any thread.
class WordLevelModel {
public:
    struct Scratch {};

    WordLevelModel() = default;
    /// The strings of `pieces` must outlive the model.
    WordLevelModel(std::span<const Piece> pieces, std::optional<TokenId> unknown) : m_unknown(unknown)
    {
        for (std::size_t id = 0; id < pieces.size(); ++id) {
            if (pieces[id].in_model && !pieces[id].spelling.empty()) {
                m_words.insert(pieces[id].spelling, static_cast<TokenId>(id));
            }
        }
    }

    void encode(std::string_view word, Scratch& /*scratch*/, std::vector<TokenId>& out) const
    {
        if (const TokenId id = m_words.find(word); id >= 0) {
            out.push_back(id);
        } else if (m_unknown) {
            out.push_back(*m_unknown);
        }
    }

private:
    std::optional<TokenId> m_unknown;
    PieceMap m_words;
};

} // namespace retort
