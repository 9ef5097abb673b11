#include "core/text/jinja/expression_parser.h"
#include "core/text/message.h"

#include <algorithm>

namespace retort::jinja {

namespace {

/// Reads what stands between tags, and the tags; expressions inside them it leaves to another.
class StatementParser {
public:
    explicit StatementParser(std::string_view source) : m_cursor(source), m_expressions(m_cursor) {}

    Block run()
    {
        Block body = block({});
        if (!m_cursor.is(Token::Kind::End)) {
            m_cursor.refuse("the tag " + quoted(m_cursor.next().text) + " ends nothing");
        }
        return body;
    }

private:
    Block block(const std::vector<std::string_view>& ends);
    Statement tag();
    Statement read_if();
    Statement read_for();
    Statement read_set();
    Statement read_macro();
    Statement read_call();
    Statement read_filter();
    Statement read_with();
    Statement body_until(Statement statement, std::string_view end);
    std::vector<Parameter> parameters();
    std::vector<FilterCall> filter_chain();
    std::string target();

    void expect_tag_end() { m_cursor.expect(Token::Kind::BlockEnd, "\"%}\""); }

    Cursor m_cursor;
    ExpressionParser m_expressions;
    int m_loops = 0;
};

Block StatementParser::block(const std::vector<std::string_view>& ends)
{
    const Cursor::Level level(m_cursor);
    Block body;
    while (!m_cursor.is(Token::Kind::End)) {
        Statement statement;
        statement.line = m_cursor.now().line;
        if (m_cursor.is(Token::Kind::Text)) {
            statement.text = m_cursor.now().text;
            m_cursor.advance();
        } else if (m_cursor.is(Token::Kind::VariableBegin)) {
            m_cursor.advance();
            statement.kind = Statement::Kind::Print;
            statement.expression = m_expressions.expression();
            m_cursor.expect(Token::Kind::VariableEnd, "\"}}\"");
        } else {
            const Token& keyword = m_cursor.next();
            if (keyword.kind == Token::Kind::Name &&
                (std::find(ends.begin(), ends.end(), keyword.text) != ends.end() || keyword.text.starts_with("end"))) {
                return body;
            }
            m_cursor.advance();
            const int line = m_cursor.now().line;
            statement = tag();
            statement.line = line;
            expect_tag_end();
        }
        body.push_back(std::move(statement));
    }
    return body;
}

Statement StatementParser::body_until(Statement statement, std::string_view end)
{
    expect_tag_end();
    Branch branch;
    branch.body = block({end});
    statement.branches.push_back(std::move(branch));
    m_cursor.expect(Token::Kind::BlockBegin, std::string(end));
    m_cursor.expect_name(end);
    return statement;
}

Statement StatementParser::tag()
{
    const std::string keyword = m_cursor.name();
    if (keyword == "if") {
        return read_if();
    }
    if (keyword == "for") {
        return read_for();
    }
    if (keyword == "set") {
        return read_set();
    }
    if (keyword == "macro") {
        return read_macro();
    }
    if (keyword == "call") {
        return read_call();
    }
    if (keyword == "filter") {
        return read_filter();
    }
    if (keyword == "with") {
        return read_with();
    }
    Statement statement;
    if (keyword == "generation") {
        statement.kind = Statement::Kind::Group;
        return body_until(std::move(statement), "endgeneration");
    }
    if ((keyword == "break" || keyword == "continue") && m_loops > 0) {
        statement.kind = keyword == "break" ? Statement::Kind::Break : Statement::Kind::Continue;
        return statement;
    }
    m_cursor.refuse("the tag " + quoted(keyword) + " is not supported here");
}

Statement StatementParser::read_if()
{
    Statement statement;
    statement.kind = Statement::Kind::If;
    Branch branch;
    branch.condition = m_expressions.expression();
    while (true) {
        expect_tag_end();
        branch.body = block({"elif", "else", "endif"});
        const bool last = !branch.condition;
        statement.branches.push_back(std::move(branch));
        branch = Branch();
        m_cursor.expect(Token::Kind::BlockBegin, "\"endif\"");
        if (m_cursor.take_name("endif")) {
            return statement;
        }
        if (last || (!m_cursor.is_name("elif") && !m_cursor.is_name("else"))) {
            m_cursor.refuse_missing("\"endif\"");
        }
        if (m_cursor.take_name("elif")) {
            branch.condition = m_expressions.expression();
        } else {
            m_cursor.advance();
        }
    }
}

Statement StatementParser::read_for()
{
    Statement statement;
    statement.kind = Statement::Kind::For;
    const bool enclosed = m_cursor.take_operator("(");
    do {
        statement.targets.push_back(m_cursor.name());
    } while (m_cursor.take_operator(","));
    if (enclosed) {
        m_cursor.expect_operator(")");
    }
    m_cursor.expect_name("in");
    statement.expression = m_expressions.without_choice();
    if (m_cursor.take_name("if")) {
        statement.condition = m_expressions.expression();
    }
    statement.recursive = m_cursor.take_name("recursive");
    for (const std::string_view end : {"else", "endfor"}) {
        expect_tag_end();
        ++m_loops;
        Branch branch;
        branch.body = block({"else", "endfor"});
        statement.branches.push_back(std::move(branch));
        --m_loops;
        m_cursor.expect(Token::Kind::BlockBegin, "\"endfor\"");
        if (m_cursor.take_name("endfor")) {
            break;
        }
        if (!m_cursor.take_name(end)) {
            m_cursor.refuse_missing("\"endfor\"");
        }
    }
    return statement;
}

std::string StatementParser::target()
{
    std::string text = m_cursor.name();
    if (m_cursor.take_operator(".")) {
        text.append(1, '.').append(m_cursor.name());
    }
    return text;
}

Statement StatementParser::read_set()
{
    Statement statement;
    statement.kind = Statement::Kind::Set;
    do {
        statement.targets.push_back(target());
    } while (m_cursor.take_operator(","));
    if (m_cursor.take_operator("=")) {
        statement.expression = m_expressions.expression_or_tuple();
        return statement;
    }
    statement.filters = m_cursor.take_operator("|") ? filter_chain() : std::vector<FilterCall>();
    return body_until(std::move(statement), "endset");
}

std::vector<Parameter> StatementParser::parameters()
{
    std::vector<Parameter> list;
    m_cursor.expect_operator("(");
    while (!m_cursor.take_operator(")")) {
        if (!list.empty()) {
            m_cursor.expect_operator(",");
        }
        Parameter parameter;
        parameter.name = m_cursor.name();
        parameter.fallback = m_cursor.take_operator("=") ? m_expressions.expression() : nullptr;
        list.push_back(std::move(parameter));
    }
    return list;
}

Statement StatementParser::read_macro()
{
    Statement statement;
    statement.kind = Statement::Kind::Macro;
    statement.macro = std::make_unique<Macro>();
    statement.macro->name = m_cursor.name();
    statement.macro->parameters = parameters();
    const int loops = std::exchange(m_loops, 0);
    statement = body_until(std::move(statement), "endmacro");
    m_loops = loops;
    statement.macro->body = std::move(statement.branches[0].body);
    return statement;
}

Statement StatementParser::read_call()
{
    Statement statement;
    statement.kind = Statement::Kind::Call;
    statement.macro = std::make_unique<Macro>();
    statement.macro->name = "caller";
    if (m_cursor.is_operator("(")) {
        statement.macro->parameters = parameters();
    }
    statement.expression = m_expressions.expression();
    if (statement.expression->kind != Expression::Kind::Call) {
        m_cursor.refuse("a call block calls nothing");
    }
    statement = body_until(std::move(statement), "endcall");
    statement.macro->body = std::move(statement.branches[0].body);
    return statement;
}

std::vector<FilterCall> StatementParser::filter_chain()
{
    std::vector<FilterCall> chain;
    do {
        FilterCall call;
        call.name = m_cursor.dotted_name();
        call.arguments = m_cursor.is_operator("(") ? m_expressions.arguments() : std::vector<Argument>();
        chain.push_back(std::move(call));
    } while (m_cursor.take_operator("|"));
    return chain;
}

Statement StatementParser::read_filter()
{
    Statement statement;
    statement.kind = Statement::Kind::Filter;
    statement.filters = filter_chain();
    return body_until(std::move(statement), "endfilter");
}

Statement StatementParser::read_with()
{
    Statement statement;
    statement.kind = Statement::Kind::With;
    while (m_cursor.is(Token::Kind::Name)) {
        statement.targets.push_back(m_cursor.name());
        m_cursor.expect_operator("=");
        statement.values.push_back(m_expressions.expression());
        if (!m_cursor.take_operator(",")) {
            break;
        }
    }
    return body_until(std::move(statement), "endwith");
}

} // namespace

Block parse(std::string_view source)
{
    return StatementParser(source).run();
}

} // namespace retort::jinja
