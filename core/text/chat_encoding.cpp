#include "core/text/chat_encoding.h"

#include "core/base/text_format.h"

#include <algorithm>

namespace retort {

namespace {

/// A character that stands in no message and not in the template: one of Unicode's noncharacters U+FDD0 ... U+FDEF, which text never holds. Put into
/// a message it breaks the spelling of a special token there, through the template and back.
std::optional<std::string> unused_mark(const std::vector<ChatMessage>& messages, const std::string& source)
{
    for (unsigned char last = 0x90; last <= 0xAF; ++last) {
        const std::string mark = {'\xEF', '\xB7', static_cast<char>(last)};
        const auto holds = [&mark](const std::string& text) { return text.find(mark) != std::string::npos; };
        if (!holds(source) &&
            std::none_of(messages.begin(), messages.end(), [&](const ChatMessage& m) { return holds(m.role) || holds(m.content); })) {
            return mark;
        }
    }
    return std::nullopt;
}

using SpecialPiece = ChatEncoder::SpecialPiece;

std::vector<SpecialPiece> special_pieces(const Tokenizer& tokenizer)
{
    std::vector<SpecialPiece> pieces;
    for (std::size_t i = 0; i < tokenizer.size(); ++i) {
        const auto id = static_cast<TokenId>(i);
        if (tokenizer.is_special(id) && !tokenizer.bytes(id).empty()) {
            pieces.push_back({tokenizer.bytes(id), id});
        }
    }
    return pieces;
}

/// Whether a spelling of `special` can end in the beginning of `text`, or stand around the whole of it.
bool could_join_before(std::string_view text, std::string_view special)
{
    for (std::size_t n = 1; n <= std::min(text.size(), special.size() - 1); ++n) {
        if (text.substr(0, n) == special.substr(special.size() - n)) {
            return true;
        }
    }
    return !text.empty() && special.find(text) != std::string_view::npos;
}

/// Whether a spelling of `special` can begin in the end of `text`.
bool could_join_after(std::string_view text, std::string_view special)
{
    for (std::size_t n = 1; n <= std::min(text.size(), special.size() - 1); ++n) {
        if (text.substr(text.size() - n) == special.substr(0, n)) {
            return true;
        }
    }
    return false;
}

std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view kWhitespace = " \t\r\n\v\f";
    const std::size_t begin = std::min(text.find_first_not_of(kWhitespace), text.size());
    return text.substr(begin, text.find_last_not_of(kWhitespace) + 1 - begin); // npos + 1 is 0, of nothing but whitespace
}

/// The bytes of `content` that marks must stand before, so that no special piece can be read in it or across its ends, trimmed by the template or
/// not.
std::vector<std::size_t> places_of_marks(std::string_view content, const std::vector<SpecialPiece>& specials)
{
    std::vector<std::size_t> places;
    const std::string_view inner = trimmed(content);
    for (const SpecialPiece& piece : specials) {
        for (std::size_t at = content.find(piece.spelling); at != std::string_view::npos; at = content.find(piece.spelling, at + 1)) {
            std::size_t inside = at + 1;
            while (inside < at + piece.spelling.size() && (static_cast<unsigned char>(content[inside]) & 0xC0) == 0x80) {
                ++inside; // never within a character
            }
            places.push_back(inside);
        }
        for (const std::string_view text : {content, inner}) {
            const auto begin = static_cast<std::size_t>(text.data() - content.data());
            if (could_join_before(text, piece.spelling)) {
                places.push_back(begin);
            }
            if (could_join_after(text, piece.spelling)) {
                places.push_back(begin + text.size());
            }
        }
    }
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    return places;
}

/// `content` with its marks. Content that could not be misread, nearly all there is, comes back as it was, so that a template that looks into its
/// messages sees them unchanged.
std::string shielded(std::string_view content, const std::vector<SpecialPiece>& specials, const std::string& mark)
{
    std::string result;
    std::size_t from = 0;
    for (const std::size_t place : places_of_marks(content, specials)) {
        result += content.substr(from, place - from);
        result += mark;
        from = place;
    }
    return result.append(content.substr(from));
}

/// A role is a word that the template knows, or refuses; one that is more than a word is shielded throughout, so that it closes no special piece that
/// the template opens around it.
std::string shielded_role(const std::string& role, const std::string& mark)
{
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == ' ';
    };
    if (std::all_of(role.begin(), role.end(), is_plain)) {
        return role;
    }
    std::string result = mark;
    for (const char c : role) {
        result.append((static_cast<unsigned char>(c) & 0xC0U) == 0x80U ? "" : mark).append(1, c);
    }
    return result.append(mark);
}

std::string without(std::string text, const std::string& mark)
{
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
        text.erase(at, mark.size());
    }
    return text;
}

