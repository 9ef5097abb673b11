#pragma once
#include "core/text/added_tokens.h"
#include "core/text/bpe_model.h"
#include "core/text/normalizer.h"
#include "core/text/pretokenizer.h"
#include "core/text/unigram_model.h"
#include "core/text/word_level_model.h"

#include <variant>

namespace retort {

/// A tokenizer made of parts: a normalizer, a pre-tokenizer, a model over the pieces of a vocabulary, and what a decoder has made of their bytes. The
/// readers of tokenizer.json, tokenizer.model and GGUF fields all end here.
class PieceTokenizer final : public Tokenizer {
public:
    struct WordLevel {
        std::optional<TokenId> unknown;
    };
    struct Parts {
        std::vector<Piece> pieces; ///< by id
        std::vector<Merge> merges;
        std::variant<BpeModel::Options, UnigramModel::Options, WordLevel> model;
        std::vector<AddedToken> added;
        Normalizer normalizer;
        PreTokenizer pretokenizer;
        std::vector<TokenId> before; ///< what with_additions() puts in front
        std::vector<TokenId> after;
        std::optional<TokenId> bos;
        std::vector<TokenId> stop_tokens;
        TextEdges edges;
        std::string between; ///< what stands between two pieces of a text; only after those that end a word, where there are such
    };

    explicit PieceTokenizer(Parts parts);

    [[nodiscard]] std::vector<TokenId> encode(std::string_view text, Special special) const override;
    [[nodiscard]] std::vector<TokenId> with_additions(std::vector<TokenId> ids) const override;
    [[nodiscard]] std::size_t size() const override { return m_pieces.size(); }
    [[nodiscard]] std::string_view bytes(TokenId id) const override { return known(id) ? m_pieces[index(id)].bytes : std::string_view(); }
    [[nodiscard]] std::string_view spelling(TokenId id) const override { return known(id) ? m_pieces[index(id)].spelling : std::string_view(); }
    [[nodiscard]] bool is_special(TokenId id) const override { return known(id) && m_pieces[index(id)].special; }
    [[nodiscard]] bool is_unused(TokenId id) const override { return !known(id) || m_pieces[index(id)].unused; }
    [[nodiscard]] std::optional<TokenId> find(std::string_view spelling) const override;
    [[nodiscard]] std::optional<TokenId> bos() const override { return m_bos; }
    [[nodiscard]] const std::vector<TokenId>& stop_tokens() const override { return m_stop_tokens; }
    [[nodiscard]] std::string kind() const override { return m_kind; }
    [[nodiscard]] const std::string& fingerprint() const override { return m_fingerprint; }
    [[nodiscard]] const TextEdges& edges() const override { return m_edges; }
    [[nodiscard]] std::string_view after(TokenId id) const override
    {
        return known(id) && m_pieces[index(id)].ends_word ? std::string_view(m_between) : std::string_view();
    }

private:
    [[nodiscard]] static std::size_t index(TokenId id) { return static_cast<std::size_t>(id); }
    [[nodiscard]] bool known(TokenId id) const { return id >= 0 && index(id) < m_pieces.size(); }
    template <class Model>
    void encode_by(const Model& model, std::string_view text, Special special, std::vector<TokenId>& ids) const;
    [[nodiscard]] std::string make_fingerprint(std::span<const Merge> merges) const;

    std::vector<Piece> m_pieces;
    PieceMap m_spellings;
    Normalizer m_normalizer;
    PreTokenizer m_pretokenizer;
    AddedTokens m_added;            ///< looked for in the text as it came
    AddedTokens m_added_normalized; ///< looked for behind the normalizer
    std::variant<BpeModel, UnigramModel, WordLevelModel> m_model;
    std::vector<TokenId> m_before;
    std::vector<TokenId> m_after;
    std::optional<TokenId> m_bos;
    std::vector<TokenId> m_stop_tokens;
    TextEdges m_edges;
    std::string m_between;
    std::string m_kind;
    std::string m_fingerprint;
};

} // namespace retort
