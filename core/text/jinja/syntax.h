#pragma once
#include "core/text/jinja/value.h"

namespace retort::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

/// A named or unnamed argument of a call, filter or test.
struct Argument {
    std::string name; ///< empty when it has none
    ExpressionPtr value;
};

/// A node of an expression. What `text` and `parts` hold depends on the kind, as said beside it.
struct Expression {
    enum class Kind {
        Literal,     ///< value
        Name,        ///< text
        Items,       ///< parts: the items
        Members,     ///< parts: key, value, key, value, ...
        Attribute,   ///< parts[0].text
        Index,       ///< parts[0][parts[1]]
        Slice,       ///< parts[0][parts[1]:parts[2]:parts[3]], null where left out
        Call,        ///< parts[0](arguments)
        Filter,      ///< parts[0]|text(arguments)
        Test,        ///< parts[0] is text(arguments)
        Not,         ///< parts[0]
        Negate,      ///< parts[0]
        Arithmetic,  ///< parts[0] text parts[1]
        Concatenate, ///< parts, by ~
        And,         ///< parts
        Or,          ///< parts
        Compare,     ///< parts[0] operators[0] parts[1] operators[1] ...
        Conditional, ///< parts[0] if parts[1] else parts[2], which may be null
    };
    Kind kind = Kind::Literal;
    int line = 0;
    int height = 1;
    std::string text;
    Value value;
    std::vector<ExpressionPtr> parts;
    std::vector<Argument> arguments;
    std::vector<std::string> operators;
};

struct Statement;
using Block = std::vector<Statement>;

/// A filter named by a `filter` block or a block `set`.
struct FilterCall {
    std::string name;
    std::vector<Argument> arguments;
};

struct Branch {
    ExpressionPtr condition; ///< null for else
    Block body;
};

struct Parameter {
    std::string name;
    ExpressionPtr fallback; ///< null when it must be given
};

/// {% macro name(parameters) %}; a {% call %} block is one without a name.
struct Macro {
    std::string name;
    std::vector<Parameter> parameters;
    Block body;
};

struct Statement {
    enum class Kind {
        Text,   ///< text
        Print,  ///< expression
        If,     ///< branches
        For,    ///< targets in expression [if condition]: branches[0].body; branches[1].body when there was nothing
        Set,    ///< targets = expression; or, without one, the body in branches[0] through filters
        Macro,  ///< macro
        Call,   ///< expression (a call) with macro as `caller`
        Filter, ///< filters over branches[0].body
        Group,  ///< branches[0].body, as `generation` marks
        With,   ///< targets = arguments for branches[0].body
        Break,
        Continue,
    };
    Kind kind = Kind::Text;
    int line = 0;
    std::string text;
    ExpressionPtr expression;
    ExpressionPtr condition;
    std::vector<std::string> targets; ///< names; for Set also "namespace.attribute"
    std::vector<ExpressionPtr> values;
    std::vector<Branch> branches;
    std::vector<FilterCall> filters;
    bool recursive = false; ///< For: its body may run it again, with loop(items)
    std::unique_ptr<jinja::Macro> macro;
};

/// Throws Problem; nothing it gives is nested deeper than 256 levels.
[[nodiscard]] Block parse(std::string_view source);

} // namespace retort::jinja
