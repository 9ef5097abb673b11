#include "core/text/post_processor.h"

#include "core/text/message.h"
#include "core/text/normalizer.h"

namespace retort {

namespace {

/// Reads the parts of a post-processor from the innermost pair of tokens to the outermost.
class Reader {
public:
    explicit Reader(std::size_t pieces) : m_pieces(static_cast<std::int64_t>(pieces)) {}

    Result<void> read(const JsonValue& json, int depth);
    [[nodiscard]] PostProcessor result() && { return std::move(m_result); }

private:
    Result<void> read_template(const JsonValue& json);
    Result<void> read_pair_of_tokens(const JsonValue& json);
    [[nodiscard]] bool is_piece(std::int64_t id) const { return id >= 0 && id < m_pieces; }

    std::int64_t m_pieces;
    PostProcessor m_result;
};

Result<void> Reader::read(const JsonValue& json, int depth)
{
    const std::string_view type = type_of(json);
    if (type == "ByteLevel") {
        return {}; // changes offsets only
    }
    if (type == "TemplateProcessing") {
        return read_template(json);
    }
    if (type == "RobertaProcessing" || type == "BertProcessing") {
        return read_pair_of_tokens(json);
    }
    const JsonValue* list = json.find("processors");
    if (type != "Sequence" || !list || !list->array() || depth > 8) {
        return unknown_part("post-processor", json);
    }
    for (const JsonValue& part : *list->array()) {
        if (auto done = read(part, depth + 1); !done) {
            return done;
        }
    }
    return {};
}

Result<void> Reader::read_template(const JsonValue& json)
{
    const JsonValue* single = json.find("single");
    const JsonValue* tokens = json.find("special_tokens");
    if (!single || !single->array()) {
        return refusal("the TemplateProcessing has no list \"single\"");
    }
    std::vector<TokenId> before;
    std::vector<TokenId> after;
    int texts = 0;
    for (const JsonValue& item : *single->array()) {
        if (item.find("Sequence")) {
            ++texts;
            continue;
        }
        const JsonValue* special = item.find("SpecialToken");
        const std::string name = special ? text_of(*special, "id") : std::string();
        const JsonValue* token = tokens ? tokens->find(name) : nullptr;
        const JsonValue* ids = token ? token->find("ids") : nullptr;
        if (!ids || !ids->array()) {
            return refusal("the TemplateProcessing names " + quoted(name) + " without saying its ids");
        }
        for (const JsonValue& id : *ids->array()) {
            const std::int64_t value = id.integer().value_or(-1);
            if (!is_piece(value)) {
                return refusal("the TemplateProcessing gives " + quoted(name) + " an id outside the vocabulary");
            }
            (texts == 0 ? before : after).push_back(static_cast<TokenId>(value));
        }
    }
    if (texts != 1) {
        return refusal("the TemplateProcessing puts the text " + std::to_string(texts) + " times; once was expected");
    }
    m_result.before.insert(m_result.before.begin(), before.begin(), before.end());
    m_result.after.insert(m_result.after.end(), after.begin(), after.end());
    return {};
}

Result<void> Reader::read_pair_of_tokens(const JsonValue& json)
{
    const auto id_of = [&](std::string_view key) -> std::int64_t {
        const JsonValue* pair = json.find(key);
        return pair && pair->array() && pair->array()->size() == 2 ? (*pair->array())[1].integer().value_or(-1) : -1;
    };
    const std::int64_t first = id_of("cls");
    const std::int64_t last = id_of("sep");
    if (!is_piece(first) || !is_piece(last)) {
        return refusal("the post-processor's cls or sep has no id in the vocabulary");
    }
    m_result.before.insert(m_result.before.begin(), static_cast<TokenId>(first));
    m_result.after.push_back(static_cast<TokenId>(last));
    return {};
}

} // namespace

Result<PostProcessor> PostProcessor::from_json(const JsonValue* json, std::size_t pieces)
{
    Reader reader(pieces);
    if (json && !json->is_null()) {
        if (auto read = reader.read(*json, 0); !read) {
            return failure(read.error());
        }
    }
    return std::move(reader).result();
}

} // namespace retort
