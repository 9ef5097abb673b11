#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/operators.h"
#include "core/text/message.h"

namespace retort::jinja {

namespace {

constexpr std::string_view kNamespace = "namespace"; // the one function that the library cannot make: see ~Interpreter

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

} // namespace

Value Interpreter::evaluate(const Expression& node)
{
    using Kind = Expression::Kind;
    const Deeper deeper(m_depth);
    m_budget.spend(1);
    switch (node.kind) {
    case Kind::Literal:
        return node.value;
    case Kind::Name:
        return look_up(node.text);
    case Kind::Items:
        return list(node);
    case Kind::Members:
        return dict(node);
    case Kind::Attribute:
        return attribute(part(node, 0), node.text);
    case Kind::Index: {
        const Value container = part(node, 0);
        return item_of(container, part(node, 1), m_library);
    }
    case Kind::Slice:
        return slice(node);
    case Kind::Call:
        return call(node);
    case Kind::Filter: {
        const Value subject = part(node, 0);
        return m_library.filter(node.text, subject, evaluate(node.arguments));
    }
    case Kind::Test: {
        const Value subject = part(node, 0);
        return Value::boolean(m_library.test(node.text, subject, evaluate(node.arguments)));
    }
    case Kind::Not:
        return Value::boolean(!part(node, 0).truth());
    case Kind::Negate:
        return negated(part(node, 0), node.line);
    case Kind::Arithmetic: {
        const Value left = part(node, 0);
        return combined(node.text, left, part(node, 1), m_budget, node.line);
    }
    case Kind::Concatenate:
        return concatenate(node);
    case Kind::And:
    case Kind::Or:
        return first_deciding(node);
    case Kind::Compare:
        return compare(node);
    case Kind::Conditional:
        return part(node, 1).truth() ? part(node, 0) : node.parts[2] ? part(node, 2) : Value();
    }
    return Value();
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

Value Interpreter::look_up(const std::string& name)
{
    if (const Value* value = m_scopes.find(name)) {
        return *value;
    }
    return name == kNamespace || is_function(name) ? Value(Value::Any(Value::Function{name, nullptr})) : Value::undefined(name);
}

Value Interpreter::list(const Expression& node)
{
    List items;
    for (const ExpressionPtr& item : node.parts) {
        items.push_back(evaluate(*item));
    }
    return node.text.empty() ? Value::list(std::move(items)) : Value::tuple(std::move(items));
}

Value Interpreter::dict(const Expression& node)
{
    Dict members;
    for (std::size_t i = 0; i < node.parts.size(); i += 2) {
        const Value key = part(node, i);
        set_member(members, key, part(node, i + 1));
    }
    return Value::dict(std::move(members));
}

Value Interpreter::concatenate(const Expression& node)
{
    std::string text;
    for (const ExpressionPtr& piece : node.parts) {
        text = m_budget.made(std::move(text) + m_library.text_of(evaluate(*piece)));
    }
    return Value::text(std::move(text));
}

/// Of `and` the first value that is false, of `or` the first that is true, or else the last.
Value Interpreter::first_deciding(const Expression& node)
{
    Value value;
    for (const ExpressionPtr& operand : node.parts) {
        value = evaluate(*operand);
        if (value.truth() == (node.kind == Expression::Kind::Or)) {
            break;
        }
    }
    return value;
}

Value Interpreter::compare(const Expression& node)
{
    Value left = part(node, 0);
    for (std::size_t i = 0; i < node.operators.size(); ++i) {
        Value right = part(node, i + 1);
        if (!holds(node.operators[i], left, right, m_library)) {
            return Value::boolean(false);
        }
        left = std::move(right);
    }
    return Value::boolean(true);
}

Value Interpreter::slice(const Expression& node)
{
    const Value value = part(node, 0);
    if (!value.list() && !value.string()) {
        throw Problem(value.kind() + " cannot be sliced", node.line);
    }
    const auto bound = [&](std::size_t i) -> std::optional<std::int64_t> {
        const Value given = node.parts[i] ? part(node, i) : Value::none();
        if (!given.is_none() && !given.integer()) {
            throw Problem("a slice goes by integers, not by " + given.kind(), node.line);
        }
        return given.integer();
    };
    const std::int64_t step = bound(3).value_or(1);
    if (step == 0) {
        throw Problem("a slice has the step 0", node.line);
    }
    const auto begin = bound(1);
    const auto end = bound(2);
    return slice_of(value, begin, end, step, m_library);
}

Value Interpreter::filtered(Value value, const std::vector<FilterCall>& filters)
{
    for (const FilterCall& filter : filters) {
        value = m_library.filter(filter.name, value, evaluate(filter.arguments));
    }
    return value;
}

Value Interpreter::call(const Expression& node)
{
    using Kind = Expression::Kind;
    const Expression& callee = *node.parts[0];
    if (callee.kind == Kind::Attribute) {
        const Value self = part(callee, 0);
        const Value* member = self.member(callee.text);
        if (const auto* of_loop = member ? member->as<Value::Function>() : nullptr; of_loop && of_loop->self) {
            return call_of_loop(*of_loop, evaluate(node.arguments));
        }
        if (!member || !member->as<const Macro*>()) {
            return m_library.method(self, callee.text, evaluate(node.arguments));
        }
        return call_macro(**member->as<const Macro*>(), evaluate(node.arguments), nullptr);
    }
    if (callee.kind == Kind::Name && callee.text == "caller" && !m_callers.empty() && m_callers.back()) {
        return call_macro(*m_callers.back(), evaluate(node.arguments), nullptr);
    }
    if (callee.kind == Kind::Name && callee.text == kLoop && !m_loops.empty() && m_loops.back().statement->recursive) {
        const Arguments arguments = evaluate(node.arguments);
        return Value::text(loop_again(arguments.placed.empty() ? Value() : arguments.placed.front()));
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
    return known->name == kNamespace ? make_namespace(arguments) : m_library.function(known->name, arguments);
}

/// loop.cycle(a, b, ...) and loop.changed(values...).
Value Interpreter::call_of_loop(const Value::Function& function, const Arguments& arguments)
{
    const auto number = static_cast<std::size_t>(function.self->integer().value_or(0));
    if (function.name == kCycle) {
        if (arguments.placed.empty()) {
            throw Problem("loop.cycle needs something to cycle through", 0);
        }
        return arguments.placed[number % arguments.placed.size()];
    }
    const Value now = Value::list(arguments.placed);
    const Value* before = find_member(m_seen_by_loops, std::to_string(number));
    const bool changed = !before || !before->equals(now);
    set_member(m_seen_by_loops, std::to_string(number), now);
    return Value::boolean(changed);
}

Value Interpreter::call_macro(const Macro& macro, const Arguments& arguments, const Macro* caller)
{
    if (arguments.placed.size() > macro.parameters.size()) {
        throw Problem("the macro " + quoted(macro.name) + " takes " + std::to_string(macro.parameters.size()) + " arguments, not " +
                          std::to_string(arguments.placed.size()),
                      0);
    }
    // A call block's body sees the names around the call; a macro sees the template's only.
    const Scopes::Inner inner(m_scopes, macro.name == "caller" ? Scopes::Sees::Surroundings : Scopes::Sees::TemplateOnly);
    for (std::size_t i = 0; i < macro.parameters.size(); ++i) {
        const Parameter& parameter = macro.parameters[i];
        const Value* given = arguments.find(i, parameter.name);
        m_scopes.set(parameter.name, given ? *given : parameter.fallback ? evaluate(*parameter.fallback) : Value::undefined(parameter.name));
    }
    m_callers.push_back(caller);
    std::string outer = std::exchange(m_out, {});
    run(macro.body);
    m_callers.pop_back();
    return Value::text(std::exchange(m_out, std::move(outer)));
}

Value Interpreter::make_namespace(const Arguments& arguments)
{
    auto members = std::make_shared<Names>();
    for (const Value& given : arguments.placed) {
        for (const auto& [name, value] : given.dict() ? *given.dict() : Dict()) {
            set_member(*members, m_library.text_of(name), value);
        }
    }
    for (const auto& [name, value] : arguments.named) {
        set_member(*members, name, value);
    }
    m_namespaces.push_back(members);
    return Value(Value::Any(Value::Namespace{std::move(members)}));
}

} // namespace retort::jinja
