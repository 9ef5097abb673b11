#include "core/text/jinja/run.h"

#include "core/text/jinja/interpreter.h"
#include "core/text/message.h"

namespace retort::jinja {

namespace {

/// The `loop` of a for: `number` tells it from every other, `depth` how deep it runs within itself.
Value loop_of(const List& items, std::size_t index, std::size_t loop_number, std::size_t depth)
{
    const auto number = [](std::size_t value) { return Value::integer(static_cast<std::int64_t>(value)); };
    Names loop;
    loop.emplace_back("index", number(index + 1));
    loop.emplace_back("index0", number(index));
    loop.emplace_back("revindex", number(items.size() - index));
    loop.emplace_back("revindex0", number(items.size() - index - 1));
    loop.emplace_back("first", Value::boolean(index == 0));
    loop.emplace_back("last", Value::boolean(index + 1 == items.size()));
    loop.emplace_back("length", number(items.size()));
    loop.emplace_back("previtem", index == 0 ? Value::undefined("loop.previtem") : items[index - 1]);
    loop.emplace_back("nextitem", index + 1 == items.size() ? Value::undefined("loop.nextitem") : items[index + 1]);
    loop.emplace_back("depth", number(depth));
    loop.emplace_back("depth0", number(depth - 1));
    const auto method = [&](std::string_view name, std::size_t self) {
        return Value(Value::Any(Value::Function{std::string(name), std::make_shared<const Value>(number(self))}));
    };
    loop.emplace_back(kCycle, method(kCycle, index));
    loop.emplace_back(kChanged, method(kChanged, loop_number));
    return Value::dict_of(std::move(loop));
}

} // namespace

Interpreter::~Interpreter()
{
    // Namespaces may hold one another in a ring; emptied one by one, each ends without the others.
    for (const auto& members : m_namespaces) {
        Names().swap(*members);
    }
}

std::string Interpreter::render(const Block& program)
{
    run(program);
    return std::move(m_out);
}

Interpreter::Flow Interpreter::run(const Block& block)
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

Interpreter::Flow Interpreter::run(const Statement& statement)
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
        m_scopes.set(statement.macro->name, Value(Value::Any(static_cast<const Macro*>(statement.macro.get()))));
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

Interpreter::Flow Interpreter::run_if(const Statement& statement)
{
    for (const Branch& branch : statement.branches) {
        if (!branch.condition || evaluate(*branch.condition).truth()) {
            return run(branch.body);
        }
    }
    return Flow::Next;
}

void Interpreter::run_for(const Statement& statement)
{
    loop_over(statement, evaluate(*statement.expression), 1);
}

/// What {{ loop(items) }} writes in a recursive loop.
std::string Interpreter::loop_again(const Value& value)
{
    const RunningLoop now = m_loops.back();
    if (now.depth >= static_cast<std::size_t>(Budget::kDeepest)) {
        throw Problem("a loop runs deeper than 100 levels within itself", 0);
    }
    std::string outer = std::exchange(m_out, {});
    loop_over(*now.statement, value, now.depth + 1);
    return std::exchange(m_out, std::move(outer));
}

void Interpreter::loop_over(const Statement& statement, const Value& value, std::size_t depth)
{
    List items = m_library.items_of(value);
    if (statement.condition) {
        List kept;
        for (Value& item : items) {
            const Scopes::Inner inner(m_scopes);
            bind(statement.targets, item);
            if (evaluate(*statement.condition).truth()) {
                kept.push_back(std::move(item));
            }
        }
        items = std::move(kept);
    }
    m_loops.push_back({&statement, depth});
    const std::size_t number = m_loops_begun++;
    for (std::size_t i = 0; i < items.size(); ++i) {
        m_budget.spend(1);
        const Scopes::Inner inner(m_scopes);
        m_scopes.set(std::string(kLoop), loop_of(items, i, number, depth));
        bind(statement.targets, items[i]);
        if (run(statement.branches[0].body) == Flow::Break) {
            break;
        }
    }
    m_loops.pop_back();
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
        m_scopes.set(target, std::move(value));
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
    const Scopes::Inner inner(m_scopes);
    for (std::size_t i = 0; i < values.size(); ++i) {
        m_scopes.set(statement.targets[i], std::move(values[i]));
    }
    run(statement.branches[0].body);
}

std::string Interpreter::captured(const Block& block)
{
    std::string outer = std::exchange(m_out, {});
    const Scopes::Inner inner(m_scopes);
    run(block);
    return std::exchange(m_out, std::move(outer));
}

void Interpreter::write(std::string_view text)
{
    m_out += text;
    m_budget.spend(text.size() / 64);
    if (m_out.size() > Budget::kMostText) {
        throw Problem("it writes more than 1 MiB", 0);
    }
}

std::string run(const Block& program, Names globals, std::int64_t now)
{
    return Interpreter(std::move(globals), now).render(program);
}

} // namespace retort::jinja
