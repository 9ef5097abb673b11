#include "core/text/bpe_tokenizer.h"

#include "core/base/sha256.h"
#include "core/base/text_format.h"

#include <algorithm>

namespace retort {

namespace {

/// Those the normalizer stands in front of are looked for in its output, so their content goes through it, too.
AddedTokens added_tokens(const std::vector<AddedToken>& all, bool normalized, const Normalizer& normalizer)
{
    std::vector<AddedToken> tokens;
    for (AddedToken token : all) {
        const bool behind = token.normalized && !normalizer.changes_nothing();
        if (behind) {
            token.content = normalizer.apply(token.content);
        }
        if (behind == normalized && !token.content.empty()) {
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

BpeTokenizer::BpeTokenizer(Parts parts)
    : m_pieces(std::move(parts.pieces)), m_normalizer(std::move(parts.normalizer)), m_pretokenizer(std::move(parts.pretokenizer)),
      m_added(added_tokens(parts.added, false, m_normalizer)), m_added_normalized(added_tokens(parts.added, true, m_normalizer)),
      m_byte_level(parts.model.byte_level), m_model(m_pieces, parts.merges, parts.model), m_before(std::move(parts.before)),
      m_after(std::move(parts.after)), m_bos(parts.bos), m_stop_tokens(std::move(parts.stop_tokens)),
      m_leading_spaces_dropped(parts.leading_spaces_dropped)
{
    m_spellings.reserve(m_pieces.size());
    for (std::size_t id = 0; id < m_pieces.size(); ++id) {
        if (!m_pieces[id].spelling.empty()) {
            m_spellings.insert(m_pieces[id].spelling, static_cast<TokenId>(id));
        }
    }
    m_fingerprint = make_fingerprint(parts.merges);
}

std::vector<TokenId> BpeTokenizer::encode(std::string_view text, Special special) const
{
    std::string repaired;
    if (valid_utf8_prefix(text) != text.size()) {
        repaired = with_valid_utf8(text);
        text = repaired;
    }
    std::vector<TokenId> ids;
    ids.reserve(text.size() / 4 + 4);
    BpeModel::Scratch scratch;
    const PreTokenizer::Take encode_piece = [&](std::string_view piece) { m_model.encode(piece, scratch, ids); };
    const auto take_token = [&](TokenId id) { ids.push_back(id); };
    std::string prepared;
    m_added.split(
        text, special,
        [&](std::string_view part, std::size_t begin) {
            if (m_normalizer.changes_nothing()) {
                m_pretokenizer.cut(part, begin == 0, encode_piece);
                return;
            }
            prepared = m_normalizer.apply(part);
            m_added_normalized.split(
                prepared, special,
                [&](std::string_view inner, std::size_t inner_begin) { m_pretokenizer.cut(inner, begin == 0 && inner_begin == 0, encode_piece); },
                take_token);
        },
        take_token);
    return ids;
}

std::vector<TokenId> BpeTokenizer::with_additions(std::vector<TokenId> ids) const
{
    ids.insert(ids.begin(), m_before.begin(), m_before.end());
    ids.insert(ids.end(), m_after.begin(), m_after.end());
    return ids;
}

std::optional<TokenId> BpeTokenizer::find(std::string_view spelling) const
{
    const TokenId id = m_spellings.find(spelling);
    return id >= 0 ? std::optional(id) : std::nullopt;
}

std::string BpeTokenizer::make_fingerprint(std::span<const Merge> merges) const
{
    Sha256 sha;
    add_text(sha, kind());
    add_text(sha, m_normalizer.description());
    add_text(sha, m_pretokenizer.description());
    for (const Piece& piece : m_pieces) {
        add_text(sha, piece.spelling);
        add_number(sha, (piece.special ? 1U : 0U) | (piece.added ? 2U : 0U));
    }
    for (const Merge& merge : merges) {
        add_number(sha, static_cast<std::uint64_t>(merge.left) << 32 | static_cast<std::uint64_t>(merge.right));
        add_number(sha, static_cast<std::uint64_t>(merge.result) << 32 | merge.rank);
    }
    return sha.hex();
}

bool ends_an_answer(std::string_view spelling)
{
    constexpr std::string_view kEnds[] = {"<|eot_id|>",
                                          "<|im_end|>",
                                          "<|end|>",
                                          "<end_of_turn>",
                                          "<|endoftext|>",
                                          "<|end_of_text|>",
                                          "<|eom_id|>",
                                          "<EOT>",
                                          "<eos>",
                                          "</s>",
                                          "<|return|>",
                                          "<|end_of_turn|>",
                                          "<|endofturn|>",
                                          "<turn|>",
                                          "<|END_OF_TURN_TOKEN|>",
                                          "<|eot|>",
                                          "<|role_end|>",
                                          "[EOS]",
                                          "<|END_OF_TEXT|>",
                                          "<\xEF\xBD\x9C"
                                          "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>"};
    return std::find(std::begin(kEnds), std::end(kEnds), spelling) != std::end(kEnds);
}

} // namespace retort
