#include "core/text/decoder.h"

#include "core/text/byte_alphabet.h"
#include "core/text/message.h"
#include "core/text/normalizer.h"
#include "core/text/unicode.h"

#include <algorithm>

namespace retort {

namespace {

constexpr std::size_t kLongestReplacement = 16;
constexpr std::string_view kBlank = "\xE2\x96\x81";

} // namespace

Result<Decoder> Decoder::from_json(const JsonValue* json)
{
    Decoder decoder;
    if (!json || json->is_null()) {
        decoder.m_between = " ";
        return decoder;
    }
    if (auto added = decoder.add(*json, 0); !added) {
        return failure(added.error());
    }
    return decoder;
}

Result<void> Decoder::add(const JsonValue& json, int depth)
{
    const std::string_view type = type_of(json);
    if (type != "Sequence") {
        return add_part(json, type);
    }
    const JsonValue* list = json.find("decoders");
    if (!list || !list->array() || depth > 8) {
        return refusal("a Sequence of decoders has no list of them, or nests too deep");
    }
    for (const JsonValue& part : *list->array()) {
        if (auto added = add(part, depth + 1); !added) {
            return added;
        }
    }
    return {};
}

Result<void> Decoder::add_part(const JsonValue& json, std::string_view type)
{
    if (type == "Fuse") {
        m_fused = true;
        return {};
    }
    if (type == "Strip") {
        return add_strip(json);
    }
    if (m_fused) {
        return refusal("the decoder " + quoted(type) + " stands behind Fuse, where only Strip is supported");
    }
    if (type == "Replace") {
        return add_replacement(json);
    }
    if (type == "ByteLevel") {
        m_steps.emplace_back(ByteLevel{});
    } else if (type == "ByteFallback") {
        m_steps.emplace_back(ByteFallback{});
    } else if (type == "BPEDecoder") {
        m_between = " ";
        m_steps.emplace_back(EndOfWord{text_of(json, "suffix", "</w>")});
    } else if (type == "Metaspace") {
        const auto blank = Pattern::literal(text_of(json, "replacement", kBlank));
        if (!blank) {
            return failure(blank.error());
        }
        m_steps.emplace_back(Replace{*blank, " "});
        const std::string scheme = text_of(json, "prepend_scheme", flag(json, "add_prefix_space", true) ? "always" : "never");
        m_edges.at_begin = scheme == "never" ? 0 : 1;
    } else {
        return unknown_part("decoder", json);
    }
    return {};
}

Result<void> Decoder::add_replacement(const JsonValue& json)
{
    auto pattern = pattern_from_json(json.find("pattern"));
    if (!pattern) {
        return failure(pattern.error());
    }
    const std::string to = text_of(json, "content");
    if (to.size() > kLongestReplacement) {
        return refusal("the decoder's Replace has a replacement of more than " + std::to_string(kLongestReplacement) + " bytes");
    }
    m_steps.emplace_back(Replace{std::move(*pattern), to});
    return {};
}

Result<void> Decoder::add_strip(const JsonValue& json)
{
    constexpr std::int64_t kMost = 1024;
    const auto count = [&](std::string_view key) {
        const JsonValue* value = json.find(key);
        return std::clamp<std::int64_t>(value ? value->integer().value_or(0) : 0, 0, kMost);
    };
    const std::string character = text_of(json, "content", " ");
    if (character.empty() || code_point_at(character, 0).length != character.size()) {
        return refusal("the decoder strips " + quoted(character) + "; one character was expected");
    }
    if (m_fused) {
        m_edges = {character, static_cast<std::size_t>(count("start")), static_cast<std::size_t>(count("stop"))};
    } else {
        m_steps.emplace_back(Strip{character, count("start"), count("stop")});
    }
    return {};
}

void Decoder::decode(Piece& piece) const
{
    piece.bytes = piece.spelling;
    piece.ends_word = !m_between.empty();
    for (const Step& step : m_steps) {
        std::visit([&](const auto& known) { apply(known, piece); }, step);
    }
}

void Decoder::apply(const Replace& step, Piece& piece) const
{
    if (valid_utf8_prefix(piece.bytes) == piece.bytes.size()) { // else it is a byte by now, of which no pattern speaks
        piece.bytes = step.pattern.replaced(piece.bytes, step.content);
    }
}

void Decoder::apply(const Strip& step, Piece& piece) const
{
    std::string_view text = piece.bytes;
    for (std::int64_t i = 0; i < step.start && text.starts_with(step.character); ++i) {
        text.remove_prefix(step.character.size());
    }
    for (std::int64_t i = 0; i < step.stop && text.ends_with(step.character); ++i) {
        text.remove_suffix(step.character.size());
    }
    piece.bytes = std::string(text);
}

/// An added token spells itself, whatever its letters would mean as bytes.
void Decoder::apply(const ByteLevel& /*step*/, Piece& piece) const
{
    if (piece.added) {
        return;
    }
    if (auto bytes = bytes_of_spelling(piece.bytes)) {
        piece.bytes = std::move(*bytes);
    }
}

void Decoder::apply(const ByteFallback& /*step*/, Piece& piece) const
{
    if (const auto byte = byte_of_fallback(piece.bytes)) {
        piece.bytes = std::string(1, static_cast<char>(*byte));
    }
}

void Decoder::apply(const EndOfWord& step, Piece& piece) const
{
    piece.ends_word = piece.bytes.ends_with(step.suffix);
    if (piece.ends_word) {
        piece.bytes.resize(piece.bytes.size() - step.suffix.size());
    }
}

} // namespace retort
