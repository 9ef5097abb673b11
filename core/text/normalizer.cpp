#include "core/text/normalizer.h"

#include "core/text/message.h"

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
    std::string out;
    std::size_t done = 0;
    Pattern::Search search(step.pattern, text);
    while (const auto match = search.next()) {
        out.append(text, done, match->begin - done).append(step.content);
        done = match->end;
    }
    return out.append(text, done);
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

Result<void> Normalizer::add(const JsonValue& json, int depth)
{
    const std::string_view type = type_of(json);
    if (type == "Sequence") {
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
    if (type == "NFC" || type == "NFD" || type == "NFKC" || type == "NFKD") {
        m_steps.emplace_back(type == "NFC"    ? NormalForm::Nfc
                             : type == "NFD"  ? NormalForm::Nfd
                             : type == "NFKC" ? NormalForm::Nfkc
                                              : NormalForm::Nfkd);
    } else if (type == "Prepend") {
        m_steps.emplace_back(Prepend{text_of(json, "prepend")});
    } else if (type == "Replace") {
        auto pattern = pattern_from_json(json.find("pattern"));
        if (!pattern) {
            return failure(pattern.error());
        }
        m_growth *= text_of(json, "content").size() + 1;
        if (m_growth > kMostGrowth) {
            return refusal("the normalizer makes texts more than " + std::to_string(kMostGrowth) + " times as long");
        }
        m_description += pattern->source() + ">" + text_of(json, "content");
        m_steps.emplace_back(Replace{std::move(*pattern), text_of(json, "content")});
    } else if (type == "Strip") {
        m_steps.emplace_back(Strip{flag(json, "strip_left", true), flag(json, "strip_right", true)});
        m_description += std::string(flag(json, "strip_left", true) ? "l" : "") + (flag(json, "strip_right", true) ? "r" : "");
    } else if (type == "Lowercase") {
        m_steps.emplace_back(Lowercase{});
    } else if (type == "StripAccents") {
        m_steps.emplace_back(StripAccents{});
    } else {
        return unknown_part("normalizer", json);
    }
    m_description += std::string(type) + text_of(json, "prepend") + ";";
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
