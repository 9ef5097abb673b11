#include "core/text/tokenizer.h"

#include "core/text/message.h"

#include <algorithm>

namespace retort {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Bytes at the start of `rest`, which is no valid UTF-8 there, that begin a character but do not end it: 1 ... 3.
/// One U+FFFD stands for all of them ("maximal subpart", Unicode 15, table 3-8), as Rust and Python decode.
std::size_t broken_length(std::string_view rest)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
    const unsigned char lead = byte(0);
    const std::size_t wanted = lead >= 0xC2 && lead <= 0xDF ? 2 : lead >= 0xE0 && lead <= 0xEF ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 1;
    const unsigned char lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned char highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    std::size_t length = 1;
    while (length < wanted && length < rest.size()) {
        const bool fits = length == 1 ? byte(1) >= lowest && byte(1) <= highest : (byte(length) & 0xC0U) == 0x80U;
        if (!fits) {
            break;
        }
        ++length;
    }
    return length;
}

/// Whether more bytes could still make a character of the broken sequence that is all of `rest`.
bool may_be_completed(std::string_view rest)
{
    const auto lead = static_cast<unsigned char>(rest[0]);
    const std::size_t wanted = lead >= 0xC2 && lead <= 0xDF ? 2 : lead >= 0xE0 && lead <= 0xEF ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 1;
    return rest.size() < wanted && broken_length(rest) == rest.size();
}

/// Moves the text out of `bytes` and leaves there what a later byte may complete; with `last`, nothing.
std::string take_text(std::string& bytes, bool last)
{
    std::string out;
    std::string_view rest = bytes;
    while (!rest.empty()) {
        const std::size_t good = valid_utf8_prefix(rest);
        out += rest.substr(0, good);
        rest.remove_prefix(good);
        if (rest.empty() || (!last && may_be_completed(rest))) {
            break;
        }
        out += kReplacement;
        rest.remove_prefix(broken_length(rest));
    }
    bytes = std::string(rest);
    return out;
}

void drop_spaces(std::string& text, std::size_t& count)
{
    const std::size_t spaces = std::min(count, std::min(text.find_first_not_of(' '), text.size()));
    count = spaces < text.size() ? 0 : count - spaces;
    text.erase(0, spaces);
}

} // namespace

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skip_special) const
{
    std::string all;
    for (const TokenId id : ids) {
        if (!skip_special || !is_special(id)) {
            all += bytes(id);
        }
    }
    std::size_t spaces = leading_spaces_dropped();
    drop_spaces(all, spaces);
    return take_text(all, true);
}

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special)
    : m_tokenizer(std::move(tokenizer)), m_skip_special(skip_special), m_leading_spaces(m_tokenizer->leading_spaces_dropped())
{
}

std::string StreamDecoder::push(TokenId id)
{
    if (m_skip_special && m_tokenizer->is_special(id)) {
        return {};
    }
    m_pending += m_tokenizer->bytes(id);
    drop_spaces(m_pending, m_leading_spaces);
    return take_text(m_pending, false);
}

std::string StreamDecoder::finish()
{
    return take_text(m_pending, true);
}

TokenizerMatch compare_tokenizers(const Tokenizer& teacher, const Tokenizer& student)
{
    const std::string sizes = std::to_string(teacher.size()) + " and " + std::to_string(student.size());
    if (teacher.kind() != student.kind()) {
        return {false,
                "The teacher cuts text by " + teacher.kind() + ", the student by " + student.kind() + ": their pieces have nothing in common."};
    }
    const auto end = static_cast<TokenId>(std::max(teacher.size(), student.size()));
    for (TokenId id = 0; id < end; ++id) {
        if (teacher.is_unused(id) || student.is_unused(id)) {
            if (teacher.is_unused(id) && student.is_unused(id)) {
                continue;
            }
            const bool teachers = student.is_unused(id);
            const Tokenizer& owner = teachers ? teacher : student;
            return {false, "Their vocabularies differ (" + sizes + " pieces): only the " + (teachers ? "teacher" : "student") + " has " +
                               quoted(owner.spelling(id)) + " as piece " + std::to_string(id) + "."};
        }
        if (teacher.spelling(id) != student.spelling(id)) {
            return {false, "Their vocabularies differ (" + sizes + " pieces): piece " + std::to_string(id) + " is " + quoted(teacher.spelling(id)) +
                               " to the teacher and " + quoted(student.spelling(id)) + " to the student."};
        }
    }
    const std::string pieces = std::to_string(std::min(teacher.size(), student.size()));
    if (teacher.fingerprint() == student.fingerprint()) {
        return {true, "Both cut text into the same " + pieces + " pieces."};
    }
    return {true, "Both have the same " + pieces + " pieces, but their files prepare text differently: a text may be cut differently by each."};
}

} // namespace retort
