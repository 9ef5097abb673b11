#include "core/text/jinja/lexer.h"
#include "core/text/jinja/syntax.h"
#include "core/text/message.h"

#include <algorithm>
#include <charconv>

namespace retort::jinja {

namespace {

constexpr int kDeepest = 256;

class Parser {
public:
    explicit Parser(std::string_view source) : m_tokens(tokens_of(source)) {}

    Block run()
    {
        Block body = block({});
        if (now().kind != Token::Kind::End) {
            refuse("the tag " + quoted(m_tokens[m_at + 1].text) + " ends nothing");
        }
        return body;
    }

private:
    using Kind = Expression::Kind;

    /// Counts how deep the parser has gone into itself.
    class Level {
    public:
        explicit Level(Parser& parser) : m_parser(parser)
        {
            if (++m_parser.m_level > kDeepest) {
                m_parser.refuse("it nests deeper than " + std::to_string(kDeepest) + " levels");
            }
        }
        ~Level() { --m_parser.m_level; }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;

    private:
        Parser& m_parser;
    };

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

    ExpressionPtr expression();
    ExpressionPtr disjunction();
    ExpressionPtr conjunction();
    ExpressionPtr negation();
    ExpressionPtr comparison();
    ExpressionPtr sum();
    ExpressionPtr concatenation();
    ExpressionPtr product();
    ExpressionPtr power();
    ExpressionPtr unary(bool with_filters);
    ExpressionPtr primary();
    ExpressionPtr postfix(ExpressionPtr node);
    ExpressionPtr filters_and_tests(ExpressionPtr node);
    ExpressionPtr test(ExpressionPtr node);
    ExpressionPtr subscript(ExpressionPtr node);
    ExpressionPtr in_parentheses();
    ExpressionPtr dict();
    ExpressionPtr list();
    std::vector<Argument> arguments();
    std::string dotted_name();

    ExpressionPtr make(Kind kind, std::string text = {}) const
    {
        auto node = std::make_unique<Expression>();
        node->kind = kind;
        node->line = now().line;
        node->text = std::move(text);
        return node;
    }
    ExpressionPtr literal(Value value) const
    {
        auto node = make(Kind::Literal);
        node->value = std::move(value);
        return node;
    }
    void adopt(Expression& parent, ExpressionPtr child)
    {
        if (child) {
            raise(parent, child->height);
        }
        parent.parts.push_back(std::move(child));
    }
    void raise(Expression& parent, int child_height)
    {
        parent.height = std::max(parent.height, child_height + 1);
        if (parent.height > kDeepest) {
            refuse("an expression nests deeper than " + std::to_string(kDeepest) + " levels");
        }
    }
    void adopt_arguments(Expression& parent)
    {
        parent.arguments = arguments();
        for (const Argument& argument : parent.arguments) {
            raise(parent, argument.value->height);
        }
    }

    [[nodiscard]] const Token& now() const { return m_tokens[m_at]; }
    [[nodiscard]] bool is(Token::Kind kind, std::string_view text) const { return now().kind == kind && now().text == text; }
    [[nodiscard]] bool is_operator(std::string_view text) const { return is(Token::Kind::Operator, text); }
    [[nodiscard]] bool is_name(std::string_view text) const { return is(Token::Kind::Name, text); }
    bool take_operator(std::string_view text)
    {
        const bool there = is_operator(text);
        m_at += there ? 1 : 0;
        return there;
    }
    bool take_name(std::string_view text)
    {
        const bool there = is_name(text);
        m_at += there ? 1 : 0;
        return there;
    }
    void expect_operator(std::string_view text)
    {
        if (!take_operator(text)) {
            refuse(quoted(text) + " was expected" + before());
        }
    }
    void expect(Token::Kind kind, const char* what)
    {
        if (now().kind != kind) {
            refuse(std::string(what) + " was expected" + before());
        }
        ++m_at;
    }
    std::string name()
    {
        std::string text = now().text;
        expect(Token::Kind::Name, "a name");
        return text;
    }
    [[nodiscard]] std::string before() const { return now().text.empty() ? std::string(" at the end of the tag") : " before " + quoted(now().text); }
    [[noreturn]] void refuse(const std::string& what) const { throw Problem(what, now().line); }

