#include "core/text/byte_alphabet.h"
#include "core/text/gguf_tokenizer_fields.h"
#include "core/text/message.h"
#include "core/text/piece_tokenizer.h"
#include "core/text/text_ends.h"
#include "core/text/unicode.h"
#include "core/text/vocabulary.h"

#include <algorithm>
#include <cmath>

namespace retort {

namespace {

constexpr std::size_t kLongestScoredPiece = 512;
constexpr std::string_view kBlank = "\xE2\x96\x81"; // SentencePiece's mark of one

/// Reads the `tokenizer.ggml.*` fields of a GGUF file.
class Reader {
public:
    explicit Reader(const GgufTokenizer& fields) : m_fields(fields) {}

    Result<PieceTokenizer::Parts> read();

private:
    Result<void> read_byte_level();
    Result<void> read_sentencepiece();
    Result<void> read_scored();
    Result<void> read_unigram();
    Result<void> read_pieces();
    Result<void> read_merges();
    Result<void> rank_by_scores();
    void add_scored_merges(std::string_view spelling, TokenId result, std::uint32_t rank);
    Result<void> read_ends(bool add_bos, bool add_eos);
    [[nodiscard]] std::int32_t type_of_piece(std::size_t id) const { return m_fields.types.empty() ? kNormal : m_fields.types[id]; }

