#include "core/text/jinja/cursor.h"

#include "core/text/message.h"

namespace retort::jinja {

Cursor::Level::Level(Cursor& cursor) : m_cursor(cursor)
{
    if (++m_cursor.m_level > kDeepestSyntax) {
        m_cursor.refuse("it nests deeper than " + std::to_string(kDeepestSyntax) + " levels");
    }
}

void Cursor::expect_operator(std::string_view text)
{
    if (!take_operator(text)) {
        refuse_missing(quoted(text));
    }
}

void Cursor::expect_name(std::string_view text)
{
    if (!take_name(text)) {
        refuse_missing(quoted(text));
    }
}

void Cursor::expect(Token::Kind kind, const std::string& what)
{
    if (!take(is(kind))) {
        refuse_missing(what);
    }
}

std::string Cursor::name()
{
    std::string text = now().text;
    expect(Token::Kind::Name, "a name");
    return text;
}

std::string Cursor::dotted_name()
{
    std::string text = name();
    while (take_operator(".")) {
        text.append(1, '.').append(name());
    }
    return text;
}

void Cursor::refuse(const std::string& what) const
{
    throw Problem(what, now().line);
}

void Cursor::refuse_missing(const std::string& what) const
{
    const std::string& here = now().text;
    refuse(what + " was expected" + (here.empty() ? std::string(" at the end of the tag") : std::string(" before ").append(quoted(here))));
}

} // namespace retort::jinja
