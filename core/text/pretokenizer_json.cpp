#include "core/text/message.h"
#include "core/text/normalizer.h"
#include "core/text/pretokenizer.h"

#include <algorithm>

namespace retort {

namespace {

constexpr int kDeepestSequence = 8;

std::optional<PreTokenizer::Behaviour> behaviour_named(std::string_view name)
{
    using Behaviour = PreTokenizer::Behaviour;
    constexpr std::pair<std::string_view, Behaviour> kBehaviours[] = {{"Removed", Behaviour::Removed},
                                                                      {"Isolated", Behaviour::Isolated},
                                                                      {"MergedWithPrevious", Behaviour::MergedWithPrevious},
                                                                      {"MergedWithNext", Behaviour::MergedWithNext},
                                                                      {"Contiguous", Behaviour::Contiguous}};
    for (const auto& [known, behaviour] : kBehaviours) {
        if (known == name) {
            return behaviour;
        }
    }
    return std::nullopt;
}

/// \w+|[^\w\s]+ as Rust's regex reads it (UTS 18), which Whitespace goes by, and not the engine of the other expressions.
constexpr std::string_view kWords = R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200C}\x{200D}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200C}\x{200D}\s]+)";
constexpr std::string_view kPunctuation = R"([!-/:-@\[-`{-~\p{P}])"; // ASCII's signs and all that Unicode calls punctuation

} // namespace

Result<PreTokenizer> PreTokenizer::from_json(const JsonValue* json)
{
    PreTokenizer pretokenizer;
    if (json && !json->is_null()) {
        if (auto added = pretokenizer.add(*json, 0); !added) {
            return failure(added.error());
        }
    }
    return pretokenizer;
}

Result<PreTokenizer> PreTokenizer::byte_level(const std::vector<std::string_view>& expressions)
{
    PreTokenizer pretokenizer;
    for (const std::string_view expression : expressions) {
        auto pattern = Pattern::regex(expression);
        if (!pattern) {
            return failure(pattern.error());
        }
        pretokenizer.add_split({std::move(*pattern), Behaviour::Isolated, false});
    }
    pretokenizer.m_byte_level = true;
    pretokenizer.m_description += "bytes;";
    pretokenizer.m_bytes_at = pretokenizer.m_steps.size();
    return pretokenizer;
}

Result<void> PreTokenizer::add(const JsonValue& json, int depth)
{
    const std::string_view type = type_of(json);
    if (type != "Sequence") {
        return add_part(json, type);
    }
    const JsonValue* list = json.find("pretokenizers");
    if (!list || !list->array() || depth == kDeepestSequence) {
        return refusal("a Sequence of pre-tokenizers has no list of them, or nests too deep");
    }
    for (const JsonValue& part : *list->array()) {
        if (auto added = add(part, depth + 1); !added) {
            return added;
        }
    }
    return {};
}

Result<void> PreTokenizer::add_part(const JsonValue& json, std::string_view type)
{
    if (m_byte_level && !m_unspells) { // it was not the last: what follows cuts the spelling of its bytes
        hand_on_spellings();
        m_unspells = true;
    }
    if (type == "Split") {
        return add_split(json);
    }
    if (type == "ByteLevel") {
        return m_byte_level ? Result<void>(refusal("the pre-tokenizer ByteLevel comes twice")) : add_byte_level(json);
    }
    if (type == "Metaspace") {
        return add_metaspace(json);
    }
    if (type == "Digits") {
        const bool individual = flag(json, "individual_digits", false);
        m_steps.emplace_back(Digits{individual});
        m_description += individual ? "digits;" : "numbers;";
        return {};
    }
    if (type == "Whitespace") {
        return add_expression(kWords, Behaviour::Removed, true);
    }
    if (type == "WhitespaceSplit") {
        return add_expression(R"(\s)", Behaviour::Removed, false);
    }
    if (type == "Punctuation") {
        const auto behaviour = behaviour_named(text_of(json, "behavior", "Isolated"));
        return behaviour ? add_expression(kPunctuation, *behaviour, false)
                         : Result<void>(refusal("the behavior " + quoted(text_of(json, "behavior")) + " of Punctuation is not supported"));
    }
    if (type == "BertPreTokenizer") {
        return add_expression(R"(\s)", Behaviour::Removed, false).and_then([&] { return add_expression(kPunctuation, Behaviour::Isolated, false); });
    }
    if (type == "CharDelimiterSplit") {
        return add_delimiter(json);
    }
    return type == "FixedLength" ? add_fixed_length(json) : Result<void>(unknown_part("pre-tokenizer", json));
}

