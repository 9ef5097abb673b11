#pragma once
#include "core/text/piece.h"

#include <array>
#include <span>

namespace retort {

/// The likeliest way to put a text together from pieces with log-probabilities (Kudo 2018), found by Viterbi's algorithm. Of ways that are equally
/// likely the one whose last piece begins first, as tokenizers and SentencePiece have it. O(n) in the length of the text times the longest piece.
/// Immutable; any thread, each with its own Scratch.
class UnigramModel {
public:
    static constexpr TokenId kNothing = -1; ///< no piece ends at a place
    static constexpr TokenId kUnknown = -2; ///< a character that no piece spells ends there

    struct Options {
        std::optional<TokenId> unknown{};
        bool byte_fallback = false; ///< an unknown character becomes <0x..> pieces
        bool fuse_unknown = true;   ///< neighbouring unknown characters are one unknown
    };

    struct Scratch {
        struct Node {
            double score = 0.0;
            std::uint32_t begin = 0; ///< of the piece that ends here
            TokenId id = kNothing;
        };
        std::vector<Node> nodes; ///< one for each place in the text
        std::vector<std::uint32_t> path;
    };

    UnigramModel() = default;
    UnigramModel(std::span<const Piece> pieces, Options options);

    void encode(std::string_view text, Scratch& scratch, std::vector<TokenId>& out) const;

private:
    /// The pieces by their bytes: a state for each beginning of one, edges in one open-addressed table.
    class Trie {
    public:
        void add(std::string_view spelling, TokenId id, double score);
        /// The state after `byte`; -1 when no piece goes on so.
        [[nodiscard]] std::int32_t next(std::int32_t state, unsigned char byte) const;

        struct State {
            TokenId id = -1; ///< of the piece that ends here
            double score = 0.0;
        };
        [[nodiscard]] const State& at(std::int32_t state) const { return m_states[static_cast<std::size_t>(state)]; }

    private:
        struct Edge {
            std::uint64_t key = 0; ///< state and byte, plus 1
            std::int32_t to = -1;
        };
        [[nodiscard]] static std::uint64_t key_of(std::int32_t state, unsigned char byte)
        {
            return (static_cast<std::uint64_t>(state) << 8 | byte) + 1;
        }
        [[nodiscard]] std::size_t place(std::uint64_t key) const;
        void grow();

        std::vector<State> m_states = {State{}};
        std::vector<Edge> m_edges;
        std::size_t m_count = 0;
    };

    void find_best_ways(std::string_view text, Scratch& scratch) const;
    void write_unknown(std::string_view text, std::vector<TokenId>& out) const;

    Options m_options;
    Trie m_trie;
    double m_unknown_score = 0.0;
    std::array<TokenId, 256> m_bytes{}; ///< the piece <0x..> of each byte; -1 where there is none
};

} // namespace retort
