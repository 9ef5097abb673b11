#pragma once
#include "core/text/piece.h"
#include "core/text/piece_map.h"

#include <array>
#include <span>

namespace retort {

/// Byte-pair encoding of one piece of text (Sennrich, Haddow, Birch 2016): starts from bytes or characters and joins neighbours, best rank first,
/// leftmost on a tie. O(n log n) in the length of the piece. Immutable; any thread, each with its own Scratch.
///
/// A byte-level vocabulary is its own cache: at the start every piece that its merges lead back to itself is noted, and most words of a text are
/// such pieces. So there is no mutable cache to share, and a rare word costs what it costs, no more.
class BpeModel {
public:
    struct Options {
        bool byte_level = true;     ///< text comes as bytes and pieces are known by their bytes; else both are spellings
        bool ignore_merges = false; ///< a piece that is in the vocabulary is taken whole, whatever the merges say
        bool byte_fallback = false; ///< an unknown character becomes <0x..> pieces
        bool fuse_unknown = false;  ///< neighbouring unknown characters become one unknown
        std::optional<TokenId> unknown{};
        std::string inner_prefix{}; ///< spelt before every character of a word but the first ("##")
        std::string end_suffix{};   ///< spelt after the last character of a word ("</w>")
    };

    struct Scratch {
        struct Symbol {
            TokenId id = 0;
            std::uint32_t previous = 0;
            std::uint32_t next = 0;
        };
        struct Candidate {
            std::uint64_t order = 0; ///< rank, then place
            TokenId result = 0;
        };
        std::vector<Symbol> symbols;
        std::vector<Candidate> candidates;
    };

    BpeModel() = default;

    /// The strings of `pieces` must outlive the model.
    BpeModel(std::span<const Piece> pieces, std::span<const Merge> merges, Options options);

    void encode(std::string_view text, Scratch& scratch, std::vector<TokenId>& out) const;

private:
    /// Pair of ids to merge, open addressing.
    class MergeTable {
    public:
        void build(std::span<const Merge> merges);
        [[nodiscard]] const Merge* find(TokenId left, TokenId right) const;

    private:
        [[nodiscard]] std::size_t place(TokenId left, TokenId right) const;
        std::uint64_t m_seed = random_seed();
        std::vector<Merge> m_slots;
    };

    void note_whole_pieces(std::span<const Piece> pieces);
    void encode_by_merging(std::string_view text, Scratch& scratch, std::vector<TokenId>& out) const;
    void start_from_bytes(std::string_view text, Scratch& scratch) const;
    void start_from_characters(std::string_view text, Scratch& scratch) const;
    [[nodiscard]] bool fall_back_to_bytes(std::string_view character, Scratch& scratch) const;
    void join(Scratch& scratch) const;
    void propose(Scratch& scratch, std::uint32_t place) const;

    Options m_options;
    MergeTable m_merges;
    PieceMap m_whole;                   ///< text that is one piece
    PieceMap m_characters;              ///< when not byte-level
    std::array<TokenId, 256> m_bytes{}; ///< the piece of each byte (byte-level) or <0x..> (fallback); -1 where there is none
};

} // namespace retort