Result<void> PreTokenizer::add_expression(std::string_view expression, Behaviour behaviour, bool invert)
{
    auto pattern = Pattern::regex(expression);
    if (!pattern) {
        return failure(pattern.error());
    }
    add_split({std::move(*pattern), behaviour, invert});
    return {};
}

Result<void> PreTokenizer::add_delimiter(const JsonValue& json)
{
    auto pattern = Pattern::literal(text_of(json, "delimiter"));
    if (!pattern) {
        return failure(pattern.error());
    }
    add_split({std::move(*pattern), Behaviour::Removed, false});
    return {};
}

Result<void> PreTokenizer::add_fixed_length(const JsonValue& json)
{
    constexpr std::int64_t kMost = 10'000;
    const JsonValue* length = json.find("length");
    const std::int64_t characters = length ? length->integer().value_or(0) : 5;
    if (characters < 1 || characters > kMost) {
        return refusal("the length of a FixedLength is not between 1 and " + std::to_string(kMost));
    }
    return add_expression("(?s:.){1," + std::to_string(characters) + "}", Behaviour::Isolated, false);
}

void PreTokenizer::hand_on_spellings()
{
    m_unspells = false;
    if (m_bytes_at == m_steps.size() || !std::holds_alternative<ByteLevel>(m_steps[m_bytes_at])) {
        m_steps.emplace_back(ByteLevel{});
        std::rotate(m_steps.begin() + static_cast<std::ptrdiff_t>(m_bytes_at), m_steps.end() - 1, m_steps.end());
    }
    std::get<ByteLevel>(m_steps[m_bytes_at]).spells = true;
}

void PreTokenizer::add_split(Split split)
{
    m_description += "split " + std::to_string(static_cast<int>(split.behaviour)) + (split.invert ? "!" : "") + split.pattern.source() + ";";
    m_steps.emplace_back(std::move(split));
}

Result<void> PreTokenizer::add_split(const JsonValue& json)
{
    auto pattern = pattern_from_json(json.find("pattern"));
    if (!pattern) {
        return failure(pattern.error());
    }
    const auto behaviour = behaviour_named(text_of(json, "behavior"));
    if (!behaviour) {
        return refusal("the behavior " + quoted(text_of(json, "behavior")) + " of a Split is not supported");
    }
    add_split({std::move(*pattern), *behaviour, flag(json, "invert", false)});
    return {};
}

Result<void> PreTokenizer::add_byte_level(const JsonValue& json)
{
    ByteLevel step{flag(json, "add_prefix_space", true), std::nullopt, false};
    if (flag(json, "use_regex", true)) {
        auto words = Pattern::regex(kGpt2Words);
        if (!words) {
            return failure(words.error());
        }
        step.words = std::move(*words);
        if (!step.add_prefix_space) {
            // The same as a Split by that expression, so that it also reads the same in descriptions.
            add_split({std::move(*step.words), Behaviour::Isolated, false});
            step.words.reset();
        }
    }
    m_byte_level = true;
    m_description += step.add_prefix_space ? step.words ? "space words bytes;" : "space bytes;" : "bytes;";
    m_bytes_at = m_steps.size();
    if (step.add_prefix_space) { // else there is nothing to do on the way to the bytes
        m_steps.emplace_back(std::move(step));
    }
    return {};
}

Result<void> PreTokenizer::add_metaspace(const JsonValue& json)
{
    const std::string replacement = text_of(json, "replacement", "\xE2\x96\x81");
    auto boundary = Pattern::literal(replacement);
    if (!boundary) {
        return failure(boundary.error());
    }
    const std::string scheme = text_of(json, "prepend_scheme", flag(json, "add_prefix_space", true) ? "always" : "never");
    if (scheme != "first" && scheme != "never" && scheme != "always") {
        return refusal("the prepend_scheme " + quoted(scheme) + " of Metaspace is not supported");
    }
    const PrependScheme prepend = scheme == "first" ? PrependScheme::First : scheme == "never" ? PrependScheme::Never : PrependScheme::Always;
    const bool split = flag(json, "split", true);
    m_steps.emplace_back(Metaspace{replacement, prepend, split, std::move(*boundary)});
    m_description += "metaspace " + replacement + scheme + (split ? " split;" : ";");
    return {};
}

} // namespace retort
