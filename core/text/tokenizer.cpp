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

} // namespace

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skip_special) const
{
    StreamDecoder decoder(std::shared_ptr<const Tokenizer>(std::shared_ptr<const Tokenizer>(), this), skip_special); // owns nothing
    std::string text;
    for (const TokenId id : ids) {
        text += decoder.push(id);
    }
    return text + decoder.finish();
}

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special)
    : m_tokenizer(std::move(tokenizer)), m_skip_special(skip_special), m_to_drop(m_tokenizer->edges().at_begin)
{
}

void StreamDecoder::read_before(std::span<const TokenId> ids)
{
    for (const TokenId id : ids) {
        (void)push(id);
    }
}

std::string StreamDecoder::push(TokenId id)
{
    if (m_skip_special && m_tokenizer->is_special(id)) {
        return {};
    }
    m_pending.append(m_after).append(m_tokenizer->bytes(id));
    m_after = m_tokenizer->after(id);
    drop_beginning();
    std::string text = take_text(m_pending, false);
    const TextEdges& edges = m_tokenizer->edges();
    std::size_t kept = text.size(); // what may turn out to be the end of the text is held back
    for (std::size_t i = 0; i < edges.at_end && std::string_view(text).substr(0, kept).ends_with(edges.character); ++i) {
        kept -= edges.character.size();
    }
    m_pending.insert(0, text, kept);
    text.resize(kept);
    return text;
}

std::string StreamDecoder::finish()
{
    const TextEdges& edges = m_tokenizer->edges();
    for (std::size_t i = 0; i < edges.at_end && m_pending.ends_with(edges.character); ++i) {
        m_pending.resize(m_pending.size() - edges.character.size());
    }
    return take_text(m_pending, true);
}

void StreamDecoder::drop_beginning()
{
    const std::string& character = m_tokenizer->edges().character;
    std::size_t dropped = 0;
    for (; m_to_drop > 0 && std::string_view(m_pending).substr(dropped).starts_with(character); --m_to_drop) {
        dropped += character.size();
    }
    m_pending.erase(0, dropped);
    if (!m_pending.empty() && !character.starts_with(m_pending)) { // else the rest of the character may follow
        m_to_drop = 0;
    }
}

} // namespace retort
