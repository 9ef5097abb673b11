#include "core/text/jinja/lexer.h"

#include "core/text/message.h"
#include "core/text/unicode.h"

#include <algorithm>
#include <charconv>

namespace retort::jinja {

namespace {

constexpr std::string_view kSpaces = " \t\n\r\f\v";

bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

std::string with_unix_lines(std::string_view source)
{
    std::string out = with_replaced(with_replaced(source, "\r\n", "\n"), "\r", "\n");
    if (out.ends_with('\n')) {
        out.pop_back(); // Jinja's keep_trailing_newline is off
    }
    return out;
}

class Lexer {
public:
    explicit Lexer(std::string_view source) : m_source(with_unix_lines(source)) {}

    std::vector<Token> run()
    {
        while (m_at < m_source.size()) {
            read_text();
            if (m_at < m_source.size()) {
                read_tag();
            }
        }
        add(Token::Kind::End, {});
        return std::move(m_tokens);
    }

private:
    void read_text();
    void read_tag();
    void read_comment();
    bool read_raw();
    bool read_tag_end(bool block);
    void read_name();
    void read_number();
    void read_string();
    char32_t read_escape(std::size_t& at, char quote);
    void read_operator();
    void after_block(bool strip);

    [[nodiscard]] std::string_view rest() const { return std::string_view(m_source).substr(m_at); }
    void add(Token::Kind kind, std::string text) { m_tokens.push_back({kind, std::move(text), m_line}); }
    void advance(std::size_t count)
    {
        const std::string_view passed = rest().substr(0, count);
        m_line += static_cast<int>(std::count(passed.begin(), passed.end(), '\n'));
        m_line_starts = passed.empty() ? m_line_starts : passed.back() == '\n';
        m_at += passed.size();
    }
    void skip_spaces() { advance(std::min(rest().find_first_not_of(kSpaces), rest().size())); }

