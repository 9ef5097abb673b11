#include "core/text/unigram_model.h"

#include "core/text/byte_alphabet.h"
#include "core/text/piece_map.h"
#include "core/text/unicode.h"

#include <algorithm>
#include <limits>

namespace retort {

namespace {

constexpr double kUnknownPenalty = 10.0;                   // below the least likely piece, as in SentencePiece's unigram_model.cc
constexpr std::size_t kLongestText = std::size_t{1} << 20; // of one look; longer ones are cut, which costs memory of a node for each byte
constexpr std::uint64_t kOddFactor = 0x9E3779B97F4A7C15ULL;

} // namespace

std::size_t UnigramModel::Trie::place(std::uint64_t key) const
{
    std::size_t at = mix(key, kOddFactor) & (m_edges.size() - 1);
    while (m_edges[at].key != 0 && m_edges[at].key != key) {
        at = (at + 1) & (m_edges.size() - 1);
    }
    return at;
}

void UnigramModel::Trie::grow()
{
    std::vector<Edge> old = std::move(m_edges);
    m_edges.assign(std::max<std::size_t>(1024, old.size() * 2), Edge{});
    for (const Edge& edge : old) {
        if (edge.key != 0) {
            m_edges[place(edge.key)] = edge;
        }
    }
}

void UnigramModel::Trie::add(std::string_view spelling, TokenId id, double score)
{
    std::int32_t state = 0;
    for (const char c : spelling) {
        if ((m_count + 1) * 2 > m_edges.size()) {
            grow();
        }
        Edge& edge = m_edges[place(key_of(state, static_cast<unsigned char>(c)))];
        if (edge.key == 0) {
            edge = {key_of(state, static_cast<unsigned char>(c)), static_cast<std::int32_t>(m_states.size())};
            m_states.emplace_back();
            ++m_count;
        }
        state = edge.to;
    }
    m_states[static_cast<std::size_t>(state)] = {id, score};
}

std::int32_t UnigramModel::Trie::next(std::int32_t state, unsigned char byte) const
{
    return m_edges.empty() ? -1 : m_edges[place(key_of(state, byte))].to;
}

UnigramModel::UnigramModel(std::span<const Piece> pieces, Options options) : m_options(options)
{
    m_bytes.fill(-1);
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const Piece& piece = pieces[i];
        const auto id = static_cast<TokenId>(i);
        if (const auto byte = byte_of_fallback(piece.spelling)) {
            m_bytes[*byte] = id;
        }
        if (piece.unused) {
            continue;
        }
        least = std::min(least, piece.score);
        if (piece.in_model && !piece.spelling.empty()) {
            m_trie.add(piece.spelling, id, piece.score);
        }
    }
    m_unknown_score = (pieces.empty() ? 0.0 : least) - kUnknownPenalty;
}

void UnigramModel::encode(std::string_view text, Scratch& scratch, std::vector<TokenId>& out) const
{
    while (!text.empty()) {
        std::size_t size = text.size();
        if (size > kLongestText) {
            size = previous_character(text, kLongestText);
        }
        const std::string_view part = text.substr(0, size);
        text.remove_prefix(size);
        find_best_ways(part, scratch);
        scratch.path.clear();
        for (auto end = static_cast<std::uint32_t>(part.size()); end > 0; end = scratch.nodes[end].begin) {
            scratch.path.push_back(end);
        }
        std::uint32_t unknown_from = 0;
        bool in_unknown = false;
        std::uint32_t begin = 0;
        const auto end_unknown = [&](std::uint32_t end) {
            if (in_unknown) {
                write_unknown(part.substr(unknown_from, end - unknown_from), out);
                in_unknown = false;
            }
        };
        for (auto end = scratch.path.rbegin(); end != scratch.path.rend(); begin = *end, ++end) {
            const TokenId id = scratch.nodes[*end].id;
            if (id != kUnknown) {
                end_unknown(begin);
                out.push_back(id);
                continue;
            }
            if (!m_options.fuse_unknown) {
                end_unknown(begin);
            }
            unknown_from = in_unknown ? unknown_from : begin;
            in_unknown = true;
        }
        end_unknown(begin);
    }
}

/// Fills in, for each place where a character ends, the piece that the likeliest way to there ends with.
void UnigramModel::find_best_ways(std::string_view text, Scratch& scratch) const
{
    auto& nodes = scratch.nodes;
    nodes.assign(text.size() + 1, Scratch::Node{});
    for (std::size_t at = 0; at < text.size();) {
        const double so_far = nodes[at].score;
        const std::size_t character = code_point_at(text, at).length;
        const auto reach = [&](std::size_t end, TokenId id, double score) {
            Scratch::Node& node = nodes[end];
            if (node.id == kNothing || score > node.score) {
                node = {score, static_cast<std::uint32_t>(at), id};
            }
        };
        bool has_character = false;
        std::int32_t state = 0;
        for (std::size_t end = at; end < text.size();) {
            state = m_trie.next(state, static_cast<unsigned char>(text[end++]));
            if (state < 0) {
                break;
            }
            if (const Trie::State& found = m_trie.at(state); found.id >= 0) {
                reach(end, found.id, so_far + found.score);
                has_character = has_character || end - at == character;
            }
        }
        if (!has_character) {
            reach(at + character, kUnknown, so_far + m_unknown_score);
        }
        at += character;
    }
}

void UnigramModel::write_unknown(std::string_view text, std::vector<TokenId>& out) const
{
    const auto piece_of = [this](char c) { return m_bytes[static_cast<unsigned char>(c)]; };
    if (m_options.byte_fallback && std::all_of(text.begin(), text.end(), [&](char c) { return piece_of(c) >= 0; })) {
        std::transform(text.begin(), text.end(), std::back_inserter(out), piece_of);
    } else if (m_options.unknown) {
        out.push_back(*m_options.unknown);
    }
}

} // namespace retort
