#include "core/text/jinja/run.h"

#include "core/text/message.h"
#include "core/text/unicode.h"

#include <algorithm>
#include <cmath>

namespace retort::jinja {

namespace {

/// What a statement says about the ones after it.
enum class Flow { Next, Break, Continue };

std::int64_t floor_divided(std::int64_t a, std::int64_t b)
{
    return a / b - ((a % b != 0 && (a % b < 0) != (b < 0)) ? 1 : 0);
}

class Interpreter {
public:
    Interpreter(Dict globals, std::int64_t now) : m_library{m_budget, now}
    {
        m_scopes.push_back({std::move(globals), 0});
        m_scopes.push_back({{}, 0});
    }
    ~Interpreter()
    {
        // Namespaces may hold one another in a ring; emptied one by one, each ends without the others.
        for (const auto& members : m_namespaces) {
            Dict().swap(*members);
        }
    }
    Interpreter(const Interpreter&) = delete;
    Interpreter& operator=(const Interpreter&) = delete;

    std::string render(const Block& program)
    {
        run(program);
        return std::move(m_out);
    }

private:
    using Kind = Expression::Kind;

    /// Names of one block; `floor` is the lowest scope still seen besides the two of the whole template (a macro does not see its caller's).
    struct Scope {
        Dict names;
        std::size_t floor = 0;
    };

    /// Bounds the stack: macros, blocks and expressions each nest within their own limits, but not all three at once.
    class Deeper {
    public:
        explicit Deeper(int& depth) : m_depth(depth)
        {
            if (depth >= kDeepestEvaluation) {
                throw Problem("its expressions and calls nest too deep", 0);
            }
            ++m_depth;
        }
        ~Deeper() { --m_depth; }
        Deeper(const Deeper&) = delete;
        Deeper& operator=(const Deeper&) = delete;

    private:
        static constexpr int kDeepestEvaluation = 1000;
        int& m_depth;
    };

    class Inner {
    public:
        Inner(Interpreter& interpreter, std::size_t floor) : m_interpreter(interpreter)
        {
            if (m_interpreter.m_scopes.size() > Budget::kDeepest) {
                throw Problem("it calls or nests deeper than 100 levels", 0);
            }
            m_interpreter.m_scopes.push_back({{}, floor});
        }
        ~Inner() { m_interpreter.m_scopes.pop_back(); }
        Inner(const Inner&) = delete;
        Inner& operator=(const Inner&) = delete;

    private:
        Interpreter& m_interpreter;
    };

    Flow run(const Block& block);
    Flow run(const Statement& statement);
    Flow run_if(const Statement& statement);
    void run_for(const Statement& statement);
    void run_set(const Statement& statement);
    void run_with(const Statement& statement);
    void bind(const std::vector<std::string>& targets, const Value& value);
    void assign(const std::string& target, Value value);
    std::string captured(const Block& block);
    Value filtered(Value value, const std::vector<FilterCall>& filters);
    [[nodiscard]] static Value loop_of(const List& items, std::size_t index);

    Value evaluate(const Expression& node);
    Value arithmetic(const Expression& node);
    Value concatenate(const Expression& node);
    Value compare(const Expression& node);
    bool compare(const std::string& op, const Value& a, const Value& b);
    bool contains(const Value& container, const Value& item);
    Value index(const Value& value, const Value& key);
    Value slice(const Expression& node);
    Value dict(const Expression& node);
    Value call(const Expression& node);
    Value call_macro(const Macro& macro, const Arguments& arguments, const Macro* caller);
    Value make_namespace(const Arguments& arguments);
    Arguments evaluate(const std::vector<Argument>& arguments);
    Value look_up(const std::string& name);
    const Macro* find_caller() const { return m_callers.empty() ? nullptr : m_callers.back(); }

    void write(std::string_view text)
    {
        m_out += text;
        m_budget.spend(text.size() / 64);
        if (m_out.size() > Budget::kMostText) {
            throw Problem("it writes more than 1 MiB", 0);
        }
    }
    Dict& scope() { return m_scopes.back().names; }