    std::vector<Token> m_tokens;
    std::size_t m_at = 0;
    int m_level = 0;
    int m_loops = 0;
};

Block Parser::block(const std::vector<std::string_view>& ends)
{
    const Level level(*this);
    Block body;
    while (now().kind != Token::Kind::End) {
        Statement statement;
        statement.line = now().line;
        if (now().kind == Token::Kind::Text) {
            statement.text = now().text;
            ++m_at;
        } else if (now().kind == Token::Kind::VariableBegin) {
            ++m_at;
            statement.kind = Statement::Kind::Print;
            statement.expression = expression();
            expect(Token::Kind::VariableEnd, "\"}}\"");
        } else {
            const Token& keyword = m_tokens[m_at + 1];
            if (keyword.kind == Token::Kind::Name &&
                (std::find(ends.begin(), ends.end(), keyword.text) != ends.end() || keyword.text.starts_with("end"))) {
                return body;
            }
            ++m_at;
            const int line = now().line;
            statement = tag();
            statement.line = line;
            expect(Token::Kind::BlockEnd, "\"%}\"");
        }
        body.push_back(std::move(statement));
    }
    return body;
}

Statement Parser::body_until(Statement statement, std::string_view end)
{
    expect(Token::Kind::BlockEnd, "\"%}\"");
    Branch branch;
    branch.body = block({end});
    statement.branches.push_back(std::move(branch));
    expect(Token::Kind::BlockBegin, std::string(end).c_str());
    if (!take_name(end)) {
        refuse(quoted(end) + " was expected" + before());
    }
    return statement;
}

Statement Parser::tag()
{
    const std::string keyword = name();
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
    refuse("the tag " + quoted(keyword) + " is not supported here");
}

Statement Parser::read_if()
{
    Statement statement;
    statement.kind = Statement::Kind::If;
    Branch branch;
    branch.condition = expression();
    while (true) {
        expect(Token::Kind::BlockEnd, "\"%}\"");
        branch.body = block({"elif", "else", "endif"});
        const bool last = !branch.condition;
        statement.branches.push_back(std::move(branch));
        branch = Branch();
        expect(Token::Kind::BlockBegin, "\"endif\"");
        if (take_name("endif")) {
            return statement;
        }
        if (last || (!is_name("elif") && !is_name("else"))) {
            refuse("\"endif\" was expected" + before());
        }
        if (take_name("elif")) {
            branch.condition = expression();
        } else {
            ++m_at;
        }
    }
}

Statement Parser::read_for()
{
    Statement statement;
    statement.kind = Statement::Kind::For;
    const bool enclosed = take_operator("(");
    do {
        statement.targets.push_back(name());
    } while (take_operator(","));
    if (enclosed) {
        expect_operator(")");
    }
    if (!take_name("in")) {
        refuse("\"in\" was expected" + before());
    }
    statement.expression = disjunction();
    if (take_name("if")) {
        statement.condition = expression();
    }
    if (is_name("recursive")) {
        refuse("a recursive loop is not supported");
    }
    for (const std::string_view end : {"else", "endfor"}) {
        expect(Token::Kind::BlockEnd, "\"%}\"");
        ++m_loops;
        Branch branch;
        branch.body = block({"else", "endfor"});
        statement.branches.push_back(std::move(branch));
        --m_loops;
        expect(Token::Kind::BlockBegin, "\"endfor\"");
        if (take_name("endfor")) {
            break;
        }
        if (!take_name(end)) {
            refuse("\"endfor\" was expected" + before());
        }
    }
    return statement;
}

std::string Parser::target()
{
    std::string text = name();
    if (take_operator(".")) {
        text += "." + name();
    }
    return text;
}

Statement Parser::read_set()
{
    Statement statement;
    statement.kind = Statement::Kind::Set;
    do {
        statement.targets.push_back(target());
    } while (take_operator(","));
    if (take_operator("=")) {
        statement.expression = expression();
        if (is_operator(",")) {
            auto tuple = make(Kind::Items);
            adopt(*tuple, std::move(statement.expression));
            while (take_operator(",")) {
                adopt(*tuple, expression());
            }
            statement.expression = std::move(tuple);
        }
        return statement;
    }
    statement.filters = take_operator("|") ? filter_chain() : std::vector<FilterCall>();
    return body_until(std::move(statement), "endset");
}

std::vector<Parameter> Parser::parameters()
{
    std::vector<Parameter> list;
    expect_operator("(");
    while (!take_operator(")")) {
        if (!list.empty()) {
            expect_operator(",");
        }
        Parameter parameter;
        parameter.name = name();
        parameter.fallback = take_operator("=") ? expression() : nullptr;
        list.push_back(std::move(parameter));
    }
    return list;
}

Statement Parser::read_macro()
{
    Statement statement;
    statement.kind = Statement::Kind::Macro;
    statement.macro = std::make_unique<Macro>();
    statement.macro->name = name();
    statement.macro->parameters = parameters();
    const int loops = std::exchange(m_loops, 0);
    statement = body_until(std::move(statement), "endmacro");
    m_loops = loops;
    statement.macro->body = std::move(statement.branches[0].body);
    return statement;
}

Statement Parser::read_call()
{
    Statement statement;
    statement.kind = Statement::Kind::Call;
    statement.macro = std::make_unique<Macro>();
    statement.macro->name = "caller";
    if (is_operator("(")) {
        statement.macro->parameters = parameters();
    }
    statement.expression = expression();
    if (statement.expression->kind != Kind::Call) {
        refuse("a call block calls nothing");
    }
    statement = body_until(std::move(statement), "endcall");
    statement.macro->body = std::move(statement.branches[0].body);
    return statement;
}

std::vector<FilterCall> Parser::filter_chain()
{
    std::vector<FilterCall> chain;
    do {
        FilterCall call;
        call.name = dotted_name();
        call.arguments = is_operator("(") ? arguments() : std::vector<Argument>();
        chain.push_back(std::move(call));
    } while (take_operator("|"));
    return chain;
}

Statement Parser::read_filter()
{
    Statement statement;
    statement.kind = Statement::Kind::Filter;
    statement.filters = filter_chain();
    return body_until(std::move(statement), "endfilter");
}

Statement Parser::read_with()
{
    Statement statement;
    statement.kind = Statement::Kind::With;
    while (now().kind == Token::Kind::Name) {
        statement.targets.push_back(name());
        expect_operator("=");
        statement.values.push_back(expression());
        if (!take_operator(",")) {
            break;
        }
    }
    return body_until(std::move(statement), "endwith");
}

ExpressionPtr Parser::expression()
{
    const Level level(*this);
    ExpressionPtr node = disjunction();
    while (take_name("if")) {
        auto choice = make(Kind::Conditional);
        adopt(*choice, std::move(node));
        adopt(*choice, disjunction());
        adopt(*choice, take_name("else") ? expression() : nullptr);
        node = std::move(choice);
    }
    return node;
}

ExpressionPtr Parser::disjunction()
{
    ExpressionPtr node = conjunction();
    if (is_name("or")) {
        auto all = make(Kind::Or);
        adopt(*all, std::move(node));
        while (take_name("or")) {
            adopt(*all, conjunction());
        }
        return all;
    }
    return node;
}

ExpressionPtr Parser::conjunction()
{
    ExpressionPtr node = negation();
    if (is_name("and")) {
        auto all = make(Kind::And);
        adopt(*all, std::move(node));
        while (take_name("and")) {
            adopt(*all, negation());
        }
        return all;
    }
    return node;
}

ExpressionPtr Parser::negation()
{
    if (!take_name("not")) {
        return comparison();
    }
    const Level level(*this);
    auto node = make(Kind::Not);
    adopt(*node, negation());
    return node;
}

ExpressionPtr Parser::comparison()
{
    ExpressionPtr first = sum();
    auto node = make(Kind::Compare);
    while (true) {
        const bool negated = is_name("not") && m_tokens[m_at + 1].kind == Token::Kind::Name && m_tokens[m_at + 1].text == "in";
        constexpr std::string_view kOperators[] = {"==", "!=", "<", "<=", ">", ">="};
        if (negated || is_name("in")) {
            m_at += negated ? 2 : 1;
            node->operators.emplace_back(negated ? "not in" : "in");
        } else if (now().kind == Token::Kind::Operator &&
                   std::find(std::begin(kOperators), std::end(kOperators), now().text) != std::end(kOperators)) {
            node->operators.push_back(now().text);
            ++m_at;
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

ExpressionPtr Parser::sum()
{
    ExpressionPtr node = concatenation();
    while (is_operator("+") || is_operator("-")) {
        auto both = make(Kind::Arithmetic, now().text);
        ++m_at;
        adopt(*both, std::move(node));
        adopt(*both, concatenation());
        node = std::move(both);
    }
    return node;
}

ExpressionPtr Parser::concatenation()
{
    ExpressionPtr node = product();
    if (is_operator("~")) {
        auto all = make(Kind::Concatenate);
        adopt(*all, std::move(node));
        while (take_operator("~")) {
            adopt(*all, product());
        }
        return all;
    }
    return node;
}

ExpressionPtr Parser::product()
{
    ExpressionPtr node = power();
    while (is_operator("*") || is_operator("/") || is_operator("//") || is_operator("%")) {
        auto both = make(Kind::Arithmetic, now().text);
        ++m_at;
        adopt(*both, std::move(node));
        adopt(*both, power());
        node = std::move(both);
    }
    return node;
}

ExpressionPtr Parser::power()
{
    ExpressionPtr node = unary(true);
    while (is_operator("**")) {
        auto both = make(Kind::Arithmetic, now().text);
        ++m_at;
        adopt(*both, std::move(node));
        adopt(*both, unary(true));
        node = std::move(both);
    }
    return node;
}

ExpressionPtr Parser::unary(bool with_filters)
{
    const Level level(*this);
    ExpressionPtr node;
    if (take_operator("-")) {
        node = make(Kind::Negate);
        adopt(*node, unary(false));
    } else if (take_operator("+")) {
        node = unary(false);
    } else {
        node = postfix(primary());
    }
    return with_filters ? filters_and_tests(std::move(node)) : std::move(node);
}

ExpressionPtr Parser::primary()
{
    const Token token = now();
    ExpressionPtr node;
    switch (token.kind) {
    case Token::Kind::Name: {
        ++m_at;
        const std::string& text = token.text;
        if (text == "true" || text == "True" || text == "false" || text == "False") {
            return literal(Value::boolean(text[0] == 't' || text[0] == 'T'));
        }
        return text == "none" || text == "None" ? literal(Value::none()) : make(Kind::Name, text);
    }
    case Token::Kind::String: {
        std::string text;
        while (now().kind == Token::Kind::String) {
            text += now().text;
            ++m_at;
        }
        return literal(Value::text(std::move(text)));
    }
    case Token::Kind::Integer:
    case Token::Kind::Float: {
        const char* end = token.text.data() + token.text.size();
        std::int64_t integer = 0;
        double number = 0.0;
        const bool whole = token.kind == Token::Kind::Integer;
        const auto error = whole ? std::from_chars(token.text.data(), end, integer).ec : std::from_chars(token.text.data(), end, number).ec;
        if (error != std::errc()) {
            refuse("the number " + quoted(token.text) + " is too large");
        }
        ++m_at;
        return literal(whole ? Value::integer(integer) : Value(Value::Any(number)));
    }
    default:
        if (is_operator("(")) {
            return in_parentheses();
        }
        if (is_operator("[")) {
            return list();
        }
        if (is_operator("{")) {
            return dict();
        }
        refuse("a value was expected" + before());
    }
}

ExpressionPtr Parser::in_parentheses()
{
    expect_operator("(");
    auto tuple = make(Kind::Items);
    if (take_operator(")")) {
        return tuple;
    }
    ExpressionPtr node = expression();
    if (!is_operator(",")) {
        expect_operator(")");
        return node;
    }
    adopt(*tuple, std::move(node));
    while (take_operator(",") && !is_operator(")")) {
        adopt(*tuple, expression());
    }
    expect_operator(")");
    return tuple;
}

ExpressionPtr Parser::list()
{
    auto node = make(Kind::Items);
    expect_operator("[");
    while (!take_operator("]")) {
        if (!node->parts.empty()) {
            expect_operator(",");
            if (take_operator("]")) {
                break;
            }
        }
        adopt(*node, expression());
    }
    return node;
}

ExpressionPtr Parser::dict()
{
    auto node = make(Kind::Members);
    expect_operator("{");
    while (!take_operator("}")) {
        if (!node->parts.empty()) {
            expect_operator(",");
            if (take_operator("}")) {
                break;
            }
        }
        adopt(*node, expression());
        expect_operator(":");
        adopt(*node, expression());
    }
    return node;
}

ExpressionPtr Parser::postfix(ExpressionPtr node)
{
    while (true) {
        if (take_operator(".")) {
            auto attribute = make(Kind::Attribute, now().text);
            if (now().kind != Token::Kind::Name && now().kind != Token::Kind::Integer) {
                refuse("a name was expected" + before());
            }
            ++m_at;
            adopt(*attribute, std::move(node));
            node = std::move(attribute);
        } else if (is_operator("[")) {
            node = subscript(std::move(node));
        } else if (is_operator("(")) {
            auto call = make(Kind::Call);
            adopt(*call, std::move(node));
            adopt_arguments(*call);
            node = std::move(call);
        } else {
            return node;
        }
    }
}

ExpressionPtr Parser::subscript(ExpressionPtr node)
{
    expect_operator("[");
    auto index = make(Kind::Index);
    adopt(*index, std::move(node));
    for (int i = 0; i < 3; ++i) {
        adopt(*index, is_operator(":") || is_operator("]") ? nullptr : expression());
        if (!take_operator(":")) {
            break;
        }
        index->kind = Kind::Slice;
    }
    expect_operator("]");
    if (index->kind == Kind::Index && !index->parts[1]) {
        refuse("an index was expected between brackets");
    }
    index->parts.resize(index->kind == Kind::Slice ? 4 : 2);
    return index;
}

ExpressionPtr Parser::filters_and_tests(ExpressionPtr node)
{
    while (true) {
        if (take_operator("|")) {
            auto filter = make(Kind::Filter);
            filter->text = dotted_name();
            adopt(*filter, std::move(node));
            if (is_operator("(")) {
                adopt_arguments(*filter);
            }
            node = std::move(filter);
        } else if (take_name("is")) {
            node = test(std::move(node));
        } else if (is_operator("(")) {
            auto call = make(Kind::Call);
            adopt(*call, std::move(node));
            adopt_arguments(*call);
            node = std::move(call);
        } else {
            return node;
        }
    }
}

ExpressionPtr Parser::test(ExpressionPtr node)
{
    const bool negated = take_name("not");
    auto check = make(Kind::Test);
    check->text = dotted_name();
    adopt(*check, std::move(node));
    const bool word = now().kind == Token::Kind::Name && !is_name("else") && !is_name("or") && !is_name("and") && !is_name("is") && !is_name("if") &&
                      !is_name("in") && !is_name("not");
    const bool value = now().kind == Token::Kind::String || now().kind == Token::Kind::Integer || now().kind == Token::Kind::Float;
    if (is_operator("(")) {
        adopt_arguments(*check);
    } else if (word || value || is_operator("[") || is_operator("{")) {
        Argument argument;
        argument.value = postfix(primary());
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

std::vector<Argument> Parser::arguments()
{
    std::vector<Argument> list;
    expect_operator("(");
    while (!take_operator(")")) {
        if (!list.empty()) {
            expect_operator(",");
            if (take_operator(")")) {
                break;
            }
        }
        if (is_operator("*") || is_operator("**")) {
            refuse("arguments taken from a list are not supported");
        }
        Argument argument;
        const Token& next = m_tokens[m_at + 1];
        if (now().kind == Token::Kind::Name && next.kind == Token::Kind::Operator && next.text == "=") {
            argument.name = name();
            ++m_at;
        }
        argument.value = expression();
        list.push_back(std::move(argument));
    }
    return list;
}

std::string Parser::dotted_name()
{
    std::string text = name();
    while (take_operator(".")) {
        text += "." + name();
    }
    return text;
}

} // namespace

Block parse(std::string_view source)
{
    return Parser(source).run();
}

} // namespace retort::jinja