/// The ids of a rendered template in which messages are shielded: what still spells a special piece is the template's own. Marks are there only when
/// a message spells one; then the pieces of text between the special ones are cut on their own, as the tokenizer itself would cut them.
std::vector<TokenId> encode_rendered(const Tokenizer& tokenizer, const std::vector<SpecialPiece>& specials, const std::string& rendered,
                                     const std::string& mark)
{
    if (rendered.find(mark) == std::string::npos) {
        return tokenizer.encode(rendered, Tokenizer::Special::AsTokens);
    }
    std::vector<TokenId> ids;
    std::size_t from = 0;
    const auto take_text = [&](std::size_t end) {
        if (end > from) {
            const auto text = tokenizer.encode(without(rendered.substr(from, end - from), mark), Tokenizer::Special::AsText);
            ids.insert(ids.end(), text.begin(), text.end());
        }
    };
    for (std::size_t at = 0; at < rendered.size();) {
        const SpecialPiece* longest = nullptr;
        for (const SpecialPiece& piece : specials) {
            const bool here = std::string_view(rendered).substr(at).starts_with(piece.spelling);
            if (here && (longest == nullptr || piece.spelling.size() > longest->spelling.size())) {
                longest = &piece;
            }
        }
        if (longest == nullptr) {
            ++at;
            continue;
        }
        take_text(at);
        ids.push_back(longest->id);
        at += longest->spelling.size();
        from = at;
    }
    take_text(rendered.size());
    return ids;
}

} // namespace

Result<void> check_messages(const std::vector<ChatMessage>& messages)
{
    if (messages.empty()) {
        return failure(Error::Kind::Usage, "There is no message to answer. A chat needs at least one, from the user.");
    }
    return {};
}

ChatEncoder::ChatEncoder(const Tokenizer& tokenizer, const ChatTemplate& chat_template)
    : m_tokenizer(tokenizer), m_template(chat_template), m_specials(special_pieces(tokenizer))
{
}

Result<ChatEncoder::Shielded> ChatEncoder::shield(const std::vector<ChatMessage>& messages) const
{
    if (auto checked = check_messages(messages); !checked) {
        return failure(std::move(checked.error()));
    }
    const auto mark = unused_mark(messages, m_template.source());
    if (!mark) {
        return failure(Error::Kind::Usage, "The messages hold all of Unicode's noncharacters U+FDD0 to U+FDEF. Take them out: they are not text.");
    }
    Shielded result{messages, *mark};
    for (ChatMessage& message : result.messages) {
        message.role = shielded_role(message.role, *mark);
        message.content = shielded(message.content, m_specials, *mark);
    }
    return result;
}

/// Some templates write a BOS twice; no model was trained on two.
void ChatEncoder::drop_second_bos(EncodedChat& chat) const
{
    const auto bos = m_tokenizer.bos();
    if (bos && chat.ids.size() > 1 && chat.ids[0] == *bos && chat.ids[1] == *bos) {
        chat.ids.erase(chat.ids.begin());
        chat.counts.erase(chat.counts.begin());
    }
}

void ChatEncoder::append(EncodedChat& chat, const std::string& rendered, const std::string& mark, std::uint8_t counts) const
{
    const auto ids = encode_rendered(m_tokenizer, m_specials, rendered, mark);
    chat.ids.insert(chat.ids.end(), ids.begin(), ids.end());
    chat.counts.resize(chat.ids.size(), counts);
    chat.rendered += without(rendered, mark);
}

Result<EncodedChat> ChatEncoder::prompt(const std::vector<ChatMessage>& messages, const ChatTemplate::Options& options) const
{
    const auto shield_up = shield(messages);
    if (!shield_up) {
        return failure(shield_up.error());
    }
    const auto rendered = m_template.render(shield_up->messages, options);
    if (!rendered) {
        return failure(rendered.error());
    }
    EncodedChat chat;
    append(chat, *rendered, shield_up->mark, 0);
    drop_second_bos(chat);
    return chat;
}

/// What the template writes before the words of an assistant that opens the chat. Of no messages many write something else than what a chat begins
/// with, so this is read off a chat of one word.
Result<std::string> ChatEncoder::beginning_of_opening(ChatTemplate::Options options, const std::string& word) const
{
    options.add_generation_prompt = false;
    return m_template.render({{"assistant", word}}, options).map([&word](const std::string& text) { return text.substr(0, text.find(word)); });
}

Result<EncodedChat> ChatEncoder::dialogue(const std::vector<ChatMessage>& messages, ChatTemplate::Options options) const
{
    const auto shield_up = shield(messages);
    if (!shield_up) {
        return failure(shield_up.error());
    }
    const auto render_first = [&](std::size_t count, bool generation_prompt) {
        options.add_generation_prompt = generation_prompt;
        return m_template.render({shield_up->messages.begin(), shield_up->messages.begin() + static_cast<std::ptrdiff_t>(count)}, options);
    };
    const auto whole = render_first(messages.size(), false);
    if (!whole) {
        return failure(whole.error());
    }
    EncodedChat chat;
    std::size_t at = 0;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (messages[i].role != "assistant") {
            continue;
        }
        const auto before = i > 0 ? render_first(i, true) : beginning_of_opening(options, shield_up->mark);
        const auto with_answer = render_first(i + 1, false);
        if (!before || !with_answer) {
            return failure(!before ? before.error() : with_answer.error());
        }
        const std::size_t begin = before->size();
        const std::size_t end = with_answer->size();
        if (begin < at || end < begin || !whole->starts_with(*before) || !whole->starts_with(*with_answer)) {
            return failure(Error::Kind::Mismatch, "The chat template writes turn " + std::to_string(i + 1) +
                                                      " otherwise when more follows it, so what the assistant said cannot be told from the rest. "
                                                      "Give the text as prompt and completion instead.");
        }
        append(chat, whole->substr(at, begin - at), shield_up->mark, 0);
        append(chat, whole->substr(begin, end - begin), shield_up->mark, 1);
        at = end;
    }
    append(chat, whole->substr(at), shield_up->mark, 0);
    drop_second_bos(chat);
    return chat;
}

} // namespace retort
