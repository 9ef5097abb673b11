// Operators, loosest first: each function reads what binds tighter, then its own operators.
#include "core/text/jinja/expression_parser.h"

#include <algorithm>
#include <array>

namespace retort::jinja {

ExpressionPtr ExpressionParser::expression()
{
    const Cursor::Level level(m_cursor);
    ExpressionPtr node = without_choice();
    while (m_cursor.take_name("if")) {
        auto choice = make(Kind::Conditional);
        adopt(*choice, std::move(node));
        adopt(*choice, without_choice());
        adopt(*choice, m_cursor.take_name("else") ? expression() : nullptr);
        node = std::move(choice);
    }
    return node;
}

ExpressionPtr ExpressionParser::expression_or_tuple()
{
    ExpressionPtr first = expression();
    if (!m_cursor.is_operator(",")) {
        return first;
    }
    auto tuple = make(Kind::Items, "tuple");
    adopt(*tuple, std::move(first));
    while (m_cursor.take_operator(",")) {
        adopt(*tuple, expression());
    }
    return tuple;
}

ExpressionPtr ExpressionParser::without_choice()
{
    return chain(Kind::Or, "or", &ExpressionParser::conjunction);
}

ExpressionPtr ExpressionParser::conjunction()
{
    return chain(Kind::And, "and", &ExpressionParser::negation);
}

ExpressionPtr ExpressionParser::negation()
{
    if (!m_cursor.take_name("not")) {
        return comparison();
    }
    const Cursor::Level level(m_cursor);
    auto node = make(Kind::Not);
    adopt(*node, negation());
    return node;
}

ExpressionPtr ExpressionParser::comparison()
{
    constexpr std::array<std::string_view, 6> kOperators = {"==", "!=", "<", "<=", ">", ">="};
    ExpressionPtr first = sum();
    auto node = make(Kind::Compare);
    while (true) {
        if (m_cursor.is_name("not") && m_cursor.next().kind == Token::Kind::Name && m_cursor.next().text == "in") {
            m_cursor.advance();
            m_cursor.advance();
            node->operators.emplace_back("not in");
        } else if (m_cursor.take_name("in")) {
            node->operators.emplace_back("in");
        } else if (m_cursor.is(Token::Kind::Operator) && std::ranges::find(kOperators, m_cursor.now().text) != kOperators.end()) {
            node->operators.push_back(m_cursor.now().text);
            m_cursor.advance();
        } else {
            break;
        }
        if (first) {
            adopt(*node, std::move(first));
        }
        adopt(*node, sum());
    }
    return node->operators.empty() ? std::move(first) : std::move(node);
}

ExpressionPtr ExpressionParser::sum()
{
    return from_the_left({"+", "-"}, &ExpressionParser::concatenation);
}

ExpressionPtr ExpressionParser::concatenation()
{
    return chain(Kind::Concatenate, "~", &ExpressionParser::product);
}

ExpressionPtr ExpressionParser::product()
{
    return from_the_left({"*", "/", "//", "%"}, &ExpressionParser::power);
}

/// From the left even here, where Python goes from the right: so does Jinja.
ExpressionPtr ExpressionParser::power()
{
    return from_the_left({"**"}, &ExpressionParser::unary);
}

/// Filters bind looser than a sign: -2|abs is 2.
ExpressionPtr ExpressionParser::unary()
{
    const Cursor::Level level(m_cursor);
    return with_filters_and_tests(signed_operand());
}

ExpressionPtr ExpressionParser::signed_operand()
{
    if (m_cursor.take_operator("-")) {
        const Cursor::Level level(m_cursor);
        auto node = make(Kind::Negate);
        adopt(*node, signed_operand());
        return node;
    }
    if (m_cursor.take_operator("+")) {
        const Cursor::Level level(m_cursor);
        return signed_operand();
    }
    return operand();
}

/// One node for all of a separator b separator c; the operand itself where none follows.
ExpressionPtr ExpressionParser::chain(Kind kind, std::string_view separator, Operand next)
{
    const auto comes = [&] { return m_cursor.is_name(separator) || m_cursor.is_operator(separator); };
    ExpressionPtr first = (this->*next)();
    if (!comes()) {
        return first;
    }
    auto all = make(kind);
    adopt(*all, std::move(first));
    while (comes()) {
        m_cursor.advance();
        adopt(*all, (this->*next)());
    }
    return all;
}

/// (a op b) op c
ExpressionPtr ExpressionParser::from_the_left(std::initializer_list<std::string_view> operators, Operand next)
{
    ExpressionPtr node = (this->*next)();
    while (m_cursor.is(Token::Kind::Operator) && std::ranges::find(operators, m_cursor.now().text) != operators.end()) {
        auto both = make(Kind::Arithmetic, m_cursor.now().text);
        m_cursor.advance();
        adopt(*both, std::move(node));
        adopt(*both, (this->*next)());
        node = std::move(both);
    }
    return node;
}

} // namespace retort::jinja