    const GgufTokenizer& m_fields;
    PieceTokenizer::Parts m_parts;
    Vocabulary m_vocabulary;
};

Result<PieceTokenizer::Parts> Reader::read()
{
    const std::size_t count = m_fields.tokens.size();
    if (count == 0 || (!m_fields.types.empty() && m_fields.types.size() != count)) {
        return refusal("tokenizer.ggml.tokens has " + std::to_string(count) + " entries and token_type " + std::to_string(m_fields.types.size()));
    }
    Result<void> done = m_fields.model == "gpt2"    ? read_byte_level()
                        : m_fields.model == "llama" ? read_scored()
                        : m_fields.model == "t5"
                            ? read_unigram()
                            : Result<void>(refusal("the tokenizer model " + quoted(m_fields.model) + " is not supported; gpt2, llama and t5 are"));
    if (!done) {
        return failure(done.error());
    }
    m_parts.pieces = std::move(m_vocabulary.pieces);
    m_parts.merges = std::move(m_vocabulary.merges);
    m_parts.added = std::move(m_vocabulary.added);
    return std::move(m_parts);
}

Result<void> Reader::read_pieces()
{
    for (std::size_t id = 0; id < m_fields.tokens.size(); ++id) {
        const std::string& spelling = m_fields.tokens[id];
        const std::int32_t type = type_of_piece(id);
        const auto number = static_cast<std::int64_t>(id);
        const bool special = type == kControl || type == kUnknown;
        if ((special || type == kUserDefined) && !spelling.empty()) {
            AddedToken token;
            token.content = spelling;
            token.special = special;
            if (auto added = m_vocabulary.add_token(std::move(token), number); !added) {
                return added;
            }
            continue;
        }
        if (auto added = m_vocabulary.add_piece(spelling, number); !added) {
            return added;
        }
        m_vocabulary.pieces[id].unused = type == kUnused;
    }
    return {};
}

Result<void> Reader::read_byte_level()
{
    const NamedCut* cut = cut_named(m_fields.pre);
    if (!cut) {
        return refusal("the pre-tokenizer " + quoted(m_fields.pre) + " is not known");
    }
    auto pretokenizer = PreTokenizer::byte_level(cut->expressions);
    if (!pretokenizer) {
        return failure(pretokenizer.error());
    }
    m_parts.pretokenizer = std::move(*pretokenizer);
    m_parts.model = BpeModel::Options{.ignore_merges = cut->ignore_merges};
    if (auto read = read_pieces(); !read) {
        return read;
    }
    m_vocabulary.complete(Vocabulary::Bytes::ByteLevel);
    if (auto read = read_merges(); !read) {
        return read;
    }
    return read_ends(cut->add_bos, false);
}

/// A merge of a piece that the vocabulary lacks never comes about, since every merge makes a piece that is there; llama.cpp
/// opens files that have such merges.
Result<void> Reader::read_merges()
{
    for (const std::string& merge : m_fields.merges) {
        const std::size_t space = merge.find(' ', 1);
        if (space == std::string::npos) {
            return refusal("the merge " + quoted(merge) + " is not two pieces with a space between them");
        }
        const std::string_view left = std::string_view(merge).substr(0, space);
        const std::string_view right = std::string_view(merge).substr(space + 1);
        if (m_vocabulary.find(left) < 0 || m_vocabulary.find(right) < 0) {
            continue;
        }
        if (auto added = m_vocabulary.add_merge(left, right); !added) {
            return added;
        }
    }
    return {};
}

/// What both kinds of SentencePiece's vocabularies have in common.
Result<void> Reader::read_sentencepiece()
{
    const bool prefix = m_fields.add_space_prefix.value_or(true);
    auto normalizer = Normalizer::of_sentencepiece(
        {.character_map = m_fields.character_map, .removes_extra_blanks = m_fields.remove_extra_blanks.value_or(false), .adds_blank = prefix});
    if (!normalizer) {
        return failure(normalizer.error());
    }
    m_parts.normalizer = std::move(*normalizer);
    m_parts.edges.at_begin = prefix ? 1 : 0;
    const std::vector<float>& scores = m_fields.scores;
    if (scores.size() != m_fields.tokens.size() || !std::all_of(scores.begin(), scores.end(), [](float score) { return std::isfinite(score); })) {
        return refusal("tokenizer.ggml.scores has " + std::to_string(scores.size()) + " entries for " + std::to_string(m_fields.tokens.size()) +
                       " tokens, or one that is not a number");
    }
    if (auto read = read_pieces(); !read) {
        return read;
    }
    m_vocabulary.complete(Vocabulary::Bytes::Spelled);
    for (std::size_t id = 0; id < m_vocabulary.pieces.size(); ++id) {
        Piece& piece = m_vocabulary.pieces[id];
        if (type_of_piece(id) == kByte) {
            const auto byte = byte_of_fallback(piece.spelling);
            if (!byte) {
                return refusal("the byte piece " + quoted(piece.spelling) + " is not spelled like <0x0A>");
            }
            piece.bytes = static_cast<char>(*byte);
        } else if (!piece.special) {
            piece.bytes = with_replaced(piece.spelling, kBlank, " ");
        }
    }
    return {};
}

Result<void> Reader::read_scored()
{
    if (auto read = read_sentencepiece(); !read) {
        return read;
    }
    if (auto ranked = rank_by_scores(); !ranked) {
        return ranked;
    }
    m_parts.model = BpeModel::Options{.byte_level = false, .byte_fallback = true, .fuse_unknown = true, .unknown = m_fields.unknown};
    return read_ends(true, false);
}

/// SentencePiece's Unigram, which T5 made known.
Result<void> Reader::read_unigram()
{
    if (auto read = read_sentencepiece(); !read) {
        return read;
    }
    for (std::size_t id = 0; id < m_vocabulary.pieces.size(); ++id) {
        Piece& piece = m_vocabulary.pieces[id];
        const bool is_byte = type_of_piece(id) == kByte;
        piece.score = m_fields.scores[id];
        piece.in_model = piece.in_model && !is_byte && !piece.unused;
    }
    m_parts.model = UnigramModel::Options{.unknown = m_fields.unknown, .byte_fallback = true};
    return read_ends(false, true);
}

/// SentencePiece joins the neighbours whose piece has the best score; that is BPE with every way to put a piece together as a merge, ranked by score.
Result<void> Reader::rank_by_scores()
{
    const std::vector<float>& scores = m_fields.scores;
    std::vector<float> order = scores;
    std::sort(order.begin(), order.end(), std::greater<>());
    order.erase(std::unique(order.begin(), order.end()), order.end());
    for (std::size_t id = 0; id < scores.size(); ++id) {
        const Piece& piece = m_vocabulary.pieces[id];
        if (!piece.in_model || piece.unused || type_of_piece(id) == kByte) {
            continue;
        }
        if (piece.spelling.size() > kLongestScoredPiece) {
            return refusal("piece " + std::to_string(id) + " is " + std::to_string(piece.spelling.size()) + " bytes long; " +
                           std::to_string(kLongestScoredPiece) + " are possible");
        }
        const auto rank = std::lower_bound(order.begin(), order.end(), scores[id], std::greater<>()) - order.begin();
        add_scored_merges(piece.spelling, static_cast<TokenId>(id), static_cast<std::uint32_t>(rank));
    }
    return {};
}

void Reader::add_scored_merges(std::string_view spelling, TokenId result, std::uint32_t rank)
{
    const auto usable = [this](TokenId id) { return id >= 0 && m_vocabulary.pieces[static_cast<std::size_t>(id)].in_model; };
    for (std::size_t at = 1; at < spelling.size(); ++at) {
        if ((static_cast<unsigned char>(spelling[at]) & 0xC0U) == 0x80U) {
            continue;
        }
        const TokenId left = m_vocabulary.find(spelling.substr(0, at));
        const TokenId right = m_vocabulary.find(spelling.substr(at));
        if (usable(left) && usable(right)) {
            m_vocabulary.merges.push_back({left, right, result, rank});
        }
    }
}

Result<void> Reader::read_ends(bool add_bos, bool add_eos)
{
    const auto size = static_cast<std::int64_t>(m_fields.tokens.size());
    for (const auto& id : {m_fields.bos, m_fields.eos, m_fields.eot, m_fields.unknown, m_fields.padding}) {
        if (id && (*id < 0 || *id >= size)) {
            return refusal("a special token has the id " + std::to_string(*id) + " of " + std::to_string(size));
        }
    }
    m_parts.bos = m_fields.bos;
    if (m_fields.add_bos.value_or(add_bos) && m_fields.bos) {
        m_parts.before.push_back(*m_fields.bos);
    }
    if (m_fields.add_eos.value_or(add_eos) && m_fields.eos) {
        m_parts.after.push_back(*m_fields.eos);
    }
    for (TokenId id = 0; id < size; ++id) {
        const Piece& piece = m_vocabulary.pieces[static_cast<std::size_t>(id)];
        const bool named = std::find(m_fields.ends.begin(), m_fields.ends.end(), id) != m_fields.ends.end();
        if (named || id == m_fields.eos || id == m_fields.eot || (piece.special && ends_an_answer(piece.spelling))) {
            m_parts.stop_tokens.push_back(id);
        }
    }
    return {};
}

} // namespace

Result<PieceTokenizer::Parts> parts_of(const GgufTokenizer& fields)
{
    return Reader(fields).read();
}

Result<std::shared_ptr<const Tokenizer>> Tokenizer::from_gguf(const GgufTokenizer& fields, std::string_view origin)
{
    if (!fields.huggingface_json.empty()) {
        return from_json(fields.huggingface_json, origin);
    }
    return guard("reading a tokenizer", [&]() -> Result<std::shared_ptr<const Tokenizer>> {
        auto parts = parts_of(fields);
        if (!parts) {
            return with_origin(origin, parts.error());
        }
        return std::make_shared<const PieceTokenizer>(std::move(*parts));
    });
}

} // namespace retort