    Budget m_budget;
    Library m_library;
    std::vector<Scope> m_scopes;
    std::vector<const Macro*> m_callers;
    std::vector<std::shared_ptr<Dict>> m_namespaces;
    std::string m_out;
    int m_depth = 0;
};

void set_member(Dict& dict, const std::string& name, Value value)
{
    const auto found = std::find_if(dict.begin(), dict.end(), [&](const auto& member) { return member.first == name; });
    if (found != dict.end()) {
        found->second = std::move(value);
    } else {
        dict.emplace_back(name, std::move(value));
    }
}

Flow Interpreter::run(const Block& block)
{
    for (const Statement& statement : block) {
        try {
            if (const Flow flow = run(statement); flow != Flow::Next) {
                return flow;
            }
        } catch (Problem& problem) {
            problem.line = problem.line == 0 ? statement.line : problem.line;
            throw;
        }
    }
    return Flow::Next;
}

Flow Interpreter::run(const Statement& statement)
{
    m_budget.spend(1);
    switch (statement.kind) {
    case Statement::Kind::Text:
        write(statement.text);
        break;
    case Statement::Kind::Print:
        write(m_library.text_of(evaluate(*statement.expression)));
        break;
    case Statement::Kind::If:
        return run_if(statement);
    case Statement::Kind::For:
        run_for(statement);
        break;
    case Statement::Kind::Set:
        run_set(statement);
        break;
    case Statement::Kind::Macro:
        set_member(scope(), statement.macro->name, Value(Value::Any(static_cast<const Macro*>(statement.macro.get()))));
        break;
    case Statement::Kind::Call: {
        const Value callee = evaluate(*statement.expression->parts[0]);
        if (!callee.as<const Macro*>()) {
            throw Problem("a call block needs a macro; this is " + callee.kind(), statement.line);
        }
        write(m_library.text_of(call_macro(**callee.as<const Macro*>(), evaluate(statement.expression->arguments), statement.macro.get())));
        break;
    }
    case Statement::Kind::Filter:
        write(m_library.text_of(filtered(Value::text(captured(statement.branches[0].body)), statement.filters)));
        break;
    case Statement::Kind::Group:
        return run(statement.branches[0].body);
    case Statement::Kind::With:
        run_with(statement);
        break;
    case Statement::Kind::Break:
        return Flow::Break;
    case Statement::Kind::Continue:
        return Flow::Continue;
    }
    return Flow::Next;
}

Flow Interpreter::run_if(const Statement& statement)
{
    for (const Branch& branch : statement.branches) {
        if (!branch.condition || evaluate(*branch.condition).truth()) {
            return run(branch.body);
        }
    }
    return Flow::Next;
}

Value Interpreter::loop_of(const List& items, std::size_t index)
{
    const auto number = [](std::size_t value) { return Value::integer(static_cast<std::int64_t>(value)); };
    Dict loop;
    loop.emplace_back("index", number(index + 1));
    loop.emplace_back("index0", number(index));
    loop.emplace_back("revindex", number(items.size() - index));
    loop.emplace_back("revindex0", number(items.size() - index - 1));
    loop.emplace_back("first", Value::boolean(index == 0));
    loop.emplace_back("last", Value::boolean(index + 1 == items.size()));
    loop.emplace_back("length", number(items.size()));
    loop.emplace_back("previtem", index == 0 ? Value::undefined("loop.previtem") : items[index - 1]);
    loop.emplace_back("nextitem", index + 1 == items.size() ? Value::undefined("loop.nextitem") : items[index + 1]);
    return Value::dict(std::move(loop));
}

void Interpreter::run_for(const Statement& statement)
{
    List items = m_library.items_of(evaluate(*statement.expression));
    if (statement.condition) {
        List kept;
        for (Value& item : items) {
            const Inner inner(*this, m_scopes.back().floor);
            bind(statement.targets, item);
            if (evaluate(*statement.condition).truth()) {
                kept.push_back(std::move(item));
            }
        }
        items = std::move(kept);
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
        m_budget.spend(1);
        const Inner inner(*this, m_scopes.back().floor);
        set_member(scope(), "loop", loop_of(items, i));
        bind(statement.targets, items[i]);
        if (run(statement.branches[0].body) == Flow::Break) {
            break;
        }
    }
    if (items.empty() && statement.branches.size() > 1) {
        run(statement.branches[1].body);
    }
}

void Interpreter::bind(const std::vector<std::string>& targets, const Value& value)
{
    if (targets.size() == 1) {
        assign(targets[0], value);
        return;
    }
    const List items = m_library.items_of(value);
    if (items.size() != targets.size()) {
        throw Problem(std::to_string(items.size()) + " values were given for " + std::to_string(targets.size()) + " names", 0);
    }
    for (std::size_t i = 0; i < targets.size(); ++i) {
        assign(targets[i], items[i]);
    }
}

void Interpreter::assign(const std::string& target, Value value)
{
    const std::size_t dot = target.find('.');
    if (dot == std::string::npos) {
        set_member(scope(), target, std::move(value));
        return;
    }
    const Value space = look_up(target.substr(0, dot));
    const auto* members = space.as<Value::Namespace>();
    if (!members) {
        throw Problem("only a namespace has attributes to set; " + quoted(target) + " is on " + space.kind(), 0);
    }
    set_member(*members->members, target.substr(dot + 1), std::move(value));
}

void Interpreter::run_set(const Statement& statement)
{
    if (statement.expression) {
        bind(statement.targets, evaluate(*statement.expression));
        return;
    }
    bind(statement.targets, filtered(Value::text(captured(statement.branches[0].body)), statement.filters));
}

void Interpreter::run_with(const Statement& statement)
{
    std::vector<Value> values;
    for (const ExpressionPtr& value : statement.values) {
        values.push_back(evaluate(*value));
    }
    const Inner inner(*this, m_scopes.back().floor);
    for (std::size_t i = 0; i < values.size(); ++i) {
        set_member(scope(), statement.targets[i], std::move(values[i]));
    }
    run(statement.branches[0].body);
}

std::string Interpreter::captured(const Block& block)
{
    std::string outer = std::exchange(m_out, {});
    const Inner inner(*this, m_scopes.back().floor);
    run(block);
    return std::exchange(m_out, std::move(outer));
}

Value Interpreter::filtered(Value value, const std::vector<FilterCall>& filters)
{
    for (const FilterCall& filter : filters) {
        value = m_library.filter(filter.name, value, evaluate(filter.arguments));
    }
    return value;
}

Value Interpreter::look_up(const std::string& name)
{
    const std::size_t floor = m_scopes.back().floor;
    for (std::size_t i = m_scopes.size(); i-- > 0;) {
        if (i >= 2 && i < floor) {
            continue;
        }
        const Dict& names = m_scopes[i].names;
        const auto found = std::find_if(names.begin(), names.end(), [&](const auto& member) { return member.first == name; });
        if (found != names.end()) {
            return found->second;
        }
    }
    return name == "namespace" || is_function(name) ? Value(Value::Any(Value::Function{name, nullptr})) : Value::undefined(name);
}

Value Interpreter::evaluate(const Expression& node)
{
    const Deeper deeper(m_depth);
    m_budget.spend(1);
    const auto part = [&](std::size_t i) { return evaluate(*node.parts[i]); };
    switch (node.kind) {
    case Kind::Literal:
        return node.value;
    case Kind::Name:
        return look_up(node.text);
    case Kind::Items: {
        List items;
        for (const ExpressionPtr& item : node.parts) {
            items.push_back(evaluate(*item));
        }
        return Value::list(std::move(items));
    }
    case Kind::Members:
        return dict(node);
    case Kind::Attribute:
        return attribute(part(0), node.text);
    case Kind::Index: {
        const Value container = part(0);
        return index(container, part(1));
    }
    case Kind::Slice:
        return slice(node);
    case Kind::Call:
        return call(node);
    case Kind::Filter: {
        const Value subject = part(0);
        return m_library.filter(node.text, subject, evaluate(node.arguments));
    }
    case Kind::Test: {
        const Value subject = part(0);
        return Value::boolean(m_library.test(node.text, subject, evaluate(node.arguments)));
    }
    case Kind::Not:
        return Value::boolean(!part(0).truth());
    case Kind::Negate: {
        const Value value = part(0);
        std::int64_t negative = 0;
        if (const auto integer = value.integer(); integer && !__builtin_sub_overflow(std::int64_t{0}, *integer, &negative)) {
            return Value::integer(negative);
        }
        if (!value.number()) {
            throw Problem(value.kind() + " has no negative", node.line);
        }
        return Value(Value::Any(-*value.number()));
    }
    case Kind::Arithmetic:
        return arithmetic(node);
    case Kind::Concatenate:
        return concatenate(node);
    case Kind::And:
    case Kind::Or: {
        Value value;
        for (const ExpressionPtr& operand : node.parts) {
            value = evaluate(*operand);
            if (value.truth() == (node.kind == Kind::Or)) {
                break;
            }
        }
        return value;
    }
    case Kind::Compare:
        return compare(node);
    case Kind::Conditional:
        return part(1).truth() ? part(0) : node.parts[2] ? part(2) : Value();
    }
    return Value();
}

Value Interpreter::dict(const Expression& node)
{
    Dict members;
    for (std::size_t i = 0; i < node.parts.size(); i += 2) {
        const Value key = evaluate(*node.parts[i]);
        if (!key.string()) {
            throw Problem("a dict's keys are strings here; this one is " + key.kind(), node.line);
        }
        set_member(members, *key.string(), evaluate(*node.parts[i + 1]));
    }
    return Value::dict(std::move(members));
}

Value Interpreter::arithmetic(const Expression& node)
{
    const Value a = evaluate(*node.parts[0]);
    const Value b = evaluate(*node.parts[1]);
    const char op = node.text[0];
    if (op == '+' && a.string() && b.string()) {
        return Value::text(m_budget.made(*a.string() + *b.string()));
    }
    if (op == '+' && a.list() && b.list()) {
        List all = *a.list();
        all.insert(all.end(), b.list()->begin(), b.list()->end());
        m_budget.spend(all.size());
        return Value::list(std::move(all));
    }
    if (node.text == "*" && a.string() && b.integer()) {
        const auto times = static_cast<std::size_t>(std::clamp<std::int64_t>(*b.integer(), 0, Budget::kMostText + 1));
        if (a.string()->size() * times > Budget::kMostText) {
            throw Problem("it makes a text of more than 1 MiB", node.line);
        }
        std::string text;
        for (std::size_t i = 0; i < times; ++i) {
            text += *a.string();
        }
        return Value::text(m_budget.made(std::move(text)));
    }
    if (!a.number() || !b.number()) {
        throw Problem(a.kind() + " and " + b.kind() + " cannot be combined by " + node.text, node.line);
    }
    const bool divides = op == '/' || op == '%';
    if (divides && *b.number() == 0.0) {
        throw Problem("it divides by zero", node.line);
    }
    if (a.integer() && b.integer() && node.text != "/" && node.text != "**") {
        const std::int64_t x = *a.integer();
        const std::int64_t y = *b.integer();
        std::int64_t result = 0;
        const bool overflow = op == '+'   ? __builtin_add_overflow(x, y, &result)
                              : op == '-' ? __builtin_sub_overflow(x, y, &result)
                              : op == '*' ? __builtin_mul_overflow(x, y, &result)
                                          : y == -1 && __builtin_sub_overflow(std::int64_t{0}, x, &result);
        if (overflow) {
            throw Problem("a number grows too large", node.line);
        }
        if (divides) {
            const std::int64_t quotient = y == -1 ? -x : floor_divided(x, y);
            result = node.text == "//" ? quotient : x - quotient * y;
        }
        return Value::integer(result);
    }
    const double x = *a.number();
    const double y = *b.number();
    const double result = op == '+'           ? x + y
                          : op == '-'         ? x - y
                          : node.text == "**" ? std::pow(x, y)
                          : op == '*'         ? x * y
                          : node.text == "/"  ? x / y
                          : node.text == "//" ? std::floor(x / y)
                                              : x - std::floor(x / y) * y;
    if (node.text == "**" && a.integer() && b.integer() && std::fabs(result) < 9e15 && *b.integer() >= 0) {
        return Value::integer(static_cast<std::int64_t>(result));
    }
    return Value(Value::Any(result));
}

Value Interpreter::concatenate(const Expression& node)
{
    std::string text;
    for (const ExpressionPtr& part : node.parts) {
        text = m_budget.made(std::move(text) + m_library.text_of(evaluate(*part)));
    }
    return Value::text(std::move(text));
}

Value Interpreter::compare(const Expression& node)
{
    Value left = evaluate(*node.parts[0]);
    for (std::size_t i = 0; i < node.operators.size(); ++i) {
        Value right = evaluate(*node.parts[i + 1]);
        if (!compare(node.operators[i], left, right)) {
            return Value::boolean(false);
        }
        left = std::move(right);
    }
    return Value::boolean(true);
}

bool Interpreter::compare(const std::string& op, const Value& a, const Value& b)
{
    if (op == "in" || op == "not in") {
        return contains(b, a) == (op == "in");
    }
    if (op == "==" || op == "!=") {
        return a.equals(b) == (op == "==");
    }
    const int order = a.compare(b);
    return op == "<" ? order < 0 : op == "<=" ? order <= 0 : op == ">" ? order > 0 : order >= 0;
}

bool Interpreter::contains(const Value& container, const Value& item)
{
    if (const std::string* text = container.string()) {
        if (!item.string()) {
            throw Problem("a string contains strings only, not " + item.kind(), 0);
        }
        m_budget.spend(text->size() / 64);
        return text->find(*item.string()) != std::string::npos;
    }
    if (container.dict() || container.as<Value::Namespace>()) {
        return item.string() && container.member(*item.string());
    }
    const List items = m_library.items_of(container);
    return std::any_of(items.begin(), items.end(), [&](const Value& one) { return one.equals(item); });
}

Value Interpreter::index(const Value& value, const Value& key)
{
    if (key.string()) {
        return attribute(value, *key.string());
    }
    const auto place = key.integer();
    if (!place || (!value.list() && !value.string())) {
        if (value.is_undefined()) {
            throw Problem(quoted(value.as<Value::Undefined>()->name) + " is undefined", 0);
        }
        return Value::undefined("item");
    }
    const List items = m_library.items_of(value);
    const std::int64_t at = *place < 0 ? *place + static_cast<std::int64_t>(items.size()) : *place;
    return at >= 0 && at < static_cast<std::int64_t>(items.size()) ? items[static_cast<std::size_t>(at)] : Value::undefined("item");
}

Value Interpreter::slice(const Expression& node)
{
    const Value value = evaluate(*node.parts[0]);
    const auto bound = [&](std::size_t i) -> std::optional<std::int64_t> {
        const Value given = node.parts[i] ? evaluate(*node.parts[i]) : Value::none();
        if (!given.is_none() && !given.integer()) {
            throw Problem("a slice goes by integers, not by " + given.kind(), node.line);
        }
        return given.integer();
    };
    if (!value.list() && !value.string()) {
        throw Problem(value.kind() + " cannot be sliced", node.line);
    }
    const List items = m_library.items_of(value);
    const auto size = static_cast<std::int64_t>(items.size());
    const std::int64_t step = bound(3).value_or(1);
    if (step == 0) {
        throw Problem("a slice has the step 0", node.line);
    }
    const auto placed = [&](std::optional<std::int64_t> at, std::int64_t absent) {
        const std::int64_t lowest = step > 0 ? 0 : -1;
        const std::int64_t highest = step > 0 ? size : size - 1;
        return !at ? absent : std::clamp(*at < 0 ? std::max(*at, -size - 1) + size : *at, lowest, highest);
    };
    const std::int64_t begin = placed(bound(1), step > 0 ? 0 : size - 1);
    const std::int64_t end = placed(bound(2), step > 0 ? size : -1);
    const std::int64_t stride = std::clamp(step, -size - 1, size + 1);
    List kept;
    for (std::int64_t at = begin; stride > 0 ? at < end : at > end; at += stride) {
        kept.push_back(items[static_cast<std::size_t>(at)]);
    }
    if (!value.string()) {
        return Value::list(std::move(kept));
    }
    std::string text;
    for (const Value& character : kept) {
        text += *character.string();
    }
    return Value::text(m_budget.made(std::move(text)));
}

Arguments Interpreter::evaluate(const std::vector<Argument>& arguments)
{
    Arguments out;
    for (const Argument& argument : arguments) {
        Value value = evaluate(*argument.value);
        if (argument.name.empty()) {
            out.placed.push_back(std::move(value));
        } else {
            out.named.emplace_back(argument.name, std::move(value));
        }
    }
    return out;
}

Value Interpreter::make_namespace(const Arguments& arguments)
{
    auto members = std::make_shared<Dict>();
    for (const Value& given : arguments.placed) {
        for (const auto& [name, value] : given.dict() ? *given.dict() : Dict()) {
            set_member(*members, name, value);
        }
    }
    for (const auto& [name, value] : arguments.named) {
        set_member(*members, name, value);
    }
    m_namespaces.push_back(members);
    return Value(Value::Any(Value::Namespace{std::move(members)}));
}

Value Interpreter::call(const Expression& node)
{
    const Expression& callee = *node.parts[0];
    if (callee.kind == Kind::Attribute) {
        const Value self = evaluate(*callee.parts[0]);
        const Value* member = self.member(callee.text);
        if (!member || !member->as<const Macro*>()) {
            return m_library.method(self, callee.text, evaluate(node.arguments));
        }
        return call_macro(**member->as<const Macro*>(), evaluate(node.arguments), nullptr);
    }
    if (callee.kind == Kind::Name && callee.text == "caller" && find_caller()) {
        return call_macro(*find_caller(), evaluate(node.arguments), nullptr);
    }
    const Value function = evaluate(callee);
    const Arguments arguments = evaluate(node.arguments);
    if (const auto* macro = function.as<const Macro*>()) {
        return call_macro(**macro, arguments, nullptr);
    }
    const auto* known = function.as<Value::Function>();
    if (!known) {
        throw Problem(callee.text.empty() ? function.kind() + " cannot be called" : quoted(callee.text) + " is not a function this interpreter knows",
                      node.line);
    }
    return known->name == "namespace" ? make_namespace(arguments) : m_library.function(known->name, arguments);
}

Value Interpreter::call_macro(const Macro& macro, const Arguments& arguments, const Macro* caller)
{
    if (arguments.placed.size() > macro.parameters.size()) {
        throw Problem("the macro " + quoted(macro.name) + " takes " + std::to_string(macro.parameters.size()) + " arguments, not " +
                          std::to_string(arguments.placed.size()),
                      0);
    }
    // A call block's body sees the names around the call; a macro sees the template's only.
    const Inner inner(*this, macro.name == "caller" ? m_scopes.back().floor : m_scopes.size());
    for (std::size_t i = 0; i < macro.parameters.size(); ++i) {
        const Parameter& parameter = macro.parameters[i];
        const Value* given = arguments.find(i, parameter.name);
        Value value = given ? *given : parameter.fallback ? evaluate(*parameter.fallback) : Value::undefined(parameter.name);
        set_member(scope(), parameter.name, std::move(value));
    }
    std::string outer = std::exchange(m_out, {});
    m_callers.push_back(caller);
    run(macro.body);
    m_callers.pop_back();
    return Value::text(std::exchange(m_out, std::move(outer)));
}

} // namespace

std::string run(const Block& program, Dict globals, std::int64_t now)
{
    return Interpreter(std::move(globals), now).render(program);
}

} // namespace retort::jinja
