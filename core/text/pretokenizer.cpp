#include "core/text/pretokenizer.h"

#include "core/text/message.h"
#include "core/text/normalizer.h"
#include "core/text/unicode.h"

#include <algorithm>

namespace retort {

namespace {

constexpr int kDeepestSequence = 8;

struct Part {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool match = false;
};

std::vector<Part> parts_of(const Pattern& pattern, std::string_view text, bool invert)
{
    std::vector<Part> parts;
    std::size_t done = 0;
    Pattern::Search search(pattern, text);
    while (const auto match = search.next()) {
        if (done < match->begin) {
            parts.push_back({done, match->begin, invert});
        }
        parts.push_back({match->begin, match->end, !invert});
        done = match->end;
    }
    if (done < text.size()) {
        parts.push_back({done, text.size(), invert});
    }
    return parts;
}

std::vector<Part> merged_with_previous(const std::vector<Part>& parts)
{
    std::vector<Part> out;
    bool previous = false;
    for (const Part& part : parts) {
        if (part.match && !previous && !out.empty()) {
            out.back().end = part.end;
        } else {
            out.push_back(part);
        }
        previous = part.match;
    }
    return out;
}

std::vector<Part> merged_with_next(const std::vector<Part>& parts)
{
    std::vector<Part> out;
    bool previous = false;
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
        if (part->match && !previous && !out.empty()) {
            out.back().begin = part->begin;
        } else {
            out.push_back(*part);
        }
        previous = part->match;
    }
    std::reverse(out.begin(), out.end());
    return out;
}

std::vector<Part> contiguous(const std::vector<Part>& parts)
{
    std::vector<Part> out;
    for (const Part& part : parts) {
        if (!out.empty() && out.back().match == part.match) {
            out.back().end = part.end;
        } else {
            out.push_back(part);
        }
    }
    return out;
}

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
    return pretokenizer;
}

Result<void> PreTokenizer::add(const JsonValue& json, int depth)
{
    const std::string_view type = type_of(json);
    if (type == "Sequence") {
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
    if (m_byte_level) {
        return refusal("the pre-tokenizer " + quoted(type) + " stands behind ByteLevel, which has to be the last");
    }
    if (type == "Split") {
        return add_split(json);
    }
    if (type == "ByteLevel") {
        return add_byte_level(json);
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
    return unknown_part("pre-tokenizer", json);
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
    ByteLevel step{flag(json, "add_prefix_space", true), std::nullopt};
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
    if (step.add_prefix_space) {
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

void PreTokenizer::cut_from(std::size_t step, std::string_view text, bool at_start, const Take& take) const
{
    if (text.empty()) {
        return;
    }
    if (step == m_steps.size()) {
        take(text);
        return;
    }
    std::visit([&](const auto& known) { run(known, step + 1, text, at_start, take); }, m_steps[step]);
}

void PreTokenizer::run(const Split& step, std::size_t next, std::string_view text, bool at_start, const Take& take) const
{
    if (step.behaviour == Behaviour::Isolated) { // nearly every tokenizer; needs no list
        std::size_t done = 0;
        Pattern::Search search(step.pattern, text);
        while (const auto match = search.next()) {
            cut_from(next, text.substr(done, match->begin - done), at_start && done == 0, take);
            cut_from(next, text.substr(match->begin, match->end - match->begin), at_start && match->begin == 0, take);
            done = match->end;
        }
        cut_from(next, text.substr(done), at_start && done == 0, take);
        return;
    }
    std::vector<Part> parts = parts_of(step.pattern, text, step.invert);
    switch (step.behaviour) {
    case Behaviour::Isolated:
        break;
    case Behaviour::Removed:
        std::erase_if(parts, [](const Part& part) { return part.match; });
        break;
    case Behaviour::MergedWithPrevious:
        parts = merged_with_previous(parts);
        break;
    case Behaviour::MergedWithNext:
        parts = merged_with_next(parts);
        break;
    case Behaviour::Contiguous:
        parts = contiguous(parts);
        break;
    }
    for (const Part& part : parts) {
        cut_from(next, text.substr(part.begin, part.end - part.begin), at_start && part.begin == 0, take);
    }
}

void PreTokenizer::run(const Digits& step, std::size_t next, std::string_view text, bool at_start, const Take& take) const
{
    std::size_t begin = 0;
    bool was_digit = false;
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = code_point_at(text, at);
        const bool digit = (c.value >= '0' && c.value <= '9') || (c.value >= 0x80 && is_numeric(c.value));
        if (at > begin && (digit != was_digit || (digit && step.individual))) {
            cut_from(next, text.substr(begin, at - begin), at_start && begin == 0, take);
            begin = at;
        }
        was_digit = digit;
        at += c.length;
    }
    cut_from(next, text.substr(begin), at_start && begin == 0, take);
}

void PreTokenizer::run(const ByteLevel& step, std::size_t next, std::string_view text, bool at_start, const Take& take) const
{
    std::string spaced;
    if (step.add_prefix_space && text.front() != ' ') {
        spaced.append(" ").append(text);
        text = spaced;
    }
    if (!step.words) {
        cut_from(next, text, at_start, take);
        return;
    }
    Pattern::Search search(*step.words, text);
    std::size_t done = 0;
    while (const auto match = search.next()) {
        cut_from(next, text.substr(done, match->end - done), at_start && done == 0, take);
        done = match->end;
    }
    cut_from(next, text.substr(done), at_start && done == 0, take);
}

void PreTokenizer::run(const Metaspace& step, std::size_t next, std::string_view text, bool at_start, const Take& take) const
{
    std::string replaced;
    replaced.reserve(text.size() * 3 / 2);
    for (const char c : text) {
        c == ' ' ? replaced += step.replacement : replaced += c;
    }
    const bool prepend = step.prepend == PrependScheme::Always || (step.prepend == PrependScheme::First && at_start);
    if (prepend && !replaced.starts_with(step.replacement)) {
        replaced.insert(0, step.replacement);
    }
    if (!step.split) {
        cut_from(next, replaced, at_start, take);
        return;
    }
    for (const Part& part : merged_with_next(parts_of(step.boundary, replaced, false))) {
        cut_from(next, std::string_view(replaced).substr(part.begin, part.end - part.begin), at_start && part.begin == 0, take);
    }
}

} // namespace retort
