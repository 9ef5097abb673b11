#pragma once
#include "core/text/added_tokens.h"
#include "core/text/piece.h"
#include "core/text/piece_map.h"

#include <algorithm>

namespace retort {

/// A tokenizer's pieces and merges while a file of them is read; refuses what no true file says. One thread.
///
/// Errors are parts of a sentence; with_origin() makes them whole.
class Vocabulary {
public:
    /// The largest vocabulary in use has 262,144 pieces; ids beyond this are a mistake or an attack on memory.
    static constexpr std::int64_t kMostIds = 4'194'304;
    /// Longer than any added token in use (256 bytes); bounds the work per byte of text.
    static constexpr std::size_t kLongestAdded = 1024;

    /// How many pieces and added tokens the file lists. Ids may leave holes, but not so many that a short file takes much memory.
    void expect(std::size_t entries)
    {
        m_most_ids = std::min(kMostIds, kMostHoles + static_cast<std::int64_t>(std::min(entries, std::size_t{1} << 32)) * 4);
    }

    /// A piece of the model.
    Result<void> add_piece(std::string_view spelling, std::int64_t id);

    /// An added token, which may also be a piece of the model under the same id.
    Result<void> add_token(AddedToken token, std::int64_t id);

    /// To be called once, after all pieces and before merges: every piece gets its bytes, holes their mark, and spellings can be looked up.
    enum class Bytes { ByteLevel, Spelled };
    void complete(Bytes bytes);

    /// A merge of the next rank. What `inner_prefix` the right piece has in front is not part of the result.
    Result<void> add_merge(std::string_view left, std::string_view right, std::string_view inner_prefix = {});

    [[nodiscard]] TokenId find(std::string_view spelling) const { return m_ids.find(spelling); }

    std::vector<Piece> pieces;
    std::vector<Merge> merges;
    std::vector<AddedToken> added;

private:
    static constexpr std::int64_t kMostHoles = 65'536;

    std::int64_t m_most_ids = kMostIds;
    PieceMap m_ids;
    std::string m_joined;
};

/// "tokenizer.json: ... . This tokenizer cannot be followed to the letter, so Retort does not open it."
[[nodiscard]] tl::unexpected<Error> with_origin(std::string_view origin, Error error);

} // namespace retort
