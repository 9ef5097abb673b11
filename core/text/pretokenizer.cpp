#include "core/text/pretokenizer.h"

#include "core/text/byte_alphabet.h"
#include "core/text/unicode.h"

#include <algorithm>

namespace retort {

namespace {

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

} // namespace

void PreTokenizer::cut_from(std::size_t step, std::string_view text, bool at_start, const Take& take) const
{
    if (text.empty()) {
        return;
    }
    if (step == m_steps.size()) {
        m_unspells ? take(bytes_of_spelling(text).value_or(std::string(text))) : take(text);
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
    const auto hand_on = [&](std::string_view part, bool at_begin) {
        step.spells ? cut_from(next, spell_bytes(part), at_begin, take) : cut_from(next, part, at_begin, take);
    };
    std::size_t done = 0;
    if (step.words) {
        Pattern::Search search(*step.words, text);
        while (const auto match = search.next()) {
            hand_on(text.substr(done, match->begin - done), at_start && done == 0);
            hand_on(text.substr(match->begin, match->end - match->begin), at_start && match->begin == 0);
            done = match->end;
        }
    }
    hand_on(text.substr(done), at_start && done == 0);
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
