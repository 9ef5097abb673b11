#include "core/text/decoder.h"

#include "core/text/byte_alphabet.h"
#include "core/text/message.h"
#include "core/text/normalizer.h"
#include "core/text/unicode.h"

#include <algorithm>

namespace retort {

namespace {

constexpr std::size_t kLongestReplacement = 16;

} // namespace

Result<Decoder> Decoder::from_json(const JsonValue* json)
{
    if (!json || json->is_null()) {
        return refusal("there is no decoder, so pieces cannot be turned into text again");
    }
    Decoder decoder;
    if (auto added = decoder.add(*json, 0); !added) {
        return failure(added.error());
    }
    return decoder;
}

Result<void> Decoder::add(const JsonValue& json, int depth)
{
    const std::string_view type = type_of(json);
    if (type == "ByteLevel") {
        m_byte_level = true;
        return {};
    }
    if (type == "ByteFallback") {
        m_bytes_of_fallback = true;
        return {};
    }
    if (type == "Fuse") {
        m_fused = true;
        return {};
    }
    if (type == "Replace" && !m_fused) {
        return add_replacement(json);
    }
    if (type == "Metaspace") {
        m_replacements.emplace_back(text_of(json, "replacement", "\xE2\x96\x81"), " ");
        m_leading_spaces = text_of(json, "prepend_scheme", "always") == "never" ? 0 : 1;
        return {};
    }
    if (type == "Strip" && m_fused && text_of(json, "content") == " ") {
        return add_strip(json);
    }
    const JsonValue* list = json.find("decoders");
    if (type != "Sequence" || !list || !list->array() || depth > 8) {
        return unknown_part("decoder", json);
    }
    for (const JsonValue& part : *list->array()) {
        if (auto added = add(part, depth + 1); !added) {
            return added;
        }
    }
    return {};
}

Result<void> Decoder::add_replacement(const JsonValue& json)
{
    const JsonValue* pattern = json.find("pattern");
    const std::string from = pattern ? text_of(*pattern, "String") : std::string();
    const std::string to = text_of(json, "content");
    if (from.empty() || to.size() > kLongestReplacement) {
        return refusal("the decoder's Replace has no literal pattern, or a replacement of more than " + std::to_string(kLongestReplacement) +
                       " bytes");
    }
    m_replacements.emplace_back(from, to);
    return {};
}

Result<void> Decoder::add_strip(const JsonValue& json)
{
    const JsonValue* start = json.find("start");
    const JsonValue* stop = json.find("stop");
    if (stop && stop->integer().value_or(0) != 0) {
        return refusal("the decoder strips the end of a text, which is not supported");
    }
    m_leading_spaces = static_cast<std::size_t>(std::clamp<std::int64_t>(start ? start->integer().value_or(0) : 0, 0, 1024));
    return {};
}

std::string Decoder::bytes_of(const Piece& piece) const
{
    if (const auto byte = m_bytes_of_fallback ? byte_of_fallback(piece.spelling) : std::nullopt) {
        return std::string(1, static_cast<char>(*byte));
    }
    std::string bytes = piece.bytes;
    for (const auto& [from, to] : m_replacements) {
        bytes = with_replaced(bytes, from, to);
    }
    return bytes;
}

} // namespace retort
