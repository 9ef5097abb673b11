#include "core/store/text_index.h"

#include "core/base/text_format.h"
#include "core/store/row_tools.h"

#include <algorithm>

namespace retort {

namespace {

constexpr char kBegin = '\x02'; // of a found word in a snippet: nothing that anybody types
constexpr char kEnd = '\x03';
constexpr std::size_t kAround = 60; ///< bytes of a snippet to either side

void write(Database& database, std::int64_t row, std::string_view text)
{
    database.prepare("DELETE FROM search WHERE rowid = ?").with(row).run();
    database.prepare("INSERT INTO search(rowid, text) VALUES (?, ?)").with(row, with_valid_utf8(text)).run();
}

std::vector<std::string> split(std::string_view words)
{
    std::vector<std::string> parts;
    std::string part;
    for (const char c : words) {
        if (static_cast<unsigned char>(c) > ' ') {
            part += c;
        } else if (!part.empty()) {
            parts.push_back(std::move(part));
            part.clear();
        }
    }
    if (!part.empty()) {
        parts.push_back(std::move(part));
    }
    return parts;
}

/// Chinese, Japanese and Korean letters, which begin at U+2E80, and those of Thai, Lao, Khmer and Burmese: E0 B8 to E1 9F in UTF-8.
bool is_written_without_spaces(std::string_view word)
{
    for (std::size_t i = 0; i + 1 < word.size(); ++i) {
        const auto first = static_cast<unsigned char>(word[i]);
        const auto second = static_cast<unsigned char>(word[i + 1]);
        if ((first == 0xE0 && second >= 0xB8 && second <= 0xBB) || (first == 0xE1 && (second <= 0x82 || second == 0x9E || second == 0x9F)) ||
            (first == 0xE2 && second >= 0xBA) || (first >= 0xE3 && first <= 0xED) || first == 0xF0) {
            return true;
        }
    }
    return false;
}

/// FTS5's language: each word quoted, so that nothing in it is an operator, and as a beginning.
std::string query_of(const std::vector<std::string>& words)
{
    std::string query;
    for (const std::string& word : words) {
        query += query.empty() ? "\"" : " \"";
        for (const char c : word) {
            query += c == '"' ? "\"\"" : std::string(1, c);
        }
        query += "\"*";
    }
    return query;
}

/// Takes the marks out of a snippet and notes where they stood.
void set_snippet(SearchHit& hit, std::string_view marked)
{
    std::size_t begin = 0;
    for (const char c : marked) {
        if (c == kBegin) {
            begin = hit.snippet.size();
        } else if (c == kEnd) {
            hit.words.emplace_back(begin, hit.snippet.size() - begin);
        } else {
            hit.snippet += c == '\n' || c == '\t' || c == '\r' ? ' ' : c;
        }
    }
}

/// The first place of each word with some text around it, cut at whole characters.
std::string marked_snippet(const std::string& text, const std::vector<std::string>& words)
{
    const std::size_t at = text.find(words.front());
    std::size_t begin = at > kAround ? at - kAround : 0;
    std::size_t end = std::min(text.size(), at + words.front().size() + kAround);
    const auto is_inside = [&text](std::size_t i) { return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80; };
    while (is_inside(begin)) {
        ++begin;
    }
    while (is_inside(end)) {
        ++end;
    }
    return (begin > 0 ? "\u2026" : "") + text.substr(begin, at - begin) + kBegin + words.front() + kEnd +
           text.substr(at + words.front().size(), end - at - words.front().size()) + (end < text.size() ? "\u2026" : "");
}

/// What a row of the index is of; false when its session is in the bin or gone.
bool find_owner(Database& database, std::int64_t row, SearchHit& hit)
{
    const char* sql = row < 0        ? "SELECT id, title, 0, '' FROM session WHERE id = ? AND binned_at IS NULL"
                      : row % 2 == 0 ? "SELECT s.id, s.title, p.id, '' FROM prompt p JOIN session s ON s.id = p.session_id"
                                       " WHERE p.id = ? AND s.binned_at IS NULL"
                                     : "SELECT s.id, s.title, p.id, r.role FROM response r JOIN prompt p ON p.id = r.prompt_id"
                                       " JOIN session s ON s.id = p.session_id WHERE r.id = ? AND s.binned_at IS NULL";
    Statement owner = database.prepare(sql);
    if (!owner.with(row < 0 ? -row : row / 2).step()) {
        return false;
    }
    hit.session = owner.integer(0);
    hit.session_title = owner.text(1);
    hit.prompt = owner.integer(2);
    hit.role = owner.text(3);
    return true;
}

/// Every text is looked through: the index knows a sentence of such a script as one word.
std::vector<SearchHit> find_anywhere(Database& database, const std::vector<std::string>& words, std::int64_t most)
{
    std::vector<SearchHit> hits;
    Statement row = database.prepare("SELECT rowid, text FROM search ORDER BY rowid DESC");
    while (row.step() && std::ssize(hits) < most) {
        const std::string text = row.text(1);
        SearchHit hit;
        if (std::ranges::all_of(words, [&text](const std::string& word) { return text.find(word) != std::string::npos; }) &&
            find_owner(database, row.integer(0), hit)) {
            set_snippet(hit, marked_snippet(text, words));
            hits.push_back(std::move(hit));
        }
    }
    return hits;
}

} // namespace

std::string text_of(const std::vector<ChatMessage>& messages)
{
    std::string text;
    for (const ChatMessage& message : messages) {
        text += (text.empty() ? "" : "\n") + message.content;
    }
    return text;
}

void index_title(Database& database, RowId session, std::string_view title)
{
    write(database, -session, title);
}

void index_prompt(Database& database, RowId prompt, std::string_view text)
{
    write(database, 2 * prompt, text);
}

void index_response(Database& database, RowId response, std::string_view text)
{
    write(database, 2 * response + 1, text);
}

void index_session(Database& database, RowId session)
{
    Statement title = database.prepare("SELECT title FROM session WHERE id = ?");
    if (title.with(session).step()) {
        index_title(database, session, title.text(0));
    }
    Statement prompt = database.prepare("SELECT id, messages_json FROM prompt WHERE session_id = ?");
    prompt.with(session);
    while (prompt.step()) {
        index_prompt(database, prompt.integer(0), text_of(messages_from(prompt.text(1))));
    }
    Statement response = database.prepare("SELECT r.id, r.text FROM response r JOIN prompt p ON p.id = r.prompt_id WHERE p.session_id = ?");
    response.with(session);
    while (response.step()) {
        index_response(database, response.integer(0), response.text(1));
    }
}

void unindex_session(Database& database, RowId session)
{
    database.prepare("DELETE FROM search WHERE rowid = ?").with(-session).run();
    database.prepare("DELETE FROM search WHERE rowid IN (SELECT 2 * id FROM prompt WHERE session_id = ?)").with(session).run();
    database
        .prepare("DELETE FROM search WHERE rowid IN (SELECT 2 * r.id + 1 FROM response r JOIN prompt p ON p.id = r.prompt_id WHERE p.session_id = ?)")
        .with(session)
        .run();
}

std::vector<SearchHit> find_text(Database& database, std::string_view words, std::int64_t most)
{
    const std::vector<std::string> parts = split(with_valid_utf8(words));
    if (parts.empty()) {
        return {};
    }
    if (std::ranges::any_of(parts, is_written_without_spaces)) {
        return find_anywhere(database, parts, most);
    }
    std::vector<SearchHit> hits;
    Statement row =
        database.prepare("SELECT rowid, snippet(search, 0, char(2), char(3), '\u2026', 16) FROM search WHERE search MATCH ? ORDER BY rank");
    row.with(query_of(parts));
    while (std::ssize(hits) < most && row.step()) {
        SearchHit hit;
        if (find_owner(database, row.integer(0), hit)) {
            set_snippet(hit, row.text(1));
            hits.push_back(std::move(hit));
        }
    }
    return hits;
}

} // namespace retort
