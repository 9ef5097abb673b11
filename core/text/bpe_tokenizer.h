#pragma once
#include "core/text/added_tokens.h"
#include "core/text/bpe_model.h"
#include "core/text/normalizer.h"
#include "core/text/pretokenizer.h"

namespace retort {

/// A tokenizer whose model is BPE, over bytes or over characters. The readers of tokenizer.json and of GGUF fields both end here.
class BpeTokenizer final : public Tokenizer {
public:
    struct Parts {
        std::vector<Piece> pieces; ///< by id
        std::vector<Merge> merges;
        BpeModel::Options model;
        std::vector<AddedToken> added;
        Normalizer normalizer;
        PreTokenizer pretokenizer;
        std::vector<TokenId> before; ///< what with_additions() puts in front
        std::vector<TokenId> after;
        std::optional<TokenId> bos;
        std::vector<TokenId> stop_tokens;
        std::size_t leading_spaces_dropped = 0;
    };

    explicit BpeTokenizer(Parts parts);

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
    [[nodiscard]] std::string kind() const override { return m_byte_level ? "byte-level BPE" : "SentencePiece BPE"; }
    [[nodiscard]] const std::string& fingerprint() const override { return m_fingerprint; }
    [[nodiscard]] std::size_t leading_spaces_dropped() const override { return m_leading_spaces_dropped; }

private:
    [[nodiscard]] static std::size_t index(TokenId id) { return static_cast<std::size_t>(id); }
    [[nodiscard]] bool known(TokenId id) const { return id >= 0 && index(id) < m_pieces.size(); }
    [[nodiscard]] std::string make_fingerprint(std::span<const Merge> merges) const;

    std::vector<Piece> m_pieces;
    PieceMap m_spellings;
    Normalizer m_normalizer;
    PreTokenizer m_pretokenizer;
    AddedTokens m_added;            ///< looked for in the text as it came
    AddedTokens m_added_normalized; ///< looked for behind the normalizer
    bool m_byte_level;
    BpeModel m_model;
    std::vector<TokenId> m_before;
    std::vector<TokenId> m_after;
    std::optional<TokenId> m_bos;
    std::vector<TokenId> m_stop_tokens;
    std::size_t m_leading_spaces_dropped = 0;
    std::string m_fingerprint;
};

/// Whether a special token of that spelling ends an answer in the model families we know ("<|im_end|>", "</s>", ...).
[[nodiscard]] bool ends_an_answer(std::string_view spelling);

} // namespace retort
