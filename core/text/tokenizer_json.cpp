#include "core/text/decoder.h"
#include "core/text/message.h"
#include "core/text/post_processor.h"
#include "core/text/vocabulary.h"

#include <algorithm>

namespace retort {

namespace {

/// Reads a tokenizer.json part by part (format: huggingface/tokenizers, version "1.0").
class Reader {
public:
    explicit Reader(const JsonValue& json) : m_json(json) {}

    Result<BpeTokenizer::Parts> read();

private:
    using Step = Result<void> (Reader::*)();

    Result<void> read_text_parts();
    Result<void> read_model();
    Result<void> read_vocabulary(const JsonValue& model);
    Result<void> read_merges(const JsonValue& model);
    Result<void> read_added_tokens();
    Result<void> read_post_processor();
    Result<void> read_decoder();
    void name_ends();

    const JsonValue& m_json;
    BpeTokenizer::Parts m_parts;
    Vocabulary m_vocabulary;
};

Result<BpeTokenizer::Parts> Reader::read()
{
    const JsonValue* model = m_json.find("model");
    const JsonValue* listed = model ? model->find("vocab") : nullptr;
    const JsonValue* added = m_json.find("added_tokens");
    m_vocabulary.expect((listed && listed->object() ? listed->object()->size() : 0) + (added && added->array() ? added->array()->size() : 0));
    for (const Step step :
         {&Reader::read_text_parts, &Reader::read_added_tokens, &Reader::read_model, &Reader::read_post_processor, &Reader::read_decoder}) {
        if (auto done = (this->*step)(); !done) {
            return failure(done.error());
        }
    }
    m_parts.pieces = std::move(m_vocabulary.pieces);
    m_parts.merges = std::move(m_vocabulary.merges);
    m_parts.added = std::move(m_vocabulary.added);
    name_ends();
    return std::move(m_parts);
}

Result<void> Reader::read_text_parts()
{
    auto normalizer = Normalizer::from_json(m_json.find("normalizer"));
    if (!normalizer) {
        return failure(normalizer.error());
    }
    auto pretokenizer = PreTokenizer::from_json(m_json.find("pre_tokenizer"));
    if (!pretokenizer) {
        return failure(pretokenizer.error());
    }
    m_parts.normalizer = std::move(*normalizer);
    m_parts.pretokenizer = std::move(*pretokenizer);
    m_parts.model.byte_level = m_parts.pretokenizer.is_byte_level();
    return {};
}

Result<void> Reader::read_added_tokens()
{
    const JsonValue* list = m_json.find("added_tokens");
    if (!list || list->is_null()) {
        return {};
    }
    if (!list->array()) {
        return refusal("added_tokens is " + std::string(list->kind()) + "; a list was expected");
    }
    for (const JsonValue& json : *list->array()) {
        const JsonValue* content = json.find("content");
        const JsonValue* id = json.find("id");
        if (!content || !content->string() || !id || !id->integer()) {
            return refusal("an added token lacks its content or its id");
        }
        AddedToken token;
        token.content = *content->string();
        token.special = flag(json, "special", false);
        token.normalized = flag(json, "normalized", !token.special);
        token.single_word = flag(json, "single_word", false);
        token.strip_left = flag(json, "lstrip", false);
        token.strip_right = flag(json, "rstrip", false);
        if (auto added = m_vocabulary.add_token(std::move(token), *id->integer()); !added) {
            return added;
        }
    }
    return {};
}

Result<void> Reader::read_model()
{
    const JsonValue* model = m_json.find("model");
    if (!model || !model->object()) {
        return refusal("there is no model in it");
    }
    if (const std::string_view type = type_of(*model); type != "BPE" && !(type.empty() && model->find("merges"))) {
        return refusal("the model " + quoted(type) + " is not supported; BPE is");
    }
    for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
        if (const std::string value = text_of(*model, key); !value.empty()) {
            return refusal("the model's " + std::string(key) + " " + quoted(value) + " is not supported");
        }
    }
    if (const JsonValue* dropout = model->find("dropout"); dropout && dropout->number().value_or(0.0) > 0.0) {
        return refusal("the model has a dropout, which would cut the same text differently each time");
    }
    m_parts.model.ignore_merges = flag(*model, "ignore_merges", false);
    m_parts.model.byte_fallback = !m_parts.model.byte_level && flag(*model, "byte_fallback", false);
    m_parts.model.fuse_unknown = flag(*model, "fuse_unk", false);
    if (auto read = read_vocabulary(*model); !read) {
        return read;
    }
    if (const std::string unknown = text_of(*model, "unk_token"); !unknown.empty()) {
        const TokenId id = m_vocabulary.find(unknown);
        if (id < 0) {
            return refusal("the model's unk_token " + quoted(unknown) + " is not in the vocabulary");
        }
        m_parts.model.unknown = id;
    }
    return read_merges(*model);
}

Result<void> Reader::read_vocabulary(const JsonValue& model)
{
    const JsonValue* vocabulary = model.find("vocab");
    if (!vocabulary || !vocabulary->object()) {
        return refusal("the model's vocab is not an object of pieces and ids");
    }
    // Added tokens came first, so that a piece can be told apart from an added token of the same id.
    std::vector<std::pair<TokenId, std::string>> tokens;
    for (const AddedToken& token : m_vocabulary.added) {
        tokens.emplace_back(token.id, token.content);
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
    for (const auto& [id, content] : tokens) {
        const std::string& spelling = m_vocabulary.pieces[static_cast<std::size_t>(id)].spelling;
        if (spelling != content) {
            return refusal("the added token " + quoted(content) + " has the id " + std::to_string(id) + ", which is " + quoted(spelling) +
                           " in the vocabulary");
        }
    }
    m_vocabulary.complete(m_parts.model.byte_level ? Vocabulary::Bytes::ByteLevel : Vocabulary::Bytes::Spelled);
    return {};
}

Result<void> Reader::read_merges(const JsonValue& model)
{
    const JsonValue* merges = model.find("merges");
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
        if (auto added = m_vocabulary.add_merge(left, right); !added) {
            return added;
        }
    }
    return {};
}

Result<void> Reader::read_post_processor()
{
    auto tokens = PostProcessor::from_json(m_json.find("post_processor"), m_vocabulary.pieces.size());
    if (!tokens) {
        return failure(tokens.error());
    }
    m_parts.before = std::move(tokens->before);
    m_parts.after = std::move(tokens->after);
    return {};
}

Result<void> Reader::read_decoder()
{
    const auto decoder = Decoder::from_json(m_json.find("decoder"));
    if (!decoder) {
        return failure(decoder.error());
    }
    if (decoder->is_byte_level() != m_parts.model.byte_level) {
        return refusal("the decoder and the pre-tokenizer disagree: only one of them is ByteLevel");
    }
    m_parts.leading_spaces_dropped = decoder->leading_spaces();
    if (!decoder->is_byte_level()) {
        for (Piece& piece : m_vocabulary.pieces) {
            piece.bytes = decoder->bytes_of(piece);
        }
    }
    return {};
}

void Reader::name_ends()
{
    constexpr std::string_view kBegins[] = {"<s>",
                                            "<bos>",
                                            "<|begin_of_text|>",
                                            "<|startoftext|>",
                                            "<BOS_TOKEN>",
                                            "<\xEF\xBD\x9C"
                                            "begin\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>"};
    if (!m_parts.before.empty()) {
        m_parts.bos = m_parts.before.front();
    }
    for (std::size_t id = 0; id < m_parts.pieces.size(); ++id) {
        const Piece& piece = m_parts.pieces[id];
        if (!piece.special) {
            continue;
        }
        if (ends_an_answer(piece.spelling)) {
            m_parts.stop_tokens.push_back(static_cast<TokenId>(id));
        }
        if (!m_parts.bos && std::find(std::begin(kBegins), std::end(kBegins), piece.spelling) != std::end(kBegins)) {
            m_parts.bos = static_cast<TokenId>(id);
        }
    }
}

} // namespace

Result<std::shared_ptr<const Tokenizer>> Tokenizer::from_json(std::string_view json, std::string_view origin)
{
    return guard("reading a tokenizer", [&]() -> Result<std::shared_ptr<const Tokenizer>> {
        auto document = JsonValue::parse(json, origin);
        if (!document) {
            return failure(document.error());
        }
        auto parts = Reader(*document).read();
        if (!parts) {
            return with_origin(origin, parts.error());
        }
        return std::make_shared<const BpeTokenizer>(std::move(*parts));
    });
}

} // namespace retort
