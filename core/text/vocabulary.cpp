#include "core/text/vocabulary.h"

#include "core/text/byte_alphabet.h"
#include "core/text/message.h"

#include <algorithm>

namespace retort {

tl::unexpected<Error> with_origin(std::string_view origin, Error error)
{
    error.message = std::string(origin) + ": " + error.message + ". It cannot be followed to the letter, so it is not opened.";
    return failure(std::move(error));
}

Result<void> Vocabulary::add_piece(std::string_view spelling, std::int64_t id)
{
    if (id < 0 || id >= m_most_ids) {
        return refusal("the piece " + quoted(spelling) + " has the id " + std::to_string(id) + "; ids go from 0 to " +
                       std::to_string(m_most_ids - 1));
    }
    const auto at = static_cast<std::size_t>(id);
    if (at >= pieces.size()) {
        pieces.resize(at + 1);
    }
    if (pieces[at].in_model) {
        return refusal("the pieces " + quoted(pieces[at].spelling) + " and " + quoted(spelling) + " both have the id " + std::to_string(id));
    }
    pieces[at].spelling = spelling;
    pieces[at].in_model = true;
    return {};
}

Result<void> Vocabulary::add_token(AddedToken token, std::int64_t id)
{
    if (token.content.empty() || token.content.size() > kLongestAdded) {
        return refusal("the added token " + quoted(token.content) + " is " + std::to_string(token.content.size()) + " bytes long; 1 to " +
                       std::to_string(kLongestAdded) + " are possible");
    }
    if (id < 0 || id >= m_most_ids) {
        return refusal("the added token " + quoted(token.content) + " has the id " + std::to_string(id) + "; ids go from 0 to " +
                       std::to_string(m_most_ids - 1));
    }
    const auto at = static_cast<std::size_t>(id);
    if (at >= pieces.size()) {
        pieces.resize(at + 1);
    }
    Piece& piece = pieces[at];
    if (piece.added || (piece.in_model && piece.spelling != token.content)) {
        return refusal("the added token " + quoted(token.content) + " has the id " + std::to_string(id) + ", which is " + quoted(piece.spelling) +
                       " already");
    }
    piece.spelling = token.content;
    piece.added = true;
    piece.special = token.special;
    token.id = static_cast<TokenId>(id);
    added.push_back(std::move(token));
    return {};
}

void Vocabulary::complete(Bytes bytes)
{
    m_ids.reserve(pieces.size());
    for (std::size_t id = 0; id < pieces.size(); ++id) {
        Piece& piece = pieces[id];
        piece.unused = piece.unused || (!piece.in_model && !piece.added);
        if (piece.special) {
            piece.in_model = false;
        }
        piece.bytes = piece.spelling;
        if (bytes == Bytes::ByteLevel && !piece.added) {
            if (auto plain = bytes_of_spelling(piece.spelling)) {
                piece.bytes = std::move(*plain);
            } else {
                piece.in_model = false; // holds a character that stands for no byte
            }
        }
        if (!piece.spelling.empty()) {
            m_ids.insert(piece.spelling, static_cast<TokenId>(id));
        }
    }
}

Result<void> Vocabulary::add_merge(std::string_view left, std::string_view right, std::string_view inner_prefix)
{
    m_joined.assign(left).append(right.substr(std::min(inner_prefix.size(), right.size()))); // whatever stands there, as tokenizers does
    const Merge merge{find(left), find(right), find(m_joined), static_cast<std::uint32_t>(merges.size())};
    if (merge.left < 0 || merge.right < 0 || merge.result < 0) {
        const std::string_view missing = merge.left < 0 ? left : merge.right < 0 ? right : std::string_view(m_joined);
        return refusal("merge " + std::to_string(merges.size()) + " (" + quoted(left) + " and " + quoted(right) + ") needs " + quoted(missing) +
                       ", which the vocabulary lacks");
    }
    if (!pieces[static_cast<std::size_t>(merge.result)].special) { // text never becomes a special token by way of the model
        merges.push_back(merge);
    }
    return {};
}

} // namespace retort
