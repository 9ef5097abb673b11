#include "core/text/decoder.h"
#include "core/text/message.h"
#include "core/text/model_json.h"
#include "core/text/post_processor.h"
#include "core/text/text_ends.h"

namespace retort {

namespace {

/// Reads a tokenizer.json part by part (format: huggingface/tokenizers, version "1.0").
class Reader {
public:
    Reader(const JsonValue& json, const TextAdditions& additions) : m_json(json), m_additions(additions) {}

    Result<PieceTokenizer::Parts> read();

private:
    using Step = Result<void> (Reader::*)();

    Result<void> read_text_parts();
    Result<void> read_added_tokens();
    Result<void> read_model();
    void decode_normalized_tokens();
    Result<void> read_post_processor();
    void name_ends();

    const JsonValue& m_json;
    const TextAdditions& m_additions;
    PieceTokenizer::Parts m_parts;
    Vocabulary m_vocabulary;
    Decoder m_decoder;
};

Result<PieceTokenizer::Parts> Reader::read()
{
    const auto count = [](const JsonValue* list) {
        return !list ? 0 : list->object() ? list->object()->size() : list->array() ? list->array()->size() : 0;
    };
    const JsonValue* model = m_json.find("model");
    m_vocabulary.expect(count(model ? model->find("vocab") : nullptr) + count(m_json.find("added_tokens")));
    for (const Step step : {&Reader::read_text_parts, &Reader::read_added_tokens, &Reader::read_model, &Reader::read_post_processor}) {
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
    auto decoder = Decoder::from_json(m_json.find("decoder"));
    if (!decoder) {
        return failure(decoder.error());
    }
    m_parts.normalizer = std::move(*normalizer);
    m_parts.pretokenizer = std::move(*pretokenizer);
    m_decoder = std::move(*decoder);
    m_parts.edges = m_decoder.edges();
    m_parts.between = m_decoder.between();
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
    const bool byte_level = m_parts.pretokenizer.is_byte_level() && m_decoder.is_byte_level();
    auto read = read_piece_model(*model, byte_level, m_vocabulary);
    if (!read) {
        return failure(read.error());
    }
    m_parts.model = std::move(*read);
    const auto* bpe = std::get_if<BpeModel::Options>(&m_parts.model);
    if (bpe == nullptr || !bpe->byte_level) { // else pieces have the bytes that they spell
        if (m_parts.pretokenizer.is_byte_level()) {
            m_parts.pretokenizer.hand_on_spellings();
        }
        for (Piece& piece : m_vocabulary.pieces) {
            m_decoder.decode(piece);
        }
    }
    decode_normalized_tokens();
    return {};
}

/// A token that is looked for behind the normalizer stands for what the normalizer makes of it, a blank in front for one.
void Reader::decode_normalized_tokens()
{
    for (const AddedToken& token : m_vocabulary.added) {
        if (token.normalized && !m_parts.normalizer.changes_nothing()) {
            Piece& piece = m_vocabulary.pieces[static_cast<std::size_t>(token.id)];
            Piece normalized = piece;
            normalized.spelling = m_parts.normalizer.apply(token.content);
            m_decoder.decode(normalized);
            piece.bytes = normalized.bytes;
        }
    }
}

Result<void> Reader::read_post_processor()
{
    auto tokens = PostProcessor::from_json(m_json.find("post_processor"), m_vocabulary.pieces.size());
    if (!tokens) {
        return failure(tokens.error());
    }
    m_parts.before = std::move(tokens->before);
    m_parts.after = std::move(tokens->after);
    if (!m_additions.bos && !m_additions.eos) {
        return {};
    }
    const auto one = [this](std::optional<bool> wanted, const std::string& spelling) {
        const TokenId id = wanted.value_or(false) && !spelling.empty() ? m_vocabulary.find(spelling) : -1;
        return id >= 0 ? std::vector<TokenId>{id} : std::vector<TokenId>();
    };
    m_parts.before = one(m_additions.bos, m_additions.bos_text);
    m_parts.after = one(m_additions.eos, m_additions.eos_text);
    return {};
}

void Reader::name_ends()
{
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
        if (!m_parts.bos && begins_a_text(piece.spelling)) {
            m_parts.bos = static_cast<TokenId>(id);
        }
    }
}

} // namespace

Result<std::shared_ptr<const Tokenizer>> Tokenizer::from_json(std::string_view json, std::string_view origin, const TextAdditions& additions)
{
    return guard("reading a tokenizer", [&]() -> Result<std::shared_ptr<const Tokenizer>> {
        auto document = JsonValue::parse(json, origin);
        if (!document) {
            return failure(document.error());
        }
        auto parts = Reader(*document, additions).read();
        if (!parts) {
            return with_origin(origin, parts.error());
        }
        return std::make_shared<const PieceTokenizer>(std::move(*parts));
    });
}

} // namespace retort
