#pragma once
#include "core/text/jinja/cursor.h"
#include "core/text/jinja/syntax.h"

#include <initializer_list>

namespace retort::jinja {

/// Reads the expressions of a template, from where the cursor stands. Throws Problem. One thread.
class ExpressionParser {
public:
    /// `cursor` must outlive this.
    explicit ExpressionParser(Cursor& cursor) : m_cursor(cursor) {}

    ExpressionPtr expression();
    ExpressionPtr without_choice();      ///< up to an `if`, which belongs to the tag around it
    ExpressionPtr expression_or_tuple(); ///< a, b, c without parentheses
    std::vector<Argument> arguments();   ///< (a, b=c)

private:
    using Kind = Expression::Kind;
    using Operand = ExpressionPtr (ExpressionParser::*)();

    // expression_operators.cpp, loosest first
    ExpressionPtr conjunction();
    ExpressionPtr negation();
    ExpressionPtr comparison();
    ExpressionPtr sum();
    ExpressionPtr concatenation();
    ExpressionPtr product();
    ExpressionPtr power();
    ExpressionPtr unary();
    ExpressionPtr signed_operand();
    ExpressionPtr chain(Kind kind, std::string_view separator, Operand next);
    ExpressionPtr from_the_left(std::initializer_list<std::string_view> operators, Operand next);

    // expression_operands.cpp
    ExpressionPtr operand();
    ExpressionPtr primary();
    ExpressionPtr text();
    ExpressionPtr number();
    ExpressionPtr in_parentheses();
    ExpressionPtr list();
    ExpressionPtr dict();
    ExpressionPtr with_filters_and_tests(ExpressionPtr node);
    ExpressionPtr test_of(ExpressionPtr node);
    ExpressionPtr call_of(ExpressionPtr node);
    ExpressionPtr subscript_of(ExpressionPtr node);
    bool ends_items(bool first, std::string_view bracket);

    // Both make their nodes through these.
    [[nodiscard]] ExpressionPtr make(Kind kind, std::string text = {}) const;
    [[nodiscard]] ExpressionPtr literal(Value value) const;
    void adopt(Expression& parent, ExpressionPtr child) const;
    void adopt_arguments(Expression& parent);
    void raise(Expression& parent, int child_height) const;

    Cursor& m_cursor;
};

} // namespace retort::jinja
