#include "core/text/model_json.h"

#include "core/text/message.h"

#include <cmath>

namespace retort {

namespace {

using Model = decltype(PieceTokenizer::Parts::model);

/// One model; made for one call.
class ModelReader {
public:
    ModelReader(const JsonValue& model, Vocabulary& vocabulary) : m_model(model), m_vocabulary(vocabulary) {}

    Result<Model> read_bpe(bool byte_level);
    Result<Model> read_unigram();
    Result<Model> read_words();

private:
    Result<void> read_pieces();
    Result<void> read_scored_pieces();
    Result<void> check_added() const;
    Result<void> read_merges(std::string_view inner_prefix);
    Result<std::optional<TokenId>> read_unknown() const;

    const JsonValue& m_model;
    Vocabulary& m_vocabulary;
};

Result<Model> ModelReader::read_bpe(bool byte_level)
{
    if (const JsonValue* dropout = m_model.find("dropout"); dropout && dropout->number().value_or(0.0) > 0.0) {
        return refusal("the model has a dropout, which would cut the same text differently each time");
    }
    BpeModel::Options options;
    options.inner_prefix = text_of(m_model, "continuing_subword_prefix");
    options.end_suffix = text_of(m_model, "end_of_word_suffix");
    options.byte_level = byte_level && options.inner_prefix.empty() && options.end_suffix.empty();
    options.ignore_merges = flag(m_model, "ignore_merges", false);
    options.byte_fallback = !options.byte_level && flag(m_model, "byte_fallback", false);
    options.fuse_unknown = flag(m_model, "fuse_unk", false);
    if (auto read = read_pieces(); !read) {
        return failure(read.error());
    }
    m_vocabulary.complete(options.byte_level ? Vocabulary::Bytes::ByteLevel : Vocabulary::Bytes::Spelled);
    const auto unknown = read_unknown();
    if (!unknown) {
        return failure(unknown.error());
    }
    options.unknown = *unknown;
    if (auto read = read_merges(options.inner_prefix); !read) {
        return failure(read.error());
    }
    return options;
}

Result<Model> ModelReader::read_unigram()
{
    if (auto read = read_scored_pieces(); !read) {
        return failure(read.error());
    }
    m_vocabulary.complete(Vocabulary::Bytes::Spelled);
    UnigramModel::Options options{.unknown = {}, .byte_fallback = flag(m_model, "byte_fallback", false)};
    if (const JsonValue* id = m_model.find("unk_id"); id && !id->is_null()) {
        const std::int64_t value = id->integer().value_or(-1);
        if (value < 0 || static_cast<std::size_t>(value) >= m_vocabulary.pieces.size()) {
            return refusal("the model's unk_id is not the id of a piece");
        }
        options.unknown = static_cast<TokenId>(value);
    }
    return options;
}

Result<Model> ModelReader::read_words()
{
    if (auto read = read_pieces(); !read) {
        return failure(read.error());
    }
    m_vocabulary.complete(Vocabulary::Bytes::Spelled);
    const auto unknown = read_unknown();
    return unknown ? Result<Model>(PieceTokenizer::WordLevel{*unknown}) : failure(unknown.error());
}

Result<std::optional<TokenId>> ModelReader::read_unknown() const
{
    const std::string unknown = text_of(m_model, "unk_token");
    if (unknown.empty()) {
        return std::nullopt;
    }
    const TokenId id = m_vocabulary.find(unknown);
    if (id < 0) {
        return refusal("the model's unk_token " + quoted(unknown) + " is not in the vocabulary");
    }
    return id;
}

Result<void> ModelReader::read_pieces()
{
    const JsonValue* vocabulary = m_model.find("vocab");
    if (!vocabulary || !vocabulary->object()) {
        return refusal("the model's vocab is not an object of pieces and ids");
    }
    for (const JsonMember& member : *vocabulary->object()) {
        const auto id = member.value.integer();
        if (!id) {
            return refusal("the id of the piece " + quoted(member.key) + " is " + std::string(member.value.kind()));
        }
        if (auto added = m_vocabulary.add_piece(member.key, *id); !added) {
            return added;
        }
    }
    return check_added();
}

Result<void> ModelReader::read_scored_pieces()
{
    const JsonValue* vocabulary = m_model.find("vocab");
    if (!vocabulary || !vocabulary->array()) {
        return refusal("the model's vocab is not a list of pieces and scores");
    }
    std::int64_t id = 0;
    for (const JsonValue& entry : *vocabulary->array()) {
        const auto* pair = entry.array();
        const auto score = pair && pair->size() == 2 ? (*pair)[1].number() : std::nullopt;
        if (!score || !(*pair)[0].string() || !std::isfinite(*score)) {
            return refusal("entry " + std::to_string(id) + " of the model's vocab is not a piece and its score");
        }
        if (auto added = m_vocabulary.add_piece(*(*pair)[0].string(), id); !added) {
            return added;
        }
        m_vocabulary.pieces[static_cast<std::size_t>(id)].score = *score;
        ++id;
    }
    return check_added();
}

/// Added tokens came first, so that a piece can be told apart from an added token of the same id.
Result<void> ModelReader::check_added() const
{
    for (const AddedToken& token : m_vocabulary.added) {
        const std::string& content = token.content;
        const TokenId id = token.id;
        const std::string& spelling = m_vocabulary.pieces[static_cast<std::size_t>(id)].spelling;
        if (spelling != content) {
            return refusal("the added token " + quoted(content) + " has the id " + std::to_string(id) + ", which is " + quoted(spelling) +
                           " in the vocabulary");
        }
    }
    return {};
}

Result<void> ModelReader::read_merges(std::string_view inner_prefix)
{
    const JsonValue* merges = m_model.find("merges");
    if (!merges || !merges->array()) {
        return refusal("the model's merges are not a list");
    }
    for (const JsonValue& merge : *merges->array()) {
        std::string_view left;
        std::string_view right;
        if (const std::string* both = merge.string()) {
            const std::size_t space = both->find(' ');
            if (space == std::string::npos || both->find(' ', space + 1) != std::string::npos) {
                return refusal("merge " + std::to_string(m_vocabulary.merges.size()) + " is " + quoted(*both) +
                               "; two pieces with one space between them were expected");
            }
            left = std::string_view(*both).substr(0, space);
            right = std::string_view(*both).substr(space + 1);
        } else if (const auto* pair = merge.array(); pair && pair->size() == 2 && (*pair)[0].string() && (*pair)[1].string()) {
            left = *(*pair)[0].string();
            right = *(*pair)[1].string();
        } else {
            return refusal("merge " + std::to_string(m_vocabulary.merges.size()) + " is " + std::string(merge.kind()) + ", not two pieces");
        }
        if (auto added = m_vocabulary.add_merge(left, right, inner_prefix); !added) {
            return added;
        }
    }
    return {};
}

} // namespace

Result<Model> read_piece_model(const JsonValue& model, bool byte_level, Vocabulary& vocabulary)
{
    ModelReader reader(model, vocabulary);
    const std::string_view type = type_of(model);
    if (type == "BPE" || (type.empty() && model.find("merges"))) {
        return reader.read_bpe(byte_level);
    }
    if (type == "Unigram") {
        return reader.read_unigram();
    }
    return type == "WordLevel" ? reader.read_words()
                               : Result<Model>(refusal("the model " + quoted(type) + " is not supported; BPE, Unigram and WordLevel are"));
}

} // namespace retort
