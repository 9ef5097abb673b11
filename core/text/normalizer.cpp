#include "core/text/normalizer.h"

#include "core/base/sha256.h"
#include "core/text/byte_alphabet.h"
#include "core/text/message.h"
#include "core/text/unicode.h"

namespace retort {

namespace {

constexpr int kDeepestSequence = 8;
constexpr std::size_t kMostGrowth = 64;

std::string apply_step(NormalForm form, std::string text)
{
    return normalised(text, form);
}

std::string apply_step(const Normalizer::Prepend& step, std::string text)
{
    return text.empty() ? text : step.text + text;
}

std::string apply_step(const Normalizer::Replace& step, std::string text)
{
    return step.pattern.replaced(text, step.content);
}

std::string apply_step(const Normalizer::Strip& step, std::string text)
{
    std::size_t begin = 0;
    std::size_t end = text.size();
    while (step.left && begin < end && is_white_space(code_point_at(text, begin).value)) {
        begin += code_point_at(text, begin).length;
    }
    while (step.right && end > begin && is_white_space(code_point_at(text, previous_character(text, end)).value)) {
        end = previous_character(text, end);
    }
    return text.substr(begin, end - begin);
}

std::string apply_step(Normalizer::Lowercase /*step*/, std::string text)
{
    return lower_case(text);
}

std::string apply_step(Normalizer::StripAccents /*step*/, std::string text)
{
    return without_accents(text);
}

std::string apply_step(Normalizer::Nmt /*step*/, std::string text)
{
    return with_plain_blanks(text);
}

std::string apply_step(Normalizer::ByteLevel /*step*/, std::string text)
{
    return spell_bytes(text);
}

std::string apply_step(Normalizer::Bert step, std::string text)
{
    text = step.clean_text ? without_controls(text) : std::move(text);
    text = step.spaces_ideographs ? with_spaced_ideographs(text) : std::move(text);
    text = step.strip_accents ? without_accents(normalised(text, NormalForm::Nfd)) : std::move(text);
    return step.lowercase ? lower_case(text) : text;
}

std::string apply_step(const Normalizer::Precompiled& step, std::string text)
{
    return step.longest ? step.map.applied_by_longest(text) : step.map.applied_by_graphemes(text);
}

} // namespace

std::string_view type_of(const JsonValue& json)
{
    const JsonValue* type = json.find("type");
    return type && type->string() ? std::string_view(*type->string()) : std::string_view();
}

bool flag(const JsonValue& json, std::string_view key, bool absent)
{
    const JsonValue* value = json.find(key);
    return value ? value->boolean().value_or(absent) : absent;
}

std::string text_of(const JsonValue& json, std::string_view key, std::string_view absent)
{
    const JsonValue* value = json.find(key);
    return std::string(value && value->string() ? std::string_view(*value->string()) : absent);
}

tl::unexpected<Error> unknown_part(std::string_view part, const JsonValue& json)
{
    return refusal("the " + std::string(part) + " " + quoted(type_of(json)) + " is not supported");
}

Result<Pattern> pattern_from_json(const JsonValue* json)
{
    const JsonValue* text = json ? json->find("String") : nullptr;
    if (text && text->string()) {
        return Pattern::literal(*text->string());
    }
    text = json ? json->find("Regex") : nullptr;
    if (text && text->string()) {
        return Pattern::regex(*text->string());
    }
    return refusal("a pattern is neither a \"String\" nor a \"Regex\"");
}

Result<Normalizer> Normalizer::from_json(const JsonValue* json)
{
    Normalizer normalizer;
    if (json && !json->is_null()) {
        if (auto added = normalizer.add(*json, 0); !added) {
            return failure(added.error());
        }
    }
    return normalizer;
}

Result<Normalizer> Normalizer::of_sentencepiece(const SentencePiece& settings)
{
    Normalizer normalizer;
    const auto add = [&](const std::string& json) -> Result<void> {
        const auto part = JsonValue::parse(json, "normalizer");
        return part ? normalizer.add(*part, 0) : failure(part.error());
    };
    if (!settings.character_map.empty()) {
        if (auto added = normalizer.add_map(settings.character_map, true); !added) {
            return failure(added.error());
        }
    }
    std::vector<std::string> parts;
    if (settings.removes_extra_blanks) {
        parts.emplace_back(R"({"type":"Replace","pattern":{"Regex":"\\A +| +\\z"},"content":""})");
        parts.emplace_back(R"({"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "})");
    }
    if (settings.adds_blank) {
        parts.emplace_back(R"({"type":"Prepend","prepend":"\u2581"})");
    }
    parts.emplace_back(R"({"type":"Replace","pattern":{"String":" "},"content":"\u2581"})");
    for (const std::string& part : parts) {
        if (auto added = add(part); !added) {
            return failure(added.error());
        }
    }
    return normalizer;
}

Result<void> Normalizer::add(const JsonValue& json, int depth)
{
    const std::string_view type = type_of(json);
    if (type != "Sequence") {
        return add_part(json, type);
    }
    const JsonValue* list = json.find("normalizers");
    if (!list || !list->array() || depth == kDeepestSequence) {
        return refusal("a Sequence of normalizers has no list of them, or nests too deep");
    }
    for (const JsonValue& part : *list->array()) {
        if (auto added = add(part, depth + 1); !added) {
            return added;
        }
    }
    return {};
}

Result<void> Normalizer::add_part(const JsonValue& json, std::string_view type)
{
    if (type == "Replace") {
        return add_replacement(json);
    }
    if (type == "Precompiled") {
        const auto bytes = bytes_of_base64(text_of(json, "precompiled_charsmap"));
        return bytes ? add_map(*bytes, false) : Result<void>(refusal("the precompiled_charsmap is not base64"));
    }
    if (type == "NFC" || type == "NFD" || type == "NFKC" || type == "NFKD") {
        m_steps.emplace_back(type == "NFC"    ? NormalForm::Nfc
                             : type == "NFD"  ? NormalForm::Nfd
                             : type == "NFKC" ? NormalForm::Nfkc
                                              : NormalForm::Nfkd);
    } else if (type == "Prepend") {
        m_steps.emplace_back(Prepend{text_of(json, "prepend")});
    } else if (type == "Strip") {
        m_steps.emplace_back(Strip{flag(json, "strip_left", true), flag(json, "strip_right", true)});
        m_description += std::string(flag(json, "strip_left", true) ? "l" : "") + (flag(json, "strip_right", true) ? "r" : "");
    } else if (type == "Lowercase") {
        m_steps.emplace_back(Lowercase{});
    } else if (type == "StripAccents") {
        m_steps.emplace_back(StripAccents{});
    } else if (type == "Nmt") {
        m_steps.emplace_back(Nmt{});
    } else if (type == "ByteLevel") {
        m_steps.emplace_back(ByteLevel{});
    } else if (type == "BertNormalizer") {
        const bool lowercase = flag(json, "lowercase", true);
        const Bert bert{flag(json, "clean_text", true), flag(json, "handle_chinese_chars", true), flag(json, "strip_accents", lowercase), lowercase};
        m_steps.emplace_back(bert);
        for (const bool part : {bert.clean_text, bert.spaces_ideographs, bert.strip_accents, bert.lowercase}) {
            m_description += part ? "y" : "n";
        }
    } else {
        return unknown_part("normalizer", json);
    }
    m_description += std::string(type) + text_of(json, "prepend") + ";";
    return {};
}

Result<void> Normalizer::add_replacement(const JsonValue& json)
{
    auto pattern = pattern_from_json(json.find("pattern"));
    if (!pattern) {
        return failure(pattern.error());
    }
    const std::string content = text_of(json, "content");
    m_description += pattern->source() + ">" + content + "Replace;";
    m_steps.emplace_back(Replace{std::move(*pattern), content});
    m_growth *= content.size() + 1;
    if (m_growth > kMostGrowth) {
        return refusal("the normalizer makes texts more than " + std::to_string(kMostGrowth) + " times as long");
    }
    return {};
}

Result<void> Normalizer::add_map(std::string_view bytes, bool longest)
{
    auto map = CharacterMap::create(bytes);
    if (!map) {
        return failure(map.error());
    }
    if (map->longest_replacement() > kMostGrowth) {
        return refusal("the character map turns a character into " + std::to_string(map->longest_replacement()) + " bytes; at most " +
                       std::to_string(kMostGrowth) + " are possible");
    }
    Sha256 sha;
    sha.add(bytes);
    m_description += (longest ? "map " : "map of graphemes ") + sha.hex() + ";";
    m_steps.emplace_back(Precompiled{std::move(*map), longest});
    return {};
}

std::string Normalizer::apply(std::string_view text) const
{
    std::string out(text);
    for (const Step& step : m_steps) {
        out = std::visit([&](const auto& known) { return apply_step(known, std::move(out)); }, step);
    }
    return out;
}

} // namespace retort
