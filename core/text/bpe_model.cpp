#include "core/text/bpe_model.h"

#include "core/text/byte_alphabet.h"
#include "core/text/unicode.h"

#include <algorithm>
#include <limits>

namespace retort {

namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kLongestPiece = std::size_t{1} << 30; // places are 32 bits wide

void add_symbol(BpeModel::Scratch& scratch, TokenId id)
{
    const auto place = static_cast<std::uint32_t>(scratch.symbols.size());
    if (place > 0) {
        scratch.symbols.back().next = place;
    }
    scratch.symbols.push_back({id, place == 0 ? kNone : place - 1, kNone});
}

} // namespace

void BpeModel::MergeTable::build(std::span<const Merge> merges)
{
    m_slots.assign(std::bit_ceil(std::max<std::size_t>(16, merges.size() * 2)), Merge{-1, -1, -1, 0});
    for (const Merge& merge : merges) {
        m_slots[place(merge.left, merge.right)] = merge;
    }
}

std::size_t BpeModel::MergeTable::place(TokenId left, TokenId right) const
{
    const std::uint64_t key = static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
    std::size_t at = mix(key ^ m_seed, 0x9E3779B97F4A7C15ULL) & (m_slots.size() - 1);
    while (m_slots[at].left >= 0 && (m_slots[at].left != left || m_slots[at].right != right)) {
        at = (at + 1) & (m_slots.size() - 1);
    }
    return at;
}

const Merge* BpeModel::MergeTable::find(TokenId left, TokenId right) const
{
    const Merge& slot = m_slots[place(left, right)];
    return slot.left >= 0 ? &slot : nullptr;
}

BpeModel::BpeModel(std::span<const Piece> pieces, std::span<const Merge> merges, Options options) : m_options(std::move(options))
{
    m_merges.build(merges);
    m_bytes.fill(-1);
    if (m_options.byte_level) {
        for (std::size_t id = 0; id < pieces.size(); ++id) {
            if (pieces[id].in_model && pieces[id].bytes.size() == 1) {
                m_bytes[static_cast<unsigned char>(pieces[id].bytes[0])] = static_cast<TokenId>(id);
            }
        }
        note_whole_pieces(pieces);
        return;
    }
    const bool marks_words = !m_options.inner_prefix.empty() || !m_options.end_suffix.empty(); // then a character may have a longer spelling
    for (std::size_t id = 0; id < pieces.size(); ++id) {
        const Piece& piece = pieces[id];
        if (!piece.in_model || piece.spelling.empty()) {
            continue;
        }
        if (m_options.ignore_merges) {
            m_whole.insert(piece.spelling, static_cast<TokenId>(id));
        }
        if (marks_words || code_point_at(piece.spelling, 0).length == piece.spelling.size()) {
            m_characters.insert(piece.spelling, static_cast<TokenId>(id));
        }
        if (const auto byte = m_options.byte_fallback ? byte_of_fallback(piece.spelling) : std::nullopt) {
            m_bytes[*byte] = static_cast<TokenId>(id);
        }
    }
}

void BpeModel::note_whole_pieces(std::span<const Piece> pieces)
{
    Scratch scratch;
    std::vector<TokenId> ids;
    m_whole.reserve(pieces.size());
    for (std::size_t id = 0; id < pieces.size(); ++id) {
        const Piece& piece = pieces[id];
        if (!piece.in_model || piece.bytes.empty()) {
            continue;
        }
        if (!m_options.ignore_merges) {
            ids.clear();
            encode_by_merging(piece.bytes, scratch, ids);
            if (ids.size() != 1 || ids.front() != static_cast<TokenId>(id)) {
                continue;
            }
        }
        m_whole.insert(piece.bytes, static_cast<TokenId>(id));
    }
}

void BpeModel::encode(std::string_view text, Scratch& scratch, std::vector<TokenId>& out) const
{
    const TokenId whole = m_whole.find(text);
    if (whole >= 0) {
        out.push_back(whole);
        return;
    }
    while (text.size() > kLongestPiece) {
        const std::size_t cut = previous_character(text, kLongestPiece);
        encode_by_merging(text.substr(0, cut), scratch, out);
        text.remove_prefix(cut);
    }
    encode_by_merging(text, scratch, out);
}

