#pragma once
#include "core/text/jinja/lexer.h"

namespace retort::jinja {

/// The deepest that blocks and expressions may nest, in the source and in what is read from it.
inline constexpr int kDeepestSyntax = 256;

/// The tokens of a template and the place that reading has come to. One thread.
class Cursor {
public:
    explicit Cursor(std::string_view source) : m_tokens(tokens_of(source)) {}

    /// Counts how deep reading has gone into itself.
    class Level {
    public:
        explicit Level(Cursor& cursor);
        ~Level() { --m_cursor.m_level; }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;

    private:
        Cursor& m_cursor;
    };

    [[nodiscard]] const Token& now() const { return m_tokens[m_at]; }
    [[nodiscard]] const Token& next() const { return m_tokens[m_at + 1]; } ///< not at the end
    void advance() { ++m_at; }

    [[nodiscard]] bool is(Token::Kind kind) const { return now().kind == kind; }
    [[nodiscard]] bool is_operator(std::string_view text) const { return is(Token::Kind::Operator) && now().text == text; }
    [[nodiscard]] bool is_name(std::string_view text) const { return is(Token::Kind::Name) && now().text == text; }

    // Go past the token if it is this one.
    bool take_operator(std::string_view text) { return take(is_operator(text)); }
    bool take_name(std::string_view text) { return take(is_name(text)); }

    // Go past the token; throw a Problem if it is another one.
    void expect_operator(std::string_view text);
    void expect_name(std::string_view text);
    void expect(Token::Kind kind, const std::string& what);
    std::string name();        ///< any
    std::string dotted_name(); ///< a.b.c

    [[noreturn]] void refuse(const std::string& what) const;
    [[noreturn]] void refuse_missing(const std::string& what) const; ///< "... was expected before ..."

private:
    bool take(bool there)
    {
        m_at += there ? 1 : 0;
        return there;
    }

    std::vector<Token> m_tokens;
    std::size_t m_at = 0;
    int m_level = 0;
};

} // namespace retort::jinja
