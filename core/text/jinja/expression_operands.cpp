// What stands between operators: names, literals, and what follows them in brackets, after dots, bars and `is`.
#include "core/text/jinja/expression_parser.h"
#include "core/text/message.h"

#include <algorithm>
#include <charconv>

namespace retort::jinja {

ExpressionPtr ExpressionParser::operand()
{
    ExpressionPtr node = primary();
    while (true) {
        if (m_cursor.take_operator(".")) {
            auto attribute = make(Kind::Attribute, m_cursor.now().text);
            if (!m_cursor.is(Token::Kind::Name) && !m_cursor.is(Token::Kind::Integer)) {
                m_cursor.refuse_missing("a name");
            }
            m_cursor.advance();
            adopt(*attribute, std::move(node));
            node = std::move(attribute);
        } else if (m_cursor.is_operator("[")) {
            node = subscript_of(std::move(node));
        } else if (m_cursor.is_operator("(")) {
            node = call_of(std::move(node));
        } else {
            return node;
        }
    }
}

ExpressionPtr ExpressionParser::primary()
{
    switch (m_cursor.now().kind) {
    case Token::Kind::Name: {
        const std::string name = m_cursor.name();
        if (name == "true" || name == "True" || name == "false" || name == "False") {
            return literal(Value::boolean(name[0] == 't' || name[0] == 'T'));
        }
        return name == "none" || name == "None" ? literal(Value::none()) : make(Kind::Name, name);
    }
    case Token::Kind::String:
        return text();
    case Token::Kind::Integer:
    case Token::Kind::Float:
        return number();
    default:
        if (m_cursor.is_operator("(")) {
            return in_parentheses();
        }
        if (m_cursor.is_operator("[")) {
            return list();
        }
        if (m_cursor.is_operator("{")) {
            return dict();
        }
        m_cursor.refuse_missing("a value");
    }
}

/// Strings side by side are one, as in Python.
ExpressionPtr ExpressionParser::text()
{
    std::string text;
    while (m_cursor.is(Token::Kind::String)) {
        text += m_cursor.now().text;
        m_cursor.advance();
    }
    return literal(Value::text(std::move(text)));
}

ExpressionPtr ExpressionParser::number()
{
    const std::string& digits = m_cursor.now().text;
    const char* end = digits.data() + digits.size();
    std::int64_t integer = 0;
    double number = 0.0;
    const bool whole = m_cursor.is(Token::Kind::Integer);
    const auto error = whole ? std::from_chars(digits.data(), end, integer).ec : std::from_chars(digits.data(), end, number).ec;
    if (error != std::errc()) {
        m_cursor.refuse("the number " + quoted(digits) + " is too large");
    }
    m_cursor.advance();
    return literal(whole ? Value::integer(integer) : Value(Value::Any(number)));
}

ExpressionPtr ExpressionParser::in_parentheses()
{
    m_cursor.expect_operator("(");
    auto tuple = make(Kind::Items, "tuple");
    if (m_cursor.take_operator(")")) {
        return tuple;
    }
    ExpressionPtr node = expression();
    if (!m_cursor.is_operator(",")) {
        m_cursor.expect_operator(")");
        return node;
    }
    adopt(*tuple, std::move(node));
    while (m_cursor.take_operator(",") && !m_cursor.is_operator(")")) {
        adopt(*tuple, expression());
    }
    m_cursor.expect_operator(")");
    return tuple;
}

/// Whether the closing bracket comes; takes it, and the comma before each item but the first. A comma may also stand after the last.
bool ExpressionParser::ends_items(bool first, std::string_view bracket)
{
    if (m_cursor.take_operator(bracket)) {
        return true;
    }
    if (first) {
        return false;
    }
    m_cursor.expect_operator(",");
    return m_cursor.take_operator(bracket);
}

ExpressionPtr ExpressionParser::list()
{
    auto node = make(Kind::Items);
    m_cursor.expect_operator("[");
    while (!ends_items(node->parts.empty(), "]")) {
        adopt(*node, expression());
    }
    return node;
}

ExpressionPtr ExpressionParser::dict()
{
    auto node = make(Kind::Members);
    m_cursor.expect_operator("{");
    while (!ends_items(node->parts.empty(), "}")) {
        adopt(*node, expression());
        m_cursor.expect_operator(":");
        adopt(*node, expression());
    }
    return node;
}

std::vector<Argument> ExpressionParser::arguments()
{
    std::vector<Argument> list;
    m_cursor.expect_operator("(");
    while (!ends_items(list.empty(), ")")) {
        if (m_cursor.is_operator("*") || m_cursor.is_operator("**")) {
            m_cursor.refuse("arguments taken from a list are not supported");
        }
        Argument argument;
        if (m_cursor.is(Token::Kind::Name) && m_cursor.next().kind == Token::Kind::Operator && m_cursor.next().text == "=") {
            argument.name = m_cursor.name();
            m_cursor.advance();
        }
        argument.value = expression();
        list.push_back(std::move(argument));
    }
    return list;
}

ExpressionPtr ExpressionParser::call_of(ExpressionPtr node)
{
    auto call = make(Kind::Call);
    adopt(*call, std::move(node));
    adopt_arguments(*call);
    return call;
}

ExpressionPtr ExpressionParser::subscript_of(ExpressionPtr node)
{
    m_cursor.expect_operator("[");
    auto index = make(Kind::Index);
    adopt(*index, std::move(node));
    for (int i = 0; i < 3; ++i) {
        adopt(*index, m_cursor.is_operator(":") || m_cursor.is_operator("]") ? nullptr : expression());
        if (!m_cursor.take_operator(":")) {
            break;
        }
        index->kind = Kind::Slice;
    }
    m_cursor.expect_operator("]");
    if (index->kind == Kind::Index && !index->parts[1]) {
        m_cursor.refuse("an index was expected between brackets");
    }
    index->parts.resize(index->kind == Kind::Slice ? 4 : 2);
    return index;
}

ExpressionPtr ExpressionParser::with_filters_and_tests(ExpressionPtr node)
{
    while (true) {
        if (m_cursor.take_operator("|")) {
            auto filter = make(Kind::Filter);
            filter->text = m_cursor.dotted_name();
            adopt(*filter, std::move(node));
            if (m_cursor.is_operator("(")) {
                adopt_arguments(*filter);
            }
            node = std::move(filter);
        } else if (m_cursor.take_name("is")) {
            node = test_of(std::move(node));
        } else if (m_cursor.is_operator("(")) {
            node = call_of(std::move(node));
        } else {
            return node;
        }
    }
}

ExpressionPtr ExpressionParser::test_of(ExpressionPtr node)
{
    constexpr std::string_view kNoArgument[] = {"else", "or", "and", "is", "if", "in", "not"};
    const bool negated = m_cursor.take_name("not");
    auto check = make(Kind::Test);
    check->text = m_cursor.dotted_name();
    adopt(*check, std::move(node));
    const bool word = m_cursor.is(Token::Kind::Name) && std::ranges::find(kNoArgument, m_cursor.now().text) == std::end(kNoArgument);
    const bool value = m_cursor.is(Token::Kind::String) || m_cursor.is(Token::Kind::Integer) || m_cursor.is(Token::Kind::Float);
    if (m_cursor.is_operator("(")) {
        adopt_arguments(*check);
    } else if (word || value || m_cursor.is_operator("[") || m_cursor.is_operator("{")) {
        Argument argument;
        argument.value = operand();
        raise(*check, argument.value->height);
        check->arguments.push_back(std::move(argument));
    }
    if (!negated) {
        return check;
    }
    auto opposite = make(Kind::Not);
    adopt(*opposite, std::move(check));
    return opposite;
}

ExpressionPtr ExpressionParser::make(Kind kind, std::string text) const
{
    auto node = std::make_unique<Expression>();
    node->kind = kind;
    node->line = m_cursor.now().line;
    node->text = std::move(text);
    return node;
}

ExpressionPtr ExpressionParser::literal(Value value) const
{
    auto node = make(Kind::Literal);
    node->value = std::move(value);
    return node;
}

void ExpressionParser::adopt(Expression& parent, ExpressionPtr child) const
{
    if (child) {
        raise(parent, child->height);
    }
    parent.parts.push_back(std::move(child));
}

void ExpressionParser::adopt_arguments(Expression& parent)
{
    parent.arguments = arguments();
    for (const Argument& argument : parent.arguments) {
        raise(parent, argument.value->height);
    }
}

void ExpressionParser::raise(Expression& parent, int child_height) const
{
    parent.height = std::max(parent.height, child_height + 1);
    if (parent.height > kDeepestSyntax) {
        m_cursor.refuse("an expression nests deeper than " + std::to_string(kDeepestSyntax) + " levels");
    }
}

} // namespace retort::jinja