    std::string m_source;
    std::size_t m_at = 0;
    int m_line = 1;
    bool m_line_starts = true; ///< what was read last ended a line
    std::string m_brackets;    ///< open in the tag being read
    std::vector<Token> m_tokens;
};

/// Up to the next tag. What is added depends on that tag: "-" takes all white space before it, a block or comment that begins a line its indent.
void Lexer::read_text()
{
    std::size_t tag = m_at;
    while ((tag = m_source.find('{', tag)) != std::string::npos &&
           (tag + 1 == m_source.size() || std::string_view("{%#").find(m_source[tag + 1]) == std::string_view::npos)) {
        ++tag;
    }
    std::string_view text = rest().substr(0, tag == std::string::npos ? std::string::npos : tag - m_at);
    const std::size_t whole = text.size();
    if (tag != std::string::npos) {
        const char sign = tag + 2 < m_source.size() ? m_source[tag + 2] : ' ';
        const std::size_t line = text.rfind('\n') + 1; // 0 where there is none
        if (sign == '-') {
            text = text.substr(0, text.find_last_not_of(kSpaces) + 1);
        } else if (sign != '+' && m_source[tag + 1] != '{' && (line > 0 || m_line_starts) &&
                   text.substr(line).find_first_not_of(" \t\f\v") == std::string_view::npos) {
            text = text.substr(0, line);
        }
    }
    if (!text.empty()) {
        add(Token::Kind::Text, std::string(text));
    }
    advance(whole);
}

void Lexer::after_block(bool strip)
{
    if (strip) {
        skip_spaces();
    } else if (rest().starts_with('\n')) {
        advance(1); // trim_blocks
    }
}

void Lexer::read_tag()
{
    if (rest().starts_with("{#")) {
        read_comment();
        return;
    }
    const bool block = rest().starts_with("{%");
    if (block && read_raw()) {
        return;
    }
    add(block ? Token::Kind::BlockBegin : Token::Kind::VariableBegin, {});
    advance(2);
    if (rest().starts_with('-') || rest().starts_with('+')) {
        advance(1);
    }
    m_brackets.clear();
    while (!read_tag_end(block)) {
        const char c = rest().front();
        if (is_letter(c)) {
            read_name();
        } else if (is_digit(c)) {
            read_number();
        } else if (c == '"' || c == '\'') {
            read_string();
        } else {
            read_operator();
        }
    }
}

void Lexer::read_comment()
{
    const std::size_t end = rest().find("#}", 2);
    if (end == std::string_view::npos) {
        throw Problem("a comment does not end", m_line);
    }
    const bool strip = rest()[end - 1] == '-';
    const bool keep = rest()[end - 1] == '+';
    advance(end + 2);
    if (!keep) {
        after_block(strip);
    }
}

bool Lexer::read_raw()
{
    const auto tag_length = [](std::string_view text, std::string_view name) -> std::size_t {
        std::size_t at = 2;
        at += text.substr(at, 1) == "-" ? 1 : 0;
        at = std::min(text.find_first_not_of(kSpaces, at), text.size());
        if (text.substr(at, name.size()) != name) {
            return 0;
        }
        at = std::min(text.find_first_not_of(kSpaces, at + name.size()), text.size());
        at += text.substr(at, 1) == "-" ? 1 : 0;
        return text.substr(at, 2) == "%}" ? at + 2 : 0;
    };
    const std::size_t begin = tag_length(rest(), "raw");
    if (begin == 0) {
        return false;
    }
    const bool strip_first = rest()[begin - 3] == '-';
    advance(begin);
    after_block(strip_first);
    std::size_t end = 0;
    while ((end = rest().find("{%", end)) != std::string_view::npos) {
        if (const std::size_t length = tag_length(rest().substr(end), "endraw")) {
            std::string_view text = rest().substr(0, end);
            text = rest()[end + 2] == '-' ? text.substr(0, text.find_last_not_of(kSpaces) + 1) : text;
            add(Token::Kind::Text, std::string(text));
            const bool strip = rest()[end + length - 3] == '-';
            advance(end + length);
            after_block(strip);
            return true;
        }
        ++end;
    }
    throw Problem("a raw block does not end", m_line);
}

bool Lexer::read_tag_end(bool block)
{
    skip_spaces();
    if (rest().empty()) {
        throw Problem("a tag does not end", m_line);
    }
    const std::string_view close = block ? "%}" : "}}";
    const bool sign = rest().front() == '-' || rest().front() == '+';
    if (!m_brackets.empty() || rest().substr(sign ? 1 : 0, 2) != close) {
        return false;
    }
    const char mark = rest().front();
    add(block ? Token::Kind::BlockEnd : Token::Kind::VariableEnd, {});
    advance(sign ? 3 : 2);
    if (mark == '-') {
        skip_spaces();
    } else if (block && mark != '+') {
        after_block(false);
    }
    return true;
}

void Lexer::read_name()
{
    std::size_t end = 1;
    while (end < rest().size() && (is_letter(rest()[end]) || is_digit(rest()[end]))) {
        ++end;
    }
    add(Token::Kind::Name, std::string(rest().substr(0, end)));
    advance(end);
}

void Lexer::read_number()
{
    std::size_t end = 1;
    bool fraction = false;
    while (end < rest().size() &&
           (is_digit(rest()[end]) || (!fraction && rest()[end] == '.' && end + 1 < rest().size() && is_digit(rest()[end + 1])))) {
        fraction = fraction || rest()[end] == '.';
        ++end;
    }
    if (const std::size_t sign = end + 1; end < rest().size() && (rest()[end] == 'e' || rest()[end] == 'E') && sign < rest().size()) {
        const std::size_t digits = rest()[sign] == '+' || rest()[sign] == '-' ? sign + 1 : sign;
        if (digits < rest().size() && is_digit(rest()[digits])) {
            fraction = true;
            end = std::min(rest().find_first_not_of("0123456789", digits), rest().size());
        }
    }
    add(fraction ? Token::Kind::Float : Token::Kind::Integer, std::string(rest().substr(0, end)));
    advance(end);
}

/// The code point of an escape with digits (\x41, \u00e9, \U0001f600); `at` is behind its letter.
char32_t Lexer::read_escape(std::size_t& at, char letter)
{
    const std::size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
    std::uint32_t value = 0;
    const std::string_view text = rest().substr(at, digits);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc() || end != text.data() + digits || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
        throw Problem("an escape in a string names no character", m_line);
    }
    at += digits;
    return value;
}

void Lexer::read_string()
{
    constexpr std::string_view kLetters = "ntrbfva0\\'\"";
    constexpr std::string_view kMeanings("\n\t\r\b\f\v\a\0\\'\"", 11);
    const char quote = rest().front();
    std::string text;
    std::size_t at = 1;
    while (at < rest().size() && rest()[at] != quote) {
        const char c = rest()[at++];
        if (c != '\\' || at == rest().size()) {
            text += c;
            continue;
        }
        const char letter = rest()[at++];
        if (const std::size_t known = kLetters.find(letter); known != std::string_view::npos) {
            text += kMeanings[known];
        } else if (letter == 'x' || letter == 'u' || letter == 'U') {
            append_utf8(text, read_escape(at, letter));
        } else if (letter != '\n') {
            text.append(1, '\\').append(1, letter);
        }
    }
    if (at >= rest().size()) {
        throw Problem("a string does not end", m_line);
    }
    add(Token::Kind::String, std::move(text));
    advance(at + 1);
}

void Lexer::read_operator()
{
    constexpr std::string_view kTwo[] = {"//", "**", "==", "!=", "<=", ">="};
    const std::string_view two = rest().substr(0, 2);
    const std::size_t length = std::find(std::begin(kTwo), std::end(kTwo), two) != std::end(kTwo) ? 2 : 1;
    const char c = rest().front();
    if (std::string_view("+-*/%~<>=()[]{},.:|!").find(c) == std::string_view::npos || (c == '!' && length == 1)) {
        throw Problem("the character " + quoted(rest().substr(0, 1)) + " means nothing in a tag", m_line);
    }
    if (c == '(' || c == '[' || c == '{') {
        m_brackets += c == '(' ? ')' : c == '[' ? ']' : '}';
    } else if (c == ')' || c == ']' || c == '}') {
        if (m_brackets.empty() || m_brackets.back() != c) {
            throw Problem("a bracket " + quoted(rest().substr(0, 1)) + " closes nothing", m_line);
        }
        m_brackets.pop_back();
    }
    add(Token::Kind::Operator, std::string(rest().substr(0, length)));
    advance(length);
}

} // namespace

std::vector<Token> tokens_of(std::string_view source)
{
    return Lexer(source).run();
}

} // namespace retort::jinja
