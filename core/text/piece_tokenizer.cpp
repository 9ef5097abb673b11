#include "core/text/piece_tokenizer.h"

#include "core/base/sha256.h"
#include "core/base/text_format.h"

#include <bit>

namespace retort {

namespace {

/// Those that are looked for behind the normalizer go through it, too; so two passes, as tokenizers makes them.
AddedTokens added_tokens(const std::vector<AddedToken>& all, bool normalized, const Normalizer& normalizer)
{
    std::vector<AddedToken> tokens;
    for (AddedToken token : all) {
        if (token.normalized != normalized) {
            continue;
        }
        if (normalized && !normalizer.changes_nothing()) {
            token.content = normalizer.apply(token.content);
        }
        if (!token.content.empty()) {
            tokens.push_back(std::move(token));
        }
    }
    return AddedTokens(std::move(tokens));
}

void add_number(Sha256& sha, std::uint64_t number)
{
    sha.add(std::as_bytes(std::span(&number, 1)));
}

void add_text(Sha256& sha, std::string_view text)
{
    add_number(sha, text.size());
    sha.add(text);
}

} // namespace

PieceTokenizer::PieceTokenizer(Parts parts)
    : m_pieces(std::move(parts.pieces)), m_normalizer(std::move(parts.normalizer)), m_pretokenizer(std::move(parts.pretokenizer)),
      m_added(added_tokens(parts.added, false, m_normalizer)), m_added_normalized(added_tokens(parts.added, true, m_normalizer)),
      m_before(std::move(parts.before)), m_after(std::move(parts.after)), m_bos(parts.bos), m_stop_tokens(std::move(parts.stop_tokens)),
      m_edges(std::move(parts.edges)), m_between(std::move(parts.between))
{
    if (const auto* bpe = std::get_if<BpeModel::Options>(&parts.model)) {
        m_kind = bpe->byte_level ? "byte-level BPE" : "SentencePiece BPE";
        m_model = BpeModel(m_pieces, parts.merges, *bpe);
    } else if (const auto* unigram = std::get_if<UnigramModel::Options>(&parts.model)) {
        m_kind = "SentencePiece Unigram";
        m_model = UnigramModel(m_pieces, *unigram);
    } else {
        m_kind = "whole words";
        m_model = WordLevelModel(m_pieces, std::get<WordLevel>(parts.model).unknown);
    }
    m_spellings.reserve(m_pieces.size());
    for (std::size_t id = 0; id < m_pieces.size(); ++id) {
        if (!m_pieces[id].spelling.empty()) {
            m_spellings.insert(m_pieces[id].spelling, static_cast<TokenId>(id));
        }
    }
    m_fingerprint = make_fingerprint(parts.merges);
}

std::vector<TokenId> PieceTokenizer::encode(std::string_view text, Special special) const
{
    std::string repaired;
    if (valid_utf8_prefix(text) != text.size()) {
        repaired = with_valid_utf8(text);
        text = repaired;
    }
    std::vector<TokenId> ids;
    ids.reserve(text.size() / 4 + 4);
    std::visit([&](const auto& model) { encode_by(model, text, special, ids); }, m_model);
    return ids;
}

template <class Model>
void PieceTokenizer::encode_by(const Model& model, std::string_view text, Special special, std::vector<TokenId>& ids) const
{
    typename Model::Scratch scratch;
    const PreTokenizer::Take encode_piece = [&](std::string_view piece) { model.encode(piece, scratch, ids); };
    const auto take_token = [&](TokenId id) { ids.push_back(id); };
    std::string prepared;
    m_added.split(
        text, special,
        [&](std::string_view part, std::size_t begin) {
            if (!m_normalizer.changes_nothing()) {
                prepared = m_normalizer.apply(part);
                part = prepared;
            }
            m_added_normalized.split(
                part, special,
                [&](std::string_view inner, std::size_t inner_begin) { m_pretokenizer.cut(inner, begin == 0 && inner_begin == 0, encode_piece); },
                take_token);
        },
        take_token);
}

std::vector<TokenId> PieceTokenizer::with_additions(std::vector<TokenId> ids) const
{
    ids.insert(ids.begin(), m_before.begin(), m_before.end());
    ids.insert(ids.end(), m_after.begin(), m_after.end());
    return ids;
}

std::optional<TokenId> PieceTokenizer::find(std::string_view spelling) const
{
    const TokenId id = m_spellings.find(spelling);
    return id >= 0 ? std::optional(id) : std::nullopt;
}

std::string PieceTokenizer::make_fingerprint(std::span<const Merge> merges) const
{
    Sha256 sha;
    add_text(sha, kind());
    add_text(sha, m_normalizer.description());
    add_text(sha, m_pretokenizer.description());
    for (const Piece& piece : m_pieces) {
        add_text(sha, piece.spelling);
        add_number(sha, (piece.special ? 1U : 0U) | (piece.added ? 2U : 0U));
        if (piece.score != 0.0) {
            add_number(sha, std::bit_cast<std::uint64_t>(piece.score));
        }
    }
    for (const Merge& merge : merges) {
        add_number(sha, static_cast<std::uint64_t>(merge.left) << 32 | static_cast<std::uint64_t>(merge.right));
        add_number(sha, static_cast<std::uint64_t>(merge.result) << 32 | merge.rank);
    }
    return sha.hex();
}

} // namespace retort