void BpeModel::encode_by_merging(std::string_view text, Scratch& scratch, std::vector<TokenId>& out) const
{
    scratch.symbols.clear();
    m_options.byte_level ? start_from_bytes(text, scratch) : start_from_characters(text, scratch);
    if (scratch.symbols.empty()) {
        return;
    }
    join(scratch);
    for (std::uint32_t place = 0; place != kNone; place = scratch.symbols[place].next) {
        out.push_back(scratch.symbols[place].id);
    }
}

void BpeModel::start_from_bytes(std::string_view text, Scratch& scratch) const
{
    for (const char c : text) {
        const TokenId id = m_bytes[static_cast<unsigned char>(c)];
        if (id >= 0) {
            add_symbol(scratch, id);
        } else if (m_options.unknown) {
            add_symbol(scratch, *m_options.unknown);
        }
    }
}

void BpeModel::start_from_characters(std::string_view text, Scratch& scratch) const
{
    bool after_unknown = false;
    std::string marked;
    for (std::size_t at = 0; at < text.size();) {
        std::string_view character = text.substr(at, code_point_at(text, at).length);
        const bool is_first = at == 0;
        at += character.size();
        if ((!is_first && !m_options.inner_prefix.empty()) || (at == text.size() && !m_options.end_suffix.empty())) {
            marked.assign(is_first ? "" : m_options.inner_prefix).append(character).append(at == text.size() ? m_options.end_suffix : "");
            character = marked;
        }
        if (const TokenId id = m_characters.find(character); id >= 0) {
            add_symbol(scratch, id);
            after_unknown = false;
        } else if (fall_back_to_bytes(character, scratch)) {
            after_unknown = false;
        } else if (m_options.unknown) {
            if (!after_unknown || !m_options.fuse_unknown) {
                add_symbol(scratch, *m_options.unknown);
            }
            after_unknown = true;
        }
    }
}

bool BpeModel::fall_back_to_bytes(std::string_view character, Scratch& scratch) const
{
    const auto piece_of = [this](char c) { return m_bytes[static_cast<unsigned char>(c)]; };
    if (!m_options.byte_fallback || std::any_of(character.begin(), character.end(), [&](char c) { return piece_of(c) < 0; })) {
        return false;
    }
    for (const char c : character) {
        add_symbol(scratch, piece_of(c));
    }
    return true;
}

/// Notes what the symbol at `place` and the one after it would become.
void BpeModel::propose(Scratch& scratch, std::uint32_t place) const
{
    const Scratch::Symbol& symbol = scratch.symbols[place];
    if (symbol.next == kNone) {
        return;
    }
    if (const Merge* merge = m_merges.find(symbol.id, scratch.symbols[symbol.next].id)) {
        scratch.candidates.push_back({static_cast<std::uint64_t>(merge->rank) << 32 | place, merge->result});
    }
}

void BpeModel::join(Scratch& scratch) const
{
    auto& symbols = scratch.symbols;
    auto& candidates = scratch.candidates;
    const auto later = [](const Scratch::Candidate& a, const Scratch::Candidate& b) { return a.order > b.order; };
    candidates.clear();
    for (std::uint32_t place = 0; place < symbols.size(); ++place) {
        propose(scratch, place);
    }
    std::make_heap(candidates.begin(), candidates.end(), later);
    const auto propose_in_order = [&](std::uint32_t place) {
        const std::size_t before = candidates.size();
        propose(scratch, place);
        if (candidates.size() > before) {
            std::push_heap(candidates.begin(), candidates.end(), later);
        }
    };
    while (!candidates.empty()) {
        std::pop_heap(candidates.begin(), candidates.end(), later);
        const Scratch::Candidate best = candidates.back();
        candidates.pop_back();
        const auto place = static_cast<std::uint32_t>(best.order & kNone);
        Scratch::Symbol& left = symbols[place];
        if (left.id < 0 || left.next == kNone) {
            continue;
        }
        Scratch::Symbol& right = symbols[left.next];
        const Merge* merge = m_merges.find(left.id, right.id);
        if (!merge || merge->result != best.result) {
            continue; // a neighbour has changed since it was proposed
        }
        left.id = merge->result;
        left.next = right.next;
        right.id = -1;
        if (left.next != kNone) {
            symbols[left.next].previous = place;
        }
        propose_in_order(place);
        if (left.previous != kNone) {
            propose_in_order(left.previous);
        }
    }
}

} // namespace retort
